/* codec.h: between a protocol's bytes and the C structs of an operation, by descriptor. Internal to wire.
 *
 * Decoders fill a zeroed struct; strings in it are views into the body wherever nothing had to be unescaped. Everything
 * else is in the call's arena. Encoders append to a buffer. Nothing here blocks, any thread. */
#ifndef BRUME_AWS_WIRE_CODEC_H
#define BRUME_AWS_WIRE_CODEC_H

#include "aws/wire/call.h"
#include "base/buffer.h"

/* ---- Values in C structs ---- */

/* What every list and every map in C begins with (descriptor.h). */
typedef struct Items {
    void *items;
    size_t count;
} Items;

static inline void *member_value(const Member *member, void *structure)
{
    return (char *)structure + member->offset;
}

static inline const void *member_value_const(const Member *member, const void *structure)
{
    return (const char *)structure + member->offset;
}

/* Whether an optional member is there. */
bool member_is_present(const Member *member, const void *structure);
/* Says that a number or a boolean is there. */
static inline void member_set_present(const Member *member, void *structure)
{
    if (member->has_offset != 0)
        *(bool *)((char *)structure + member->has_offset) = true;
}

/* Room for one more zeroed item behind `items`; NULL past LIMIT_WIRE_ITEMS in one call. */
void *items_add(Call *call, const Shape *shape, Items *items, size_t *capacity);

/* ---- JSON ---- */

/* `body` empty: as "{}". ERROR_ANSWERED with SerializationException. */
Error decode_json(Call *call, const Shape *shape, Slice body, void *structure);
void encode_json(const Shape *shape, const void *structure, Buffer *out);
/* An error: "__type" unless `type` is absent, then its members in the order declared, `members` (may be NULL) and the
 * message where it is declared, or as "message". */
void encode_json_error(const ApiError *error, Slice type, Slice message, const void *members, Buffer *out);

/* ---- Query: parameters of a form or of a URL's query ---- */

typedef struct QueryParameter {
    Slice name; /* decoded */
    Slice value;
} QueryParameter;

typedef struct QueryParameters {
    QueryParameter *items;
    size_t count;
    size_t capacity;
    size_t limit; /* how many there may be (LIMIT_WIRE_QUERY_PARAMETERS) */
} QueryParameters;

/* Adds the parameters of "a=b&c=d". ERROR_MALFORMED: a broken escape or invalid UTF-8; ERROR_TOO_LARGE: past the limit. */
Error query_parse(Arena *arena, Slice text, QueryParameters *parameters);
/* The first of that name; absent when there is none. */
Slice query_find(const QueryParameters *parameters, Slice name);
/* Sorts the parameters. ERROR_ANSWERED with MalformedQueryString or InvalidParameterValue. */
Error decode_query(Call *call, const Shape *shape, QueryParameters *parameters, void *structure);
/* The whole answer: <OpResponse xmlns=…>…</OpResponse>. */
void encode_query(const Call *call, const void *output, Buffer *out);
/* Text of an XML element, escaped; what XML 1.0 cannot hold becomes U+FFFD. */
void xml_add_text(Buffer *out, Slice text);

/* ---- Constraints ---- */

/* Checks the whole input. ERROR_ANSWERED: in the service's words (its hook), or all violations at once as
 * ValidationException. */
Error validate_input(Call *call, const Shape *shape, const void *input);
/* A number as AWS's refusals tell it: with a fraction, always. */
void wire_add_double(Buffer *out, double value);
/* Whether all of `text` matches; in a time that grows with its length alone. Past 4 KiB only patterns of one step do. */
bool pattern_matches(const PatternStep *steps, size_t count, Slice text);

#endif
