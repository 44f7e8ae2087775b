/* AWS JSON into structs: every kind of member, and what AWS refuses. */
#include "test_wire_zoo.h"

#include "aws/wire/common_error.h"

static Error decode(Zoo *zoo, const char *json)
{
    return decode_json(zoo->call, zoo->call->operation->input, slice_of_string(json), zoo->input);
}

ZOO_TEST(members_of_every_kind)
{
    assert_int_equal(decode(zoo, "{\"Name\":\"emu\",\"Photo\":\"aGk=\",\"Legs\":2,\"Stars\":-9007199254740993,"
                                 "\"Weight\":1.5e1,\"Tame\":true,\"Born\":1.25,\"Papers\":{\"a\": [1, 2.50]},"
                                 "\"Diet\":\"MEAT\",\"Home\":{\"Number\":7,\"keeper\":\"k\"}}"),
                     OK);
    const PutAnimalInput *input = zoo->input;
    ASSERT_SLICE(input->name, "emu");
    ASSERT_SLICE(input->photo, "hi");
    assert_true(input->has_legs && input->legs == 2);
    assert_true(input->has_stars && input->stars == -9007199254740993);
    assert_true(input->has_weight && input->weight == 15.0);
    assert_true(input->has_tame && input->tame);
    assert_true(input->has_born && input->born == 1250);
    ASSERT_SLICE(input->papers, "{\"a\": [1, 2.50]}");
    ASSERT_SLICE(input->diet, "MEAT");
    assert_non_null(input->home);
    assert_int_equal(input->home->number, 7);
    ASSERT_SLICE(input->home->keeper, "k");
    assert_null(input->names.items);
    assert_null(input->owners.items);
}

ZOO_TEST(lists_and_maps_nest_in_the_order_sent)
{
    assert_int_equal(decode(zoo, "{\"Names\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"],"
                                 "\"Parents\":[{\"Name\":\"x\",\"Parents\":[{\"Name\":\"y\"}]}],"
                                 "\"Owners\":{\"zoe\":{\"Name\":\"1\"},\"al\":{\"Name\":\"2\"}}}"),
                     OK);
    assert_int_equal(zoo->input->names.count, 6);
    ASSERT_SLICE(zoo->input->names.items[0], "a");
    ASSERT_SLICE(zoo->input->names.items[5], "f");
    assert_int_equal(zoo->input->parents.count, 1);
    assert_int_equal(zoo->input->parents.items[0].parents.count, 1);
    ASSERT_SLICE(zoo->input->parents.items[0].parents.items[0].name, "y");
    assert_int_equal(zoo->input->owners.count, 2);
    ASSERT_SLICE(zoo->input->owners.items[0].key, "zoe");
    ASSERT_SLICE(zoo->input->owners.items[1].value.name, "2");
}

ZOO_TEST(strings_without_escapes_are_views_into_the_body)
{
    const char *body = "{\"Name\":\"emu\",\"Code\":\"a\\u0041\"}";
    assert_int_equal(decode(zoo, body), OK);
    assert_true(zoo->input->name.data > body && zoo->input->name.data < body + strlen(body));
    ASSERT_SLICE(zoo->input->code, "aA");
}

ZOO_TEST(null_is_absence_and_unknown_members_are_ignored)
{
    assert_int_equal(decode(zoo, "{\"Name\":null,\"Unknown\":{\"deep\":[[{}]]},\"Legs\":null,\"Names\":[\"a\",null],"
                                 "\"Toys\":[],\"name\":\"other case\"}"),
                     OK);
    assert_null(zoo->input->name.data);
    assert_false(zoo->input->has_legs);
    assert_int_equal(zoo->input->names.count, 1);
    assert_non_null(zoo->input->toys.items);
    assert_int_equal(zoo->input->toys.count, 0);
}

ZOO_TEST(an_empty_body_is_an_empty_input)
{
    assert_int_equal(decode(zoo, ""), OK);
    assert_int_equal(decode(zoo, " {} "), OK);
    assert_null(zoo->input->name.data);
}

ZOO_TEST(whole_numbers_may_be_written_with_a_point_or_an_exponent)
{
    assert_int_equal(decode(zoo, "{\"Legs\":4.0,\"Stars\":1e3}"), OK);
    assert_int_equal(zoo->input->legs, 4);
    assert_int_equal(zoo->input->stars, 1000);
}

