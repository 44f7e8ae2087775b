/* log_pattern_json.c: { $.a.b = "x" && ($.n > 3 || $.list[0] IS NULL) }: conditions on an event that is a JSON object (user
 * guide, "Using filter patterns to match terms in JSON log events"). */
#include "base/json.h"
#include "core/log_pattern_internal.h"

enum { CONDITION_DEPTH_MAX = 32 };

typedef enum ConditionKind {
    CONDITION_AND,
    CONDITION_OR,
    CONDITION_TEST,
    CONDITION_NULL,
    CONDITION_TRUE,
    CONDITION_FALSE,
    CONDITION_EXISTS,
    CONDITION_ABSENT,
} ConditionKind;

/* One step into a document. */
typedef struct Step {
    Slice name;     /* of a member; absent: an element */
    uint64_t index; /* of an element */
    bool any;       /* [*]: every element */
} Step;

struct JsonCondition {
    ConditionKind kind;
    JsonCondition *left; /* of and, or */
    JsonCondition *right;
    Slice selector; /* as it was written */
    Step *steps;
    size_t step_count;
    PatternTest test;
};

/* ---- Selectors ---- */

static size_t name_size(Slice rest)
{
    size_t size = 0;
    while (size < rest.size && (unsigned char)rest.data[size] > ' ' &&
           strchr(".[]()=!<>&|{}\"%", rest.data[size]) == NULL)
        size++;
    return size;
}

static Error parse_bracket(PatternParser *parser, Step *step)
{
    if (pattern_take(parser, SLICE("*]"))) {
        step->any = true;
        return OK;
    }
    if (pattern_take(parser, SLICE("'"))) {
        size_t size = slice_find(parser->rest, '\'');
        step->name = slice_make(parser->rest.data, size);
        parser->rest = slice_skip(parser->rest, size);
        return pattern_take(parser, SLICE("']")) ? OK : pattern_fail(parser, "a selector's [' is not closed by ']");
    }
    size_t size = slice_find(parser->rest, ']');
    if (size == parser->rest.size || !slice_parse_uint64(slice_make(parser->rest.data, size), &step->index))
        return pattern_fail(parser, "a selector's index is no number");
    parser->rest = slice_skip(parser->rest, size + 1);
    return OK;
}

static Error parse_name(PatternParser *parser, Step *step)
{
    size_t size = name_size(parser->rest);
    if (size == 0)
        return pattern_fail(parser, "a selector's name is missing behind a dot");
    step->name = slice_make(parser->rest.data, size);
    parser->rest = slice_skip(parser->rest, size);
    return OK;
}

static Error parse_selector(PatternParser *parser, JsonCondition *condition)
{
    Slice start = parser->rest;
    if (!pattern_take(parser, SLICE("$")))
        return pattern_fail(parser, "a selector begins with $.");
    condition->steps = ARENA_ARRAY(parser->arena, Step, parser->rest.size + 1);
    for (;;) {
        Step *step = &condition->steps[condition->step_count];
        if (pattern_take(parser, SLICE(".[")) || pattern_take(parser, SLICE("[")))
            TRY(parse_bracket(parser, step));
        else if (pattern_take(parser, SLICE(".")))
            TRY(parse_name(parser, step));
        else
            break;
        condition->step_count++;
    }
    condition->selector = slice_make(start.data, start.size - parser->rest.size);
    return condition->step_count > 0 ? OK : pattern_fail(parser, "a selector begins with $.");
}

/* ---- Conditions ---- */

static Error parse_any_of(PatternParser *parser, JsonCondition **result);

static bool take_words(PatternParser *parser, Slice first, Slice second)
{
    PatternParser kept = *parser;
    pattern_skip_space(parser);
    if (slice_starts_with(parser->rest, first)) {
        parser->rest = slice_skip(parser->rest, first.size);
        pattern_skip_space(parser);
        if (pattern_take(parser, second))
            return true;
    }
    *parser = kept;
    return false;
}

