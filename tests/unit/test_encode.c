/* Structs as AWS JSON and as the XML of Query. */
#include "test_wire_zoo.h"

static PutAnimalOutput *full_output(Zoo *zoo)
{
    static ZooAnimal grandparents[] = {{.name = SLICE_INIT("y")}};
    static ZooAnimal parents[] = {{.name = SLICE_INIT("x"), .parents = {grandparents, 1}}};
    static Slice names[] = {SLICE_INIT("a"), SLICE_INIT("b")};
    static ZooOwnerMapEntry owners[] = {{SLICE_INIT("al"), {.name = SLICE_INIT("o")}}};
    static ZooCage cage = {.number = 7, .has_number = true, .keeper = SLICE_INIT("k")};
    PutAnimalOutput *output = ARENA_NEW(&zoo->arena, PutAnimalOutput);
    *output = (PutAnimalOutput){
        .name = SLICE("<\"emu\" & co>"),
        .photo = SLICE("hi"),
        .legs = -2,
        .has_legs = true,
        .stars = INT64_MIN,
        .has_stars = true,
        .weight = 1.5,
        .has_weight = true,
        .tame = false,
        .has_tame = true,
        .born = 1769817600500,
        .has_born = true,
        .names = {names, 2},
        .parents = {parents, 1},
        .owners = {owners, 1},
        .toys = {names, 2},
        .home = &cage,
    };
    return output;
}

static Slice json_of(Zoo *zoo, const PutAnimalOutput *output)
{
    Buffer out = buffer_make(&zoo->arena);
    encode_json(zoo->call->operation->output, output, &out);
    return buffer_slice(&out);
}

static Slice xml_of(Zoo *zoo, const void *output)
{
    Buffer out = buffer_make(&zoo->arena);
    encode_query(zoo->call, output, &out);
    return buffer_slice(&out);
}

ZOO_TEST(json_of_every_kind)
{
    ASSERT_SLICE(json_of(zoo, full_output(zoo)),
                 "{\"Name\":\"<\\\"emu\\\" & co>\",\"Photo\":\"aGk=\",\"Legs\":-2,\"Stars\":-9223372036854775808,"
                 "\"Weight\":1.5,\"Tame\":false,\"Born\":1769817600.5,\"Names\":[\"a\",\"b\"],"
                 "\"Parents\":[{\"Name\":\"x\",\"Parents\":[{\"Name\":\"y\"}]}],\"Owners\":{\"al\":{\"Name\":\"o\"}},"
                 "\"Toys\":[\"a\",\"b\"],\"Home\":{\"Number\":7,\"keeper\":\"k\"}}");
}

ZOO_TEST(json_leaves_out_what_is_absent_and_keeps_what_is_empty)
{
    PutAnimalOutput output = {.name = SLICE_INIT(""), .names = {(Slice *)(void *)"", 0}};
    ASSERT_SLICE(json_of(zoo, &output), "{\"Name\":\"\",\"Names\":[]}");
    ASSERT_SLICE(json_of(zoo, &(PutAnimalOutput){0}), "{}");
}

ZOO_TEST(json_passes_documents_on)
{
    PutAnimalOutput output = {.papers = SLICE_INIT("{\"a\": 1.50}")};
    ASSERT_SLICE(json_of(zoo, &output), "{\"Papers\":{\"a\": 1.50}}");
}

ZOO_TEST(what_json_says_is_read_back_the_same)
{
    Slice first = json_of(zoo, full_output(zoo));
    PutAnimalOutput *read = ARENA_NEW(&zoo->arena, PutAnimalOutput);
    assert_int_equal(decode_json(zoo->call, zoo->call->operation->output, first, read), OK);
    assert_true(slice_equal(json_of(zoo, read), first));
}

#define XML_START "<?xml version=\"1.0\"?><PutAnimalResponse xmlns=\"https://zoo.test/doc/2026-01-01/\">"
#define XML_END                                                                                                        \
    "<ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata>"                 \
    "</PutAnimalResponse>"

ZOO_TEST(xml_of_every_kind)
{
    ASSERT_SLICE(
        xml_of(zoo, full_output(zoo)), XML_START
        "<PutAnimalResult><Name>&lt;&quot;emu&quot; &amp; co&gt;</Name><Photo>aGk=</Photo><Legs>-2</Legs>"
        "<Stars>-9223372036854775808</Stars><Weight>1.5</Weight><Tame>false</Tame>"
        "<Born>2026-01-31T00:00:00.500Z</Born><Names><member>a</member><member>b</member></Names>"
        "<Parents><member><Name>x</Name><Parents><member><Name>y</Name></member></Parents></member></Parents>"
        "<Owners><entry><key>al</key><value><Name>o</Name></value></entry></Owners>"
        "<Toys>a</Toys><Toys>b</Toys><Home><Number>7</Number><Keeper>k</Keeper></Home></PutAnimalResult>" XML_END);
}

ZOO_TEST(an_empty_result_is_one_element)
{
    ASSERT_SLICE(xml_of(zoo, &(PutAnimalOutput){0}), XML_START "<PutAnimalResult/>" XML_END);
}

ZOO_TEST(an_operation_without_output_has_no_result)
{
    zoo->call->operation = service_operation(&zoo_service, SLICE("Close"));
    ASSERT_SLICE(xml_of(zoo, &(CloseOutput){0}),
                 "<?xml version=\"1.0\"?><CloseResponse xmlns=\"https://zoo.test/doc/2026-01-01/\"><ResponseMetadata>"
                 "<RequestId>00000000-0000-4000-8000-000000000000</RequestId></ResponseMetadata></CloseResponse>");
}

ZOO_TEST(text_that_xml_cannot_hold_is_replaced)
{
    Buffer out = buffer_make(&zoo->arena);
    xml_add_text(&out, SLICE("a\tb\nc\rd\x01"
                             "e\xef\xbf\xbf"
                             "f\xef\xbf\xbd\xc3\xa9"));
    ASSERT_SLICE(buffer_slice(&out), "a\tb\nc&#xD;d\xef\xbf\xbd"
                                     "e\xef\xbf\xbd"
                                     "f\xef\xbf\xbd\xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_every_kind),
        cmocka_unit_test(json_leaves_out_what_is_absent_and_keeps_what_is_empty),
        cmocka_unit_test(json_passes_documents_on),
        cmocka_unit_test(what_json_says_is_read_back_the_same),
        cmocka_unit_test(xml_of_every_kind),
        cmocka_unit_test(an_empty_result_is_one_element),
        cmocka_unit_test(an_operation_without_output_has_no_result),
        cmocka_unit_test(text_that_xml_cannot_hold_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
