/* Which service and operation a request asks for. (Over a socket: test_wire.c.) */
#include "test_wire_zoo.h"

#include "aws/wire/common_error.h"
#include "aws/wire/route.h"

static bool claims_pens(Slice path)
{
    return slice_starts_with(path, SLICE("/pens/"));
}

/* A second service, which has the paths of pens and an action of the zoo's. */
static const ServiceHooks farm_hooks = {.claims_path = claims_pens, .path_member = "Name"};
static Service farm;
static const Service *const services[] = {&zoo_service, &farm};

static Error ask(Zoo *zoo, const char *method, const char *target, const HttpHeader *headers, size_t count,
                 const char *body)
{
    HttpRequest *request = ARENA_NEW(&zoo->arena, HttpRequest);
    farm = zoo_service;
    farm.name = SLICE("farm");
    farm.target_prefix = SLICE("Farm");
    farm.version = SLICE("2026-02-02");
    farm.protocols = PROTOCOL_AWS_QUERY;
    farm.hooks = &farm_hooks;
    Slice whole = slice_of_string(target);
    size_t mark = slice_find(whole, '?');
    *request = (HttpRequest){
        .arena = &zoo->arena,
        .method = slice_of_string(method),
        .target = whole,
        .path = slice_make(whole.data, mark),
        .query = mark < whole.size ? slice_skip(whole, mark + 1) : SLICE(""),
        .host = SLICE("127.0.0.1:4566"),
        .headers = headers,
        .header_count = count,
    };
    for (size_t i = 0; i < count; i++)
        if (slice_equal(headers[i].name, SLICE("host")))
            request->host = headers[i].value;
    zoo->state.request = request;
    zoo->state.parameters = (QueryParameters){.limit = 1000};
    zoo->state.signed_service = (Slice){0};
    zoo->state.protocol = route_protocol(request);
    zoo->call->service = NULL;
    zoo->call->operation = NULL;
    zoo->call->error = NULL;
    return route(&zoo->state, services, 2, slice_of_string(body));
}

static Error ask_target(Zoo *zoo, const char *target)
{
    const HttpHeader headers[] = {{SLICE("x-amz-target"), slice_of_string(target)},
                                  {SLICE("content-type"), SLICE("application/x-amz-json-1.1")}};
    return ask(zoo, "POST", "/", headers, 2, "{}");
}

#define ASSERT_ROUTED(service_, operation_)                                                                            \
    do {                                                                                                               \
        assert_ptr_equal(zoo->call->service, service_);                                                                \
        ASSERT_SLICE(zoo->call->operation->name, operation_);                                                          \
    } while (0)

ZOO_TEST(json_goes_by_its_target)
{
    assert_int_equal(ask_target(zoo, "Zoo_20260101.PutAnimal"), OK);
    ASSERT_ROUTED(&zoo_service, "PutAnimal");
    assert_int_equal(zoo->state.protocol, PROTOCOL_AWS_JSON_1_1);
}

ZOO_TEST(what_a_target_names_in_vain_is_refused)
{
    static const struct {
        const char *target;
        const ApiError *error;
    } cases[] = {
        {"Zoo_20260101.FeedAnimal", &common_not_implemented},
        {"Zoo_20260101.putAnimal", &common_unknown_operation},
        {"Zoo_20260101.", &common_unknown_operation},
        {".PutAnimal", &common_unknown_operation},
        {"PutAnimal", &common_unknown_operation},
        {"", &common_unknown_operation},
        {"Aquarium.PutFish", &common_not_implemented},
        {"Farm.PutAnimal", &common_unknown_operation}, /* which has no JSON */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ask_target(zoo, cases[i].target), ERROR_ANSWERED);
        assert_ptr_equal(zoo->call->error, cases[i].error);
    }
}

ZOO_TEST(query_goes_by_path_before_scope_host_and_action)
{
    static const HttpHeader scope = {
        SLICE_INIT("authorization"),
        SLICE_INIT(
            "AWS4-HMAC-SHA256 Credential=A/20260131/eu-west-1/farm/aws4_request, SignedHeaders=host, Signature=0")};
    static const HttpHeader host = {SLICE_INIT("host"), SLICE_INIT("farm.eu-west-1.localhost:4566")};
    assert_int_equal(ask(zoo, "POST", "/", NULL, 0, "Action=PutAnimal"), OK);
    ASSERT_ROUTED(&zoo_service, "PutAnimal");
    assert_true(zoo->state.at_root);
    assert_int_equal(ask(zoo, "POST", "/", NULL, 0, "Action=PutAnimal&Version=2026-02-02"), OK);
    ASSERT_ROUTED(&farm, "PutAnimal");
    assert_int_equal(ask(zoo, "POST", "/", &host, 1, "Action=PutAnimal"), OK);
    ASSERT_ROUTED(&farm, "PutAnimal");
    assert_int_equal(ask(zoo, "POST", "/", &scope, 1, "Action=PutAnimal"), OK);
    ASSERT_ROUTED(&farm, "PutAnimal");
    assert_int_equal(ask(zoo, "GET", "/pens/3?Action=PutAnimal", NULL, 0, ""), OK);
    ASSERT_ROUTED(&farm, "PutAnimal");
    assert_false(zoo->state.at_root);
}

ZOO_TEST(parameters_come_from_the_url_and_from_the_form)
{
    assert_int_equal(ask(zoo, "POST", "/?Version=2026-01-01", NULL, 0, "Action=PutAnimal&Name=emu"), OK);
    ASSERT_SLICE(query_find(&zoo->state.parameters, SLICE("Name")), "emu");
    static const HttpHeader type = {SLICE_INIT("content-type"), SLICE_INIT("text/plain")};
    assert_int_equal(ask(zoo, "POST", "/?Action=PutAnimal", &type, 1, "Name=emu"), OK);
    assert_null(query_find(&zoo->state.parameters, SLICE("Name")).data);
}

ZOO_TEST(query_requests_in_vain_are_refused)
{
    static const struct {
        const char *form;
        const ApiError *error;
    } cases[] = {
        {"Action=WashAnimal", &common_not_implemented},
        {"Action=Frobnicate", &common_unknown_operation},
        {"Action=PutAnimal&Version=1999-01-01", &common_unknown_operation},
        {"Name=emu", &common_unknown_operation},
        {"", &common_unknown_operation},
        {"Action=%", &common_serialization},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(ask(zoo, "POST", "/", NULL, 0, cases[i].form), ERROR_ANSWERED);
        assert_ptr_equal(zoo->call->error, cases[i].error);
    }
    assert_int_equal(ask(zoo, "POST", "/pens/1", NULL, 0, "Name=emu"), ERROR_ANSWERED);
    assert_ptr_equal(zoo->call->error, &common_missing_action);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_goes_by_its_target),
        cmocka_unit_test(what_a_target_names_in_vain_is_refused),
        cmocka_unit_test(query_goes_by_path_before_scope_host_and_action),
        cmocka_unit_test(parameters_come_from_the_url_and_from_the_form),
        cmocka_unit_test(query_requests_in_vain_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
