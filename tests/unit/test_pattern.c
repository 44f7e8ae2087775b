/* The promises of pattern.h: what patterns match, and how they are refused. Beside it, test_pattern_model.c. */
#include "base/buffer.h"
#include "core/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static Slice problem_of(Arena *arena, Slice pattern)
{
    const PatternSet *set;
    size_t wrong;
    Slice problem = SLICE("");
    Error error = pattern_compile(arena, &pattern, 1, &set, &wrong, &problem);
    assert_true(error == OK || error == PATTERN_INVALID);
    return error == OK ? SLICE("") : problem;
}

static bool matches(Slice pattern, Slice event)
{
    Arena arena = arena_make();
    const PatternSet *set;
    size_t wrong;
    Slice problem;
    bool matched = false;
    if (pattern_compile(&arena, &pattern, 1, &set, &wrong, &problem) != OK)
        fail_msg("%.*s: %.*s", SLICE_PRINT(pattern), SLICE_PRINT(problem));
    size_t footprint = arena_footprint(&arena);
    Arena scratch = arena_make();
    size_t count = pattern_match(set, event, &scratch, &matched);
    assert_int_equal(count, matched);
    assert_int_equal(arena_footprint(&arena), footprint);
    arena_free(&scratch);
    arena_free(&arena);
    return matched;
}

typedef struct Row {
    const char *pattern;
    const char *event;
    bool matches;
} Row;

static void expect_rows(const Row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool found = matches(slice_of_string(rows[i].pattern), slice_of_string(rows[i].event));
        if (found != rows[i].matches)
            print_error("%s\n%s\n", rows[i].pattern, rows[i].event);
        assert_int_equal(found, rows[i].matches);
    }
}

#define EXPECT(...)                                                                                                    \
    do {                                                                                                               \
        static const Row rows[] = {__VA_ARGS__};                                                                       \
        expect_rows(rows, sizeof rows / sizeof *rows);                                                                 \
    } while (0)

static void exact_values_are_compared_as_what_they_are(void **state)
{
    (void)state;
    EXPECT({"{\"a\":[\"x\"]}", "{\"a\":\"x\"}", true}, {"{\"a\":[\"x\"]}", "{\"a\":\"X\"}", false},
           {"{\"a\":[\"x\",\"y\"]}", "{\"a\":\"y\"}", true}, {"{\"a\":[\"\"]}", "{\"a\":\"\"}", true},
           {"{\"a\":[\"\"]}", "{\"a\":null}", false}, {"{\"a\":[null]}", "{\"a\":null}", true},
           {"{\"a\":[null]}", "{}", false}, {"{\"a\":[true]}", "{\"a\":true}", true},
           {"{\"a\":[true]}", "{\"a\":\"true\"}", false}, {"{\"a\":[1]}", "{\"a\":\"1\"}", false},
           {"{\"a\":[\"1\"]}", "{\"a\":1}", false}, {"{\"a\":[\"x\"]}", "{\"a\":{\"a\":\"x\"}}", false},
           {"{\"a\":[\"x\"],\"b\":[\"y\"]}", "{\"b\":\"y\",\"a\":\"x\"}", true},
           {"{\"a\":[\"x\"],\"b\":[\"y\"]}", "{\"a\":\"x\"}", false},
           {"{\"a\":[{\"exactly\":\"x\"}]}", "{\"a\":\"x\"}", true},
           {"{\"a\":[\"\\u00e9\\ud83d\\ude80\"]}", "{\"a\":\"\xc3\xa9\xf0\x9f\x9a\x80\"}", true},
           {"{\"a\":[\"\\ud83d\"]}", "{\"a\":\"\xf0\x9f\x9a\x80\"}", false},
           {"{\"\\u0061\":[\"x\"]}", "{\"a\":\"\\u0078\"}", true});
}

