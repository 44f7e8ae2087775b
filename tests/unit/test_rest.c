/* HTTP bindings without a server: routes, every place that a member is read from and written to, and every refusal. */
#include "aviary_idle.h"
#include "test_rest_aviary.h"

#include "aws/wire/route.h"

#define BIRDS "/2026-01-01/birds"
#define BIRD BIRDS "/robin/7/true/2026-01-02T03:04:05Z"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Routes ---- */

static void the_most_specific_route_is_taken(void **unused)
{
    (void)unused;
    static const struct {
        const char *method;
        const char *target;
        const char *operation; /* NULL: none */
    } cases[] = {
        {"GET", BIRDS "/robin", "GetBird"},
        {"GET", BIRDS "/robin/", "GetBird"},
        {"GET", BIRDS "/best", "GetBest"},
        {"GET", BIRDS "/best/", "GetBest"},
        {"GET", BIRDS "/bes%74", "GetBird"},
        {"GET", BIRDS "/robin?view=full", "DescribeBird"},
        {"GET", BIRDS "/robin?view=small", "ViewBird"},
        {"GET", BIRDS "/robin?view", "ViewBird"},
        {"GET", BIRDS "/robin?a=1&view=full", "DescribeBird"},
        {"GET", BIRDS "/robin?other=full", "GetBird"},
        {"DELETE", BIRDS "/robin", "DeleteBird"},
        {"DELETE", BIRDS "/best", "DeleteBird"},
        {"PUT", BIRD, "PutBird"},
        {"PUT", BIRD "/", "PutBird"},
        {"GET", "/2026-01-01/files/a", "GetFile"},
        {"GET", "/2026-01-01/files/a/b//c/", "GetFile"},
        {"GET", "/2026-01-01/files//", "GetFile"},
        {"GET", "/2026-01-01/files/", NULL},
        {"GET", "/2026-01-01/files", NULL},
        {"GET", BIRDS, NULL},
        {"GET", BIRDS "/", NULL},
        {"GET", BIRDS "//", NULL},
        {"GET", BIRDS "/robin//", NULL},
        {"GET", BIRDS "/robin/more", NULL},
        {"POST", BIRDS "/robin", NULL},
        {"get", BIRDS "/robin", NULL},
        {"GET", "//2026-01-01/birds/robin", NULL},
        {"GET", "/2026-01-01", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Aviary aviary;
        aviary_open(&aviary, cases[i].method, cases[i].target);
        assert_int_equal(query_parse(&aviary.arena, aviary.request.query, &aviary.state.parameters), OK);
        const RestRoute *route =
            rest_find_route(&aviary_service, aviary.request.method, aviary.request.path, &aviary.state.parameters);
        const char *found = route == NULL ? "none" : aviary_text(&aviary, route->name);
        assert_string_equal(found, cases[i].operation == NULL ? "none" : cases[i].operation);
        aviary_close(&aviary);
    }
}

static void assert_refused(Aviary *aviary, Error error, const ApiError *row, const char *message)
{
    assert_int_equal(error, ERROR_ANSWERED);
    assert_ptr_equal(aviary->call->error, row);
    assert_string_equal(aviary_text(aviary, aviary->call->error_message), message);
}

static void what_is_not_there_is_refused_as_aws_or_by_its_name(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "DELETE", BIRDS "/robin");
    assert_refused(&aviary, aviary_route(&aviary), &common_not_implemented,
                   "Brume does not implement Aviary DeleteBird.");
    aviary_close(&aviary);
    aviary_open(&aviary, "PATCH", BIRDS "/robin");
    assert_refused(&aviary, aviary_route(&aviary), &common_undetermined_operation,
                   "Unable to determine service/operation name to be authorized: Aviary has no PATCH " BIRDS "/robin");
    assert_int_equal(aviary.state.protocol, PROTOCOL_REST_JSON_1);
    aviary_close(&aviary);
    aviary_open(&aviary, "GET", BIRDS "/robin?a=%zz");
    assert_refused(&aviary, aviary_route(&aviary), &common_serialization, "The query is not percent-encoded UTF-8.");
    aviary_close(&aviary);
}