ZOO_TEST(other_types_are_refused_in_aws_words)
{
    static const struct {
        const char *json;
        const char *message;
    } cases[] = {
        {"{\"Name\":12}", "NUMBER_VALUE can not be converted to a String"},
        {"{\"Name\":true}", "TRUE_VALUE can not be converted to a String"},
        {"{\"Name\":false}", "FALSE_VALUE can not be converted to a String"},
        {"{\"Name\":{}}", "Start of structure or map found where not expected"},
        {"{\"Name\":[]}", "Start of list found where not expected"},
        {"{\"Legs\":\"4\"}", "STRING_VALUE can not be converted to an Integer"},
        {"{\"Legs\":2147483648}", "NUMBER_VALUE can not be converted to an Integer"},
        {"{\"Legs\":1.5}", "NUMBER_VALUE can not be converted to an Integer"},
        {"{\"Stars\":9223372036854775808}", "NUMBER_VALUE can not be converted to a Long"},
        {"{\"Tame\":\"true\"}", "STRING_VALUE can not be converted to a Boolean"},
        {"{\"Photo\":\"?\"}", "STRING_VALUE can not be converted to a Blob"},
        {"{\"Born\":\"yesterday\"}", "STRING_VALUE can not be converted to a Date"},
        {"{\"Names\":\"a\"}", "Expected list or null"},
        {"{\"Owners\":1}", "Expected map or null"},
        {"{\"Names\":{}}", "Start of structure or map found where not expected"},
        {"[]", "Start of list found where not expected"},
        {"null", "Unexpected value type in payload"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(decode(zoo, cases[i].json), ERROR_ANSWERED);
        assert_ptr_equal(zoo->call->error, &common_serialization);
        ASSERT_SLICE(zoo->call->error_message, cases[i].message);
    }
}

ZOO_TEST(what_is_no_json_is_refused)
{
    static const char *const cases[] = {"{",
                                        "{\"Name\":\"a\"",
                                        "{\"Name\":\"a\"}x",
                                        "{\"Name\" \"a\"}",
                                        "{\"Legs\":01}",
                                        "{\"Name\":\"\xff\"}",
                                        "{\"Legs\":2,}",
                                        "x"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(decode(zoo, cases[i]), ERROR_ANSWERED);
        assert_ptr_equal(zoo->call->error, &common_serialization);
    }
}

ZOO_TEST(deep_nesting_is_refused)
{
    Buffer body = buffer_make(&zoo->arena);
    BUFFER_ADD(&body, "{\"Unknown\":");
    for (int i = 0; i < 5000; i++)
        BUFFER_ADD(&body, "[");
    assert_int_equal(decode_json(zoo->call, zoo->call->operation->input, buffer_slice(&body), zoo->input),
                     ERROR_ANSWERED);
    ASSERT_SLICE(zoo->call->error_message, "The request is nested too deeply.");
}

ZOO_TEST(more_items_than_one_request_may_have_are_refused)
{
    Buffer body = buffer_make(&zoo->arena);
    BUFFER_ADD(&body, "{\"Parents\":[{}");
    for (int i = 0; i < 1000; i++)
        BUFFER_ADD(&body, ",{}");
    BUFFER_ADD(&body, "]}");
    assert_int_equal(decode_json(zoo->call, zoo->call->operation->input, buffer_slice(&body), zoo->input),
                     ERROR_ANSWERED);
    assert_ptr_equal(zoo->call->error, &common_serialization);
}

ZOO_TEST(every_member_is_found_by_its_name_and_nothing_else_is)
{
    const Shape *shape = zoo->call->operation->input;
    for (size_t i = 0; i < shape->member_count; i++) {
        assert_ptr_equal(shape_member(shape, shape->members[i].name), &shape->members[i]);
        assert_ptr_equal(shape_member_by_query_name(shape, shape->members[i].query_name), &shape->members[i]);
    }
    assert_null(shape_member(shape, SLICE("Nam")));
    assert_null(shape_member(shape, SLICE("")));
    assert_null(shape_member(shape, SLICE("NameX")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_every_kind),
        cmocka_unit_test(lists_and_maps_nest_in_the_order_sent),
        cmocka_unit_test(strings_without_escapes_are_views_into_the_body),
        cmocka_unit_test(null_is_absence_and_unknown_members_are_ignored),
        cmocka_unit_test(an_empty_body_is_an_empty_input),
        cmocka_unit_test(whole_numbers_may_be_written_with_a_point_or_an_exponent),
        cmocka_unit_test(other_types_are_refused_in_aws_words),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(more_items_than_one_request_may_have_are_refused),
        cmocka_unit_test(every_member_is_found_by_its_name_and_nothing_else_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