static void numbers_are_compared_as_numbers(void **state)
{
    (void)state;
    EXPECT({"{\"a\":[300]}", "{\"a\":300.0}", true}, {"{\"a\":[300]}", "{\"a\":3.0e2}", true},
           {"{\"a\":[3.0E+2]}", "{\"a\":300}", true}, {"{\"a\":[0]}", "{\"a\":-0.000}", true},
           {"{\"a\":[0.000001]}", "{\"a\":1e-6}", true}, {"{\"a\":[0.0000001]}", "{\"a\":0.0000001}", true},
           {"{\"a\":[0.0000001]}", "{\"a\":1e-7}", false}, {"{\"a\":[123456789012]}", "{\"a\":123456789012}", true},
           {"{\"a\":[123456789012]}", "{\"a\":123456789012.0}", false}, {"{\"a\":[-1.5]}", "{\"a\":-1.50}", true},
           {"{\"a\":[{\"numeric\":[\"=\",1]}]}", "{\"a\":1.0}", true},
           {"{\"a\":[{\"numeric\":[\">\",1]}]}", "{\"a\":1.000001}", true},
           {"{\"a\":[{\"numeric\":[\">\",1]}]}", "{\"a\":1}", false},
           {"{\"a\":[{\"numeric\":[\">\",1]}]}", "{\"a\":1.0000001}", false},
           {"{\"a\":[{\"numeric\":[\">=\",1]}]}", "{\"a\":1}", true},
           {"{\"a\":[{\"numeric\":[\">\",0,\"<\",5]}]}", "{\"a\":5}", false},
           {"{\"a\":[{\"numeric\":[\">\",0,\"<=\",5]}]}", "{\"a\":5}", true},
           {"{\"a\":[{\"numeric\":[\"<\",0]}]}", "{\"a\":-5000000000}", true},
           {"{\"a\":[{\"numeric\":[\"<\",0]}]}", "{\"a\":-5000000001}", false},
           {"{\"a\":[{\"numeric\":[\"<=\",5e9]}]}", "{\"a\":5000000000}", true},
           {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":\"1\"}", false},
           {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":1e400}", false},
           {"{\"a\":[{\"numeric\":[\">\",0]}]}", "{\"a\":1e-400}", false});
}

static void strings_are_compared_in_part(void **state)
{
    (void)state;
    EXPECT({"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"abc\"}", true},
           {"{\"a\":[{\"prefix\":\"ab\"}]}", "{\"a\":\"a\"}", false},
           {"{\"a\":[{\"prefix\":\"\"}]}", "{\"a\":\"\"}", true}, {"{\"a\":[{\"prefix\":\"\"}]}", "{\"a\":1}", false},
           {"{\"a\":[{\"prefix\":\"1\"}]}", "{\"a\":12}", false},
           {"{\"a\":[{\"suffix\":\"bc\"}]}", "{\"a\":\"abc\"}", true},
           {"{\"a\":[{\"suffix\":\"abcd\"}]}", "{\"a\":\"bcd\"}", false},
           {"{\"a\":[{\"equals-ignore-case\":\"aLICE\"}]}", "{\"a\":\"Alice\"}", true},
           {"{\"a\":[{\"equals-ignore-case\":\"\xc3\x84RGER\"}]}", "{\"a\":\"\xc3\xa4rger\"}", true},
           {"{\"a\":[{\"equals-ignore-case\":\"\xd0\x9c\xd0\x98\xd0\xa0\"}]}", "{\"a\":\"\xd0\xbc\xd0\xb8\xd1\x80\"}",
            true},
           {"{\"a\":[{\"equals-ignore-case\":\"x\"}]}", "{\"a\":\"xx\"}", false},
           {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":\"EVENTB\"}}]}", "{\"a\":\"EventBridge\"}", true},
           {"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\".PNG\"}}]}", "{\"a\":\"x.png\"}", true},
           {"{\"a\":[{\"wildcard\":\"a*b*c\"}]}", "{\"a\":\"aXbYc\"}", true},
           {"{\"a\":[{\"wildcard\":\"a*b*c\"}]}", "{\"a\":\"abbc\"}", true},
           {"{\"a\":[{\"wildcard\":\"a*b*c\"}]}", "{\"a\":\"ac\"}", false},
           {"{\"a\":[{\"wildcard\":\"ab*ba\"}]}", "{\"a\":\"aba\"}", false},
           {"{\"a\":[{\"wildcard\":\"*\"}]}", "{\"a\":\"\"}", true},
           {"{\"a\":[{\"wildcard\":\"*\"}]}", "{\"a\":1}", false},
           {"{\"a\":[{\"wildcard\":\"x\\\\*\\\\\\\\y\"}]}", "{\"a\":\"x*\\\\y\"}", true},
           {"{\"a\":[{\"wildcard\":\"x\\\\*\"}]}", "{\"a\":\"xyz\"}", false},
           {"{\"a\":[{\"prefix\":\"a\"},{\"suffix\":\"z\"}]}", "{\"a\":\"bz\"}", true});
}

