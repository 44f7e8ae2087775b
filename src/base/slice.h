/* slice.h: bytes with a length, borrowed from whoever owns them.
 *
 * A slice never owns memory and is not NUL-terminated. `data == NULL` means "absent" where the difference to "empty"
 * matters (an optional member of a request). Passed by value everywhere. */
#ifndef BRUME_BASE_SLICE_H
#define BRUME_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Slice {
    const char *data;
    size_t size;
} Slice;

/* The slice of a string literal, without its NUL. */
#define SLICE(literal) ((Slice){"" literal, sizeof(literal) - 1})
/* The same as a constant initializer of a static table. */
#define SLICE_INIT(literal)                                                                                            \
    {                                                                                                                  \
        "" literal, sizeof(literal) - 1                                                                                \
    }
/* For printf: printf("%.*s", SLICE_PRINT(s)). */
#define SLICE_PRINT(slice) (int)(slice).size, (slice).data == NULL ? "" : (slice).data

static inline Slice slice_make(const void *data, size_t size)
{
    return (Slice){data, size};
}

static inline Slice slice_of_string(const char *string)
{
    return (Slice){string, string == NULL ? 0 : strlen(string)};
}

static inline bool slice_equal(Slice a, Slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* memcmp order; a prefix sorts before what it is a prefix of. */
static inline int slice_compare(Slice a, Slice b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static inline bool slice_starts_with(Slice slice, Slice prefix)
{
    return slice.size >= prefix.size && (prefix.size == 0 || memcmp(slice.data, prefix.data, prefix.size) == 0);
}

static inline bool slice_ends_with(Slice slice, Slice suffix)
{
    return slice.size >= suffix.size &&
           (suffix.size == 0 || memcmp(slice.data + slice.size - suffix.size, suffix.data, suffix.size) == 0);
}

/* What follows the first `count` bytes; `count` must not pass the size. */
static inline Slice slice_skip(Slice slice, size_t count)
{
    return (Slice){slice.data + count, slice.size - count};
}

/* The offset of the first `byte`, or `slice.size` when there is none. */
static inline size_t slice_find(Slice slice, char byte)
{
    const char *found = slice.size == 0 ? NULL : memchr(slice.data, byte, slice.size);
    return found == NULL ? slice.size : (size_t)(found - slice.data);
}

/* ASCII case-insensitive equality (RFC 9110 field names, hash-bang names; never for user text). */
bool slice_equal_ignore_case(Slice a, Slice b);

/* Reads a whole decimal number without sign, spaces or leading '+'; false when it is none or passes uint64_t. */
bool slice_parse_uint64(Slice slice, uint64_t *value);
/* The same with an optional leading '-'. */
bool slice_parse_int64(Slice slice, int64_t *value);

#endif
