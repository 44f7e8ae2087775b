#include "core/pattern_internal.h"

/* One pattern while it is read. */
typedef struct PatternParser {
    PatternText text;
    Arena *arena;
    Branches *branches; /* that the fields read next belong to */
    size_t fields;      /* tests of all branches */
} PatternParser;

/* ---- Paths ---- */

static PathNode *step_into(Arena *arena, PathNode *node, Slice step)
{
    for (PathNode *child = node->newest; child != NULL; child = child->sibling)
        if (slice_equal(child->step, step))
            return child;
    PathNode *child = ARENA_NEW(arena, PathNode);
    child->step = arena_copy(arena, step);
    child->sibling = node->newest;
    node->newest = child;
    node->child_count++;
    return child;
}

static PathNode *path_step(Arena *arena, PathNode *node, Slice name)
{
    for (;;) {
        size_t dot = slice_find(name, '.');
        node = step_into(arena, node, slice_make(name.data, dot));
        if (dot == name.size)
            return node;
        name = slice_skip(name, dot + 1);
    }
}

/* ---- Branches ---- */

static Error too_complex(PatternParser *parser)
{
    return pattern_text_refuse(&parser->text, "Event pattern is too complex: its $or make more than %d combinations",
                               PATTERN_BRANCHES_MAX);
}

static Branch *add_branch(PatternParser *parser, Branches *branches)
{
    if (branches->count == branches->capacity) {
        size_t capacity = branches->capacity == 0 ? 4 : branches->capacity * 2;
        Branch *list = ARENA_ARRAY(parser->arena, Branch, capacity);
        if (branches->count > 0)
            memcpy(list, branches->list, branches->count * sizeof *list);
        branches->list = list;
        branches->capacity = capacity;
    }
    branches->list[branches->count] = (Branch){0};
    return &branches->list[branches->count++];
}

static void branch_put(PatternParser *parser, Branch *branch, Test *test)
{
    for (size_t i = 0; i < branch->count; i++) {
        if (branch->tests[i]->path == test->path) {
            branch->tests[i] = test; /* of equal names the last one counts */
            return;
        }
    }
    if (branch->count == branch->capacity) {
        size_t capacity = branch->capacity == 0 ? 4 : branch->capacity * 2;
        Test **tests = ARENA_ARRAY(parser->arena, Test *, capacity);
        if (branch->count > 0)
            memcpy(tests, branch->tests, branch->count * sizeof(Test *));
        branch->tests = tests;
        branch->capacity = capacity;
    }
    branch->tests[branch->count++] = test;
    parser->fields++;
}

/* Adds copies of `from` to `to`. */
static Error copy_branches(PatternParser *parser, Branches *to, const Branches *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const Branch *branch = &from->list[i];
        parser->fields += branch->count;
        if (to->count == PATTERN_BRANCHES_MAX || parser->fields > PATTERN_FIELDS_MAX)
            return too_complex(parser);
        Branch *copy = add_branch(parser, to);
        copy->tests = ARENA_ARRAY(parser->arena, Test *, branch->count + 1);
        copy->capacity = branch->count + 1;
        copy->count = branch->count;
        if (branch->count > 0)
            memcpy(copy->tests, branch->tests, branch->count * sizeof(Test *));
    }
    return OK;
}

static Test *add_test(PatternParser *parser, PathNode *path, const Matcher *matchers, bool is_absent)
{
    Test *test = ARENA_NEW(parser->arena, Test);
    *test = (Test){.next = path->tests, .path = path, .matchers = matchers, .is_absent = is_absent};
    path->tests = test;
    return test;
}

/* The field holds in every branch; where its values are some, or its absence, each branch becomes two. */
static Error put_field(PatternParser *parser, PathNode *path, const Matcher *matchers, bool absent)
{
    Branches *branches = parser->branches;
    if (branches->count == 0)
        add_branch(parser, branches);
    size_t before = branches->count;
    if (absent && matchers != NULL) {
        Branches copy = *branches;
        TRY(copy_branches(parser, branches, &copy));
    }
    Test *test = matchers == NULL ? NULL : add_test(parser, path, matchers, false);
    Test *absence = absent ? add_test(parser, path, NULL, true) : NULL;
    for (size_t i = 0; i < branches->count; i++)
        branch_put(parser, &branches->list[i], test == NULL || i >= before ? absence : test);
    return parser->fields > PATTERN_FIELDS_MAX ? too_complex(parser) : OK;
}

/* ---- Match expressions ---- */

