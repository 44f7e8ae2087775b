/* validate.c: the declared constraints, checked in one way for every operation, in AWS's words.
 *
 * A service with words of its own (its hook) hears of the first violation; otherwise all of them make one
 * ValidationException: "2 validation errors detected: Value 'x' at 'name' failed to satisfy constraint: Member must …;
 * Value …". Items of a list that are no structures are judged together: "Value '[a, b]' at 'names' failed to satisfy
 * constraint: Member must satisfy constraint: [Member must …, Member must not be null]"; so are keys and values of a map:
 * "Value '{k=v}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: […]", or "Map value". */
#include "aws/wire/codec.h"
#include "aws/wire/common_error.h"
#include "base/bug.h"

enum {
    VIOLATIONS_MAX = 32,
    PATH_DEPTH_MAX = 64,
};

/* One step of the path to a value: a member's name, a list's number or a map's key. */
typedef struct PathStep {
    Slice name;
    size_t number; /* from 1; 0: a name */
} PathStep;

typedef struct Validator {
    Call *call;
    PathStep path[PATH_DEPTH_MAX];
    size_t depth;
    Buffer messages;
    size_t count;
    Error error; /* what the service's hook gave */
} Validator;

static void check_value(Validator *validator, const Member *member, const Shape *shape, const Constraint *constraint,
                        const void *value);

/* ---- Which constraints a value breaks ---- */

static uint64_t utf8_length(Slice text)
{
    uint64_t length = 0;
    for (size_t i = 0; i < text.size; i++)
        length += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return length;
}

static bool is_in_enum(const Constraint *constraint, Slice value)
{
    for (const char *const *allowed = constraint->enum_values; *allowed != NULL; allowed++)
        if (slice_equal(slice_of_string(*allowed), value))
            return true;
    return false;
}

/* An enum at a list is one of its strings, all of which are judged as one value. */
static bool are_in_enum(const Constraint *constraint, const Items *items)
{
    for (size_t i = 0; i < items->count; i++)
        if (!is_in_enum(constraint, ((const Slice *)items->items)[i]))
            return false;
    return true;
}

/* Bits 1 << ViolationKind of what the value breaks. */
static unsigned broken(const Shape *shape, const Constraint *constraint, const void *value)
{
    unsigned kinds = 0;
    uint64_t length = 0;
    int64_t number = 0;
    bool has_length = true;
    switch (shape->type) {
    case SHAPE_STRING:
        length = utf8_length(*(const Slice *)value);
        if (constraint->pattern_steps != NULL &&
            !pattern_matches(constraint->pattern_steps, constraint->pattern_step_count, *(const Slice *)value))
            kinds |= 1u << VIOLATION_PATTERN;
        if (constraint->enum_values != NULL && !is_in_enum(constraint, *(const Slice *)value))
            kinds |= 1u << VIOLATION_ENUM;
        break;
    case SHAPE_BLOB:
        length = ((const Slice *)value)->size;
        break;
    case SHAPE_LIST:
        length = ((const Items *)value)->count;
        if (constraint->enum_values != NULL && !are_in_enum(constraint, value))
            kinds |= 1u << VIOLATION_ENUM;
        break;
    case SHAPE_MAP:
        length = ((const Items *)value)->count;
        break;
    case SHAPE_INTEGER:
        number = *(const int32_t *)value;
        has_length = false;
        break;
    case SHAPE_LONG:
        number = *(const int64_t *)value;
        has_length = false;
        break;
    default:
        return 0;
    }
    if (has_length) {
        kinds |= length > constraint->length_max ? 1u << VIOLATION_LENGTH_MAX : 0;
        kinds |= length < constraint->length_min ? 1u << VIOLATION_LENGTH_MIN : 0;
    } else {
        kinds |= number > constraint->range_max ? 1u << VIOLATION_RANGE_MAX : 0;
        kinds |= number < constraint->range_min ? 1u << VIOLATION_RANGE_MIN : 0;
    }
    return kinds;
}

/* ---- AWS's words ---- */