#define SCOPE(service)                                                                                                 \
    "AWS4-HMAC-SHA256 Credential=123456789012/20260131/eu-west-1/" service "/aws4_request, SignedHeaders=host, "       \
    "Signature=00"

/* By scope, else by host, else by path; others' requests are left alone. */
static void the_service_is_found_by_scope_host_or_path(void **unused)
{
    (void)unused;
    static const struct {
        const char *target;
        const char *name; /* of a header field */
        const char *value;
        const char *host;
        bool ours;
    } cases[] = {
        {BIRDS "/robin", "x", "", "127.0.0.1:4566", true},
        {BIRDS "/robin", "authorization", SCOPE("aviary"), "127.0.0.1:4566", true},
        {BIRDS "/robin", "authorization", SCOPE("sqs"), "127.0.0.1:4566", false},
        {BIRDS "/robin", "authorization", SCOPE("sqs"), "aviary.localhost", false},
        {BIRDS "/robin", "x-amz-target", "AmazonSQS.ListQueues", "127.0.0.1:4566", false},
        {"/nowhere", "authorization", SCOPE("aviary"), "127.0.0.1:4566", true},
        {"/nowhere", "x", "", "aviary.us-east-1.localhost:4566", true},
        {"/nowhere", "x", "", "127.0.0.1:4566", false},
        {"/2026-01-01", "x", "", "127.0.0.1:4566", true},
        {"/2026-01-0", "x", "", "127.0.0.1:4566", false},
        {"/123456789012/queue", "x", "", "127.0.0.1:4566", false},
        {"/", "x", "", "127.0.0.1:4566", false},
        {"/", "authorization", SCOPE("aviary"), "aviary.localhost", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Aviary aviary;
        aviary_open(&aviary, "GET", cases[i].target);
        aviary_header(&aviary, cases[i].name, cases[i].value);
        aviary.request.host = slice_of_string(cases[i].host);
        Error error = aviary_route(&aviary);
        if (!cases[i].ours)
            assert_int_equal(error, OK);
        assert_ptr_equal(aviary.call->service, cases[i].ours ? &aviary_service : NULL);
        assert_int_equal(aviary.state.protocol, cases[i].ours ? PROTOCOL_REST_JSON_1 : PROTOCOL_AWS_QUERY);
        aviary_close(&aviary);
    }
}

static void a_path_that_two_services_have_belongs_to_neither(void **unused)
{
    (void)unused;
    Service other = aviary_service;
    other.name = SLICE("other");
    const Service *services[] = {&aviary_service, &other};
    Aviary aviary;
    aviary_open(&aviary, "GET", BIRDS "/robin");
    assert_int_equal(route_rest(&aviary.state, services, 2), OK);
    assert_null(aviary.call->service);
    aviary_close(&aviary);
}

/* ---- Requests ---- */

/* A request with something in every place. */
static const PutBirdInput *send_bird(Aviary *aviary)
{
    aviary_open(aviary, "PUT",
                BIRDS "/a%2Fb%20%C3%BC+/-7/true/2026-01-02T03:04:05.5Z?text=a%20b+c&eggs=3&weight=1.5&tame=false&"
                      "born=1.25&diet=fresh%20fish&food=x&food=&ages=1&ages=-2&free=1");
    aviary_header(aviary, "x-wings", "2");
    aviary_header(aviary, "x-colours", "red, \"a, \\\"b\\\"\" ,blue");
    aviary_header(aviary, "x-colours", "green");
    aviary_header(aviary, "x-flights", "Sun, 06 Nov 1994 08:49:37 GMT, Mon, 07 Nov 1994 08:49:37 GMT");
    aviary_header(aviary, "x-flag", "true");
    aviary_header(aviary, "x-hatched", "Sun, 06 Nov 1994 08:49:37 GMT");
    aviary_header(aviary, "x-note-", "nameless");
    aviary_header(aviary, "x-note-one", "1");
    aviary_header(aviary, "x-note-two", "2");
    aviary_header(aviary, "x-note-one", "3");
    assert_int_equal(aviary_decode(aviary,
                                   "{\"song_title\":\"la\",\"Ringed\":\"2026-01-02T03:04:05Z\","
                                   "\"Sold\":\"Sun, 06 Nov 1994 08:49:37 GMT\",\"Found\":7.5,\"Photo\":\"aGk=\","
                                   "\"Chicks\":[{\"chick_name\":\"c\",\"Hatched\":1}],\"Song\":\"no\"}"),
                     OK);
    return aviary->state.input;
}

static void labels_and_parameters_are_read(void **unused)
{
    (void)unused;
    Aviary aviary;
    const PutBirdInput *bird = send_bird(&aviary);
    assert_string_equal(aviary_text(&aviary, bird->name), "a/b ü+");
    assert_true(bird->has_ring && bird->ring == -7);
    assert_true(bird->has_caged && bird->caged);
    assert_true(bird->has_seen && bird->seen == 1767323045500);
    assert_string_equal(aviary_text(&aviary, bird->text), "a b c");
    assert_true(bird->has_eggs && bird->eggs == 3);
    assert_true(bird->has_weight && bird->weight == 1.5);
    assert_true(bird->has_tame && !bird->tame);
    assert_true(bird->has_born && bird->born == 1250);
    assert_string_equal(aviary_text(&aviary, bird->diet), "fresh fish");
    assert_int_equal(bird->food.count, 2);
    assert_string_equal(aviary_text(&aviary, bird->food.items[0]), "x");
    assert_string_equal(aviary_text(&aviary, bird->food.items[1]), "");
    assert_int_equal(bird->ages.count, 2);
    assert_int_equal(bird->ages.items[1], -2);
    assert_int_equal(bird->all.count, 9); /* by name; of food and ages the first */
    assert_string_equal(aviary_text(&aviary, bird->all.items[0].key), "ages");
    assert_string_equal(aviary_text(&aviary, bird->all.items[0].value), "1");
    assert_string_equal(aviary_text(&aviary, bird->all.items[5].key), "free");
    aviary_close(&aviary);
}

static void header_fields_are_read(void **unused)
{
    (void)unused;
    Aviary aviary;
    const PutBirdInput *bird = send_bird(&aviary);
    assert_true(bird->has_wings && bird->wings == 2);
    assert_int_equal(bird->colours.count, 4);
    assert_string_equal(aviary_text(&aviary, bird->colours.items[0]), "red");
    assert_string_equal(aviary_text(&aviary, bird->colours.items[1]), "a, \"b\"");
    assert_string_equal(aviary_text(&aviary, bird->colours.items[2]), "blue");
    assert_string_equal(aviary_text(&aviary, bird->colours.items[3]), "green");
    assert_int_equal(bird->flights.count, 2);
    assert_true(bird->flights.items[1] == 784198177000);
    assert_true(bird->has_flag && bird->flag);
    assert_true(bird->has_hatched && bird->hatched == 784111777000);
    assert_int_equal(bird->notes.count, 2);
    assert_string_equal(aviary_text(&aviary, bird->notes.items[0].key), "one");
    assert_string_equal(aviary_text(&aviary, bird->notes.items[0].value), "1");
    aviary_close(&aviary);
}

static void the_document_is_what_is_bound_nowhere_else(void **unused)
{
    (void)unused;
    Aviary aviary;
    const PutBirdInput *bird = send_bird(&aviary);
    assert_string_equal(aviary_text(&aviary, bird->song), "la");
    assert_true(bird->has_ringed && bird->ringed == 1767323045000);
    assert_true(bird->has_sold && bird->sold == 784111777000);
    assert_true(bird->has_found && bird->found == 7500);
    assert_int_equal(bird->chicks.count, 1);
    assert_string_equal(aviary_text(&aviary, bird->chicks.items[0].name), "c");
    assert_true(bird->chicks.items[0].hatched == 1000);
    assert_string_equal(aviary_text(&aviary, bird->photo), "hi");
    aviary_close(&aviary);
}

static void what_is_not_sent_is_absent(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "PUT", BIRD);
    assert_int_equal(aviary_decode(&aviary, ""), OK);
    const Shape *shape = aviary.call->operation->input;
    for (size_t i = 0; i < shape->member_count; i++)
        assert_int_equal(member_is_present(&shape->members[i], aviary.state.input),
                         shape->members[i].binding == BINDING_LABEL);
    assert_int_equal(validate_input(aviary.call, shape, aviary.state.input), OK);
    aviary_close(&aviary);
}