static Error next(PatternParser *parser, TokenType *type)
{
    TRY(pattern_text_next(&parser->text));
    *type = parser->text.type;
    return OK;
}

static Error expect(PatternParser *parser, TokenType wanted, const char *problem)
{
    TokenType type;
    TRY(next(parser, &type));
    return type == wanted ? OK : pattern_text_fail(&parser->text, "%s", problem);
}

static Error end_expression(PatternParser *parser)
{
    return expect(parser, TOKEN_OBJECT_END, "Only one key allowed in match expression");
}

/* The string that comes next. */
static Error read_string(PatternParser *parser, const char *problem, Slice *value)
{
    TRY(expect(parser, TOKEN_STRING, problem));
    return pattern_text_value(&parser->text, value);
}

static Error read_exactly(PatternParser *parser, Matcher *matcher)
{
    matcher->kind = MATCH_STRING;
    TRY(read_string(parser, "exact match pattern must be a string", &matcher->value));
    return end_expression(parser);
}

/* Prefix and suffix: a string, or {"equals-ignore-case": string}. */
static Error read_affix(PatternParser *parser, Matcher *matcher, bool is_prefix)
{
    TokenType type;
    TRY(next(parser, &type));
    if (type == TOKEN_STRING) {
        matcher->kind = is_prefix ? MATCH_PREFIX : MATCH_SUFFIX;
        TRY(pattern_text_value(&parser->text, &matcher->value));
        return end_expression(parser);
    }
    if (type != TOKEN_OBJECT_START)
        return pattern_text_fail(&parser->text, "%s match pattern must be a string", is_prefix ? "prefix" : "suffix");
    TRY(expect(parser, TOKEN_NAME,
               is_prefix ? "Prefix expression name not found" : "Suffix expression name not found"));
    if (!slice_equal(parser->text.text, SLICE("equals-ignore-case")))
        return pattern_text_fail(&parser->text, "Unsupported %s pattern: %.*s", is_prefix ? "prefix" : "suffix",
                                 SLICE_PRINT(parser->text.text));
    Slice value;
    TRY(read_string(parser, "equals-ignore-case match pattern must be a string", &value));
    matcher->kind = is_prefix ? MATCH_PREFIX_FOLDED : MATCH_SUFFIX_FOLDED;
    matcher->value = pattern_fold(parser->arena, value);
    TRY(end_expression(parser));
    return end_expression(parser);
}

static Error read_prefix(PatternParser *parser, Matcher *matcher)
{
    return read_affix(parser, matcher, true);
}

static Error read_suffix(PatternParser *parser, Matcher *matcher)
{
    return read_affix(parser, matcher, false);
}

static Error read_ignoring_case(PatternParser *parser, Matcher *matcher)
{
    Slice value;
    TRY(read_string(parser, "equals-ignore-case match pattern must be a string", &value));
    matcher->kind = MATCH_FOLDED;
    matcher->value = pattern_fold(parser->arena, value);
    return end_expression(parser);
}

static Error read_wildcard(PatternParser *parser, Matcher *matcher)
{
    Slice value;
    Slice problem;
    TRY(read_string(parser, "wildcard match pattern must be a string", &value));
    matcher->kind = MATCH_WILDCARD;
    matcher->wildcards = ARENA_NEW(parser->arena, Wildcard);
    *matcher->wildcards = pattern_wildcard(parser->arena, value, &problem);
    if (problem.data != NULL)
        return pattern_text_fail(&parser->text, "%.*s", SLICE_PRINT(problem));
    return end_expression(parser);
}

static Error read_cidr(PatternParser *parser, Matcher *matcher)
{
    Slice value;
    Slice problem;
    TRY(read_string(parser, "prefix match pattern must be a string", &value));
    matcher->kind = MATCH_ADDRESS;
    matcher->addresses = pattern_cidr(parser->arena, value, &problem);
    if (problem.data != NULL)
        return pattern_text_refuse(&parser->text, "%.*s", SLICE_PRINT(problem));
    return end_expression(parser);
}

