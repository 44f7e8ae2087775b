/* Constraints, in AWS's words. */
#include "test_wire_zoo.h"

#include "aws/wire/common_error.h"

static Error validate(Zoo *zoo, const char *json)
{
    memset(zoo->input, 0, sizeof *zoo->input);
    zoo->call->error = NULL;
    assert_int_equal(decode_json(zoo->call, zoo->call->operation->input, slice_of_string(json), zoo->input), OK);
    return validate_input(zoo->call, zoo->call->operation->input, zoo->input);
}

ZOO_TEST(what_fits_passes)
{
    assert_int_equal(validate(zoo, "{\"Name\":\"emu\",\"Legs\":8,\"Stars\":-5,\"Diet\":\"plants only\","
                                   "\"Names\":[\"abc\"],\"Owners\":{\"\xc3\xa9\xc3\xa9\xc3\xa9\":{\"Name\":\"x\"}}}"),
                     OK);
    assert_null(zoo->call->error);
}

ZOO_TEST(violations_are_told_in_aws_words)
{
    static const struct {
        const char *json;
        const char *message;
    } cases[] = {
        {"{}",
         "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"},
        {"{\"Name\":\"a\"}",
         "1 validation error detected: Value 'a' at 'name' failed to satisfy constraint: Member must "
         "have length greater than or equal to 2"},
        {"{\"Name\":\"abcde\"}", "1 validation error detected: Value 'abcde' at 'name' failed to satisfy constraint: "
                                 "Member must have length less than or equal to 4"},
        {"{\"Name\":\"ABCDE\"}", "2 validation errors detected: Value 'ABCDE' at 'name' failed to satisfy constraint: "
                                 "Member must satisfy regular "
                                 "expression pattern: [a-z]+; Value 'ABCDE' at 'name' failed to satisfy constraint: "
                                 "Member must have length less "
                                 "than or equal to 4"},
        {"{\"Name\":\"emu\",\"Legs\":9}",
         "1 validation error detected: Value '9' at 'legs' failed to satisfy constraint: "
         "Member must have value less than or equal to 8"},
        {"{\"Name\":\"emu\",\"Legs\":-1}", "1 validation error detected: Value '-1' at 'legs' failed to satisfy "
                                           "constraint: Member must have value greater than or equal to 0"},
        {"{\"Name\":\"emu\",\"Stars\":-6}", "1 validation error detected: Value '-6' at 'stars' failed to satisfy "
                                            "constraint: Member must have value greater than or equal to -5"},
        {"{\"Name\":\"emu\",\"Diet\":\"fish\"}",
         "1 validation error detected: Value 'fish' at 'diet' failed to satisfy "
         "constraint: Member must satisfy enum value set: [MEAT, plants only]"},
        {"{\"Name\":\"emu\",\"Names\":[\"a\",\"b\",\"c\"]}",
         "1 validation error detected: Value '[a, b, c]' at 'names' failed to satisfy constraint: Member must have "
         "length "
         "less than or equal to 2"},
        {"{\"Name\":\"emu\",\"Names\":[\"abcd\",\"b\"]}",
         "1 validation error detected: Value '[abcd, b]' at 'names' failed to satisfy constraint: Member must satisfy "
         "constraint: [Member must have length less than or equal to 3, Member must not be null]"},
        {"{\"Name\":\"emu\",\"Home\":{}}", "1 validation error detected: Value null at 'home.number' failed to satisfy "
                                           "constraint: Member must not be null"},
        {"{\"Name\":\"emu\",\"Parents\":[{\"Name\":\"a\"},{\"Name\":\"b\",\"Parents\":[{\"Name\":\"long\"}]}]}",
         "1 validation error detected: Value 'long' at 'parents.2.member.parents.1.member.name' failed to satisfy "
         "constraint: Member must have length less than or equal to 3"},
        {"{\"Name\":\"emu\",\"Owners\":{\"al\":{}}}",
         "1 validation error detected: Value null at 'owners.al.member.name' failed to satisfy constraint: Member must "
         "not be null"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(validate(zoo, cases[i].json), ERROR_ANSWERED);
        assert_ptr_equal(zoo->call->error, &common_validation);
        ASSERT_SLICE(zoo->call->error_message, cases[i].message);
    }
}

ZOO_TEST(keys_of_maps_are_checked)
{
    assert_int_equal(validate(zoo, "{\"Name\":\"emu\",\"Owners\":{\"long\":{\"Name\":\"x\"}}}"), ERROR_ANSWERED);
    assert_ptr_equal(zoo->call->error, &common_validation);
}

ZOO_TEST(patterns_match_whole_values)
{
    const Constraint *constraint = shape_member(zoo->call->operation->input, SLICE("Code"))->constraint;
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"a", true},   {"a0-9", true},   {"abcdx", true}, {"ax", true},         {"", false},
        {"0a", false}, {"abcde", false}, {"aB", false},   {"a\xc3\xa9", false}, {"abcdxx", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            pattern_matches(constraint->pattern_steps, constraint->pattern_step_count, slice_of_string(cases[i].text)),
            cases[i].matches);
}