/* A member that is bound elsewhere is no member of the document, by either of its names. */
static void the_document_cannot_set_what_is_bound_elsewhere(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "PUT", BIRD);
    assert_int_equal(aviary_decode(&aviary, "{\"Name\":\"other\",\"Eggs\":3,\"eggs\":3,\"Wings\":\"x\",\"Text\":[]}"),
                     OK);
    const PutBirdInput *bird = aviary.state.input;
    assert_string_equal(aviary_text(&aviary, bird->name), "robin");
    assert_true(!bird->has_eggs && !bird->has_wings && bird->text.data == NULL);
    aviary_close(&aviary);
}

static void a_greedy_label_keeps_its_slashes(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "GET", "/2026-01-01/files/a%2Fb//c%25/");
    assert_int_equal(aviary_decode(&aviary, ""), OK);
    assert_string_equal(aviary_text(&aviary, ((GetFileInput *)aviary.state.input)->path), "a/b//c%/");
    aviary_close(&aviary);
}

static void all_values_of_a_parameter_are_kept_in_a_map_of_lists(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "GET", BIRDS "/robin?b=1&a=2&b=3&b=4&b=5&b=6&a=7");
    assert_int_equal(aviary_decode(&aviary, "ignored: it has no document"), OK);
    const AviaryTextListMap *all = &((GetBirdInput *)aviary.state.input)->all;
    assert_int_equal(all->count, 2);
    assert_string_equal(aviary_text(&aviary, all->items[0].key), "a");
    assert_int_equal(all->items[0].value.count, 2);
    assert_int_equal(all->items[1].value.count, 5);
    assert_string_equal(aviary_text(&aviary, all->items[1].value.items[0]), "1");
    assert_string_equal(aviary_text(&aviary, all->items[1].value.items[4]), "6");
    aviary_close(&aviary);
}