static Error parse_comparison(PatternParser *parser, JsonCondition *condition)
{
    static const struct {
        Slice first;
        Slice second;
        ConditionKind kind;
    } rows[] = {
        {SLICE_INIT("IS"), SLICE_INIT("NULL"), CONDITION_NULL},
        {SLICE_INIT("IS"), SLICE_INIT("TRUE"), CONDITION_TRUE},
        {SLICE_INIT("IS"), SLICE_INIT("FALSE"), CONDITION_FALSE},
        {SLICE_INIT("NOT"), SLICE_INIT("EXISTS"), CONDITION_ABSENT},
        {SLICE_INIT(""), SLICE_INIT("EXISTS"), CONDITION_EXISTS},
    };
    TRY(parse_selector(parser, condition));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (take_words(parser, rows[i].first, rows[i].second)) {
            condition->kind = rows[i].kind;
            return OK;
        }
    condition->kind = CONDITION_TEST;
    return pattern_take_test(parser, ")}", &condition->test);
}

static Error parse_one(PatternParser *parser, JsonCondition **result)
{
    pattern_skip_space(parser);
    if (!pattern_take(parser, SLICE("("))) {
        *result = ARENA_NEW(parser->arena, JsonCondition);
        return parse_comparison(parser, *result);
    }
    if (++parser->depth > CONDITION_DEPTH_MAX)
        return pattern_fail(parser, "parentheses are nested too deeply");
    TRY(parse_any_of(parser, result));
    parser->depth--;
    pattern_skip_space(parser);
    return pattern_take(parser, SLICE(")")) ? OK : pattern_fail(parser, "a parenthesis is not closed");
}

static JsonCondition *join(PatternParser *parser, ConditionKind kind, JsonCondition *left)
{
    JsonCondition *joined = ARENA_NEW(parser->arena, JsonCondition);
    joined->kind = kind;
    joined->left = left;
    return joined;
}

static Error parse_all_of(PatternParser *parser, JsonCondition **result)
{
    TRY(parse_one(parser, result));
    for (pattern_skip_space(parser); pattern_take(parser, SLICE("&&")); pattern_skip_space(parser)) {
        *result = join(parser, CONDITION_AND, *result);
        TRY(parse_one(parser, &(*result)->right));
    }
    return OK;
}

static Error parse_any_of(PatternParser *parser, JsonCondition **result)
{
    TRY(parse_all_of(parser, result));
    for (pattern_skip_space(parser); pattern_take(parser, SLICE("||")); pattern_skip_space(parser)) {
        *result = join(parser, CONDITION_OR, *result);
        TRY(parse_all_of(parser, &(*result)->right));
    }
    return OK;
}

Error json_condition_parse(PatternParser *parser, JsonCondition **condition)
{
    parser->rest = slice_skip(parser->rest, 1);
    TRY(parse_any_of(parser, condition));
    pattern_skip_space(parser);
    if (!pattern_take(parser, SLICE("}")))
        return pattern_fail(parser, "a brace is not closed, or && or || is missing");
    pattern_skip_space(parser);
    return parser->rest.size == 0 ? OK : pattern_fail(parser, "something stands behind the closing brace");
}

/* ---- Values ---- */

static bool value_holds(const JsonCondition *condition, Slice value, Arena *scratch)
{
    Slice text = value;
    switch (condition->kind) {
    case CONDITION_NULL:
        return slice_equal(value, SLICE("null"));
    case CONDITION_TRUE:
        return slice_equal(value, SLICE("true"));
    case CONDITION_FALSE:
        return slice_equal(value, SLICE("false"));
    case CONDITION_TEST:
        break;
    default:
        return true;
    }
    JsonReader reader = json_reader(value, scratch);
    bool is_text = value.size > 0 && value.data[0] == '"';
    if (is_text && json_read_string(&reader, &text) != OK)
        return false;
    return pattern_test_holds(&condition->test, text, !is_text);
}

/* Whether some value where the steps from `at` on lead holds. The document has been checked. `found`, unless it is NULL, is
 * set to the first value. */
