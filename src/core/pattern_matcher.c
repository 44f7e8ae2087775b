#include "core/pattern_internal.h"

/* What a list of a pattern may hold: values, and match expressions. */

/* ---- Strings ---- */

static Error end_expression(PatternText *text)
{
    return pattern_text_expect(text, TOKEN_OBJECT_END, "Only one key allowed in match expression");
}

/* The string that comes next. */
static Error read_string(PatternText *text, const char *problem, Slice *value)
{
    TRY(pattern_text_expect(text, TOKEN_STRING, problem));
    return pattern_text_value(text, value);
}

static Error read_exactly(PatternText *text, Matcher *matcher)
{
    matcher->kind = MATCH_STRING;
    TRY(read_string(text, "exact match pattern must be a string", &matcher->value));
    return end_expression(text);
}

/* Prefix and suffix: a string, or {"equals-ignore-case": string}. */
static Error read_affix(PatternText *text, Matcher *matcher, bool is_prefix)
{
    TRY(pattern_text_next(text));
    if (text->type == TOKEN_STRING) {
        matcher->kind = is_prefix ? MATCH_PREFIX : MATCH_SUFFIX;
        TRY(pattern_text_value(text, &matcher->value));
        return end_expression(text);
    }
    if (text->type != TOKEN_OBJECT_START)
        return pattern_text_fail(text, "%s match pattern must be a string", is_prefix ? "prefix" : "suffix");
    TRY(pattern_text_expect(text, TOKEN_NAME,
                            is_prefix ? "Prefix expression name not found" : "Suffix expression name not found"));
    if (!slice_equal(text->text, SLICE("equals-ignore-case")))
        return pattern_text_fail(text, "Unsupported %s pattern: %.*s", is_prefix ? "prefix" : "suffix",
                                 SLICE_PRINT(text->text));
    Slice value;
    TRY(read_string(text, "equals-ignore-case match pattern must be a string", &value));
    matcher->kind = is_prefix ? MATCH_PREFIX_FOLDED : MATCH_SUFFIX_FOLDED;
    matcher->value = pattern_fold(text->arena, value);
    TRY(end_expression(text));
    return end_expression(text);
}

static Error read_prefix(PatternText *text, Matcher *matcher)
{
    return read_affix(text, matcher, true);
}

static Error read_suffix(PatternText *text, Matcher *matcher)
{
    return read_affix(text, matcher, false);
}

static Error read_ignoring_case(PatternText *text, Matcher *matcher)
{
    Slice value;
    TRY(read_string(text, "equals-ignore-case match pattern must be a string", &value));
    matcher->kind = MATCH_FOLDED;
    matcher->value = pattern_fold(text->arena, value);
    return end_expression(text);
}

static Error read_wildcard(PatternText *text, Matcher *matcher)
{
    Slice value;
    Slice problem;
    TRY(read_string(text, "wildcard match pattern must be a string", &value));
    matcher->kind = MATCH_WILDCARD;
    matcher->wildcards = ARENA_NEW(text->arena, Wildcard);
    *matcher->wildcards = pattern_wildcard(text->arena, value, &problem);
    if (problem.data != NULL)
        return pattern_text_fail(text, "%.*s", SLICE_PRINT(problem));
    return end_expression(text);
}

static Error read_cidr(PatternText *text, Matcher *matcher)
{
    Slice value;
    Slice problem;
    TRY(read_string(text, "prefix match pattern must be a string", &value));
    matcher->kind = MATCH_ADDRESS;
    matcher->addresses = pattern_cidr(text->arena, value, &problem);
    if (problem.data != NULL)
        return pattern_text_refuse(text, "%.*s", SLICE_PRINT(problem));
    return end_expression(text);
}

static Error read_exists(PatternText *text, Matcher *matcher)
{
    TRY(pattern_text_next(text));
    Slice value = text->text;
    if (text->type != TOKEN_LITERAL || slice_equal(value, SLICE("null")))
        return pattern_text_fail(text, "exists match pattern must be either true or false.");
    matcher->kind = slice_equal(value, SLICE("true")) ? MATCH_EXISTS : MATCH_ABSENT;
    return end_expression(text);
}

/* ---- Numeric ---- */

typedef struct NumericOperator {
    Slice word;
    const char *name; /* in messages */
    bool bounds_below;
    bool bounds_above;
    bool is_open;
} NumericOperator;

