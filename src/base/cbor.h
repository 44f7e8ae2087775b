/* cbor.h: CBOR read in place and written, by RFC 8949.
 *
 * The reader pulls as json.h's does: the caller says what it expects. Strings of definite length are views into the
 * input; those in chunks are joined in the arena. Refused: what is not well-formed, text that is not UTF-8, nesting
 * past CBOR_DEPTH_MAX, an array or map that says it has more items than bytes are left. Any length of a head is read;
 * the writer uses the shortest (section 4.1, preferred serialization). Pure; any thread. */
#ifndef BRUME_BASE_CBOR_H
#define BRUME_BASE_CBOR_H

#include "base/buffer.h"
#include "base/error.h"

enum { CBOR_DEPTH_MAX = 64 };

typedef enum CborType {
    CBOR_UNSIGNED, /* 0 to 2^64 - 1 */
    CBOR_NEGATIVE, /* -1 to -2^64 */
    CBOR_BYTES,
    CBOR_TEXT,
    CBOR_ARRAY,
    CBOR_MAP,
    CBOR_TAG,
    CBOR_BOOLEAN,
    CBOR_NULL,
    CBOR_UNDEFINED,
    CBOR_FLOAT,
    CBOR_SIMPLE, /* a simple value without a meaning; only cbor_read_any reads it */
} CborType;

/* An array or map that is being read. */
typedef struct CborLevel {
    uint64_t left; /* items still to come, keys and values each; unless indefinite */
    bool indefinite;
    bool map;
    bool value_due; /* of an indefinite map: a key has been read */
} CborLevel;

typedef struct CborReader {
    const char *at;
    const char *end;
    Arena *arena;
    unsigned depth;
    CborLevel levels[CBOR_DEPTH_MAX];
} CborReader;

/* Reads `bytes`, which must outlive what is read. */
CborReader cbor_reader(Slice bytes, Arena *arena);

/* Every reading function: OK; ERROR_MALFORMED (not well-formed, or another type than asked for, which is not moved
 * over); ERROR_TOO_DEEP; ERROR_TOO_LARGE (an integer that the type asked for cannot hold). */

/* The type of the item that comes next. */
Error cbor_peek(const CborReader *reader, CborType *type);
Error cbor_read_uint64(CborReader *reader, uint64_t *value);
Error cbor_read_int64(CborReader *reader, int64_t *value);
/* A float of any width. */
Error cbor_read_double(CborReader *reader, double *value);
Error cbor_read_boolean(CborReader *reader, bool *value);
/* null or undefined. */
Error cbor_read_null(CborReader *reader);
Error cbor_read_bytes(CborReader *reader, Slice *value);
Error cbor_read_text(CborReader *reader, Slice *value);
/* The number of the tag; the item it is about follows. */
Error cbor_read_tag(CborReader *reader, uint64_t *tag);
/* Then cbor_next_element until `more` is false, which closes the array; each true is followed by its item. */
Error cbor_begin_array(CborReader *reader);
Error cbor_next_element(CborReader *reader, bool *more);
/* Then cbor_next_member until `more` is false, which closes the map; each true is followed by key and value. */
Error cbor_begin_map(CborReader *reader);
Error cbor_next_member(CborReader *reader, bool *more);
/* Skips a whole item with its tags, checking it, and gives its bytes. */
Error cbor_read_any(CborReader *reader, Slice *bytes);
/* Nothing may be left. */
Error cbor_read_end(const CborReader *reader);

/* Whether the bytes are one valid item. */
Error cbor_check(Slice bytes);

/* ---- Writing: counts are the caller's to keep ---- */

void cbor_write_uint64(Buffer *out, uint64_t value);
void cbor_write_int64(Buffer *out, int64_t value);
/* In the fewest bytes that hold the same number; every NaN becomes the one of two bytes. */
void cbor_write_double(Buffer *out, double value);
void cbor_write_boolean(Buffer *out, bool value);
void cbor_write_null(Buffer *out);
void cbor_write_bytes(Buffer *out, Slice value);
/* The bytes must be UTF-8. */
void cbor_write_text(Buffer *out, Slice value);
void cbor_write_tag(Buffer *out, uint64_t tag);
/* `count` items follow. */
void cbor_write_array(Buffer *out, uint64_t count);
/* `count` pairs of key and value follow. */
void cbor_write_map(Buffer *out, uint64_t count);
/* For counts not known in advance: ended by cbor_write_break. */
void cbor_write_array_indefinite(Buffer *out);
void cbor_write_map_indefinite(Buffer *out);
void cbor_write_break(Buffer *out);

#endif
