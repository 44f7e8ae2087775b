/* log_capture.h: what a worker writes to stdout and stderr, cut into lines; and the end of what an invocation logged.
 *
 * Lines are bounded in length and in number a second; what is dropped is counted, and told of. Belongs to a worker, on
 * the runtime's loop; never blocks. */
#ifndef BRUME_RUNTIME_LOG_CAPTURE_H
#define BRUME_RUNTIME_LOG_CAPTURE_H

#include "base/slice.h"

enum {
    LOG_TAIL_BYTES = 4096, /* Lambda API reference, Invoke: LogResult is the last 4 KB */
};

/* The last bytes of what was added. */
typedef struct LogTail {
    size_t total;
    char bytes[LOG_TAIL_BYTES]; /* a ring */
} LogTail;

void log_tail_add(LogTail *tail, Slice text);
/* Copies them in order; gives how many there are. */
size_t log_tail_copy(const LogTail *tail, char bytes[LOG_TAIL_BYTES]);

/* How many log events may pass: so many a second, the rest is counted. */
typedef struct LogRate {
    uint64_t window; /* the second */
    uint64_t passed;
    uint64_t dropped; /* and not yet told of */
} LogRate;

/* Whether one may pass at that time. `missed` is set when the first of a later second passes, to how many did not. */
bool log_rate_allows(LogRate *rate, uint64_t wall_ms, uint64_t per_second, uint64_t *missed);

/* One pipe. */
typedef struct LogPipe {
    int file;   /* non-blocking, the owner's; -1: there is none */
    char *line; /* the beginning of a line whose end has not come */
    size_t size;
    size_t capacity;
    bool skipping; /* the rest of a line that was too long */
} LogPipe;

typedef void LogLine(void *user, Slice line);

/* Reads what is there, at most `budget` bytes, and gives each whole line, its end included; one that is longer than `limit`
 * is cut off there. False: the pipe has ended. */
bool log_pipe_read(LogPipe *pipe, size_t limit, size_t budget, LogLine *on_line, void *user);
/* Gives what is left of a line without an end. */
void log_pipe_flush(LogPipe *pipe, LogLine *on_line, void *user);
void log_pipe_free(LogPipe *pipe);

#endif
