/* Event patterns, several at once, against the shortest program that could be right: it tries every leaf of an event for every
 * field. Patterns and events are made from a seed. */
#include "base/buffer.h"
#include "core/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LEAVES_MAX = 64, CHAIN_MAX = 8, FIELDS_MAX = 4, WANTED_MAX = 3, PATTERNS = 6, ROUNDS = 4000 };

static uint64_t random_state;

static unsigned chance(unsigned below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

/* A leaf of an event: where, what, and in which element of which array (as the numbers of both). */
typedef struct ModelLeaf {
    char path[16];
    const char *value; /* JSON */
    unsigned chain[CHAIN_MAX][2];
    size_t chain_size;
} ModelLeaf;

typedef struct ModelEvent {
    ModelLeaf leaves[LEAVES_MAX];
    size_t count;
    unsigned arrays;
    Buffer text;
} ModelEvent;

static const char *const values[] = {"\"x\"", "\"xy\"", "\"Xy\"", "\"yx\"", "\"\"", "1",
                                     "2",     "2.50",   "\"1\"",  "true",   "null", "\"10.0.0.7\""};

static void make_value(ModelEvent *event, ModelLeaf *at, unsigned depth);

static void make_object(ModelEvent *event, ModelLeaf *at, unsigned depth)
{
    static const char *const names[] = {"a", "b", "c"};
    bool comma = false;
    buffer_add_byte(&event->text, '{');
    for (unsigned i = 0; i < 3; i++) {
        if (chance(4) == 0)
            continue;
        ModelLeaf member = *at;
        buffer_add_format(&event->text, "%s\"%s\":", comma ? "," : "", names[i]);
        comma = true;
        snprintf(member.path + strlen(member.path), 3, ".%s", names[i]);
        make_value(event, &member, depth + 1);
    }
    buffer_add_byte(&event->text, '}');
}

static void make_array(ModelEvent *event, ModelLeaf *at, unsigned depth)
{
    unsigned array = event->arrays++;
    unsigned size = chance(4);
    buffer_add_byte(&event->text, '[');
    for (unsigned i = 0; i < size; i++) {
        ModelLeaf element = *at;
        if (i > 0)
            buffer_add_byte(&event->text, ',');
        size_t before = event->text.size;
        element.chain[element.chain_size][0] = array;
        element.chain[element.chain_size++][1] = i;
        size_t leaves = event->count;
        make_value(event, &element, depth + 1);
        /* What stands in the array itself is in none of its elements. */
        char first = event->text.data[before];
        if (first != '{' && first != '[' && event->count > leaves)
            event->leaves[event->count - 1].chain_size--;
    }
    buffer_add_byte(&event->text, ']');
}

static void make_value(ModelEvent *event, ModelLeaf *at, unsigned depth)
{
    unsigned choice = chance(10);
    if (choice < 4 && depth < 3 && at->chain_size < CHAIN_MAX - 1) {
        make_object(event, at, depth);
    } else if (choice < 7 && depth < 4 && at->chain_size < CHAIN_MAX - 1 && event->count < LEAVES_MAX / 2) {
        make_array(event, at, depth);
    } else if (event->count < LEAVES_MAX) {
        at->value = values[chance(sizeof values / sizeof *values)];
        event->leaves[event->count++] = *at;
        buffer_add(&event->text, slice_of_string(at->value));
    } else {
        BUFFER_ADD(&event->text, "[]");
    }
}

/* A matcher: how it is written, and which of `values` it takes. */
typedef struct Wanted {
    const char *json;
    const char *takes; /* a letter for each of `values`: '1' or '0'; NULL: only what is not there */
} Wanted;

static const Wanted wanted_kinds[] = {
    /*                                                   x xy Xy yx "" 1 2 2.5 "1" t n ip */
    {"\"x\"", "100000000000"},
    {"1", "000001000000"},
    {"2.5", "000000010000"},
    {"true", "000000000100"},
    {"null", "000000000010"},
    {"\"\"", "000010000000"},
    {"{\"prefix\":\"x\"}", "110000000000"},
    {"{\"prefix\":\"xy\"}", "010000000000"},
    {"{\"prefix\":\"\"}", "111110001001"},
    {"{\"suffix\":\"x\"}", "100100000000"},
    {"{\"suffix\":\"yx\"}", "000100000000"},
    {"{\"suffix\":{\"equals-ignore-case\":\"Y\"}}", "011000000000"},
    {"{\"prefix\":{\"equals-ignore-case\":\"X\"}}", "111000000000"},
    {"{\"equals-ignore-case\":\"XY\"}", "011000000000"},
    {"{\"wildcard\":\"*y*\"}", "011100000000"},
    {"{\"wildcard\":\"x*\"}", "110000000000"},
    {"{\"numeric\":[\">\",1,\"<=\",2.5]}", "000000110000"},
    {"{\"numeric\":[\"=\",2]}", "000000100000"},
    {"{\"cidr\":\"10.0.0.0/8\"}", "000000000001"},
    {"{\"exists\":true}", "111111111111"},
    {"{\"exists\":false}", NULL},
    {"{\"anything-but\":\"x\"}", "011111111111"},
    {"{\"anything-but\":[\"x\",\"xy\"]}", "001111111111"},
    {"{\"anything-but\":[1,2.5]}", "111110101111"},
    {"{\"anything-but\":{\"prefix\":\"x\"}}", "001111111111"},
    {"{\"anything-but\":{\"suffix\":[\"x\",\"7\"]}}", "011011111110"},
    {"{\"anything-but\":{\"equals-ignore-case\":\"XY\"}}", "100111111111"},
    {"{\"anything-but\":{\"wildcard\":\"*y*\"}}", "100011111111"},
};

typedef struct ModelField {
    char path[16];
    const Wanted *wanted[WANTED_MAX];
    size_t count;
} ModelField;

typedef struct ModelBranch {
    ModelField fields[2 * FIELDS_MAX];
    size_t count;
} ModelBranch;

static const char *const field_paths[] = {".a", ".b", ".c.a", ".c.b.a", ".c.b.b", ".c.c"};

static void write_field(Buffer *out, const ModelField *field)
{
    size_t depth = 0;
    for (const char *at = field->path; *at != '\0'; at += 2, depth++)
        buffer_add_format(out, "%s\"%c\":", depth > 0 ? "{" : "", at[1]);
    buffer_add_byte(out, '[');
    for (size_t i = 0; i < field->count; i++)
        buffer_add_format(out, "%s%s", i > 0 ? "," : "", field->wanted[i]->json);
    buffer_add_byte(out, ']');
    for (; depth > 1; depth--)
        buffer_add_byte(out, '}');
}

static ModelField make_field(unsigned path)
{
    ModelField field = {.count = 1 + chance(WANTED_MAX)};
    snprintf(field.path, sizeof field.path, "%s", field_paths[path]);
    for (size_t i = 0; i < field.count; i++)
        field.wanted[i] = &wanted_kinds[chance(sizeof wanted_kinds / sizeof *wanted_kinds)];
    return field;
}

/* A pattern of fields that all branches have, and perhaps of two alternatives with fields of their own. */
static size_t make_pattern(Buffer *out, ModelBranch branches[2])
{
    bool has_or = chance(3) == 0;
    memset(branches, 0, 2 * sizeof *branches);
    buffer_add_byte(out, '{');
    for (unsigned path = 0; path < 4; path++) {
        if (chance(2) == 0 && !(path == 3 && branches[0].count == 0))
            continue;
        ModelField field = make_field(path);
        if (branches[0].count > 0)
            buffer_add_byte(out, ',');
        branches[0].fields[branches[0].count++] = field;
        branches[1].fields[branches[1].count++] = field;
        write_field(out, &field);
    }
    if (has_or) {
        BUFFER_ADD(out, ",\"$or\":[");
        for (unsigned i = 0; i < 2; i++) {
            ModelField first = make_field(4);
            ModelField second = make_field(5);
            branches[i].fields[branches[i].count++] = first;
            branches[i].fields[branches[i].count++] = second;
            BUFFER_ADD(out, "{");
            write_field(out, &first);
            BUFFER_ADD(out, ",");
            write_field(out, &second);
            buffer_add(out, i == 0 ? SLICE("},") : SLICE("}]"));
        }
    }
    buffer_add_byte(out, '}');
    return has_or ? 2 : 1;
}

static bool go_together(const ModelLeaf *one, const ModelLeaf *other)
{
    for (size_t i = 0; i < one->chain_size; i++)
        for (size_t j = 0; j < other->chain_size; j++)
            if (one->chain[i][0] == other->chain[j][0] && one->chain[i][1] != other->chain[j][1])
                return false;
    return true;
}

static bool takes(const ModelField *field, const ModelLeaf *leaf)
{
    if (strcmp(field->path, leaf->path) != 0)
        return false;
    for (size_t i = 0; i < field->count; i++)
        for (size_t j = 0; j < sizeof values / sizeof *values; j++)
            if (field->wanted[i]->takes != NULL && values[j] == leaf->value && field->wanted[i]->takes[j] == '1')
                return true;
    return false;
}

static bool may_be_absent(const ModelEvent *event, const ModelField *field)
{
    bool wanted = false;
    for (size_t i = 0; i < field->count; i++)
        wanted = wanted || field->wanted[i]->takes == NULL;
    for (size_t i = 0; i < event->count; i++)
        wanted = wanted && strcmp(event->leaves[i].path, field->path) != 0;
    return wanted;
}

/* Tries every leaf for every field from `at` on, along with those chosen before. */
static bool branch_matches(const ModelEvent *event, const ModelBranch *branch, const ModelLeaf **chosen, size_t at)
{
    if (at == branch->count)
        return true;
    const ModelField *field = &branch->fields[at];
    chosen[at] = NULL;
    if (may_be_absent(event, field))
        return branch_matches(event, branch, chosen, at + 1);
    for (size_t i = 0; i < event->count; i++) {
        bool fits = takes(field, &event->leaves[i]);
        for (size_t j = 0; j < at && fits; j++)
            fits = chosen[j] == NULL || go_together(chosen[j], &event->leaves[i]);
        chosen[at] = &event->leaves[i];
        if (fits && branch_matches(event, branch, chosen, at + 1))
            return true;
    }
    return false;
}

/* How often a pattern matched; both outcomes must be common, or little is compared. */
static unsigned outcomes[2];

static void compare_round(Arena *arena)
{
    Slice patterns[PATTERNS];
    ModelBranch branches[PATTERNS][2];
    size_t branch_counts[PATTERNS];
    bool matched[PATTERNS];
    const PatternSet *set;
    size_t wrong;
    Slice problem;
    for (size_t i = 0; i < PATTERNS; i++) {
        Buffer text = buffer_make(arena);
        branch_counts[i] = make_pattern(&text, branches[i]);
        patterns[i] = buffer_slice(&text);
    }
    if (pattern_compile(arena, patterns, PATTERNS, &set, &wrong, &problem) != OK)
        fail_msg("%.*s: %.*s", SLICE_PRINT(patterns[wrong]), SLICE_PRINT(problem));
    for (unsigned tries = 0; tries < 4; tries++) {
        ModelEvent event = {.text = buffer_make(arena)};
        ModelLeaf top = {0};
        make_object(&event, &top, 0);
        pattern_match(set, buffer_slice(&event.text), arena, matched);
        for (size_t i = 0; i < PATTERNS; i++) {
            const ModelLeaf *chosen[2 * FIELDS_MAX];
            bool expected = false;
            for (size_t j = 0; j < branch_counts[i]; j++)
                expected = expected || branch_matches(&event, &branches[i][j], chosen, 0);
            outcomes[expected]++;
            if (matched[i] != expected)
                fail_msg("%.*s\n%.*s\nmatched: %d", SLICE_PRINT(patterns[i]), SLICE_PRINT(buffer_slice(&event.text)),
                         matched[i]);
        }
    }
}

static void many_at_once_match_what_the_model_says_whatever_the_seed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        Arena arena = arena_make();
        random_state = seed * 7919;
        compare_round(&arena);
        arena_free(&arena);
    }
    assert_true(outcomes[false] > ROUNDS && outcomes[true] > ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once_match_what_the_model_says_whatever_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
