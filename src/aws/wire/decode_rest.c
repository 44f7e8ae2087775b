/* decode_rest.c: requests of REST services into C structs. A member is read from the place that it is bound to and from
 * nowhere else; what has no place is the JSON document. */
#include "aws/wire/common_error.h"
#include "aws/wire/rest.h"
#include "base/bug.h"
#include "base/digest.h"
#include "base/json.h"

#include <stdlib.h>

static Error too_many(Call *call)
{
    return call_fail(call, &common_serialization, "The request has too many items in its lists and maps.");
}

/* ---- The path ---- */

static Error read_labels(CallState *state)
{
    Call *call = &state->call;
    const RestRoute *route = state->route;
    for (size_t i = 0; i < route->segment_count; i++) {
        const RestSegment *segment = &route->segments[i];
        if (segment->kind == SEGMENT_LITERAL)
            continue;
        const Member *member = segment->label;
        Slice text;
        if (percent_decode(call->arena, rest_label(route, state->request->path, segment), false, &text) != OK)
            return call_fail(call, &common_serialization, "The path is not percent-encoded as it should be.");
        TRY(rest_read_text(call, segment->text, member->shape, TIMESTAMP_DATE_TIME, text,
                           member_value(member, state->input)));
        member_set_present(member, state->input);
    }
    return OK;
}

/* ---- The query ---- */

static Error read_query_list(CallState *state, const Member *member)
{
    Items *items = member_value(member, state->input);
    size_t capacity = 0;
    for (size_t i = 0; i < state->parameters.count; i++) {
        const QueryParameter *parameter = &state->parameters.items[i];
        if (!slice_equal(parameter->name, member->binding_name))
            continue;
        void *item = items_add(&state->call, member->shape, items, &capacity);
        if (item == NULL)
            return too_many(&state->call);
        TRY(rest_read_text(&state->call, member->binding_name, member->shape->item, TIMESTAMP_DATE_TIME,
                           parameter->value, item));
    }
    return OK;
}

static Error read_query_member(CallState *state, const Member *member)
{
    if (member->shape->type == SHAPE_LIST)
        return read_query_list(state, member);
    Slice text = query_find(&state->parameters, member->binding_name);
    if (text.data == NULL)
        return OK;
    TRY(rest_read_text(&state->call, member->binding_name, member->shape, TIMESTAMP_DATE_TIME, text,
                       member_value(member, state->input)));
    member_set_present(member, state->input);
    return OK;
}

static int compare_parameters(const void *a, const void *b)
{
    const QueryParameter *const *left = a;
    const QueryParameter *const *right = b;
    int order = slice_compare((*left)->name, (*right)->name);
    return order != 0 ? order : (*left > *right) - (*left < *right);
}

/* The parameters by name, those of one name in the order sent: so one pass finds all of a name, however many there are. */
static const QueryParameter **sorted_parameters(Arena *arena, const QueryParameters *parameters)
{
    const QueryParameter **sorted = arena_alloc(arena, (parameters->count + 1) * sizeof(QueryParameter *));
    for (size_t i = 0; i < parameters->count; i++)
        sorted[i] = &parameters->items[i];
    if (parameters->count > 1)
        qsort(sorted, parameters->count, sizeof *sorted, compare_parameters);
    return sorted;
}

/* All parameters, those that members are bound to among them, by name; of a name that stands twice, a map of texts has
 * the first, a map of lists has all. */
static Error read_query_params(CallState *state, const Member *member)
{
    Call *call = &state->call;
    const Shape *shape = member->shape;
    Items *items = member_value(member, state->input);
    const QueryParameter **sorted = sorted_parameters(call->arena, &state->parameters);
    size_t capacity = 0;
    size_t list_capacity = 0;
    char *entry = NULL;
    for (size_t i = 0; i < state->parameters.count; i++) {
        bool first = i == 0 || !slice_equal(sorted[i]->name, sorted[i - 1]->name);
        if (first) {
            entry = items_add(call, shape, items, &capacity);
            if (entry == NULL)
                return too_many(call);
            *(Slice *)(void *)entry = sorted[i]->name;
            list_capacity = 0;
        }
        void *place = entry + shape->item_offset;
        if (shape->item->type == SHAPE_LIST)
            place = items_add(call, shape->item, place, &list_capacity);
        if (place == NULL)
            return too_many(call);
        if (first || shape->item->type == SHAPE_LIST)
            *(Slice *)place = sorted[i]->value;
    }
    return OK;
}

