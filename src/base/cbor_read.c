#include "base/cbor.h"
#include "base/json.h" /* utf8_is_valid */

/* RFC 8949 section 3.1. */
enum {
    MAJOR_UNSIGNED,
    MAJOR_NEGATIVE,
    MAJOR_BYTES,
    MAJOR_TEXT,
    MAJOR_ARRAY,
    MAJOR_MAP,
    MAJOR_TAG,
    MAJOR_SIMPLE,
};

/* The lower five bits of a head (section 3), and those with a meaning of their own under MAJOR_SIMPLE (section 3.3). */
enum {
    INFO_ONE_BYTE = 24,
    INFO_EIGHT_BYTES = 27,
    INFO_INDEFINITE = 31,
    SIMPLE_FALSE = 20,
    SIMPLE_TRUE = 21,
    SIMPLE_NULL = 22,
    SIMPLE_UNDEFINED = 23,
    SIMPLE_HALF = 25,
    SIMPLE_SINGLE = 26,
    SIMPLE_DOUBLE = 27,
};

static const unsigned char break_byte = 0xff;

typedef struct Head {
    unsigned major;
    unsigned info;
    uint64_t argument;
    const char *after;
} Head;

CborReader cbor_reader(Slice bytes, Arena *arena)
{
    const char *start = bytes.data == NULL ? "" : bytes.data;
    return (CborReader){.at = start, .end = start + bytes.size, .arena = arena};
}

/* Reads the head at `at` without moving. A break is no head. */
static Error read_head(const CborReader *reader, Head *head)
{
    const unsigned char *at = (const unsigned char *)reader->at;
    size_t left = (size_t)(reader->end - reader->at);
    if (left == 0)
        return ERROR_MALFORMED;
    head->major = at[0] >> 5;
    head->info = at[0] & 31;
    head->argument = head->info;
    head->after = reader->at + 1;
    if (head->info == INFO_INDEFINITE)
        return head->major >= MAJOR_BYTES && head->major <= MAJOR_MAP ? OK : ERROR_MALFORMED;
    if (head->info > INFO_EIGHT_BYTES)
        return ERROR_MALFORMED;
    if (head->info >= INFO_ONE_BYTE) {
        size_t width = (size_t)1 << (head->info - INFO_ONE_BYTE);
        if (left - 1 < width)
            return ERROR_MALFORMED;
        head->argument = 0;
        for (size_t i = 1; i <= width; i++)
            head->argument = head->argument << 8 | at[i];
        head->after += width;
    }
    /* Section 3.3: a simple value below 32 in two bytes is not well-formed. */
    if (head->major == MAJOR_SIMPLE && head->info == INFO_ONE_BYTE && head->argument < 32)
        return ERROR_MALFORMED;
    return OK;
}

static CborType simple_type(unsigned info)
{
    switch (info) {
    case SIMPLE_FALSE:
    case SIMPLE_TRUE:
        return CBOR_BOOLEAN;
    case SIMPLE_NULL:
        return CBOR_NULL;
    case SIMPLE_UNDEFINED:
        return CBOR_UNDEFINED;
    case SIMPLE_HALF:
    case SIMPLE_SINGLE:
    case SIMPLE_DOUBLE:
        return CBOR_FLOAT;
    default:
        return CBOR_SIMPLE;
    }
}

Error cbor_peek(const CborReader *reader, CborType *type)
{
    static const CborType types[] = {
        [MAJOR_UNSIGNED] = CBOR_UNSIGNED, [MAJOR_NEGATIVE] = CBOR_NEGATIVE, [MAJOR_BYTES] = CBOR_BYTES,
        [MAJOR_TEXT] = CBOR_TEXT,         [MAJOR_ARRAY] = CBOR_ARRAY,       [MAJOR_MAP] = CBOR_MAP,
        [MAJOR_TAG] = CBOR_TAG,
    };
    Head head;
    TRY(read_head(reader, &head));
    *type = head.major == MAJOR_SIMPLE ? simple_type(head.info) : types[head.major];
    return OK;
}

/* ---- Scalars ---- */

static Error read_head_of(const CborReader *reader, unsigned major, Head *head)
{
    TRY(read_head(reader, head));
    return head->major == major ? OK : ERROR_MALFORMED;
}