static void a_payload_is_the_body(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "POST", "/2026-01-01/songs");
    assert_int_equal(aviary_decode(&aviary, "\xff{not json"), OK);
    assert_string_equal(aviary_text(&aviary, ((PutSongInput *)aviary.state.input)->song), "\xff{not json");
    aviary_close(&aviary);
    aviary_open(&aviary, "POST", "/2026-01-01/songs");
    assert_int_equal(aviary_decode(&aviary, ""), OK);
    assert_null(((PutSongInput *)aviary.state.input)->song.data);
    aviary_close(&aviary);
    aviary_open(&aviary, "POST", "/2026-01-01/words");
    assert_int_equal(aviary_decode(&aviary, "wörds"), OK);
    assert_string_equal(aviary_text(&aviary, ((PutWordsInput *)aviary.state.input)->words), "wörds");
    aviary_close(&aviary);
    aviary_open(&aviary, "POST", "/2026-01-01/nests");
    assert_int_equal(aviary_decode(&aviary, "{\"chick_name\":\"c\"}"), OK);
    assert_string_equal(aviary_text(&aviary, ((PutNestInput *)aviary.state.input)->chick->name), "c");
    aviary_close(&aviary);
    aviary_open(&aviary, "POST", "/2026-01-01/papers");
    assert_int_equal(aviary_decode(&aviary, " {\"a\":[1.0]}"), OK);
    assert_string_equal(aviary_text(&aviary, ((PutPapersInput *)aviary.state.input)->papers), " {\"a\":[1.0]}");
    aviary_close(&aviary);
}