static Error read_exists(PatternParser *parser, Matcher *matcher)
{
    TokenType type;
    TRY(next(parser, &type));
    Slice value = parser->text.text;
    if (type != TOKEN_LITERAL || slice_equal(value, SLICE("null")))
        return pattern_text_fail(&parser->text, "exists match pattern must be either true or false.");
    matcher->kind = slice_equal(value, SLICE("true")) ? MATCH_EXISTS : MATCH_ABSENT;
    return end_expression(parser);
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
static Error comparable(PatternParser *parser, Slice text, int64_t *value)
{
    NumberFault fault = pattern_number(text, value);
    if (fault == NUMBER_FINE)
        return OK;
    Slice problem = pattern_number_problem(parser->arena, text, fault);
    if (fault == NUMBER_OVERFLOW)
        return pattern_text_refuse(&parser->text, "%.*s", SLICE_PRINT(problem));
    return pattern_text_fail(&parser->text, "%.*s", SLICE_PRINT(problem));
}

static Error read_operand(PatternParser *parser, const char *name, Slice *number)
{
    TokenType type;
    TRY(next(parser, &type));
    if (type != TOKEN_NUMBER)
        return pattern_text_fail(&parser->text, "Value of %s must be numeric", name);
    *number = parser->text.text;
    return OK;
}

/* The upper end of a range, whose operator is the current token. */
static Error read_range_top(PatternParser *parser, Slice *number, bool *is_open)
{
    Slice word;
    TokenType type = parser->text.type;
    TRY(pattern_text_value(&parser->text, &word));
    if (type != TOKEN_STRING)
        return pattern_text_fail(&parser->text, "Bad value in numeric range: %.*s", SLICE_PRINT(word));
    const NumericOperator *comparison = find_operator(word);
    if (comparison == NULL || comparison->bounds_below)
        return pattern_text_fail(&parser->text, "Bad numeric range operator: %.*s", SLICE_PRINT(word));
    *is_open = comparison->is_open;
    TRY(read_operand(parser, comparison->name, number));
    return expect(parser, TOKEN_ARRAY_END, "Too many terms in numeric range expression");
}

/* From behind its bracket to its end. Open ends become closed ones: numbers are whole millionths. */
static Error read_range(PatternParser *parser, Matcher *matcher)
{
    Slice word;
    TokenType type;
    TRY(next(parser, &type));
    TRY(pattern_text_value(&parser->text, &word));
    if (type != TOKEN_STRING)
        return pattern_text_fail(&parser->text, "Invalid member in numeric match: %.*s", SLICE_PRINT(word));
    const NumericOperator *comparison = find_operator(word);
    if (comparison == NULL) {
        TRY(next(parser, &type));
        return pattern_text_fail(&parser->text, "Unrecognized numeric range operator: %.*s", SLICE_PRINT(word));
    }
    Slice number;
    Slice top = {0};
    bool top_open = false;
    TRY(read_operand(parser, comparison->name, &number));
    TRY(next(parser, &type));
    if (type != TOKEN_ARRAY_END) {
        if (comparison->bounds_above)
            return pattern_text_fail(&parser->text, "Too many elements in numeric expression");
        TRY(read_range_top(parser, &top, &top_open));
    }
    int64_t value;
    int64_t high = NUMBER_MAX;
    TRY(comparable(parser, number, &value));
    if (top.data != NULL) {
        TRY(comparable(parser, top, &high));
        if (value >= high)
            return pattern_text_fail(&parser->text, "Bottom must be less than top");
        high -= top_open;
    }
    matcher->kind = MATCH_RANGE;
    matcher->low = comparison->bounds_below ? value + comparison->is_open : -NUMBER_MAX;
    matcher->high = comparison->bounds_above ? value - comparison->is_open : high;
    return OK;
}

static Error read_numeric(PatternParser *parser, Matcher *matcher)
{
    TRY(expect(parser, TOKEN_ARRAY_START, "Value of numeric must be an array."));
    TRY(read_range(parser, matcher));
    return expect(parser, TOKEN_OBJECT_END, "Too many elements in numeric expression");
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

static void add_value(PatternParser *parser, Matcher *matcher, Slice value)
{
    matcher->values = make_room(parser->arena, matcher->values, matcher->count, sizeof value);
    matcher->values[matcher->count++] = value;
}

static void add_number(PatternParser *parser, Matcher *matcher, int64_t value)
{
    matcher->numbers = make_room(parser->arena, matcher->numbers, matcher->count, sizeof value);
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
static Error take_but_value(PatternParser *parser, Matcher *matcher)
{
    if (parser->text.type != TOKEN_STRING)
        return pattern_text_fail(&parser->text, "%s", not_a_string(matcher->kind));
    Slice value;
    TRY(pattern_text_value(&parser->text, &value));
    bool is_affix = matcher->kind == MATCH_BUT_PREFIXES || matcher->kind == MATCH_BUT_SUFFIXES;
    if (is_affix && value.size == 0)
        return pattern_text_fail(&parser->text, "Null prefix/suffix not allowed");
    add_value(parser, matcher, matcher->kind == MATCH_BUT_FOLDED ? pattern_fold(parser->arena, value) : value);
    return OK;
}

/* The wildcards that have been read, checked when all of them have been. */
static Error check_wildcards(PatternParser *parser, Matcher *matcher)
{
    matcher->wildcards = ARENA_ARRAY(parser->arena, Wildcard, matcher->count + 1);
    for (size_t i = 0; i < matcher->count; i++) {
        Slice problem;
        matcher->wildcards[i] = pattern_wildcard(parser->arena, matcher->values[i], &problem);
        if (problem.data != NULL)
            return pattern_text_fail(&parser->text, "%.*s", SLICE_PRINT(problem));
    }
    return OK;
}

/* The value of {"anything-but": {"prefix": …}}, whose token is current. */
static Error read_but_set(PatternParser *parser, Matcher *matcher)
{
    TokenType type = parser->text.type;
    if (type != TOKEN_ARRAY_START && type != TOKEN_STRING && type != TOKEN_NUMBER)
        return pattern_text_fail(&parser->text,
                                 "Value of anything-but must be an array or single string/number value.");
    if (type != TOKEN_ARRAY_START) {
        TRY(take_but_value(parser, matcher));
    } else {
        Error error;
        while ((error = next(parser, &type)) == OK && type != TOKEN_ARRAY_END)
            if ((error = take_but_value(parser, matcher)) != OK)
                break;
        if (error != OK)
            return pattern_text_repeat_place(&parser->text);
    }
    return matcher->kind == MATCH_BUT_WILDCARDS ? check_wildcards(parser, matcher) : OK;
}

/* {"anything-but": {…}}, behind its bracket. */
static Error read_but_object(PatternParser *parser, Matcher *matcher)
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
    TRY(expect(parser, TOKEN_NAME, "Anything-But expression name not found"));
    Slice name = parser->text.text;
    matcher->kind = MATCH_ABSENT;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_equal(kinds[i].name, name))
            matcher->kind = kinds[i].kind;
    if (matcher->kind == MATCH_ABSENT)
        return pattern_text_fail(&parser->text, "Unsupported anything-but pattern: %.*s", SLICE_PRINT(name));
    TokenType type;
    TRY(next(parser, &type));
    TRY(read_but_set(parser, matcher));
    return expect(parser, TOKEN_OBJECT_END, "Too many elements in numeric expression");
}

/* The current token: a string or a number. */
static Error take_but_scalar(PatternParser *parser, Matcher *matcher, bool *is_number)
{
    Slice value;
    int64_t number;
    *is_number = parser->text.type == TOKEN_NUMBER;
    TRY(pattern_text_value(&parser->text, &value));
    if (!*is_number) {
        add_value(parser, matcher, value);
        return OK;
    }
    NumberFault fault = pattern_number(value, &number);
    if (fault != NUMBER_FINE)
        return pattern_text_refuse(&parser->text, "%.*s",
                                   SLICE_PRINT(pattern_number_problem(parser->arena, value, fault)));
    add_number(parser, matcher, number);
    return OK;
}

static Error take_but_element(PatternParser *parser, Matcher *matcher, bool *has_strings, bool *has_numbers)
{
    TokenType type = parser->text.type;
    if (type != TOKEN_STRING && type != TOKEN_NUMBER)
        return pattern_text_fail(&parser->text, "Inside anything but list, start|null|boolean is not supported.");
    bool is_number;
    TRY(take_but_scalar(parser, matcher, &is_number));
    *(is_number ? has_numbers : has_strings) = true;
    return OK;
}

static Error read_but_list(PatternParser *parser, Matcher *matcher)
{
    Matcher strings = {0};
    Matcher numbers = {0};
    bool has_strings = false;
    bool has_numbers = false;
    TokenType type;
    Error error;
    while ((error = next(parser, &type)) == OK && type != TOKEN_ARRAY_END) {
        error = take_but_element(parser, type == TOKEN_NUMBER ? &numbers : &strings, &has_strings, &has_numbers);
        if (error != OK)
            break;
    }
    if (error != OK)
        return pattern_text_repeat_place(&parser->text);
    if (has_strings == has_numbers)
        return pattern_text_fail(
            &parser->text,
            "Inside anything but list, either all values are number or string, mixed type is not supported");
    matcher->values = strings.values;
    matcher->numbers = numbers.numbers;
    matcher->count = strings.count + numbers.count;
    matcher->kind = has_numbers ? MATCH_BUT_NUMBERS : MATCH_BUT_STRINGS;
    return OK;
}

static Error read_anything_but(PatternParser *parser, Matcher *matcher)
{
    TokenType type;
    bool is_number;
    TRY(next(parser, &type));
    switch (type) {
    case TOKEN_OBJECT_START:
        TRY(read_but_object(parser, matcher));
        break;
    case TOKEN_ARRAY_START:
        TRY(read_but_list(parser, matcher));
        break;
    case TOKEN_STRING:
    case TOKEN_NUMBER:
        TRY(take_but_scalar(parser, matcher, &is_number));
        matcher->kind = is_number ? MATCH_BUT_NUMBERS : MATCH_BUT_STRINGS;
        break;
    default:
        return pattern_text_fail(&parser->text,
                                 "Value of anything-but must be an array or single string/number value.");
    }
    return expect(parser, TOKEN_OBJECT_END, "Too many elements in numeric expression");
}

/* ---- Fields ---- */

typedef struct MatchType {
    Slice name;
    Error (*read)(PatternParser *parser, Matcher *matcher);
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

static Error read_expression(PatternParser *parser, Matcher *matcher)
{
    TRY(expect(parser, TOKEN_NAME, "Match expression name not found"));
    for (size_t i = 0; i < sizeof match_types / sizeof *match_types; i++)
        if (slice_equal(match_types[i].name, parser->text.text))
            return match_types[i].read(parser, matcher);
    return pattern_text_fail(&parser->text, "Unrecognized match type %.*s", SLICE_PRINT(parser->text.text));
}

/* A value that is compared as it is. A string that is an address is like every other way to write that address. */
static Error read_exact(PatternParser *parser, Matcher *matcher)
{
    TokenType type = parser->text.type;
    TRY(pattern_text_value(&parser->text, &matcher->value));
    Address address;
    if (type == TOKEN_STRING && pattern_address(matcher->value, &address)) {
        matcher->kind = MATCH_ADDRESS;
        matcher->addresses = (AddressRange){address, address};
    } else if (type == TOKEN_STRING) {
        matcher->kind = MATCH_STRING;
    } else if (type == TOKEN_NUMBER && pattern_number(matcher->value, &matcher->number) == NUMBER_FINE) {
        matcher->kind = MATCH_NUMBER;
    } else {
        matcher->kind = MATCH_LITERAL;
    }
    return OK;
}

static Error read_field(PatternParser *parser, PathNode *path)
{
    Matcher *matchers = NULL;
    bool absent = false;
    for (;;) {
        TokenType type;
        TRY(next(parser, &type));
        if (type == TOKEN_ARRAY_END)
            break;
        if (type == TOKEN_ARRAY_START || type == TOKEN_END)
            return pattern_text_fail(&parser->text, "Match value must be String, number, true, false, or null");
        Matcher *matcher = ARENA_NEW(parser->arena, Matcher);
        TRY(type == TOKEN_OBJECT_START ? read_expression(parser, matcher) : read_exact(parser, matcher));
        if (matcher->kind == MATCH_ABSENT) {
            absent = true;
            continue;
        }
        matcher->next = matchers;
        matchers = matcher;
    }
    if (matchers == NULL && !absent)
        return pattern_text_fail(&parser->text, "Empty arrays are not allowed");
    return put_field(parser, path, matchers, absent);
}

/* ---- Objects ---- */

static Error read_object(PatternParser *parser, PathNode *path, bool in_or);

/* Names that may not stand within $or, so that fields of the name "$or" that were there before it stay what they are. */
static bool is_reserved(Slice name)
{
    static const Slice reserved[] = {
        SLICE_INIT("exactly"),
        SLICE_INIT("equals-ignore-case"),
        SLICE_INIT("prefix"),
        SLICE_INIT("suffix"),
        SLICE_INIT("anything-but"),
        SLICE_INIT("exists"),
        SLICE_INIT("wildcard"),
        SLICE_INIT("numeric"),
        SLICE_INIT("cidr"),
        SLICE_INIT("="),
        SLICE_INIT("<"),
        SLICE_INIT("<="),
        SLICE_INIT(">"),
        SLICE_INIT(">="),
        SLICE_INIT("regex"),
        SLICE_INIT("not-wildcard"),
        SLICE_INIT("not-equals-ignore-case"),
        SLICE_INIT("date-after"),
        SLICE_INIT("date-on-or-after"),
        SLICE_INIT("date-before"),
        SLICE_INIT("date-on-or-before"),
        SLICE_INIT("in-date-range"),
        SLICE_INIT("ip-address-in-range"),
        SLICE_INIT("ip-address-not-in-range"),
    };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (slice_equal(reserved[i], name))
            return true;
    return false;
}

/* The alternatives behind "$or": the branches so far, once for each of them. */
static Error read_alternatives(PatternParser *parser, PathNode *path, const Branches *before, Branches *all)
{
    size_t alternatives = 0;
    TRY(expect(parser, TOKEN_ARRAY_START, "It must be an Array followed with $or."));
    for (;; alternatives++) {
        TokenType type;
        TRY(next(parser, &type));
        if (type == TOKEN_ARRAY_END)
            break;
        if (type != TOKEN_OBJECT_START)
            return pattern_text_fail(&parser->text, "Only JSON object is allowed in array of $or relationship.");
        Branches branches = {0};
        TRY(copy_branches(parser, &branches, before));
        if (branches.count == 0)
            add_branch(parser, &branches);
        parser->branches = &branches;
        TRY(read_object(parser, path, true));
        if (all->count + branches.count > PATTERN_BRANCHES_MAX)
            return too_complex(parser);
        for (size_t i = 0; i < branches.count; i++)
            *add_branch(parser, all) = branches.list[i];
    }
    if (alternatives < 2)
        return pattern_text_fail(&parser->text, "There must have at least 2 Objects in $or relationship.");
    for (size_t i = 0; i < before->count; i++)
        parser->fields -= before->list[i].count;
    return OK;
}

/* "$or" with what cannot be alternatives is a field of that name, if that is what it can be. */
static Error read_or(PatternParser *parser, PathNode *path)
{
    Branches *branches = parser->branches;
    Branches all = {0};
    PatternParser *start = ARENA_NEW(parser->arena, PatternParser);
    *start = *parser;
    Error error = read_alternatives(parser, path, branches, &all);
    if (error == OK) {
        *branches = all;
        parser->branches = branches;
        return OK;
    }
    Slice problem = parser->text.problem;
    *parser = *start;
    TokenType type;
    if (next(parser, &type) == OK && type == TOKEN_ARRAY_START &&
        read_field(parser, path_step(parser->arena, path, SLICE("$or"))) == OK)
        return OK;
    parser->text.problem = problem;
    return error;
}

static Error read_member(PatternParser *parser, PathNode *path, bool in_or)
{
    Slice name = parser->text.text;
    if (slice_equal(name, SLICE("$or")))
        return read_or(parser, path);
    if (in_or && is_reserved(name))
        return pattern_text_fail(&parser->text, "%.*s is Ruler reserved fieldName which cannot be used inside $or.",
                                 SLICE_PRINT(name));
    TokenType type;
    TRY(next(parser, &type));
    if (type == TOKEN_OBJECT_START)
        return read_object(parser, path_step(parser->arena, path, name), in_or);
    if (type == TOKEN_ARRAY_START)
        return read_field(parser, path_step(parser->arena, path, name));
    return pattern_text_fail(&parser->text, "\"%.*s\" must be an object or an array", SLICE_PRINT(name));
}

/* Behind its bracket, to its end. Recursion is bounded: the text refuses to be deeper than PATTERN_DEPTH_MAX. */
static Error read_object(PatternParser *parser, PathNode *path, bool in_or)
{
    for (size_t members = 0;; members++) {
        TokenType type;
        TRY(next(parser, &type));
        if (type == TOKEN_OBJECT_END)
            return members > 0 ? OK : pattern_text_fail(&parser->text, "Empty objects are not allowed");
        TRY(read_member(parser, path, in_or));
    }
}

Error pattern_parse(Arena *arena, Slice pattern, PathNode *root, Branches *branches, Slice *problem)
{
    PatternParser *parser = ARENA_NEW(arena, PatternParser);
    parser->arena = arena;
    parser->branches = branches;
    pattern_text_start(&parser->text, pattern, arena);
    Error error = OK;
    if (pattern.size > PATTERN_BYTES_MAX)
        error = pattern_text_refuse(&parser->text, "Event pattern is too long: at most %d bytes", PATTERN_BYTES_MAX);
    else if (!utf8_is_valid(pattern))
        error = pattern_text_refuse(&parser->text, "Event pattern is not UTF-8");
    if (error == OK)
        error = expect(parser, TOKEN_OBJECT_START, "Filter is not an object");
    if (error == OK)
        error = read_object(parser, root, false);
    *problem = parser->text.problem;
    return error;
}