Error cbor_read_uint64(CborReader *reader, uint64_t *value)
{
    Head head;
    TRY(read_head_of(reader, MAJOR_UNSIGNED, &head));
    *value = head.argument;
    reader->at = head.after;
    return OK;
}

Error cbor_read_int64(CborReader *reader, int64_t *value)
{
    Head head;
    TRY(read_head(reader, &head));
    if (head.major != MAJOR_UNSIGNED && head.major != MAJOR_NEGATIVE)
        return ERROR_MALFORMED;
    if (head.argument > INT64_MAX)
        return ERROR_TOO_LARGE;
    /* A negative integer is -1 minus the argument (section 3.1). */
    *value = head.major == MAJOR_UNSIGNED ? (int64_t)head.argument : -1 - (int64_t)head.argument;
    reader->at = head.after;
    return OK;
}

/* IEEE 754 binary16 (a sign, 5 bits of exponent, 10 of fraction) as binary64 (11 bits and 52). */
static double double_of_half(uint64_t half)
{
    uint64_t exponent = half >> 10 & 31;
    uint64_t fraction = half & 1023;
    if (exponent == 0)
        return (double)fraction * ((half & 0x8000) != 0 ? -0x1p-24 : 0x1p-24);
    uint64_t wide_exponent = exponent == 31 ? 2047 : exponent - 15 + 1023;
    uint64_t bits = (half & 0x8000) << 48 | wide_exponent << 52 | fraction << 42;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

Error cbor_read_double(CborReader *reader, double *value)
{
    Head head;
    TRY(read_head_of(reader, MAJOR_SIMPLE, &head));
    if (head.info == SIMPLE_DOUBLE) {
        memcpy(value, &head.argument, sizeof *value);
    } else if (head.info == SIMPLE_SINGLE) {
        uint32_t bits = (uint32_t)head.argument;
        float single;
        memcpy(&single, &bits, sizeof single);
        *value = (double)single;
    } else if (head.info == SIMPLE_HALF) {
        *value = double_of_half(head.argument);
    } else {
        return ERROR_MALFORMED;
    }
    reader->at = head.after;
    return OK;
}

Error cbor_read_boolean(CborReader *reader, bool *value)
{
    Head head;
    TRY(read_head_of(reader, MAJOR_SIMPLE, &head));
    if (head.info != SIMPLE_FALSE && head.info != SIMPLE_TRUE)
        return ERROR_MALFORMED;
    *value = head.info == SIMPLE_TRUE;
    reader->at = head.after;
    return OK;
}

Error cbor_read_null(CborReader *reader)
{
    Head head;
    TRY(read_head_of(reader, MAJOR_SIMPLE, &head));
    if (head.info != SIMPLE_NULL && head.info != SIMPLE_UNDEFINED)
        return ERROR_MALFORMED;
    reader->at = head.after;
    return OK;
}

Error cbor_read_tag(CborReader *reader, uint64_t *tag)
{
    Head head;
    TRY(read_head_of(reader, MAJOR_TAG, &head));
    *tag = head.argument;
    reader->at = head.after;
    return OK;
}

/* ---- Strings ---- */

static bool take_break(CborReader *reader)
{
    if (reader->at == reader->end || (unsigned char)*reader->at != break_byte)
        return false;
    reader->at++;
    return true;
}

/* A string of definite length; each chunk of text is UTF-8 by itself (section 3.2.3). */
static Error read_definite(CborReader *reader, const Head *head, Slice *value)
{
    if (head->info == INFO_INDEFINITE || head->argument > (uint64_t)(reader->end - head->after))
        return ERROR_MALFORMED;
    *value = slice_make(head->after, (size_t)head->argument);
    if (head->major == MAJOR_TEXT && !utf8_is_valid(*value))
        return ERROR_MALFORMED;
    reader->at = head->after + head->argument;
    return OK;
}

/* A string of either kind. `joined` is NULL when the value is not wanted, only checked. */
static Error read_string(CborReader *reader, const Head *head, Buffer *joined, Slice *value)
{
    if (head->info != INFO_INDEFINITE)
        return read_definite(reader, head, value);
    reader->at = head->after;
    while (!take_break(reader)) {
        Head chunk;
        TRY(read_head_of(reader, head->major, &chunk));
        TRY(read_definite(reader, &chunk, value));
        if (joined != NULL)
            buffer_add(joined, *value);
    }
    if (joined != NULL)
        *value = buffer_slice(joined);
    return OK;
}

static Error read_string_of(CborReader *reader, unsigned major, Slice *value)
{
    Head head;
    TRY(read_head_of(reader, major, &head));
    Buffer joined = buffer_make(reader->arena);
    return read_string(reader, &head, &joined, value);
}

Error cbor_read_bytes(CborReader *reader, Slice *value)
{
    return read_string_of(reader, MAJOR_BYTES, value);
}

Error cbor_read_text(CborReader *reader, Slice *value)
{
    return read_string_of(reader, MAJOR_TEXT, value);
}

/* ---- Arrays and maps ---- */

static Error enter(CborReader *reader, const Head *head)
{
    bool map = head->major == MAJOR_MAP;
    bool indefinite = head->info == INFO_INDEFINITE;
    uint64_t items_possible = (uint64_t)(reader->end - head->after);
    if (!indefinite && head->argument > (map ? items_possible / 2 : items_possible))
        return ERROR_MALFORMED;
    if (reader->depth == CBOR_DEPTH_MAX)
        return ERROR_TOO_DEEP;
    reader->levels[reader->depth++] =
        (CborLevel){.left = map ? head->argument * 2 : head->argument, .indefinite = indefinite, .map = map};
    reader->at = head->after;
    return OK;
}

/* Counts the next item of the innermost array or map, or closes that. */
static Error next_item(CborReader *reader, bool *more)
{
    CborLevel *level = &reader->levels[reader->depth - 1];
    if (level->indefinite) {
        *more = !take_break(reader);
        if (!*more && level->value_due)
            return ERROR_MALFORMED;
        level->value_due = level->map && !level->value_due;
    } else {
        *more = level->left > 0;
        level->left -= *more ? 1 : 0;
    }
    if (!*more)
        reader->depth--;
    return OK;
}

Error cbor_begin_array(CborReader *reader)
{
    Head head;
    TRY(read_head_of(reader, MAJOR_ARRAY, &head));
    return enter(reader, &head);
}

Error cbor_next_element(CborReader *reader, bool *more)
{
    return next_item(reader, more);
}

Error cbor_begin_map(CborReader *reader)
{
    Head head;
    TRY(read_head_of(reader, MAJOR_MAP, &head));
    return enter(reader, &head);
}

Error cbor_next_member(CborReader *reader, bool *more)
{
    TRY(next_item(reader, more));
    if (!*more)
        return OK;
    /* The value is counted together with its key. A break in its place is met by whoever reads the value. */
    CborLevel *level = &reader->levels[reader->depth - 1];
    level->value_due = false;
    level->left -= level->indefinite ? 0 : 1;
    return OK;
}

/* ---- Whole items ---- */

/* Moves over a scalar or a string with the tags before it, or over the head of an array or map. */
static Error walk_item(CborReader *reader)
{
    Head head;
    TRY(read_head(reader, &head));
    while (head.major == MAJOR_TAG) {
        reader->at = head.after;
        TRY(read_head(reader, &head));
    }
    Slice ignored;
    switch (head.major) {
    case MAJOR_BYTES:
    case MAJOR_TEXT:
        return read_string(reader, &head, NULL, &ignored);
    case MAJOR_ARRAY:
    case MAJOR_MAP:
        return enter(reader, &head);
    default:
        reader->at = head.after;
        return OK;
    }
}

Error cbor_read_any(CborReader *reader, Slice *bytes)
{
    const char *start = reader->at;
    unsigned outside = reader->depth;
    TRY(walk_item(reader));
    while (reader->depth > outside) {
        bool more;
        TRY(next_item(reader, &more));
        if (more)
            TRY(walk_item(reader));
    }
    *bytes = slice_make(start, (size_t)(reader->at - start));
    return OK;
}

Error cbor_read_end(const CborReader *reader)
{
    return reader->at == reader->end ? OK : ERROR_MALFORMED;
}

Error cbor_check(Slice bytes)
{
    CborReader reader = cbor_reader(bytes, NULL);
    Slice whole;
    TRY(cbor_read_any(&reader, &whole));
    return cbor_read_end(&reader);
}