static void say_demand(Buffer *out, ViolationKind kind, const Constraint *constraint)
{
    switch (kind) {
    case VIOLATION_MISSING:
        BUFFER_ADD(out, "Member must not be null");
        return;
    case VIOLATION_TYPE:
        UNREACHABLE(); /* decoders refuse it */
    case VIOLATION_LENGTH_MIN:
        buffer_add_format(out, "Member must have length greater than or equal to %ju",
                          (uintmax_t)constraint->length_min);
        return;
    case VIOLATION_LENGTH_MAX:
        buffer_add_format(out, "Member must have length less than or equal to %ju", (uintmax_t)constraint->length_max);
        return;
    case VIOLATION_RANGE_MIN:
        buffer_add_format(out, "Member must have value greater than or equal to %jd", (intmax_t)constraint->range_min);
        return;
    case VIOLATION_RANGE_MAX:
        buffer_add_format(out, "Member must have value less than or equal to %jd", (intmax_t)constraint->range_max);
        return;
    case VIOLATION_PATTERN:
        buffer_add_format(out, "Member must satisfy regular expression pattern: %s", constraint->pattern);
        return;
    case VIOLATION_ENUM:
        BUFFER_ADD(out, "Member must satisfy enum value set: [");
        for (const char *const *allowed = constraint->enum_values; *allowed != NULL; allowed++)
            buffer_add_format(out, "%s%s", allowed == constraint->enum_values ? "" : ", ", *allowed);
        BUFFER_ADD(out, "]");
        return;
    }
    UNREACHABLE();
}

/* All that is asked of each of many, as AWS lists it. */
static void say_demands(Buffer *out, const char *whose, const Constraint *constraint)
{
    buffer_add_format(out, "%s must satisfy constraint: [", whose);
    static const ViolationKind order[] = {VIOLATION_LENGTH_MAX, VIOLATION_LENGTH_MIN, VIOLATION_RANGE_MAX,
                                          VIOLATION_RANGE_MIN,  VIOLATION_PATTERN,    VIOLATION_ENUM};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        bool asked = (order[i] == VIOLATION_LENGTH_MAX && constraint->length_max != UINT64_MAX) ||
                     (order[i] == VIOLATION_LENGTH_MIN && constraint->length_min != 0) ||
                     (order[i] == VIOLATION_RANGE_MAX && constraint->range_max != INT64_MAX) ||
                     (order[i] == VIOLATION_RANGE_MIN && constraint->range_min != INT64_MIN) ||
                     (order[i] == VIOLATION_PATTERN && constraint->pattern != NULL) ||
                     (order[i] == VIOLATION_ENUM && constraint->enum_values != NULL);
        if (!asked)
            continue;
        say_demand(out, order[i], constraint);
        BUFFER_ADD(out, ", ");
    }
    BUFFER_ADD(out, "Member must not be null]");
}

void wire_add_double(Buffer *out, double value)
{
    size_t start = out->size;
    buffer_add_format(out, "%g", value);
    Slice text = slice_skip(buffer_slice(out), start);
    if (slice_find(text, '.') == text.size && slice_find(text, 'e') == text.size)
        BUFFER_ADD(out, ".0");
}

static void say_value(Buffer *out, const Shape *shape, const void *value);

/* MetricTransformation(metricName=metric1, unit=null) (recorded). */
static void say_structure(Buffer *out, const Shape *shape, const void *structure)
{
    buffer_add(out, shape->name);
    BUFFER_ADD(out, "(");
    for (size_t i = 0; i < shape->member_count; i++) {
        const Member *member = &shape->members[i];
        const void *value = member_value_const(member, structure);
        buffer_add_format(out, "%s%.*s=", i == 0 ? "" : ", ", SLICE_PRINT(member->name));
        if (member_is_present(member, structure))
            say_value(out, member->shape, member->shape->type == SHAPE_STRUCTURE ? *(const void *const *)value : value);
        else
            BUFFER_ADD(out, "null");
    }
    BUFFER_ADD(out, ")");
}

