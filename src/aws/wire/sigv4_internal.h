/* sigv4_internal.h: what the files of Signature Version 4 share. For sigv4*.c only. */
#ifndef BRUME_AWS_WIRE_SIGV4_INTERNAL_H
#define BRUME_AWS_WIRE_SIGV4_INTERNAL_H

#include "aws/wire/sigv4.h"

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"

/* Without blanks at either end. */
static inline Slice sigv4_trim(Slice text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = slice_skip(text, 1);
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* Takes what stands before the next `separator` off the front of `rest`, and the separator too. */
static inline Slice sigv4_take_until(Slice *rest, char separator)
{
    size_t end = slice_find(*rest, separator);
    Slice part = {rest->data, end};
    *rest = end < rest->size ? slice_skip(*rest, end + 1) : (Slice){rest->data + end, 0};
    return part;
}

/* Whether the signed name stands for the host (RFC 9113, 8.3.1). */
static inline bool sigv4_is_host(Slice name)
{
    return slice_equal(name, SLICE("host")) || slice_equal(name, SLICE(":authority"));
}

static inline SigV4Verdict sigv4_refuse(SigV4Verdict verdict, Slice *message, Slice text)
{
    *message = text;
    return verdict;
}

/* "20150830T123600Z", or the forms of RFC 9110 section 5.6.7, as the first form and as seconds since 1970; false when
 * it is no such time. */
bool sigv4_read_time(Slice text, Arena *arena, Slice *timestamp, int64_t *seconds);

#endif