static void values_of_another_type_are_serialization_errors(void **unused)
{
    (void)unused;
    static const struct {
        const char *method;
        const char *target;
        const char *header;
        const char *value;
        const char *body;
        const char *message;
    } cases[] = {
        {"PUT", BIRDS "/robin/x/true/2026-01-02T03:04:05Z", NULL, NULL, "",
         "Value 'x' at 'Ring' can not be converted to an Integer"},
        {"PUT", BIRDS "/robin/2147483648/true/2026-01-02T03:04:05Z", NULL, NULL, "",
         "Value '2147483648' at 'Ring' can not be converted to an Integer"},
        {"PUT", BIRDS "/robin/7/yes/2026-01-02T03:04:05Z", NULL, NULL, "",
         "Value 'yes' at 'Caged' can not be converted to a Boolean"},
        {"PUT", BIRDS "/robin/7/true/1", NULL, NULL, "", "Value '1' at 'Seen' can not be converted to a Date"},
        {"PUT", BIRDS "/ro%zzbin/7/true/2026-01-02T03:04:05Z", NULL, NULL, "",
         "The path is not percent-encoded as it should be."},
        {"PUT", BIRDS "/%ff%ff/7/true/2026-01-02T03:04:05Z", NULL, NULL, "", "The value of 'Name' is not valid UTF-8."},
        {"PUT", BIRD "?eggs=many", NULL, NULL, "", "Value 'many' at 'eggs' can not be converted to a Long"},
        {"PUT", BIRD "?weight=nan", NULL, NULL, "", "Value 'nan' at 'weight' can not be converted to a Double"},
        {"PUT", BIRD "?tame=True", NULL, NULL, "", "Value 'True' at 'tame' can not be converted to a Boolean"},
        {"PUT", BIRD "?born=2026-01-02T03:04:05Z", NULL, NULL, "",
         "Value '2026-01-02T03:04:05Z' at 'born' can not be converted to a Date"},
        {"PUT", BIRD "?ages=1&ages=x", NULL, NULL, "", "Value 'x' at 'ages' can not be converted to an Integer"},
        {"PUT", BIRD, "x-wings", "two", "", "Value 'two' at 'x-wings' can not be converted to an Integer"},
        {"PUT", BIRD, "x-hatched", "7", "", "Value '7' at 'x-hatched' can not be converted to a Date"},
        {"PUT", BIRD, "x-flights", "Sun, 06 Nov 1994 08:49:37 GMT, x", "",
         "Value 'x' at 'x-flights' can not be converted to a Date"},
        {"PUT", BIRD, "x-note-a", "\xff", "", "The value of 'x-note-a' is not valid UTF-8."},
        {"PUT", BIRD, NULL, NULL, "{", "The request is not valid JSON (at byte 1)."},
        {"PUT", BIRD, NULL, NULL, "[]", "Start of list found where not expected"},
        {"PUT", BIRD, NULL, NULL, "{\"song_title\":7}", "NUMBER_VALUE can not be converted to a String"},
        {"PUT", BIRD, NULL, NULL, "{\"Sold\":\"2026-01-02T03:04:05Z\"}", "STRING_VALUE can not be converted to a Date"},
        {"POST", "/2026-01-01/words", NULL, NULL, "\xff", "The body is not valid UTF-8."},
        {"POST", "/2026-01-01/papers", NULL, NULL, "{", "The body is not valid JSON."},
        {"POST", "/2026-01-01/nests", NULL, NULL, "7", "Unexpected value type in payload"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Aviary aviary;
        aviary_open(&aviary, cases[i].method, cases[i].target);
        if (cases[i].header != NULL)
            aviary_header(&aviary, cases[i].header, cases[i].value);
        assert_refused(&aviary, aviary_decode(&aviary, cases[i].body), &common_serialization, cases[i].message);
        aviary_close(&aviary);
    }
}

static void constraints_hold_wherever_a_member_stands(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "PUT", BIRDS "/x/7/true/2026-01-02T03:04:05Z?eggs=10&diet=bread");
    assert_int_equal(aviary_decode(&aviary, "{\"Chicks\":[{}]}"), OK);
    Error error = validate_input(aviary.call, aviary.call->operation->input, aviary.state.input);
    assert_refused(
        &aviary, error, &common_validation,
        "4 validation errors detected: Value 'x' at 'name' failed to satisfy constraint: Member must have length "
        "greater than or equal to 2; Value '10' at 'eggs' failed to satisfy constraint: Member must have value "
        "less than or equal to 9; Value 'bread' at 'diet' failed to satisfy constraint: Member must satisfy enum "
        "value set: [SEEDS, fresh fish]; Value null at 'chicks.1.member.chick_name' failed to satisfy constraint: "
        "Member must not be null");
    aviary_close(&aviary);
    aviary_open(&aviary, "POST", "/2026-01-01/nests");
    assert_int_equal(aviary_decode(&aviary, ""), OK);
    error = validate_input(aviary.call, aviary.call->operation->input, aviary.state.input);
    assert_refused(
        &aviary, error, &common_validation,
        "1 validation error detected: Value null at 'chick' failed to satisfy constraint: Member must not be null");
    aviary_close(&aviary);
}