static void say_value(Buffer *out, const Shape *shape, const void *value)
{
    switch (shape->type) {
    case SHAPE_STRING:
        buffer_add(out, *(const Slice *)value);
        return;
    case SHAPE_INTEGER:
        buffer_add_int64(out, *(const int32_t *)value);
        return;
    case SHAPE_LONG:
        buffer_add_int64(out, *(const int64_t *)value);
        return;
    case SHAPE_DOUBLE:
        wire_add_double(out, *(const double *)value);
        return;
    case SHAPE_LIST: {
        const Items *items = value;
        BUFFER_ADD(out, "[");
        for (size_t i = 0; i < items->count; i++) {
            if (i > 0)
                BUFFER_ADD(out, ", ");
            say_value(out, shape->item, (const char *)items->items + i * shape->entry_size);
        }
        BUFFER_ADD(out, "]");
        return;
    }
    case SHAPE_MAP: {
        const Items *items = value;
        BUFFER_ADD(out, "{");
        for (size_t i = 0; i < items->count; i++) {
            const char *entry = (const char *)items->items + i * shape->entry_size;
            if (i > 0)
                BUFFER_ADD(out, ", ");
            buffer_add(out, *(const Slice *)(const void *)entry);
            BUFFER_ADD(out, "=");
            say_value(out, shape->item, entry + shape->item_offset);
        }
        BUFFER_ADD(out, "}");
        return;
    }
    case SHAPE_STRUCTURE:
        say_structure(out, shape, value);
        return;
    default:
        BUFFER_ADD(out, "...");
    }
}

/* "entries.1.member.id": names begin in lower case. */
static Slice path_text(const Validator *validator)
{
    Buffer path = buffer_make(validator->call->arena);
    for (size_t i = 0; i < validator->depth; i++) {
        const PathStep *step = &validator->path[i];
        if (i > 0)
            BUFFER_ADD(&path, ".");
        if (step->number > 0) {
            buffer_add_uint64(&path, step->number);
            continue;
        }
        size_t start = path.size;
        buffer_add(&path, step->name);
        if (path.size > start && path.data[start] >= 'A' && path.data[start] <= 'Z')
            path.data[start] = (char)(path.data[start] + ('a' - 'A'));
    }
    return buffer_slice(&path);
}

/* ---- Reporting ---- */

static bool is_done(const Validator *validator)
{
    return validator->error != OK || validator->count >= VIOLATIONS_MAX;
}

/* Says one violation: to the service's hook, or behind those found before. `value` NULL: there is none. `whose`: of many
 * that are judged together, what they are called; NULL: the value's own. */
static void report(Validator *validator, ViolationKind kind, const Member *member, const Shape *shape,
                   const Constraint *constraint, const void *value, const char *whose)
{
    Call *call = validator->call;
    Buffer text = buffer_make(call->arena);
    if (value != NULL)
        say_value(&text, shape, value);
    Violation violation = {.kind = kind, .member = member, .constraint = constraint, .path = path_text(validator)};
    if (value != NULL)
        violation.value = buffer_slice(&text);
    const ServiceHooks *hooks = call->service == NULL ? NULL : call->service->hooks;
    if (hooks != NULL && hooks->violation != NULL) {
        validator->error = hooks->violation(call, &violation);
        if (validator->error != OK)
            return;
    }
    Buffer *out = &validator->messages;
    if (validator->count++ > 0)
        BUFFER_ADD(out, "; ");
    if ((hooks != NULL && hooks->hides_values) || shape->is_sensitive)
        buffer_add_format(out, "Value at '%.*s'", SLICE_PRINT(violation.path));
    else if (value == NULL)
        buffer_add_format(out, "Value null at '%.*s'", SLICE_PRINT(violation.path));
    else
        buffer_add_format(out, "Value '%.*s' at '%.*s'", SLICE_PRINT(violation.value), SLICE_PRINT(violation.path));
    BUFFER_ADD(out, " failed to satisfy constraint: ");
    if (whose != NULL)
        say_demands(out, whose, constraint);
    else
        say_demand(out, kind, constraint);
}

/* In the order in which AWS tells of several violations of one value. */
static const ViolationKind report_order[] = {VIOLATION_PATTERN,   VIOLATION_LENGTH_MAX, VIOLATION_LENGTH_MIN,
                                             VIOLATION_RANGE_MAX, VIOLATION_RANGE_MIN,  VIOLATION_ENUM};

