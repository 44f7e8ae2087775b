/* Query parameters into structs: paths, numbers in any order, flattened and wrapped lists and maps. */
#include "test_wire_zoo.h"

#include "aws/wire/common_error.h"

static Error decode(Zoo *zoo, const char *form)
{
    QueryParameters parameters = {.limit = 1000};
    assert_int_equal(query_parse(&zoo->arena, slice_of_string(form), &parameters), OK);
    return decode_query(zoo->call, zoo->call->operation->input, &parameters, zoo->input);
}

ZOO_TEST(members_of_every_kind)
{
    assert_int_equal(decode(zoo, "Action=PutAnimal&Version=1&Name=an+emu%21&Photo=aGk%3D&Legs=2&Stars=-7&Weight=1.5"
                                 "&Tame=true&Born=2026-01-31T00%3A00%3A00Z&Home.Number=7&Home.Keeper=k&X-Amz-Date=1"),
                     OK);
    const PutAnimalInput *input = zoo->input;
    ASSERT_SLICE(input->name, "an emu!");
    ASSERT_SLICE(input->photo, "hi");
    assert_true(input->has_legs && input->legs == 2);
    assert_true(input->has_stars && input->stars == -7);
    assert_true(input->has_weight && input->weight == 1.5);
    assert_true(input->has_tame && input->tame);
    assert_true(input->has_born && input->born == 1769817600000);
    assert_non_null(input->home);
    assert_int_equal(input->home->number, 7);
    ASSERT_SLICE(input->home->keeper, "k");
}

ZOO_TEST(items_stand_in_the_order_of_their_numbers)
{
    assert_int_equal(decode(zoo, "Names.member.10=j&Names.member.9=i&Names.member.2=b&Names.member.1=a"), OK);
    assert_int_equal(zoo->input->names.count, 4);
    ASSERT_SLICE(zoo->input->names.items[0], "a");
    ASSERT_SLICE(zoo->input->names.items[1], "b");
    ASSERT_SLICE(zoo->input->names.items[2], "i");
    ASSERT_SLICE(zoo->input->names.items[3], "j");
}

ZOO_TEST(many_items_in_disorder_are_all_there)
{
    Buffer form = buffer_make(&zoo->arena);
    for (unsigned i = 0; i < 500; i++)
        buffer_add_format(&form, "&Toys.%u=t%u", (i * 311) % 500 + 1, (i * 311) % 500 + 1);
    QueryParameters parameters = {.limit = 1000};
    assert_int_equal(query_parse(&zoo->arena, buffer_slice(&form), &parameters), OK);
    assert_int_equal(decode_query(zoo->call, zoo->call->operation->input, &parameters, zoo->input), OK);
    assert_int_equal(zoo->input->toys.count, 500);
    for (unsigned i = 0; i < 500; i++) {
        char name[8];
        snprintf(name, sizeof name, "t%u", i + 1);
        ASSERT_SLICE(zoo->input->toys.items[i], name);
    }
}

ZOO_TEST(flattened_lists_have_no_wrapper)
{
    assert_int_equal(decode(zoo, "Toys.1=ball&Toys.2=rope"), OK);
    assert_int_equal(zoo->input->toys.count, 2);
    ASSERT_SLICE(zoo->input->toys.items[1], "rope");
}

ZOO_TEST(a_flattened_list_takes_one_item_without_a_number)
{
    assert_int_equal(decode(zoo, "Toys=ball"), OK);
    assert_int_equal(zoo->input->toys.count, 1);
    ASSERT_SLICE(zoo->input->toys.items[0], "ball");
}

ZOO_TEST(an_empty_value_is_an_empty_list)
{
    assert_int_equal(decode(zoo, "Names=&Toys=&Tricks="), OK);
    assert_non_null(zoo->input->tricks.items);
    assert_int_equal(zoo->input->tricks.count, 0);
    assert_non_null(zoo->input->names.items);
    assert_int_equal(zoo->input->names.count, 0);
    assert_int_equal(zoo->input->toys.count, 0);
}

ZOO_TEST(a_flattened_list_goes_by_its_query_name)
{
    assert_int_equal(decode(zoo, "Trick.1=sit&Tricks.1=roll&Tricks=jump"), OK);
    assert_int_equal(zoo->input->tricks.count, 1);
    ASSERT_SLICE(zoo->input->tricks.items[0], "sit");
}

