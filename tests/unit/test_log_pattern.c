/* Filter patterns, on examples after those of AWS's user guide ("Filter pattern syntax …"), and on what hostile ones cost. */
#include "core/log_pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef struct Example {
    const char *pattern;
    const char *message;
    bool matches;
} Example;

static bool matches(Slice text, Slice message)
{
    Arena arena = arena_make();
    LogPattern *pattern;
    const char *why;
    assert_int_equal(log_pattern_compile(text, &arena, &pattern, &why), OK);
    bool result = log_pattern_matches(pattern, message, &arena);
    arena_free(&arena);
    return result;
}

static void check(const Example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const Example *example = &examples[i];
        if (matches(slice_of_string(example->pattern), slice_of_string(example->message)) != example->matches)
            fail_msg("%s on %s", example->pattern, example->message);
    }
}

#define CHECK(examples) check(examples, sizeof examples / sizeof examples[0])

static void terms_are_all_there_or_one_of_the_optional_ones(void **state)
{
    (void)state;
    static const Example examples[] = {
        {"", "anything", true},
        {"  ", "anything", true},
        {"ERROR", "[ERROR 400] BAD REQUEST", true},
        {"ERROR", "[error 400] BAD REQUEST", false},
        {"ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", true},
        {"ERROR ARGUMENTS", "[ERROR 419] MISSING", false},
        {"\"INTERNAL SERVER ERROR\"", "[ERROR 500] INTERNAL SERVER ERROR", true},
        {"\"INTERNAL SERVER ERROR\"", "[ERROR 500] INTERNAL ERROR SERVER", false},
        {"\"say \\\"no\\\"\"", "they say \"no\" today", true},
        {"?ERROR ?ARGUMENTS", "[WARN] no ARGUMENTS", true},
        {"?ERROR ?ARGUMENTS", "[WARN] nothing", false},
        {"ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", true},
        {"ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", false},
        {"-ERROR", "fine", true},
        {"-ERROR", "ERROR", false},
        {"?WARN ERROR", "ERROR", true},
        {"%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", true},
        {"%^[hc]at%", "hat", true},
        {"%^[hc]at%", "that", false},
        {"%[hc]at$%", "that", true},
        {"%colou?r%", "the color", true},
        {"%a{3,5}%", "aab", false},
        {"%\\d{1,3}\\.\\d{1,3}%", "at 10.20", true},
        {"-%[Dd]ebug% x", "x Debug", false},
    };
    CHECK(examples);
}

static void conditions_on_json_hold_of_its_values(void **state)
{
    (void)state;
    static const char *event =
        "{\"eventType\": \"UpdateTrail\", \"sourceIPAddress\": \"111.111.111.111\", \"arrayKey\": [\"value\", "
        "\"another\"],"
        " \"objectList\": [{\"name\": \"a\", \"id\": 1}, {\"name\": \"b\", \"id\": 2}], \"SomeObject\": null,"
        " \"cluster.name\": \"c\", \"done\": true, \"errorCode\": 400, \"rate\": 1e-3, \"text\": \"400\"}";
    const Example examples[] = {
        {"{ $.eventType = \"UpdateTrail\" }", event, true},
        {"{$.eventType=UpdateTrail}", event, true},
        {"{ $.eventType = \"updateTrail\" }", event, false},
        {"{ $.sourceIPAddress != 123.123.* }", event, true},
        {"{ $.sourceIPAddress = 111.111.* }", event, true},
        {"{ $.arrayKey[0] = \"value\" }", event, true},
        {"{ $.arrayKey[1] = \"value\" }", event, false},
        {"{ $.arrayKey[*] = \"another\" }", event, true},
        {"{ $.objectList[1].id = 2 }", event, true},
        {"{ $.SomeObject IS NULL }", event, true},
        {"{ $.SomeOtherObject NOT EXISTS }", event, true},
        {"{ $.done IS TRUE }", event, true},
        {"{ $.done IS FALSE }", event, false},
        {"{ $.['cluster.name'] = \"c\" }", event, true},
        {"{ $.errorCode >= 400 && $.errorCode < 500 }", event, true},
        {"{ $.errorCode = 400.0 }", event, true},
        {"{ $.errorCode = 4* }", event, true},
        {"{ $.rate = 0.001 }", event, true},
        {"{ $.rate > 1e-4 }", event, true},
        {"{ $.text = 400 }", event, true},
        {"{ ($.errorCode = 1 || $.errorCode = 400) && $.eventType = Up* }", event, true},
        {"{ $.errorCode = 400 || $.errorCode = 1 && $.eventType = No }", event, true},
        {"{ $.missing != \"a\" }", event, false},
        {"{ $.eventType = %Trail$% }", event, true},
        {"{ $.eventType = \"UpdateTrail\" }", "no JSON", false},
        {"{ $.a NOT EXISTS }", "[1]", false},
        {"{ $.a NOT EXISTS }", "{\"b\": ", false},
    };
    CHECK(examples);
}