static void anything_but_is_everything_else_that_is_there(void **state)
{
    (void)state;
    EXPECT({"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":\"y\"}", true},
           {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":\"x\"}", false},
           {"{\"a\":[{\"anything-but\":\"x\"}]}", "{}", false},
           {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":null}", true},
           {"{\"a\":[{\"anything-but\":\"x\"}]}", "{\"a\":[\"x\",\"y\"]}", true},
           {"{\"a\":[{\"anything-but\":[1,2]}]}", "{\"a\":2.0}", false},
           {"{\"a\":[{\"anything-but\":[1,2]}]}", "{\"a\":\"2\"}", true},
           {"{\"a\":[{\"anything-but\":[\"x\",\"y\"]}]}", "{\"a\":\"z\"}", true},
           {"{\"a\":[{\"anything-but\":{\"prefix\":\"x\"}}]}", "{\"a\":\"xy\"}", false},
           {"{\"a\":[{\"anything-but\":{\"prefix\":[\"x\",\"y\"]}}]}", "{\"a\":\"yx\"}", false},
           {"{\"a\":[{\"anything-but\":{\"suffix\":[\"x\",\"y\"]}}]}", "{\"a\":\"yz\"}", true},
           {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":[\"Ab\",\"c\"]}}]}", "{\"a\":\"aB\"}", false},
           {"{\"a\":[{\"anything-but\":{\"wildcard\":\"*x*\"}}]}", "{\"a\":\"axb\"}", false},
           {"{\"a\":[{\"anything-but\":{\"equals-ignore-case\":[]}}]}", "{\"a\":\"aB\"}", true},
           {"{\"a\":[{\"anything-but\":{\"wildcard\":[\"*x*\",\"y*\"]}}]}", "{\"a\":\"ay\"}", true});
}

static void presence_is_of_leaves(void **state)
{
    (void)state;
    EXPECT({"{\"a\":[{\"exists\":true}]}", "{\"a\":null}", true}, {"{\"a\":[{\"exists\":true}]}", "{}", false},
           {"{\"a\":[{\"exists\":true}]}", "{\"a\":{\"b\":1}}", false},
           {"{\"a\":[{\"exists\":true}]}", "{\"a\":[]}", false}, {"{\"a\":[{\"exists\":true}]}", "{\"a\":[[1]]}", true},
           {"{\"a\":[{\"exists\":false}]}", "{\"a\":{\"b\":1}}", true},
           {"{\"a\":[{\"exists\":false}]}", "{\"a\":1}", false},
           {"{\"a\":{\"b\":[{\"exists\":false}]}}", "{\"a\":[{\"b\":1},{\"c\":1}]}", false},
           {"{\"a\":[{\"exists\":false},\"x\"]}", "{}", true},
           {"{\"a\":[{\"exists\":false},\"x\"]}", "{\"a\":\"x\"}", true},
           {"{\"a\":[{\"exists\":false},\"x\"]}", "{\"a\":\"y\"}", false});
}

static void addresses_are_compared_as_addresses(void **state)
{
    (void)state;
    EXPECT({"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.0.255\"}", true},
           {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.1.0\"}", false},
           {"{\"a\":[{\"cidr\":\"10.0.0.0/24\"}]}", "{\"a\":\"10.0.0.255.1\"}", false},
           {"{\"a\":[{\"cidr\":\"0.0.0.0/0\"}]}", "{\"a\":\"255.255.255.255\"}", true},
           {"{\"a\":[{\"cidr\":\"0.0.0.0/0\"}]}", "{\"a\":\"::1\"}", false},
           {"{\"a\":[{\"cidr\":\"2001:db8::/32\"}]}", "{\"a\":\"2001:DB8:ffff::1\"}", true},
           {"{\"a\":[{\"cidr\":\"2001:db8::/32\"}]}", "{\"a\":\"2001:db9::\"}", false},
           {"{\"a\":[\"2001:db8::1\"]}", "{\"a\":\"2001:0db8:0:0:0:0:0:1\"}", true},
           {"{\"a\":[\"10.0.0.1\"]}", "{\"a\":\"10.0.0.1\"}", true},
           {"{\"a\":[\"12:30:00\"]}", "{\"a\":\"12:30:00\"}", true});
}

