/* decode_query.c: parameters of the Query protocol into C structs (smithy.io, "AWS query protocol").
 *
 * A parameter's name is a path: "Entry.2.Attribute.1.Name". The parameters are sorted by path, numbers by value, so that
 * everything below one prefix is one run of them, and the run is walked along the descriptors. */
#include "aws/wire/codec.h"
#include "aws/wire/common_error.h"
#include "aws/wire/number.h"
#include "base/bug.h"
#include "base/digest.h"
#include "base/time_format.h"

/* The parameters [first, end) share the first `prefix` bytes of their names, which end behind a whole component. */
typedef struct Run {
    QueryParameter *first;
    QueryParameter *end;
    size_t prefix;
} Run;

static Error decode_value(Call *call, const Member *member, const Shape *shape, bool flattened, Run run, void *value);

/* ---- Order ---- */

static Slice component_at(Slice name, size_t offset)
{
    Slice rest = slice_skip(name, offset);
    return slice_make(rest.data, slice_find(rest, '.'));
}

/* Numbers by value and before everything else; equal values ("1", "01") by their text. */
static int component_compare(Slice a, Slice b)
{
    uint64_t left = 0;
    uint64_t right = 0;
    bool left_is_number = slice_parse_uint64(a, &left);
    bool right_is_number = slice_parse_uint64(b, &right);
    if (left_is_number != right_is_number)
        return left_is_number ? -1 : 1;
    if (left_is_number && left != right)
        return left < right ? -1 : 1;
    return slice_compare(a, b);
}

static int path_compare(Slice a, Slice b)
{
    size_t at = 0;
    for (;;) {
        Slice left = component_at(a, at);
        Slice right = component_at(b, at);
        int order = component_compare(left, right);
        if (order != 0)
            return order;
        at += left.size;
        if (at >= a.size || at >= b.size)
            return (a.size > b.size) - (a.size < b.size);
        at++;
    }
}

/* A stable merge sort, bottom up: no recursion, and parameters that come in order cost one comparison each. */
static void sort_parameters(Arena *arena, QueryParameters *parameters)
{
    size_t count = parameters->count;
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++)
        sorted = path_compare(parameters->items[i - 1].name, parameters->items[i].name) <= 0;
    if (sorted)
        return;
    QueryParameter *from = parameters->items;
    QueryParameter *to = arena_alloc(arena, count * sizeof *to);
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t middle = start + width < count ? start + width : count;
            size_t end = start + 2 * width < count ? start + 2 * width : count;
            size_t left = start;
            size_t right = middle;
            for (size_t i = start; i < end; i++) {
                bool take_left =
                    left < middle && (right == end || path_compare(from[left].name, from[right].name) <= 0);
                to[i] = take_left ? from[left++] : from[right++];
            }
        }
        QueryParameter *swapped = from;
        from = to;
        to = swapped;
    }
    parameters->items = from;
}

/* ---- Runs ---- */

static bool is_leaf(const QueryParameter *parameter, size_t prefix)
{
    return parameter->name.size <= prefix;
}

/* The parameters of the run that go deeper, their prefix behind the dot. */
static Run run_children(Run run)
{
    while (run.first < run.end && is_leaf(run.first, run.prefix))
        run.first++;
    run.prefix++;
    return run;
}

/* Takes off the front of `run` what shares its next component, which it gives. */
static Run run_take_group(Run *run, Slice *component)
{
    *component = component_at(run->first->name, run->prefix);
    Run group = {.first = run->first, .prefix = run->prefix + component->size};
    do
        run->first++;
    while (run->first < run->end && slice_equal(component_at(run->first->name, run->prefix), *component));
    group.end = run->first;
    return group;
}

static Error malformed(Call *call, Slice name)
{
    return call_fail(call, &common_serialization, "The parameter %.*s does not fit what it stands for.",
                     SLICE_PRINT(name));
}

/* ---- Simple values ---- */

static Error wrong_value(Call *call, const Member *member, const Shape *shape, const QueryParameter *parameter)
{
    Violation violation = {
        .kind = VIOLATION_TYPE, .member = member, .path = parameter->name, .value = parameter->value};
    const ServiceHooks *hooks = call->service == NULL ? NULL : call->service->hooks;
    if (hooks != NULL && hooks->violation != NULL)
        return hooks->violation(call, &violation);
    return call_fail(call, &common_invalid_parameter_value, "Value %.*s for parameter %.*s is invalid. Must be a %.*s.",
                     SLICE_PRINT(parameter->value), SLICE_PRINT(parameter->name), SLICE_PRINT(shape->name));
}

static bool parse_boolean(Slice text, bool *value)
{
    *value = slice_equal_ignore_case(text, SLICE("true"));
    return *value || slice_equal_ignore_case(text, SLICE("false"));
}

static bool parse_integer(Slice text, void *value)
{
    int64_t number;
    if (!number_parse_integer(text, INT32_MIN, INT32_MAX, &number))
        return false;
    *(int32_t *)value = (int32_t)number;
    return true;
}

static bool parse_simple(Call *call, ShapeType type, Slice text, void *value)
{
    switch (type) {
    case SHAPE_STRING:
    case SHAPE_DOCUMENT:
        *(Slice *)value = text;
        return true;
    case SHAPE_BLOB:
        return base64_decode(call->arena, text, value) == OK;
    case SHAPE_INTEGER:
        return parse_integer(text, value);
    case SHAPE_LONG:
        return number_parse_integer(text, INT64_MIN, INT64_MAX, value);
    case SHAPE_DOUBLE:
        return number_parse_double(text, value);
    case SHAPE_BOOLEAN:
        return parse_boolean(text, value);
    case SHAPE_TIMESTAMP:
        return time_parse_iso(text, value) == OK || time_parse_epoch(text, value) == OK;
    default:
        UNREACHABLE();
    }
}

