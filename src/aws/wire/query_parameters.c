/* query_parameters.c: "a=b&c=d" as names and values (the WHATWG URL standard, "application/x-www-form-urlencoded"). */
#include "aws/wire/codec.h"
#include "base/digest.h"
#include "base/json.h"

enum { PARAMETERS_FIRST = 16 };

/* A view into the text where nothing is escaped. */
static Error decode_part(Arena *arena, Slice text, Slice *decoded)
{
    if (memchr(text.data, '%', text.size) == NULL && memchr(text.data, '+', text.size) == NULL)
        *decoded = text;
    else
        TRY(percent_decode(arena, text, true, decoded));
    return utf8_is_valid(*decoded) ? OK : ERROR_MALFORMED;
}

static Error add(Arena *arena, QueryParameters *parameters, Slice pair)
{
    if (parameters->count >= parameters->limit)
        return ERROR_TOO_LARGE;
    if (parameters->count == parameters->capacity) {
        size_t capacity = parameters->capacity == 0 ? PARAMETERS_FIRST : parameters->capacity * 2;
        QueryParameter *moved = arena_alloc(arena, capacity * sizeof *moved);
        if (parameters->count > 0)
            memcpy(moved, parameters->items, parameters->count * sizeof *moved);
        parameters->items = moved;
        parameters->capacity = capacity;
    }
    size_t equals = slice_find(pair, '=');
    QueryParameter *parameter = &parameters->items[parameters->count];
    TRY(decode_part(arena, slice_make(pair.data, equals), &parameter->name));
    Slice value = equals < pair.size ? slice_skip(pair, equals + 1) : slice_make("", 0);
    TRY(decode_part(arena, value, &parameter->value));
    parameters->count++;
    return OK;
}

Error query_parse(Arena *arena, Slice text, QueryParameters *parameters)
{
    while (text.size > 0) {
        size_t end = slice_find(text, '&');
        if (end > 0)
            TRY(add(arena, parameters, slice_make(text.data, end)));
        text = slice_skip(text, end < text.size ? end + 1 : end);
    }
    return OK;
}

Slice query_find(const QueryParameters *parameters, Slice name)
{
    for (size_t i = 0; i < parameters->count; i++)
        if (slice_equal(parameters->items[i].name, name))
            return parameters->items[i].value;
    return (Slice){0};
}