ZOO_TEST(maps_and_structures_nest)
{
    assert_int_equal(decode(zoo, "Owners.entry.1.key=al&Owners.entry.1.value.Name=x"
                                 "&Owners.entry.1.value.Parents.member.1.Name=y&Owners.entry.2.value.Name=z"
                                 "&Owners.entry.2.key=bo"),
                     OK);
    assert_int_equal(zoo->input->owners.count, 2);
    ASSERT_SLICE(zoo->input->owners.items[0].key, "al");
    ASSERT_SLICE(zoo->input->owners.items[0].value.parents.items[0].name, "y");
    ASSERT_SLICE(zoo->input->owners.items[1].key, "bo");
    ASSERT_SLICE(zoo->input->owners.items[1].value.name, "z");
}

ZOO_TEST(what_does_not_fit_is_refused)
{
    static const struct {
        const char *form;
        const ApiError *error;
    } cases[] = {
        {"Legs=four", &common_invalid_parameter_value},
        {"Legs=2147483648", &common_invalid_parameter_value},
        {"Tame=perhaps", &common_invalid_parameter_value},
        {"Photo=%3F", &common_invalid_parameter_value},
        {"Weight=inf", &common_invalid_parameter_value},
        {"Weight=0x10", &common_invalid_parameter_value},
        {"Name.1=a", &common_serialization},
        {"Home=5", &common_serialization},
        {"Names=a", &common_serialization},
        {"Toys.first=a", &common_serialization},
        {"Owners.entry.1.key=al", &common_serialization},
        {"Owners.entry.1.value.Name=x", &common_serialization},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(decode(zoo, cases[i].form), ERROR_ANSWERED);
        assert_ptr_equal(zoo->call->error, cases[i].error);
    }
}

ZOO_TEST(broken_escapes_are_refused)
{
    QueryParameters parameters = {.limit = 1000};
    assert_int_equal(query_parse(&zoo->arena, SLICE("a=%4"), &parameters), ERROR_MALFORMED);
    assert_int_equal(query_parse(&zoo->arena, SLICE("a=%zz"), &parameters), ERROR_MALFORMED);
    assert_int_equal(query_parse(&zoo->arena, SLICE("a=%ff"), &parameters), ERROR_MALFORMED);
    assert_int_equal(query_parse(&zoo->arena, SLICE("%ff=1"), &parameters), ERROR_MALFORMED);
}

ZOO_TEST(parameters_may_come_in_odd_forms)
{
    QueryParameters parameters = {.limit = 1000};
    assert_int_equal(query_parse(&zoo->arena, SLICE("&&a&b=&=c&d=e=f&"), &parameters), OK);
    assert_int_equal(parameters.count, 4);
    ASSERT_SLICE(query_find(&parameters, SLICE("a")), "");
    ASSERT_SLICE(query_find(&parameters, SLICE("b")), "");
    ASSERT_SLICE(query_find(&parameters, SLICE("d")), "e=f");
    assert_null(query_find(&parameters, SLICE("x")).data);
}

ZOO_TEST(a_request_has_a_bounded_number_of_parameters)
{
    QueryParameters parameters = {.limit = 3};
    assert_int_equal(query_parse(&zoo->arena, SLICE("a=1&b=2&c=3"), &parameters), OK);
    assert_int_equal(query_parse(&zoo->arena, SLICE("d=4"), &parameters), ERROR_TOO_LARGE);
    assert_int_equal(parameters.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_every_kind),
        cmocka_unit_test(items_stand_in_the_order_of_their_numbers),
        cmocka_unit_test(many_items_in_disorder_are_all_there),
        cmocka_unit_test(flattened_lists_have_no_wrapper),
        cmocka_unit_test(a_flattened_list_takes_one_item_without_a_number),
        cmocka_unit_test(an_empty_value_is_an_empty_list),
        cmocka_unit_test(a_flattened_list_goes_by_its_query_name),
        cmocka_unit_test(maps_and_structures_nest),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(broken_escapes_are_refused),
        cmocka_unit_test(parameters_may_come_in_odd_forms),
        cmocka_unit_test(a_request_has_a_bounded_number_of_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