static void conditions_on_fields_hold_of_words(void **state)
{
    (void)state;
    static const char *event =
        "127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] \"GET /index.html HTTP/1.0\" 404 1534";
    const Example examples[] = {
        {"[ip, user, username, timestamp, request, status_code, bytes]", event, true},
        {"[ip, user, username, timestamp, request, status_code]", event, false},
        {"[ip, user, username, timestamp, request, status_code, bytes, more]", event, false},
        {"[ip, user, username, timestamp, request, status_code = 4*, bytes]", event, true},
        {"[ip, user, username, timestamp, request =*.html*, status_code = 4*, bytes > 1000]", event, true},
        {"[ip, user, username, timestamp, request, status_code = 5* || status_code = 404, bytes]", event, true},
        {"[ip != 127.0.0.1, ..., bytes]", event, false},
        {"[..., status_code = 404, bytes]", event, true},
        {"[ip, ..., bytes < 10]", event, false},
        {"[ip=%127\\.0\\.0\\.[1-9]%, ...]", event, true},
        {"[w1=ERROR, w2]", "ERROR happened", true},
        {"[w1!=ERROR&&w1!=WARN, w2]", "INFO fine", true},
        {"[w1!=ERROR&&w1!=WARN, w2]", "WARN fine", false},
        {"[a, b, ...]", "one", false},
    };
    CHECK(examples);
}

static void what_is_no_pattern_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "\"open",
        "{ $.a = }",
        "{ $.a = 1",
        "{ a = 1 }",
        "{ $.a > \"x\" }",
        "{ $.a IS MAYBE }",
        "{ ($.a = 1 }",
        "{ $.a[x] = 1 }",
        "{ $.a = 1 } x",
        "[a, b",
        "[a, ..., b, ...]",
        "[a = ]",
        "[a, b] x",
        "[]",
        "%open",
        "%a!%",
        "%(a)%",
        "%\\q%",
        "%a% %b% %c%",
        "-",
        "%[%",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        Arena arena = arena_make();
        LogPattern *pattern;
        const char *why = NULL;
        if (log_pattern_compile(slice_of_string(texts[i]), &arena, &pattern, &why) != LOG_PATTERN_INVALID)
            fail_msg("%s", texts[i]);
        assert_non_null(why);
        arena_free(&arena);
    }
}

static void values_that_a_pattern_names_are_given(void **state)
{
    (void)state;
    Arena arena = arena_make();
    LogPattern *pattern;
    LogExtract *values;
    size_t count;
    const char *why;
    assert_int_equal(log_pattern_compile(SLICE("[ip, ..., status = 4*]"), &arena, &pattern, &why), OK);
    log_pattern_extract(pattern, SLICE("10.0.0.1 x y 404"), &arena, &values, &count);
    assert_int_equal(count, 2);
    assert_true(slice_equal(values[1].name, SLICE("$status")) && slice_equal(values[1].value, SLICE("404")));
    assert_int_equal(log_pattern_compile(SLICE("{ $.a.b = 1 && $.c = x }"), &arena, &pattern, &why), OK);
    log_pattern_extract(pattern, SLICE("{\"a\": {\"b\": 1}, \"c\": \"x\"}"), &arena, &values, &count);
    assert_int_equal(count, 2);
    assert_true(slice_equal(values[0].name, SLICE("$.a.b")) && slice_equal(values[1].value, SLICE("x")));
    arena_free(&arena);
}

/* An expression that would take for ever is no match, soon: the test's own time limit would tell. */
static void a_hostile_expression_ends(void **state)
{
    (void)state;
    char text[100000];
    memset(text, 'a', sizeof text);
    assert_false(matches(SLICE("%a*a*a*a*a*a*a*a*a*a*a*a*a*b$%"), slice_make(text, sizeof text)));
    assert_true(matches(SLICE("[w=*a*a*a*a*a*a]"), slice_make(text, sizeof text)));
}

/* One that takes little at each place where it might begin, and long at all of them: it would match at the end. */
static void the_places_where_an_expression_may_begin_share_its_steps(void **state)
{
    (void)state;
    char text[20000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    assert_false(matches(SLICE("%a.{0,99}.{0,99}[bc]%"), slice_make(text, sizeof text)));
    assert_true(matches(SLICE("%a.{0,99}.{0,99}[bc]%"), slice_skip(slice_make(text, sizeof text), sizeof text - 150)));
    assert_false(matches(SLICE("%[^yz]*[yz]%"), slice_make(text, sizeof text)));
}

/* What people write costs little in messages as long as they may be. */
static void a_plain_expression_looks_through_the_longest_message(void **state)
{
    (void)state;
    static char text[256 * 1024];
    static const char line[] = "2024-05-01T12:00:00Z INFO request 4711 by user a_user took 12 ms; ";
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = line[i % (sizeof line - 1)];
    memcpy(text + sizeof text - 16, "ERROR code=503 .", 16);
    assert_true(matches(SLICE("%code=5\\d\\d%"), slice_make(text, sizeof text)));
    assert_true(matches(SLICE("%ERROR|FATAL%"), slice_make(text, sizeof text)));
    assert_true(matches(SLICE("%[a-z]+=\\d+%"), slice_make(text, sizeof text)));
    assert_true(matches(SLICE("%ERROR.*503%"), slice_make(text, sizeof text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_are_all_there_or_one_of_the_optional_ones),
        cmocka_unit_test(conditions_on_json_hold_of_its_values),
        cmocka_unit_test(conditions_on_fields_hold_of_words),
        cmocka_unit_test(what_is_no_pattern_is_refused_with_a_reason),
        cmocka_unit_test(values_that_a_pattern_names_are_given),
        cmocka_unit_test(a_hostile_expression_ends),
        cmocka_unit_test(the_places_where_an_expression_may_begin_share_its_steps),
        cmocka_unit_test(a_plain_expression_looks_through_the_longest_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