static void alternatives_multiply_and_may_nest(void **state)
{
    (void)state;
    const char *nested = "{\"s\":[\"x\"],\"$or\":[{\"a\":[1],\"$or\":[{\"b\":[1]},{\"c\":[1]}]},{\"d\":{\"e\":[1]}}]}";
    const Row cases[] = {
        {nested, "{\"s\":\"x\",\"a\":1,\"c\":1}", true},  {nested, "{\"s\":\"x\",\"d\":{\"e\":1}}", true},
        {nested, "{\"s\":\"x\",\"a\":1}", false},         {nested, "{\"s\":\"y\",\"d\":{\"e\":1}}", false},
        {nested, "{\"s\":\"x\",\"b\":1,\"c\":1}", false},
    };
    expect_rows(cases, sizeof cases / sizeof *cases);
    EXPECT({"{\"o\":{\"$or\":[{\"a\":[1]},{\"b\":[2]}]}}", "{\"o\":{\"b\":2}}", true},
           {"{\"$or\":[{\"a\":[1]},{\"b\":[1]}],\"$or\":[{\"c\":[1]},{\"d\":[1]}]}", "{\"b\":1,\"c\":1}", true},
           {"{\"$or\":[{\"a\":[1]},{\"b\":[1]}],\"$or\":[{\"c\":[1]},{\"d\":[1]}]}", "{\"a\":1,\"b\":1}", false},
           /* What cannot be alternatives is a field of that name. */
           {"{\"$or\":[\"x\"]}", "{\"$or\":\"x\"}", true},
           {"{\"$or\":[{\"prefix\":\"x\"},{\"suffix\":\"y\"}]}", "{\"$or\":\"xx\"}", true});
}

static void of_equal_names_the_last_one_counts(void **state)
{
    (void)state;
    EXPECT({"{\"a\":[1],\"a\":[2]}", "{\"a\":2}", true}, {"{\"a\":[1],\"a\":[2]}", "{\"a\":1}", false},
           {"{\"o\":{\"a\":[1]},\"o\":{\"b\":[2]}}", "{\"o\":{\"a\":1,\"b\":2}}", true},
           {"{\"o\":{\"a\":[1]},\"o\":{\"b\":[2]}}", "{\"o\":{\"b\":2}}", false},
           {"{\"a\":[1]}", "{\"a\":2,\"a\":1}", true});
}

static void dots_in_names_are_steps(void **state)
{
    (void)state;
    EXPECT({"{\"a.b\":[1]}", "{\"a\":{\"b\":1}}", true}, {"{\"a\":{\"b\":[1]}}", "{\"a.b\":1}", true},
           {"{\"a\":{\"b.c\":[1]}}", "{\"a.b\":{\"c\":1}}", true}, {"{\"a..b\":[1]}", "{\"a\":{\"\":{\"b\":1}}}", true},
           {"{\"a.b\":[1]}", "{\"a.c\":1,\"a\":1}", false}, {"{\".\":[1]}", "{\".\":1}", true});
}

static void fields_are_found_in_one_element_of_an_array(void **state)
{
    (void)state;
    const char *names = "{\"p\":{\"first\":[\"Anna\"],\"last\":[\"Jones\"]}}";
    const Row cases[] = {
        {names, "{\"p\":[{\"first\":\"Anna\",\"last\":\"Smith\"},{\"first\":\"Peter\",\"last\":\"Jones\"}]}", false},
        {names, "{\"p\":[{\"first\":\"Anna\",\"last\":\"Smith\"},{\"first\":\"Anna\",\"last\":\"Jones\"}]}", true},
        {names, "{\"p\":[[{\"first\":\"Anna\"}],[{\"last\":\"Jones\"}]]}", false},
        {names, "{\"p\":[[{\"first\":\"Anna\"},{\"last\":\"Jones\"}]]}", false},
        {names, "{\"p\":[{\"first\":[\"Eve\",\"Anna\"],\"last\":[\"Jones\"]}]}", true},
        {names, "{\"p\":{\"first\":[\"Anna\"],\"last\":[\"Jones\"]}}", true},
        {names, "{\"p\":[{\"first\":\"Anna\",\"last\":\"Jones\"},{\"first\":\"Peter\"}]}", true},
    };
    expect_rows(cases, sizeof cases / sizeof *cases);
    EXPECT(
        {"{\"a\":[\"x\"]}", "{\"a\":[\"y\",[\"x\"]]}", true},
        {"{\"a\":{\"b\":[1]},\"c\":{\"d\":[1]}}", "{\"a\":[{\"b\":2},{\"b\":1}],\"c\":[{\"d\":1}]}", true},
        {"{\"a\":{\"b\":{\"c\":[1],\"d\":[1]},\"e\":[1]}}", "{\"a\":[{\"e\":1,\"b\":[{\"c\":1},{\"d\":1}]}]}", false},
        {"{\"a\":{\"b\":{\"c\":[1],\"d\":[1]},\"e\":[1]}}",
         "{\"a\":[{\"e\":2,\"b\":{\"c\":1,\"d\":1}},{\"e\":1,\"b\":[{\"c\":1},{\"d\":1,\"c\":1}]}]}", true});
}

