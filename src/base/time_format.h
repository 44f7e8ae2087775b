/* time_format.h: points in time and durations as text, in UTC, whatever the machine's locale and time zone.
 *
 * A point in time is int64_t milliseconds since 1970-01-01T00:00:00Z, in the years 1 to 9999; leap seconds do not count
 * (a 23:59:60 is read as the second after it). Pure functions; any thread. Formatters write into the caller's
 * `text`, give the slice of it that was filled, and print what lies outside those years as the nearest end of them. */
#ifndef BRUME_BASE_TIME_FORMAT_H
#define BRUME_BASE_TIME_FORMAT_H

#include "base/error.h"
#include "base/slice.h"

/* Room for every format below. */
enum { TIME_TEXT_MAX = 48 };

#define TIME_MIN_MS (-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define TIME_MAX_MS 253402300799999   /* 9999-12-31T23:59:59.999Z */

/* 20260131T000000Z, as x-amz-date has it (AWS Signature Version 4, "Elements of an AWS API request signature"). */
Slice time_format_iso_basic(int64_t time_ms, char text[TIME_TEXT_MAX]);
/* 2026-01-31T00:00:00Z (RFC 3339). */
Slice time_format_iso(int64_t time_ms, char text[TIME_TEXT_MAX]);
/* 2026-01-31T00:00:00.000Z (RFC 3339). */
Slice time_format_iso_ms(int64_t time_ms, char text[TIME_TEXT_MAX]);
/* Sat, 31 Jan 2026 00:00:00 GMT (RFC 7231 section 7.1.1.1). */
Slice time_format_http(int64_t time_ms, char text[TIME_TEXT_MAX]);
/* Seconds since 1970 with as many digits behind the point as are needed: 1769817600, 1769817600.5 (Smithy,
 * "timestampFormat trait": epoch-seconds). */
Slice time_format_epoch(int64_t time_ms, char text[TIME_TEXT_MAX]);

/* Each reader takes the whole text. ERROR_MALFORMED: another form, or a day that does not exist. What is finer than a
 * millisecond is dropped. */
Error time_parse_iso_basic(Slice text, int64_t *time_ms);
/* RFC 3339: with or without a fraction, with Z or an offset such as +01:00. */
Error time_parse_iso(Slice text, int64_t *time_ms);
/* The three forms of RFC 7231 section 7.1.1.1. Two-digit years are taken as 1970 to 2069. */
Error time_parse_http(Slice text, int64_t *time_ms);
/* A decimal number, which may have a sign, a fraction and an exponent, as JSON writes numbers. */
Error time_parse_epoch(Slice text, int64_t *time_ms);

/* Durations as the command line takes them: 500ms, 15m, 30d, 1h30m: whole numbers with the units d, h, m, s, ms, larger
 * ones first, each at most once. ERROR_MALFORMED: another form; ERROR_TOO_LARGE: past 10 000 years. */
Error duration_parse(Slice text, uint64_t *duration_ms);
/* The same way back: 1h30m; 0s for none. */
Slice duration_format(uint64_t duration_ms, char text[TIME_TEXT_MAX]);

#endif