static void lists_and_maps_are_bounded(void **unused)
{
    (void)unused;
    static const char *const targets[] = {"/2026-01-01/birds/robin?a=1&b=2&c=3", BIRD "?food=1&food=2&food=3", BIRD};
    for (size_t i = 0; i < COUNT(targets); i++) {
        Aviary aviary;
        aviary_open(&aviary, i == 0 ? "GET" : "PUT", targets[i]);
        aviary.state.item_limit = 2;
        aviary_header(&aviary, "x-colours", i == 2 ? "a,b,c" : "");
        assert_refused(&aviary, aviary_decode(&aviary, ""), &common_serialization,
                       "The request has too many items in its lists and maps.");
        aviary_close(&aviary);
    }
    Aviary aviary;
    aviary_open(&aviary, "PUT", BIRD "?a=1&b=2&c=3");
    aviary.state.parameters.limit = 2;
    assert_refused(&aviary, aviary_route(&aviary), &common_serialization, "The request has too many parameters.");
    aviary_close(&aviary);
}

/* ---- Answers ---- */

static void every_place_is_written(void **unused)
{
    (void)unused;
    Aviary aviary;
    aviary_open(&aviary, "PUT", BIRD);
    assert_int_equal(aviary_route(&aviary), OK);
    Slice colours[] = {SLICE_INIT("red"), SLICE_INIT("a, \"b\\\""), SLICE_INIT("")};
    int64_t flights[] = {784111777000, 784198177000};
    AviaryTextMapEntry notes[] = {{SLICE_INIT("one"), SLICE_INIT("1")}, {SLICE_INIT("two"), SLICE_INIT("2")}};
    AviaryChick chicks[] = {{.name = SLICE_INIT("c"), .has_hatched = true, .hatched = 1500}};
    PutBirdOutput bird = {
        .has_wings = true,
        .wings = 2,
        .colours = {colours, 3},
        .flights = {flights, 2},
        .has_hatched = true,
        .hatched = 784111777000,
        .has_sung = true,
        .sung = 1500,
        .notes = {notes, 2},
        .song = SLICE("la"),
        .has_ringed = true,
        .ringed = 1000,
        .has_sold = true,
        .sold = 784111777000,
        .has_found = true,
        .found = 7500,
        .chicks = {chicks, 1},
    };
    static const char *const expected[][2] = {
        {"x-wings", "2"},
        {"x-colours", "red, \"a, \\\"b\\\\\\\"\", "},
        {"x-flights", "Sun, 06 Nov 1994 08:49:37 GMT, Mon, 07 Nov 1994 08:49:37 GMT"},
        {"x-hatched", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"x-sung", "1970-01-01T00:00:01.500Z"},
        {"x-note-one", "1"},
        {"x-note-two", "2"},
    };
    const Operation *operation = aviary.call->operation;
    HttpHeader headers[16];
    assert_true(rest_header_count(operation->output, &bird) >= COUNT(expected));
    assert_int_equal(rest_add_headers(&aviary.arena, operation->output, &bird, headers), COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_string_equal(aviary_text(&aviary, headers[i].name), expected[i][0]);
        assert_string_equal(aviary_text(&aviary, headers[i].value), expected[i][1]);
    }
    Buffer out = buffer_make(&aviary.arena);
    encode_rest(operation, &bird, &out);
    assert_string_equal(
        aviary_text(&aviary, buffer_slice(&out)),
        "{\"song_title\":\"la\",\"Ringed\":\"1970-01-01T00:00:01Z\",\"Sold\":\"Sun, 06 Nov 1994 08:49:37 "
        "GMT\",\"Found\":7.5,\"Chicks\":[{\"chick_name\":\"c\",\"Hatched\":\"1970-01-01T00:00:01.500Z\"}]}");
    assert_int_equal(rest_status(operation, &bird), 201);
    bird.has_code = true;
    bird.code = 299;
    assert_int_equal(rest_status(operation, &bird), 299);
    aviary_close(&aviary);
}