static void what_is_no_object_matches_nothing(void **state)
{
    (void)state;
    static const char *const events[] = {"",      "[]",         "\"a\"",          "{\"a\":1",           "{\"a\":1}x",
                                         "{a:1}", "{\"a\":01}", "{\"b\":\"\t\"}", "{\"b\":\"\\ud800\"}"};
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        assert_false(matches(SLICE("{\"x\":[{\"exists\":false}]}"), slice_of_string(events[i])));
    assert_true(matches(SLICE("{\"x\":[{\"exists\":false}]}"), SLICE(" {} ")));
}

/* ---- Refusals ---- */

typedef struct Refusal {
    const char *pattern;
    const char *problem; /* up to its place */
    unsigned column;     /* 0: it has no place */
} Refusal;

static const Refusal refusals[] = {
    {"", "Filter is not an object", 1},
    {"[]", "Filter is not an object", 2},
    {"12", "Filter is not an object", 3},
    {"{}", "Empty objects are not allowed", 3},
    {"{\"a\":{}}", "Empty objects are not allowed", 8},
    {"{\"a\":1}", "\"a\" must be an object or an array", 7},
    {"{\"a\":[[1]]}", "Match value must be String, number, true, false, or null", 8},
    {"{\"a\":[{}]}", "Match expression name not found", 9},
    {"{\"a\":[{\"prefix\":\"x\",\"suffix\":\"y\"}]}", "Only one key allowed in match expression", 31},
    {"{\"a\":[{\"exactly\":1}]}", "exact match pattern must be a string", 19},
    {"{\"a\":[{\"suffix\":1}]}", "suffix match pattern must be a string", 18},
    {"{\"a\":[{\"prefix\":{}}]}", "Prefix expression name not found", 19},
    {"{\"a\":[{\"suffix\":{\"x\":1}}]}", "Unsupported suffix pattern: x", 23},
    {"{\"a\":[{\"prefix\":{\"equals-ignore-case\":1}}]}", "equals-ignore-case match pattern must be a string", 40},
    {"{\"a\":[{\"equals-ignore-case\":[1]}]}", "equals-ignore-case match pattern must be a string", 30},
    {"{\"a\":[{\"exists\":1}]}", "exists match pattern must be either true or false.", 18},
    {"{\"a\":[{\"exists\":null}]}", "exists match pattern must be either true or false.", 21},
    {"{\"a\":[{\"wildcard\":\"x\\\\y\"}]}", "Invalid escape character at pos 2", 25},
    {"{\"a\":[{\"wildcard\":\"x\\\\\"}]}", "Invalid escape character at pos 2", 24},
    {"{\"a\":[{\"anything-but\":{\"wildcard\":\"**\"}}]}", "Consecutive wildcard characters at pos 1", 39},
    {"{\"a\":[{\"anything-but\":{\"wildcard\":[\"**\"]}}]}", "Consecutive wildcard characters at pos 1", 41},
    {"{\"a\":[{\"anything-but\":{}}]}", "Anything-But expression name not found", 25},
    {"{\"a\":[{\"anything-but\":{\"cidr\":\"x\"}}]}", "Unsupported anything-but pattern: cidr", 32},
    {"{\"a\":[{\"anything-but\":true}]}", "Value of anything-but must be an array or single string/number value.", 27},
    {"{\"a\":[{\"anything-but\":[]}]}",
     "Inside anything but list, either all values are number or string, mixed type is not supported", 25},
    {"{\"a\":[{\"anything-but\":[1,\"x\"]}]}",
     "Inside anything but list, either all values are number or string, mixed type is not supported", 30},
    {"{\"a\":[{\"anything-but\":6e9}]}", "Value must be between -5.0E9 and 5.0E9, inclusive", 0},
    {"{\"a\":[{\"anything-but\":[6e9]}]}", "Value must be between -5.0E9 and 5.0E9, inclusive", 27},
    {"{\"a\":[{\"numeric\":[]}]}", "Invalid member in numeric match: ]", 20},
    {"{\"a\":[{\"numeric\":[5]}]}", "Invalid member in numeric match: 5", 20},
    {"{\"a\":[{\"numeric\":[\"!=\",5]}]}", "Unrecognized numeric range operator: !=", 25},
    {"{\"a\":[{\"numeric\":[\"=\",\"5\"]}]}", "Value of equals must be numeric", 24},
    {"{\"a\":[{\"numeric\":[\"=\",5,\"<\",6]}]}", "Too many elements in numeric expression", 26},
    {"{\"a\":[{\"numeric\":[\">\",5,6]}]}", "Bad value in numeric range: 6", 26},
    {"{\"a\":[{\"numeric\":[\">\",5,\">\",6]}]}", "Bad numeric range operator: >", 28},
    {"{\"a\":[{\"numeric\":[\">\",5,\"<\",\"6\"]}]}", "Value of < must be numeric", 30},
    {"{\"a\":[{\"numeric\":[\">\",5,\"<\",6,7]}]}", "Too many terms in numeric range expression", 32},
    {"{\"a\":[{\"numeric\":[\">\",5,\"<\",5]}]}", "Bottom must be less than top", 31},
    {"{\"a\":[{\"numeric\":[\">\",5],\"x\":1}]}", "Too many elements in numeric expression", 31},
    {"{\"a\":[{\"numeric\":[\"<\",1e30]}]}", "Overflow", 0},
    {"{\"a\":[{\"numeric\":[\"<\",0.1234567]}]}",
     "Only values upto 6 decimals are supported0.1234567 0.1234567 0x1.f9ae0c1765775p-4", 33},
    {"{\"a\":[{\"numeric\":[\"<\",-1.5E-9]}]}", "Only values upto 6 decimals are supported-1.5E-9 -1.5E-9 -0x0.0p0",
     31},
    {"{\"a\":[{\"cidr\":\"10.0.0.0\"}]}", "Malformed CIDR, one '/' required", 0},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/8/\"}]}", "", 0},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/8/9\"}]}", "Malformed CIDR, one '/' required", 0},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/-1\"}]}", "Malformed CIDR, mask bits must not be negative", 0},
    {"{\"a\":[{\"cidr\":\"10.0.0.0/32\"}]}", "IPv4 mask bits must be < 32", 0},
    {"{\"a\":[{\"cidr\":\"::/128\"}]}", "IPv6 mask bits must be < 128", 0},
    {"{\"a\":[{\"cidr\":\"10.0.0.256/8\"}]}", "Invalid IP address: 10.0.0.256", 0},
    {"{\"$or\":{\"a\":[1]}}", "It must be an Array followed with $or.", 9},
    {"{\"$or\":[{\"a\":[1]}]}", "There must have at least 2 Objects in $or relationship.", 19},
    {"{\"$or\":[{\"a\":[1]},5]}", "Only JSON object is allowed in array of $or relationship.", 20},
    {"{\"$or\":[{\"regex\":[1]},{\"b\":[1]}]}", "regex is Ruler reserved fieldName which cannot be used inside $or.",
     19},
    /* What is no JSON. */
    {"{\"a\":[1]",
     "Unexpected end-of-input: expected close marker for Object (start marker at [Source: (String)\"{\"a\":[1]\"; "
     "line: 1, column: 1])",
     9},
    {"{\"a\" 1}", "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value", 7},
    {"{a:1}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name", 3},
    {"{\"a\":[1] \"b\"}", "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries", 11},
    {"{\"a\":[1 2]}", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries", 10},
    {"{\"a\":[1},",
     "Unexpected close marker '}': expected ']' (for Array starting at [Source: (String)\"{\"a\":[1},\"; line: 1, "
     "column: 6])",
     9},
    {"{\"a\":[nul]}",
     "Unrecognized token 'nul': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or "
     "'false')",
     10},
    {"{\"a\":[\"x", "Unexpected end-of-input: was expecting closing quote for a string value", 9},
    {"{\"a\":[,]}",
     "Unexpected character (',' (code 44)): expected a valid value (JSON String, Number, Array, Object or token "
     "'null', 'true' or 'false')",
     8},
    {"{\"a\":[01]}", "Invalid numeric value: Leading zeroes not allowed", 8},
    {"{\"a\":[-]}",
     "Unexpected character (']' (code 93)) in numeric value: expected digit (0-9) to follow minus sign, for valid "
     "numeric value",
     9},
    {"{\"a\":[\"\\x\"]}", "Unrecognized character escape 'x' (code 120)", 10},
    {"{\"a\":[\"\t\"]}",
     "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash to be included in "
     "string value",
     9},
    {"{\"a\":", "Unexpected end-of-input within/between Object entries", 6},
};