/* ---- Header fields ---- */

static Error read_header_list(CallState *state, const Member *member, Slice text, size_t *capacity)
{
    Call *call = &state->call;
    Items *items = member_value(member, state->input);
    while (text.size > 0) {
        Slice part = rest_take_item(call->arena, member->shape->item, &text);
        void *item = items_add(call, member->shape, items, capacity);
        if (item == NULL)
            return too_many(call);
        TRY(rest_read_text(call, member->binding_name, member->shape->item, TIMESTAMP_HTTP_DATE, part, item));
    }
    return OK;
}

static Error read_header(CallState *state, const Member *member)
{
    size_t capacity = 0;
    const HttpRequest *request = state->request;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!slice_equal(request->headers[i].name, member->binding_name))
            continue;
        if (member->shape->type == SHAPE_LIST) {
            TRY(read_header_list(state, member, request->headers[i].value, &capacity));
            continue;
        }
        TRY(rest_read_text(&state->call, member->binding_name, member->shape, TIMESTAMP_HTTP_DATE,
                           request->headers[i].value, member_value(member, state->input)));
        member_set_present(member, state->input);
        return OK;
    }
    return OK;
}

static bool has_key(const Shape *shape, const Items *items, Slice key)
{
    for (size_t i = 0; i < items->count; i++)
        if (slice_equal(*(const Slice *)(const void *)((const char *)items->items + i * shape->entry_size), key))
            return true;
    return false;
}

/* A request has few fields (NET_HEADER_COUNT): they are looked through for each. */
static Error read_prefix_headers(CallState *state, const Member *member)
{
    Call *call = &state->call;
    const HttpRequest *request = state->request;
    Items *items = member_value(member, state->input);
    size_t capacity = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        Slice name = request->headers[i].name;
        if (!slice_starts_with(name, member->binding_name) || name.size == member->binding_name.size)
            continue;
        Slice key = slice_skip(name, member->binding_name.size);
        if (has_key(member->shape, items, key))
            continue;
        char *entry = items_add(call, member->shape, items, &capacity);
        if (entry == NULL)
            return too_many(call);
        *(Slice *)(void *)entry = key;
        TRY(rest_read_text(call, name, member->shape->item, TIMESTAMP_HTTP_DATE, request->headers[i].value,
                           entry + member->shape->item_offset));
    }
    return OK;
}

/* ---- The body ---- */

static Error read_payload(CallState *state, const Member *payload)
{
    Call *call = &state->call;
    void *value = member_value(payload, state->input);
    if (state->body.size == 0)
        return OK;
    if (payload->shape->type == SHAPE_STRUCTURE) {
        void *inner = arena_zalloc(call->arena, payload->shape->size);
        *(void **)value = inner;
        return decode_json(call, payload->shape, state->body, inner);
    }
    if (payload->shape->type == SHAPE_STRING && !utf8_is_valid(state->body))
        return call_fail(call, &common_serialization, "The body is not valid UTF-8.");
    if (payload->shape->type == SHAPE_DOCUMENT && json_check(state->body) != OK)
        return call_fail(call, &common_serialization, "The body is not valid JSON.");
    *(Slice *)value = state->body;
    return OK;
}

static Error read_member(CallState *state, const Member *member)
{
    switch (member->binding) {
    case BINDING_QUERY:
        return read_query_member(state, member);
    case BINDING_QUERY_PARAMS:
        return read_query_params(state, member);
    case BINDING_HEADER:
        return read_header(state, member);
    case BINDING_PREFIX_HEADERS:
        return read_prefix_headers(state, member);
    case BINDING_PAYLOAD:
        return read_payload(state, member);
    case BINDING_BODY:
    case BINDING_LABEL:
        return OK; /* read with all of their kind */
    case BINDING_RESPONSE_CODE:
        break;
    }
    UNREACHABLE();
}

Error decode_rest(CallState *state)
{
    const Shape *shape = state->call.operation->input;
    bool has_document = false;
    TRY(read_labels(state));
    for (size_t i = 0; i < shape->member_count; i++) {
        has_document = has_document || shape->members[i].binding == BINDING_BODY;
        TRY(read_member(state, &shape->members[i]));
    }
    return has_document ? decode_json(&state->call, shape, state->body, state->input) : OK;
}