static void the_body_of_an_answer_is_a_document_a_payload_or_nothing(void **unused)
{
    (void)unused;
    AviaryChick chick = {.name = SLICE_INIT("c")};
    const GetFileOutput file = {.content = SLICE_INIT("\xff")};
    const PutSongOutput song = {.words = SLICE_INIT("la")};
    const PutWordsOutput words = {.chick = &chick};
    const PutNestOutput nest = {.papers = SLICE_INIT("[1]")};
    const GetFileOutput nothing = {0};
    const struct {
        const char *operation;
        const void *output;
        const char *body;
        const char *type; /* NULL: none */
    } cases[] = {
        {"GetBest", &nothing, "", NULL},
        {"GetBird", &nothing, "{}", "application/json"},
        {"GetFile", &file, "\xff", "application/octet-stream"},
        {"GetFile", &nothing, "", "application/octet-stream"},
        {"PutSong", &song, "la", "text/plain"},
        {"PutWords", &words, "{\"chick_name\":\"c\"}", "application/json"},
        {"PutNest", &nest, "[1]", "application/json"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Arena arena = arena_make();
        const Operation *operation = service_operation(&aviary_service, slice_of_string(cases[i].operation));
        Buffer out = buffer_make(&arena);
        encode_rest(operation, cases[i].output, &out);
        assert_string_equal(arena_string(&arena, buffer_slice(&out)), cases[i].body);
        Slice type = rest_content_type(operation);
        assert_true(slice_equal(type, slice_of_string(cases[i].type)));
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_route_is_taken),
        cmocka_unit_test(what_is_not_there_is_refused_as_aws_or_by_its_name),
        cmocka_unit_test(the_service_is_found_by_scope_host_or_path),
        cmocka_unit_test(a_path_that_two_services_have_belongs_to_neither),
        cmocka_unit_test(labels_and_parameters_are_read),
        cmocka_unit_test(header_fields_are_read),
        cmocka_unit_test(the_document_is_what_is_bound_nowhere_else),
        cmocka_unit_test(what_is_not_sent_is_absent),
        cmocka_unit_test(the_document_cannot_set_what_is_bound_elsewhere),
        cmocka_unit_test(a_greedy_label_keeps_its_slashes),
        cmocka_unit_test(all_values_of_a_parameter_are_kept_in_a_map_of_lists),
        cmocka_unit_test(a_payload_is_the_body),
        cmocka_unit_test(values_of_another_type_are_serialization_errors),
        cmocka_unit_test(constraints_hold_wherever_a_member_stands),
        cmocka_unit_test(lists_and_maps_are_bounded),
        cmocka_unit_test(every_place_is_written),
        cmocka_unit_test(the_body_of_an_answer_is_a_document_a_payload_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