static void refusals_are_in_eventbridge_s_words_and_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        Arena arena = arena_make();
        const Refusal *row = &refusals[i];
        Slice expected = slice_of_string(row->problem);
        if (row->column != 0) {
            Buffer shown = buffer_make(&arena);
            for (const char *at = row->pattern; *at != '\0'; at++)
                buffer_add(&shown, *at == '\t' ? SLICE("\\u0009") : slice_make(at, 1));
            expected = arena_format(&arena, "%s\n at [Source: (String)\"%.*s\"; line: 1, column: %u]", row->problem,
                                    SLICE_PRINT(buffer_slice(&shown)), row->column);
        }
        Slice problem = problem_of(&arena, slice_of_string(row->pattern));
        /* Within lists of anything-but the place stands twice, when it was there before. */
        if (!slice_equal(problem, expected))
            print_error("%s\n  %.*s\n", row->pattern, SLICE_PRINT(problem));
        assert_true(slice_equal(problem, expected));
        arena_free(&arena);
    }
}

static void places_count_lines_and_units_of_utf_16(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice problem = problem_of(&arena, SLICE("{\r\n \"\xf0\x9f\x9a\x80\": [{\"x\": true}]\n}"));
    assert_true(slice_ends_with(problem, SLICE("line: 2, column: 19]")));
    Buffer text = buffer_make(&arena);
    BUFFER_ADD(&text, "{\"a\":[\"");
    for (int i = 0; i < 600; i++)
        BUFFER_ADD(&text, "\xc3\xa9");
    BUFFER_ADD(&text, "\"],\"b\":1}");
    problem = problem_of(&arena, buffer_slice(&text));
    assert_true(slice_ends_with(problem, SLICE("\xc3\xa9\"[truncated 116 chars]; line: 1, column: 616]")));
    arena_free(&arena);
}