ZOO_TEST(patterns_have_groups_and_alternatives)
{
    const Constraint *constraint = shape_member(zoo->call->operation->input, SLICE("Badge"))->constraint;
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {
        {"", true},         {"abc", true},         {"a1", true},
        {"12", false},      {"123", false},        {"12-34", true},
        {"a-12-34", true},  {"a-12-34-56", false}, {"a-1", false},
        {"arn::a", true},   {"arn:xyyx:a", true},  {"arn:xy:a", false},
        {"arn:xx:", false}, {"$LATEST", true},     {"$LATESTa", false},
        {"$LATES", false},  {"abcd", false},       {"arn:x:arn:x:a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            pattern_matches(constraint->pattern_steps, constraint->pattern_step_count, slice_of_string(cases[i].text)),
            cases[i].matches);
}

ZOO_TEST(patterns_have_assertions_of_the_rest)
{
    const Constraint *constraint = shape_member(zoo->call->operation->input, SLICE("Nickname"))->constraint;
    static const struct {
        const char *text;
        bool matches;
    } cases[] = {{"emu", true},    {"emu:a", true}, {"emu:1a", true},  {"emu:a1", true},
                 {"emu:1", false}, {"emu:", false}, {"emu:12", false}, {":a", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            pattern_matches(constraint->pattern_steps, constraint->pattern_step_count, slice_of_string(cases[i].text)),
            cases[i].matches);
}

ZOO_TEST(a_list_of_an_enum_is_judged_as_one_value)
{
    assert_int_equal(validate(zoo, "{\"Name\":\"emu\",\"Colours\":[\"grey\",\"dark-blue\"]}"), OK);
    assert_int_equal(validate(zoo, "{\"Name\":\"emu\",\"Colours\":[\"grey\",\"red\"]}"), ERROR_ANSWERED);
    ASSERT_SLICE(zoo->call->error_message,
                 "1 validation error detected: Value '[grey, red]' at 'colours' failed to satisfy constraint: Member "
                 "must satisfy enum value set: [grey, dark-blue]");
}

/* (([a-z]*)*)*7 would take a backtracking matcher longer than there is time. */
ZOO_TEST(no_value_makes_a_group_slow)
{
    PatternStep any = {.ascii = {0, 0, 0, 0x07fffffe}, .min = 0, .max = UINT32_MAX};
    PatternStep digit = {.ascii = {0, 0x03ff0000, 0, 0}, .min = 1, .max = 1};
    PatternStep inner = {.kind = PATTERN_GROUP, .min = 0, .max = UINT32_MAX, .span = 1};
    PatternStep outer = {.kind = PATTERN_GROUP, .min = 0, .max = UINT32_MAX, .span = 2};
    const PatternStep steps[] = {outer, inner, any, digit};
    char *text = arena_alloc(&zoo->arena, 4096);
    memset(text, 'a', 4096);
    assert_false(pattern_matches(steps, 4, slice_make(text, 4096)));
    text[4095] = '7';
    assert_true(pattern_matches(steps, 4, slice_make(text, 4096)));
}

ZOO_TEST(no_value_makes_a_pattern_slow)
{
    PatternStep any = {.ascii = {0, 0, 0, 0x07fffffe}, .min = 0, .max = UINT32_MAX};
    PatternStep digit = {.ascii = {0, 0x03ff0000, 0, 0}, .min = 1, .max = 1};
    const PatternStep steps[] = {any, any, any, any, any, any, any, any, digit};
    char *text = arena_alloc(&zoo->arena, 4096);
    memset(text, 'a', 4096);
    assert_false(pattern_matches(steps, 9, slice_make(text, 4096)));
    text[4095] = '7';
    assert_true(pattern_matches(steps, 9, slice_make(text, 4096)));
    assert_true(pattern_matches(&any, 1, slice_make(text, 4095)));
}

static Error say_it_shortly(Call *call, const Violation *violation)
{
    return call_fail(call, &common_missing_parameter, "%.*s: %d", SLICE_PRINT(violation->path), (int)violation->kind);
}

static Error say_nothing(Call *call, const Violation *violation)
{
    (void)call;
    (void)violation;
    return OK;
}

ZOO_TEST(a_service_may_say_it_in_its_own_words)
{
    ServiceHooks hooks = {.violation = say_it_shortly};
    Service service = zoo_service;
    service.hooks = &hooks;
    zoo->call->service = &service;
    assert_int_equal(validate(zoo, "{\"Legs\":9}"), ERROR_ANSWERED);
    assert_ptr_equal(zoo->call->error, &common_missing_parameter);
    ASSERT_SLICE(zoo->call->error_message, "name: 0");

    hooks.violation = say_nothing;
    assert_int_equal(validate(zoo, "{\"Legs\":9}"), ERROR_ANSWERED);
    assert_ptr_equal(zoo->call->error, &common_validation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_passes),
        cmocka_unit_test(violations_are_told_in_aws_words),
        cmocka_unit_test(keys_of_maps_are_checked),
        cmocka_unit_test(patterns_match_whole_values),
        cmocka_unit_test(patterns_have_groups_and_alternatives),
        cmocka_unit_test(patterns_have_assertions_of_the_rest),
        cmocka_unit_test(a_list_of_an_enum_is_judged_as_one_value),
        cmocka_unit_test(no_value_makes_a_group_slow),
        cmocka_unit_test(no_value_makes_a_pattern_slow),
        cmocka_unit_test(a_service_may_say_it_in_its_own_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
