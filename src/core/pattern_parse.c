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

/* ---- Fields ---- */

static Error read_field(PatternParser *parser, PathNode *path)
{
    PatternText *text = &parser->text;
    Matcher *matchers = NULL;
    bool absent = false;
    for (;;) {
        TRY(pattern_text_next(text));
        if (text->type == TOKEN_ARRAY_END)
            break;
        Matcher *matcher = ARENA_NEW(parser->arena, Matcher);
        TRY(pattern_read_matcher(text, matcher));
        if (matcher->kind == MATCH_ABSENT) {
            absent = true;
            continue;
        }
        matcher->next = matchers;
        matchers = matcher;
    }
    if (matchers == NULL && !absent)
        return pattern_text_fail(text, "Empty arrays are not allowed");
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
    TRY(pattern_text_expect(&parser->text, TOKEN_ARRAY_START, "It must be an Array followed with $or."));
    for (;; alternatives++) {
        TRY(pattern_text_next(&parser->text));
        if (parser->text.type == TOKEN_ARRAY_END)
            break;
        if (parser->text.type != TOKEN_OBJECT_START)
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
    if (pattern_text_next(&parser->text) == OK && parser->text.type == TOKEN_ARRAY_START &&
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
    TRY(pattern_text_next(&parser->text));
    if (parser->text.type == TOKEN_OBJECT_START)
        return read_object(parser, path_step(parser->arena, path, name), in_or);
    if (parser->text.type == TOKEN_ARRAY_START)
        return read_field(parser, path_step(parser->arena, path, name));
    return pattern_text_fail(&parser->text, "\"%.*s\" must be an object or an array", SLICE_PRINT(name));
}

/* Behind its bracket, to its end. Recursion is bounded: the text refuses to be deeper than PATTERN_DEPTH_MAX. */
static Error read_object(PatternParser *parser, PathNode *path, bool in_or)
{
    for (size_t members = 0;; members++) {
        TRY(pattern_text_next(&parser->text));
        if (parser->text.type == TOKEN_OBJECT_END)
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
        error = pattern_text_expect(&parser->text, TOKEN_OBJECT_START, "Filter is not an object");
    if (error == OK)
        error = read_object(parser, root, false);
    *problem = parser->text.problem;
    return error;
}