static void a_failure_within_a_list_says_its_place_twice(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice tail = SLICE("\n at [Source: (String)\"{\"a\":[{\"anything-but\":[null]}]}\"; line: 1, column: 28]");
    Slice problem = problem_of(&arena, SLICE("{\"a\":[{\"anything-but\":[null]}]}"));
    assert_true(slice_equal(
        problem, arena_format(&arena, "Inside anything but list, start|null|boolean is not supported.%.*s%.*s",
                              SLICE_PRINT(tail), SLICE_PRINT(tail))));
    arena_free(&arena);
}

static void the_first_bad_pattern_is_named(void **state)
{
    (void)state;
    Arena arena = arena_make();
    const Slice patterns[] = {SLICE("{\"a\":[1]}"), SLICE("{\"a\":1}"), SLICE("{}")};
    const PatternSet *set;
    size_t wrong = 9;
    Slice problem;
    assert_int_equal(pattern_compile(&arena, patterns, 3, &set, &wrong, &problem), PATTERN_INVALID);
    assert_int_equal(wrong, 1);
    assert_int_equal(pattern_compile(&arena, patterns, 0, &set, &wrong, &problem), OK);
    assert_int_equal(pattern_match(set, SLICE("{}"), &arena, NULL), 0);
    arena_free(&arena);
}

/* ---- Bounds ---- */

static Slice repeated(Arena *arena, const char *begin, const char *part, size_t times, const char *end)
{
    Buffer out = buffer_make(arena);
    buffer_add(&out, slice_of_string(begin));
    for (size_t i = 0; i < times; i++)
        buffer_add(&out, slice_of_string(part));
    buffer_add(&out, slice_of_string(end));
    return buffer_slice(&out);
}