static bool any_holds(const JsonCondition *condition, size_t at, Slice document, Arena *scratch, Slice *found)
{
    if (at == condition->step_count) {
        if (found != NULL && found->data == NULL)
            *found = document;
        return value_holds(condition, document, scratch);
    }
    const Step *step = &condition->steps[at];
    JsonReader reader = json_reader(document, scratch);
    JsonType type;
    Slice name;
    Slice value;
    bool more;
    if (json_peek(&reader, &type) != OK || type != (step->name.data != NULL ? JSON_OBJECT : JSON_ARRAY))
        return false;
    if (type == JSON_OBJECT) {
        json_begin_object(&reader);
        while (json_next_member(&reader, &name) == OK && name.data != NULL && json_read_any(&reader, &value) == OK)
            if (slice_equal(name, step->name))
                return any_holds(condition, at + 1, value, scratch, found);
        return false;
    }
    json_begin_array(&reader);
    for (uint64_t i = 0; json_next_element(&reader, &more) == OK && more && json_read_any(&reader, &value) == OK; i++)
        if ((step->any || i == step->index) && any_holds(condition, at + 1, value, scratch, found))
            return true;
    return false;
}

static bool holds(const JsonCondition *condition, Slice message, Arena *scratch)
{
    switch (condition->kind) {
    case CONDITION_AND:
        return holds(condition->left, message, scratch) && holds(condition->right, message, scratch);
    case CONDITION_OR:
        return holds(condition->left, message, scratch) || holds(condition->right, message, scratch);
    case CONDITION_ABSENT:
        return !any_holds(condition, 0, message, scratch, NULL);
    default:
        return any_holds(condition, 0, message, scratch, NULL);
    }
}

/* The object, without white space around it; empty: the message is none. */
static Slice object_of(Slice message)
{
    while (message.size > 0 && strchr(" \t\r\n", message.data[0]) != NULL && message.data[0] != '\0')
        message = slice_skip(message, 1);
    while (message.size > 0 && strchr(" \t\r\n", message.data[message.size - 1]) != NULL &&
           message.data[message.size - 1] != '\0')
        message.size--;
    bool is_object = message.size > 0 && message.data[0] == '{' && json_check(message) == OK;
    return is_object ? message : (Slice){0};
}

bool json_condition_holds(const JsonCondition *condition, Slice message, Arena *scratch)
{
    Slice object = object_of(message);
    return object.size > 0 && holds(condition, object, scratch);
}

/* ---- What is named ---- */

static size_t leaves(const JsonCondition *condition)
{
    bool joins = condition->kind == CONDITION_AND || condition->kind == CONDITION_OR;
    return joins ? leaves(condition->left) + leaves(condition->right) : 1;
}

static bool is_extracted(const LogExtract *values, size_t count, Slice name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_equal(values[i].name, name))
            return true;
    return false;
}

/* Where its selector leads first, strings unpacked; absent: nowhere. */
static Slice first_value(const JsonCondition *condition, Slice object, Arena *arena)
{
    Slice text;
    Slice value = {0};
    any_holds(condition, 0, object, arena, &value);
    JsonReader reader = json_reader(value, arena);
    bool is_text = value.data != NULL && value.data[0] == '"';
    return is_text && json_read_string(&reader, &text) == OK ? text : value;
}

static void extract(const JsonCondition *condition, Slice object, Arena *arena, LogExtract *values, size_t *count)
{
    if (condition->kind == CONDITION_AND || condition->kind == CONDITION_OR) {
        extract(condition->left, object, arena, values, count);
        extract(condition->right, object, arena, values, count);
        return;
    }
    Slice value = first_value(condition, object, arena);
    if (value.data == NULL || is_extracted(values, *count, condition->selector))
        return;
    values[(*count)++] = (LogExtract){condition->selector, value};
}

void json_condition_extract(const JsonCondition *condition, Slice message, Arena *arena, LogExtract **values,
                            size_t *count)
{
    Slice object = object_of(message);
    *values = ARENA_ARRAY(arena, LogExtract, leaves(condition));
    if (object.size > 0)
        extract(condition, object, arena, *values, count);
}

/* ---- Single selectors ---- */

Error json_selector_parse(PatternParser *parser, JsonCondition **condition)
{
    *condition = ARENA_NEW(parser->arena, JsonCondition);
    (*condition)->kind = CONDITION_EXISTS;
    TRY(parse_selector(parser, *condition));
    return parser->rest.size == 0 ? OK : pattern_fail(parser, "something stands behind the selector");
}

Slice json_selector_value(const JsonCondition *selector, Slice message, Arena *arena)
{
    Slice object = object_of(message);
    return object.size == 0 ? (Slice){0} : first_value(selector, object, arena);
}
