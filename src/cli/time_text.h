/* time_text.h: times and durations as people type and read them. Pure; any thread. */
#ifndef BRUME_CLI_TIME_TEXT_H
#define BRUME_CLI_TIME_TEXT_H

#include "base/arena.h"

/* "2027-01-01T00:00:00Z", "2027-01-01T00:00:00.250Z" or "2027-01-01" (UTC), to milliseconds since 1970. */
bool time_read(Slice text, uint64_t *ms);
/* The first of these forms, with milliseconds when there are any. */
Slice time_write(Arena *arena, uint64_t ms);
/* "20270101T000000Z", for names of files. */
Slice time_write_basic(Arena *arena, uint64_t ms);

/* "15m", "30d", "1h30m": whole numbers of w, d, h, m, s or ms. */
bool duration_read(Slice text, uint64_t *ms);

#endif