static const NumericOperator numeric_operators[] = {
    {SLICE_INIT("="), "equals", true, true, false}, {SLICE_INIT(">="), ">=", true, false, false},
    {SLICE_INIT(">"), ">", true, false, true},      {SLICE_INIT("<="), "<=", false, true, false},
    {SLICE_INIT("<"), "<", false, true, true},
};

static const NumericOperator *find_operator(Slice word)
{
    for (size_t i = 0; i < sizeof numeric_operators / sizeof *numeric_operators; i++)
        if (slice_equal(numeric_operators[i].word, word))
            return &numeric_operators[i];
    return NULL;
}

/* A number that has been read, for comparing. What is too large by far is a failure of another kind in EventBridge, without place. */
static Error comparable(PatternText *text, Slice number, int64_t *value)
{
    NumberFault fault = pattern_number(number, value);
    if (fault == NUMBER_FINE)
        return OK;
    Slice problem = pattern_number_problem(text->arena, number, fault);
    if (fault == NUMBER_OVERFLOW)
        return pattern_text_refuse(text, "%.*s", SLICE_PRINT(problem));
    return pattern_text_fail(text, "%.*s", SLICE_PRINT(problem));
}

static Error read_operand(PatternText *text, const char *name, Slice *number)
{
    TRY(pattern_text_next(text));
    if (text->type != TOKEN_NUMBER)
        return pattern_text_fail(text, "Value of %s must be numeric", name);
    *number = text->text;
    return OK;
}

/* The upper end of a range, whose operator is the current token. */
static Error read_range_top(PatternText *text, Slice *number, bool *is_open)
{
    Slice word;
    TRY(pattern_text_value(text, &word));
    if (text->type != TOKEN_STRING)
        return pattern_text_fail(text, "Bad value in numeric range: %.*s", SLICE_PRINT(word));
    const NumericOperator *comparison = find_operator(word);
    if (comparison == NULL || comparison->bounds_below)
        return pattern_text_fail(text, "Bad numeric range operator: %.*s", SLICE_PRINT(word));
    *is_open = comparison->is_open;
    TRY(read_operand(text, comparison->name, number));
    return pattern_text_expect(text, TOKEN_ARRAY_END, "Too many terms in numeric range expression");
}

/* From behind its bracket to its end. Open ends become closed ones: numbers are whole millionths. */
static Error read_range(PatternText *text, Matcher *matcher)
{
    Slice word;
    TRY(pattern_text_next(text));
    TRY(pattern_text_value(text, &word));
    if (text->type != TOKEN_STRING)
        return pattern_text_fail(text, "Invalid member in numeric match: %.*s", SLICE_PRINT(word));
    const NumericOperator *comparison = find_operator(word);
    if (comparison == NULL) {
        TRY(pattern_text_next(text));
        return pattern_text_fail(text, "Unrecognized numeric range operator: %.*s", SLICE_PRINT(word));
    }
    Slice number = {0};
    Slice top = {0};
    bool top_open = false;
    TRY(read_operand(text, comparison->name, &number));
    TRY(pattern_text_next(text));
    if (text->type != TOKEN_ARRAY_END) {
        if (comparison->bounds_above)
            return pattern_text_fail(text, "Too many elements in numeric expression");
        TRY(read_range_top(text, &top, &top_open));
    }
    int64_t value;
    int64_t high = NUMBER_MAX;
    TRY(comparable(text, number, &value));
    if (top.data != NULL) {
        TRY(comparable(text, top, &high));
        if (value >= high)
            return pattern_text_fail(text, "Bottom must be less than top");
        high -= top_open;
    }
    matcher->kind = MATCH_RANGE;
    matcher->low = comparison->bounds_below ? value + comparison->is_open : -NUMBER_MAX;
    matcher->high = comparison->bounds_above ? value - comparison->is_open : high;
    return OK;
}

static Error read_numeric(PatternText *text, Matcher *matcher)
{
    TRY(pattern_text_expect(text, TOKEN_ARRAY_START, "Value of numeric must be an array."));
    TRY(read_range(text, matcher));
    return pattern_text_expect(text, TOKEN_OBJECT_END, "Too many elements in numeric expression");
}

/* ---- Anything but ---- */

/* Doubles a list that is full. */
static void *make_room(Arena *arena, void *list, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0 && count != 0)
        return list;
    void *larger = arena_alloc(arena, (count == 0 ? 1 : count * 2) * size);
    if (count > 0)
        memcpy(larger, list, count * size);
    return larger;
}

static void add_value(PatternText *text, Matcher *matcher, Slice value)
{
    matcher->values = make_room(text->arena, matcher->values, matcher->count, sizeof value);
    matcher->values[matcher->count++] = value;
}