/* The steps that are given bound the time, whatever patterns and events are like together. */
static void matching_ends_when_its_steps_are_used(void **state)
{
    (void)state;
    static const struct {
        const char *begin;
        const char *part;
        size_t times;
        const char *end;
        const char *element;
    } rows[] = {
        {"{\"a\":[", "{\"wildcard\":\"*b\"},", 200, "1]}", "\"x\","},
        {"{\"a\":[", "{\"suffix\":\"x\"},", 200, "1]}", "\"x\","},
        {"{\"a\":{\"$or\":[", "{\"b\":[1]},", 300, "{\"b\":[2]}],\"c\":[1],\"d\":[1]}}", "{\"b\":1},"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Arena arena = arena_make();
        const PatternSet *set;
        size_t wrong;
        size_t count;
        bool matched;
        Slice problem;
        Slice pattern = repeated(&arena, rows[i].begin, rows[i].part, rows[i].times, rows[i].end);
        Slice few = repeated(&arena, "{\"a\":[", rows[i].element, 10, "3]}");
        Slice many = repeated(&arena, "{\"a\":[", rows[i].element, 10000, "3]}");
        assert_int_equal(pattern_compile(&arena, &pattern, 1, &set, &wrong, &problem), OK);
        uint64_t steps = 100000;
        assert_int_equal(pattern_match_within(set, few, &steps, &arena, &matched, &count), OK);
        assert_true(steps > 0 && steps < 100000);
        assert_int_equal(pattern_match_within(set, many, &steps, &arena, &matched, &count), ERROR_TOO_LARGE);
        assert_int_equal(steps, 0);
        arena_free(&arena);
    }
}

static void what_is_too_much_is_refused(void **state)
{
    (void)state;
    Arena arena = arena_make();
    const char *two = "\"$or\":[{\"a\":[1]},{\"b\":[1]}],";
    assert_true(slice_starts_with(problem_of(&arena, repeated(&arena, "{", two, 100, "\"z\":[1]}")),
                                  SLICE("Event pattern is too complex")));
    assert_int_equal(problem_of(&arena, repeated(&arena, "{", two, 9, "\"z\":[1]}")).size, 0);
    assert_true(slice_starts_with(problem_of(&arena, repeated(&arena, "", "{\"a\":", 200, "[1]")),
                                  SLICE("Event pattern is nested too deeply")));
    assert_true(slice_starts_with(problem_of(&arena, repeated(&arena, "{\"a\":[\"", "x", 4100, "\"]}")),
                                  SLICE("Event pattern is too long")));
    assert_true(
        slice_starts_with(problem_of(&arena, SLICE("{\"a\":[\"\xff\"]}")), SLICE("Event pattern is not UTF-8")));
    arena_free(&arena);
}

static void hostile_events_take_no_longer_than_they_are_long(void **state)
{
    (void)state;
    Arena arena = arena_make();
    Slice stars = repeated(&arena, "{\"a\":[{\"wildcard\":\"", "*aab", 900, "*z*\"}]}");
    assert_false(matches(stars, repeated(&arena, "{\"a\":\"", "aaaaaaaaaaaaaaab", 60000, "c\"}")));
    Slice joined = SLICE("{\"a\":{\"b\":[1],\"c\":[1]}}");
    assert_false(matches(joined, repeated(&arena, "{\"a\":[", "{\"b\":1},{\"c\":1},", 50000, "0]}")));
    assert_false(matches(joined, repeated(&arena, "{\"a\":", "[", 200, "")));
    Slice steps = repeated(&arena, "{\"", "a.", 2000, "\":[1]}");
    assert_true(matches(steps, repeated(&arena, "{\"", "a.", 2000, "\":1}")));
    arena_free(&arena);
}

static void the_shape_of_a_field_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        PatternShape shape;
    } rows[] = {
        {"{\"body\":{\"a\":[1]}}", PATTERN_OBJECT},
        {"{\"body\":[\"x\"]}", PATTERN_VALUES},
        {"{\"x\":{\"body\":[1]}}", PATTERN_NOTHING},
        {"{\"$or\":[{\"body\":[\"x\"]},{\"body\":{\"a\":[1]}}]}", PATTERN_OBJECT},
        {"{\"$or\":[{\"a\":[\"x\"]},{\"$or\":[{\"body\":[\"x\"]},{\"c\":[1]}]}]}", PATTERN_VALUES},
        {"{", PATTERN_NOTHING},
    };
    Arena arena = arena_make();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(pattern_shape(slice_of_string(rows[i].pattern), SLICE("body"), &arena), rows[i].shape);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_values_are_compared_as_what_they_are),
        cmocka_unit_test(numbers_are_compared_as_numbers),
        cmocka_unit_test(strings_are_compared_in_part),
        cmocka_unit_test(anything_but_is_everything_else_that_is_there),
        cmocka_unit_test(presence_is_of_leaves),
        cmocka_unit_test(addresses_are_compared_as_addresses),
        cmocka_unit_test(alternatives_multiply_and_may_nest),
        cmocka_unit_test(of_equal_names_the_last_one_counts),
        cmocka_unit_test(dots_in_names_are_steps),
        cmocka_unit_test(fields_are_found_in_one_element_of_an_array),
        cmocka_unit_test(what_is_no_object_matches_nothing),
        cmocka_unit_test(refusals_are_in_eventbridge_s_words_and_places),
        cmocka_unit_test(places_count_lines_and_units_of_utf_16),
        cmocka_unit_test(a_failure_within_a_list_says_its_place_twice),
        cmocka_unit_test(the_first_bad_pattern_is_named),
        cmocka_unit_test(matching_ends_when_its_steps_are_used),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(hostile_events_take_no_longer_than_they_are_long),
        cmocka_unit_test(the_shape_of_a_field_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
