/* number.h: numbers and times as the protocols write them. Internal to wire; pure. */
#ifndef BRUME_AWS_WIRE_NUMBER_H
#define BRUME_AWS_WIRE_NUMBER_H

#include "base/arena.h"
#include "base/buffer.h"

/* A decimal number: whole, as text of JSON or of a form; 1e3 and 10.0 are whole too. False: not whole, no number, or
 * past `min` and `max`. */
bool number_parse_integer(Slice text, int64_t min, int64_t max, int64_t *value);
/* False: no number, or not finite. */
bool number_parse_double(Slice text, double *value);
/* Seconds since 1970, perhaps with a fraction, as milliseconds. */
bool number_parse_epoch(Slice text, int64_t *ms);
/* "2026-01-31T12:00:00Z", with a fraction of up to nine digits (RFC 3339; only UTC, as AWS's SDKs send it). */
bool number_parse_date_time(Slice text, int64_t *ms);
/* The reverse: seconds with a fraction only where there is one; "2026-01-31T12:00:00Z". */
void number_add_epoch(Buffer *out, int64_t ms);
void number_add_date_time(Buffer *out, int64_t ms);

#endif