static void add_number(PatternText *text, Matcher *matcher, int64_t value)
{
    matcher->numbers = make_room(text->arena, matcher->numbers, matcher->count, sizeof value);
    matcher->numbers[matcher->count++] = value;
}

static const char *not_a_string(MatcherKind kind)
{
    if (kind == MATCH_BUT_FOLDED)
        return "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.";
    return kind == MATCH_BUT_WILDCARDS ? "wildcard match pattern must be a string"
                                       : "prefix/suffix match pattern must be a string";
}

/* The current token, within {"anything-but": {"prefix": …}} and the like. */
static Error take_but_value(PatternText *text, Matcher *matcher)
{
    if (text->type != TOKEN_STRING)
        return pattern_text_fail(text, "%s", not_a_string(matcher->kind));
    Slice value;
    TRY(pattern_text_value(text, &value));
    bool is_affix = matcher->kind == MATCH_BUT_PREFIXES || matcher->kind == MATCH_BUT_SUFFIXES;
    if (is_affix && value.size == 0)
        return pattern_text_fail(text, "Null prefix/suffix not allowed");
    add_value(text, matcher, matcher->kind == MATCH_BUT_FOLDED ? pattern_fold(text->arena, value) : value);
    return OK;
}

/* The wildcards that have been read, checked when all of them have been. */
static Error check_wildcards(PatternText *text, Matcher *matcher)
{
    matcher->wildcards = ARENA_ARRAY(text->arena, Wildcard, matcher->count + 1);
    for (size_t i = 0; i < matcher->count; i++) {
        Slice problem;
        matcher->wildcards[i] = pattern_wildcard(text->arena, matcher->values[i], &problem);
        if (problem.data != NULL)
            return pattern_text_fail(text, "%.*s", SLICE_PRINT(problem));
    }
    return OK;
}

/* The value of {"anything-but": {"prefix": …}}, whose token is current. */
static Error read_but_set(PatternText *text, Matcher *matcher)
{
    if (text->type != TOKEN_ARRAY_START && text->type != TOKEN_STRING && text->type != TOKEN_NUMBER)
        return pattern_text_fail(text, "Value of anything-but must be an array or single string/number value.");
    if (text->type != TOKEN_ARRAY_START) {
        TRY(take_but_value(text, matcher));
    } else {
        Error error;
        while ((error = pattern_text_next(text)) == OK && text->type != TOKEN_ARRAY_END)
            if ((error = take_but_value(text, matcher)) != OK)
                break;
        if (error != OK)
            return pattern_text_repeat_place(text);
    }
    return matcher->kind == MATCH_BUT_WILDCARDS ? check_wildcards(text, matcher) : OK;
}

/* {"anything-but": {…}}, behind its bracket. */
static Error read_but_object(PatternText *text, Matcher *matcher)
{
    static const struct {
        Slice name;
        MatcherKind kind;
    } kinds[] = {
        {SLICE_INIT("equals-ignore-case"), MATCH_BUT_FOLDED},
        {SLICE_INIT("prefix"), MATCH_BUT_PREFIXES},
        {SLICE_INIT("suffix"), MATCH_BUT_SUFFIXES},
        {SLICE_INIT("wildcard"), MATCH_BUT_WILDCARDS},
    };
    TRY(pattern_text_expect(text, TOKEN_NAME, "Anything-But expression name not found"));
    Slice name = text->text;
    matcher->kind = MATCH_ABSENT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_equal(kinds[i].name, name))
            matcher->kind = kinds[i].kind;
    if (matcher->kind == MATCH_ABSENT)
        return pattern_text_fail(text, "Unsupported anything-but pattern: %.*s", SLICE_PRINT(name));
    TRY(pattern_text_next(text));
    TRY(read_but_set(text, matcher));
    return pattern_text_expect(text, TOKEN_OBJECT_END, "Too many elements in numeric expression");
}

/* The current token: a string or a number. */
static Error take_but_scalar(PatternText *text, Matcher *matcher, bool *is_number)
{
    Slice value;
    int64_t number;
    *is_number = text->type == TOKEN_NUMBER;
    TRY(pattern_text_value(text, &value));
    if (!*is_number) {
        add_value(text, matcher, value);
        return OK;
    }
    NumberFault fault = pattern_number(value, &number);
    if (fault != NUMBER_FINE)
        return pattern_text_refuse(text, "%.*s", SLICE_PRINT(pattern_number_problem(text->arena, value, fault)));
    add_number(text, matcher, number);
    return OK;
}