static void check_constraint(Validator *validator, const Member *member, const Shape *shape,
                             const Constraint *constraint, const void *value)
{
    unsigned kinds = broken(shape, constraint, value);
    for (size_t i = 0; kinds != 0 && i < sizeof report_order / sizeof report_order[0]; i++)
        if ((kinds >> report_order[i] & 1) != 0 && !is_done(validator))
            report(validator, report_order[i], member, shape, constraint, value, NULL);
}

/* ---- The walk ---- */

static bool push(Validator *validator, PathStep step)
{
    if (validator->depth == PATH_DEPTH_MAX)
        return false;
    validator->path[validator->depth++] = step;
    return true;
}

static bool has_constraints_below(const Shape *shape)
{
    return shape->type == SHAPE_STRUCTURE || shape->type == SHAPE_LIST || shape->type == SHAPE_MAP;
}

/* Judges many together: keys, or items that have nothing below them, which lie `offset` behind each entry's beginning. */
static void check_all(Validator *validator, const Member *member, const Shape *shape, const Items *items,
                      const Shape *of, size_t offset, const Constraint *constraint, const char *whose)
{
    if (constraint == NULL || is_done(validator))
        return;
    unsigned kinds = 0;
    for (size_t i = 0; i < items->count && kinds == 0; i++)
        kinds = broken(of, constraint, (const char *)items->items + i * shape->entry_size + offset);
    if (kinds != 0)
        report(validator, (ViolationKind)__builtin_ctz(kinds), member, shape, constraint, items, whose);
}

static void check_items(Validator *validator, const Member *member, const Shape *shape, const Items *items)
{
    bool is_map = shape->type == SHAPE_MAP;
    if (is_map)
        check_all(validator, member, shape, items, &shape_string, 0, shape->key_constraint, "Map keys");
    if (!has_constraints_below(shape->item)) {
        check_all(validator, member, shape, items, shape->item, is_map ? shape->item_offset : 0, shape->item_constraint,
                  is_map ? "Map value" : "Member");
        return;
    }
    for (size_t i = 0; i < items->count && !is_done(validator); i++) {
        const char *entry = (const char *)items->items + i * shape->entry_size;
        size_t depth = validator->depth;
        PathStep step = {.number = i + 1};
        if (is_map)
            step = (PathStep){.name = *(const Slice *)(const void *)entry};
        if (push(validator, step) && push(validator, (PathStep){.name = SLICE("member")}))
            check_value(validator, member, shape->item, shape->item_constraint,
                        is_map ? entry + shape->item_offset : entry);
        validator->depth = depth;
    }
}

static void check_structure(Validator *validator, const Shape *shape, const void *structure)
{
    for (size_t i = 0; i < shape->member_count && !is_done(validator); i++) {
        const Member *member = &shape->members[i];
        bool present = member_is_present(member, structure);
        if (!present && !member->required)
            continue;
        if (!push(validator, (PathStep){.name = member->name}))
            return;
        const void *value = member_value_const(member, structure);
        if (!present)
            report(validator, VIOLATION_MISSING, member, member->shape, member->constraint, NULL, NULL);
        else
            check_value(validator, member, member->shape, member->constraint,
                        member->shape->type == SHAPE_STRUCTURE ? *(const void *const *)value : value);
        validator->depth--;
    }
}

static void check_value(Validator *validator, const Member *member, const Shape *shape, const Constraint *constraint,
                        const void *value)
{
    if (constraint != NULL)
        check_constraint(validator, member, shape, constraint, value);
    if (shape->type == SHAPE_STRUCTURE)
        check_structure(validator, shape, value);
    else if (shape->type == SHAPE_LIST || shape->type == SHAPE_MAP)
        check_items(validator, member, shape, value);
}

Error validate_input(Call *call, const Shape *shape, const void *input)
{
    Validator validator; /* member by member: the path need not be cleared for every request */
    validator.call = call;
    validator.depth = 0;
    validator.messages = buffer_make(call->arena);
    validator.count = 0;
    validator.error = OK;
    check_structure(&validator, shape, input);
    if (validator.error != OK)
        return validator.error;
    if (validator.count == 0)
        return OK;
    return call_fail(call, &common_validation, "%zu validation error%s detected: %.*s", validator.count,
                     validator.count == 1 ? "" : "s", SLICE_PRINT(buffer_slice(&validator.messages)));
}