static Error decode_simple(Call *call, const Member *member, const Shape *shape, Run run, void *value)
{
    if (!is_leaf(run.first, run.prefix))
        return malformed(call, run.first->name);
    if (!parse_simple(call, shape->type, run.first->value, value))
        return wrong_value(call, member, shape, run.first);
    return OK;
}

/* ---- Structures, lists, maps ---- */

/* Empty flattened lists come as "Entries=" from some SDKs (botocore): by the declared name, which nothing else uses. */
static const Member *empty_collection(const Shape *shape, Slice name, Run run)
{
    const Member *member = shape_member(shape, name);
    bool empty = is_leaf(run.first, run.prefix) && run.end - run.first == 1 && run.first->value.size == 0;
    return member != NULL && member->flattened && empty ? member : NULL;
}

static Error decode_structure(Call *call, const Shape *shape, Run run, void *structure)
{
    while (run.first < run.end) {
        Slice name;
        Run group = run_take_group(&run, &name);
        const Member *member = shape_member_by_query_name(shape, name);
        if (member == NULL)
            member = empty_collection(shape, name, group);
        if (member == NULL)
            continue;
        void *value = member_value(member, structure);
        if (member->shape->type == SHAPE_STRUCTURE) {
            void *inner = arena_zalloc(call->arena, member->shape->size);
            *(void **)value = inner;
            value = inner;
        }
        TRY(decode_value(call, member, member->shape, member->flattened, group, value));
        member_set_present(member, structure);
    }
    return OK;
}

/* Of a list or map that is not flattened, only what stands under "member" or "entry" counts. */
static Run run_wrapped(Run run, Slice wrapper)
{
    while (run.first < run.end) {
        Slice component;
        Run group = run_take_group(&run, &component);
        if (slice_equal(component, wrapper))
            return run_children(group);
    }
    return run;
}

static Error decode_entry(Call *call, const Member *member, const Shape *shape, Run run, char *entry)
{
    bool has_key = false;
    bool has_value = false;
    Run parts = run_children(run);
    while (parts.first < parts.end) {
        Slice name;
        Run group = run_take_group(&parts, &name);
        if (slice_equal(name, shape->key_query_name) && is_leaf(group.first, group.prefix)) {
            *(Slice *)(void *)entry = group.first->value;
            has_key = true;
        } else if (slice_equal(name, shape->item_query_name)) {
            TRY(decode_value(call, member, shape->item, false, group, entry + shape->item_offset));
            has_value = true;
        }
    }
    if (!has_key || !has_value)
        return call_fail(call, &common_serialization, "%.*s needs both %.*s and %.*s.", SLICE_PRINT(run.first->name),
                         SLICE_PRINT(shape->key_query_name), SLICE_PRINT(shape->item_query_name));
    return OK;
}

static Error decode_items(Call *call, const Member *member, const Shape *shape, Run run, Items *items)
{
    size_t capacity = 0;
    while (run.first < run.end) {
        Slice index;
        uint64_t number;
        Run group = run_take_group(&run, &index);
        if (!slice_parse_uint64(index, &number))
            return malformed(call, group.first->name);
        void *item = items_add(call, shape, items, &capacity);
        if (item == NULL)
            return call_fail(call, &common_serialization, "The request has too many items in its lists and maps.");
        if (shape->type == SHAPE_MAP)
            TRY(decode_entry(call, member, shape, group, item));
        else
            TRY(decode_value(call, member, shape->item, false, group, item));
    }
    return OK;
}

static Error decode_collection(Call *call, const Member *member, const Shape *shape, bool flattened, Run run,
                               Items *items)
{
    *items = (Items){.items = (void *)""}; /* present: "Name=" stands for an empty one */
    Run children = run_children(run);
    if (children.first == children.end && run.first->value.size > 0) {
        /* "AttributeName=All": one item without its number, as SQS's first API versions had it. */
        size_t capacity = 0;
        if (!flattened || shape->type == SHAPE_MAP)
            return malformed(call, run.first->name);
        return decode_value(call, member, shape->item, false, run, items_add(call, shape, items, &capacity));
    }
    if (!flattened)
        children = run_wrapped(children, shape->type == SHAPE_MAP ? SLICE("entry") : shape->item_query_name);
    return decode_items(call, member, shape, children, items);
}

static Error decode_value(Call *call, const Member *member, const Shape *shape, bool flattened, Run run, void *value)
{
    switch (shape->type) {
    case SHAPE_STRUCTURE:
        if (is_leaf(run.first, run.prefix) && run.first->value.size > 0)
            return malformed(call, run.first->name);
        return decode_structure(call, shape, run_children(run), value);
    case SHAPE_LIST:
    case SHAPE_MAP:
        return decode_collection(call, member, shape, flattened, run, value);
    default:
        return decode_simple(call, member, shape, run, value);
    }
}

Error decode_query(Call *call, const Shape *shape, QueryParameters *parameters, void *structure)
{
    if (parameters->count == 0)
        return OK;
    sort_parameters(call->arena, parameters);
    Run run = {.first = parameters->items, .end = parameters->items + parameters->count};
    return decode_structure(call, shape, run, structure);
}