static Error take_but_element(PatternText *text, Matcher *matcher, bool *has_strings, bool *has_numbers)
{
    if (text->type != TOKEN_STRING && text->type != TOKEN_NUMBER)
        return pattern_text_fail(text, "Inside anything but list, start|null|boolean is not supported.");
    bool is_number;
    TRY(take_but_scalar(text, matcher, &is_number));
    *(is_number ? has_numbers : has_strings) = true;
    return OK;
}

static Error read_but_list(PatternText *text, Matcher *matcher)
{
    Matcher strings = {0};
    Matcher numbers = {0};
    bool has_strings = false;
    bool has_numbers = false;
    Error error;
    while ((error = pattern_text_next(text)) == OK && text->type != TOKEN_ARRAY_END) {
        error = take_but_element(text, text->type == TOKEN_NUMBER ? &numbers : &strings, &has_strings, &has_numbers);
        if (error != OK)
            break;
    }
    if (error != OK)
        return pattern_text_repeat_place(text);
    if (has_strings == has_numbers)
        return pattern_text_fail(
            text, "Inside anything but list, either all values are number or string, mixed type is not supported");
    matcher->values = strings.values;
    matcher->numbers = numbers.numbers;
    matcher->count = strings.count + numbers.count;
    matcher->kind = has_numbers ? MATCH_BUT_NUMBERS : MATCH_BUT_STRINGS;
    return OK;
}

static Error read_anything_but(PatternText *text, Matcher *matcher)
{
    bool is_number;
    TRY(pattern_text_next(text));
    switch (text->type) {
    case TOKEN_OBJECT_START:
        TRY(read_but_object(text, matcher));
        break;
    case TOKEN_ARRAY_START:
        TRY(read_but_list(text, matcher));
        break;
    case TOKEN_STRING:
    case TOKEN_NUMBER:
        TRY(take_but_scalar(text, matcher, &is_number));
        matcher->kind = is_number ? MATCH_BUT_NUMBERS : MATCH_BUT_STRINGS;
        break;
    default:
        return pattern_text_fail(text, "Value of anything-but must be an array or single string/number value.");
    }
    return pattern_text_expect(text, TOKEN_OBJECT_END, "Too many elements in numeric expression");
}

/* ---- All of them ---- */

typedef struct MatchType {
    Slice name;
    Error (*read)(PatternText *text, Matcher *matcher);
} MatchType;

static const MatchType match_types[] = {
    {SLICE_INIT("exactly"), read_exactly},
    {SLICE_INIT("prefix"), read_prefix},
    {SLICE_INIT("suffix"), read_suffix},
    {SLICE_INIT("numeric"), read_numeric},
    {SLICE_INIT("anything-but"), read_anything_but},
    {SLICE_INIT("exists"), read_exists},
    {SLICE_INIT("cidr"), read_cidr},
    {SLICE_INIT("equals-ignore-case"), read_ignoring_case},
    {SLICE_INIT("wildcard"), read_wildcard},
};

static Error read_expression(PatternText *text, Matcher *matcher)
{
    TRY(pattern_text_expect(text, TOKEN_NAME, "Match expression name not found"));
    for (size_t i = 0; i < sizeof match_types / sizeof *match_types; i++)
        if (slice_equal(match_types[i].name, text->text))
            return match_types[i].read(text, matcher);
    return pattern_text_fail(text, "Unrecognized match type %.*s", SLICE_PRINT(text->text));
}

/* A value that is compared as it is. A string that is an address is like every other way to write that address. */
static Error read_exact(PatternText *text, Matcher *matcher)
{
    TRY(pattern_text_value(text, &matcher->value));
    Address address;
    if (text->type == TOKEN_STRING && pattern_address(matcher->value, &address)) {
        matcher->kind = MATCH_ADDRESS;
        matcher->addresses = (AddressRange){address, address};
    } else if (text->type == TOKEN_STRING) {
        matcher->kind = MATCH_STRING;
    } else if (text->type == TOKEN_NUMBER && pattern_number(matcher->value, &matcher->number) == NUMBER_FINE) {
        matcher->kind = MATCH_NUMBER;
    } else {
        matcher->kind = MATCH_LITERAL;
    }
    return OK;
}

Error pattern_read_matcher(PatternText *text, Matcher *matcher)
{
    if (text->type == TOKEN_ARRAY_START || text->type == TOKEN_END)
        return pattern_text_fail(text, "Match value must be String, number, true, false, or null");
    return text->type == TOKEN_OBJECT_START ? read_expression(text, matcher) : read_exact(text, matcher);
}
