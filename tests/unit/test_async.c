/* @async operations over a socket: answers that come later, in pieces, or to nobody, and what a REST service's errors look
 * like on the wire. */
#include "tests/aviary.c"

#include "test_rest_aviary.h"

#include "aws/wire/wire.h"
#include "base/event_stream.h"
#include "http_fixture.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE_BYTES = 10000 };

static struct {
    Store *store;
    Loop *loop;
    Loop *worker; /* where `later` answers come from */
    HttpServer *http;
    HttpHandler *handler;
    HttpFixture client; /* its port, for the fixture's client */
    _Atomic(Call *) parked;
    atomic_int gone;
    atomic_int writable;
    atomic_size_t streamed;
    atomic_int reports;
    atomic_int reported_status;
    atomic_int reported_failure;
} server;

Error aviary_put_bird(Call *call, Txn *txn, const PutBirdInput *input, PutBirdOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_get_best(Call *call, Txn *txn, const GetBestInput *input, GetBestOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_get_bird(Call *call, Txn *txn, const GetBirdInput *input, GetBirdOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_put_papers(Call *call, Txn *txn, const PutPapersInput *input, PutPapersOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_put_nest(Call *call, Txn *txn, const PutNestInput *input, PutNestOutput *output)
{
    (void)call, (void)txn, (void)input, (void)output;
    return OK;
}

Error aviary_get_file(Call *call, Txn *txn, const GetFileInput *input, GetFileOutput *output)
{
    (void)txn;
    (void)call;
    output->type = SLICE("image/test");
    output->content = input->path;
    return OK;
}

Error aviary_put_song(Call *call, Txn *txn, const PutSongInput *input, PutSongOutput *output)
{
    (void)txn;
    (void)call;
    output->words = input->song;
    return OK;
}

/* The error with all of its members. */
Error aviary_put_words(Call *call, Txn *txn, const PutWordsInput *input, PutWordsOutput *output)
{
    (void)txn;
    (void)output;
    Error error = call_fail(call, &aviary_error_flown, "%.*s has flown.", SLICE_PRINT(input->words));
    AviaryFlown *members = call_error_members(call);
    members->retry_after = SLICE("9");
    members->where = ARENA_NEW(call->arena, AviaryChick);
    members->where->name = SLICE("south");
    return error;
}

/* ---- Listen: one answer, later ---- */

typedef struct Listening {
    Task task;
    StoreCall store_call;
    Call *call;
    ListenOutput *output;
    Slice words;
} Listening;

static void answer_listening(Task *task)
{
    Listening *listening = CONTAINER_OF(task, Listening, task);
    listening->output->words = listening->words;
    call_finish(listening->call, OK);
}

/* On the worker: hands the call back to its loop. */
static void work(Task *task)
{
    Listening *listening = CONTAINER_OF(task, Listening, task);
    listening->task.run = answer_listening;
    TaskChain chain = {0};
    task_chain_push(&chain, &listening->task);
    Mailbox *mailbox = call_mailbox(listening->call);
    mailbox->post(mailbox, chain);
}

static Error store_body(Txn *txn, StoreCall *store_call)
{
    (void)store_call;
    txn_put(txn, SLICE("listened"), SLICE("yes"));
    return OK;
}

static void on_stored(StoreCall *store_call)
{
    Listening *listening = CONTAINER_OF(store_call, Listening, store_call);
    listening->output->words = listening->words;
    call_finish(listening->call, store_call->result);
}

static void on_gone(Call *call)
{
    (void)call;
    atomic_fetch_add(&server.gone, 1);
}

static void on_gone_finish(Call *call)
{
    atomic_fetch_add(&server.gone, 1);
    call_finish(call, ERROR_GONE);
}

static void park(Call *call)
{
    call->on_gone = on_gone;
    atomic_store(&server.parked, call);
}

static Error listen_to_store(Listening *listening)
{
    listening->store_call = (StoreCall){.body = store_body,
                                        .done = on_stored,
                                        .mailbox = call_mailbox(listening->call),
                                        .arena = listening->call->arena};
    store_write(call_store(listening->call), &listening->store_call);
    return OK;
}

Error aviary_listen(Call *call, Txn *txn, const ListenInput *input, ListenOutput *output)
{
    assert_null(txn);
    Listening *listening = ARENA_NEW(call->arena, Listening);
    *listening = (Listening){.call = call, .output = output, .words = input->words};
    call->user = listening;
    if (slice_equal(input->how, SLICE("refuse")))
        return call_fail(call, &aviary_error_tired, "Not today.");
    if (slice_equal(input->how, SLICE("full")))
        return ERROR_FULL;
    if (slice_equal(input->how, SLICE("store")))
        return listen_to_store(listening);
    if (slice_equal(input->how, SLICE("park"))) {
        park(call);
        return OK;
    }
    if (slice_equal(input->how, SLICE("while"))) {
        call->on_gone = on_gone_finish;
        atomic_store(&server.parked, call);
        return OK;
    }
    if (slice_equal(input->how, SLICE("later"))) {
        listening->task.run = work;
        TaskChain chain = {0};
        task_chain_push(&chain, &listening->task);
        Mailbox *mailbox = loop_mailbox(server.worker);
        mailbox->post(mailbox, chain);
        return OK;
    }
    output->words = input->words;
    if (slice_equal(input->how, SLICE("flown")))
        call_finish(call, call_fail(call, &aviary_error_flown, NULL));
    else
        call_finish(call, OK); /* before the body has returned */
    return OK;
}

/* Ends the call in /park: any thread. */
static void answer_parked(void)
{
    Call *call = atomic_exchange(&server.parked, NULL);
    Listening *listening = call->user;
    listening->task.run = answer_listening;
    TaskChain chain = {0};
    task_chain_push(&chain, &listening->task);
    Mailbox *mailbox = call_mailbox(call);
    mailbox->post(mailbox, chain);
}

/* ---- Sing: an answer in pieces ---- */

typedef struct Singing {
    Task task;
    int32_t left;
    bool cut;
} Singing;

static void sing_on(Call *call)
{
    static char piece[PIECE_BYTES];
    Singing *singing = call->user;
    while (singing->left > 0) {
        singing->left--;
        memset(piece, 'a' + singing->left % 26, sizeof piece);
        atomic_fetch_add(&server.streamed, sizeof piece);
        if (!call_stream_write(call, slice_make(piece, sizeof piece)))
            return;
    }
    if (singing->cut)
        call_stream_abort(call, ERROR_IO);
    else
        call_stream_end(call);
}

static void on_writable(Call *call)
{
    atomic_fetch_add(&server.writable, 1);
    sing_on(call);
}

static void sing_when_gone(Call *call)
{
    call->on_gone = NULL;
    call_stream_start(call, SLICE("audio/test"), on_writable);
    sing_on(call);
}

Error aviary_sing(Call *call, Txn *txn, const SingInput *input, SingOutput *output)
{
    (void)txn;
    Singing *singing = ARENA_NEW(call->arena, Singing);
    singing->left = input->has_pieces ? input->pieces : 1;
    singing->cut = slice_equal(input->how, SLICE("cut"));
    call->user = singing;
    output->key = SLICE("g sharp");
    if (slice_equal(input->how, SLICE("late"))) {
        call->on_gone = sing_when_gone;
        return OK;
    }
    if (slice_equal(input->how, SLICE("events"))) {
        call_stream_start(call, SLICE("application/vnd.amazon.eventstream"), NULL);
        call_stream_event(call, SLICE("Verse"), SLICE("text/plain"), SLICE("la"));
        call_stream_event(call, SLICE("End"), SLICE(""), SLICE(""));
        call_stream_exception(call, &aviary_error_flown, SLICE("gone"));
        call_stream_end(call);
        return OK;
    }
    call_stream_start(call, SLICE("audio/test"), on_writable);
    sing_on(call);
    return OK;
}

/* ---- The server ---- */

static void report(void *user, const WireReport *report)
{
    (void)user;
    atomic_store(&server.reported_status, report->status);
    atomic_store(&server.reported_failure, report->failure);
    atomic_fetch_add(&server.reports, 1);
}

static int open_server(void **unused)
{
    (void)unused;
    static const Service *const services[] = {&aviary_service};
    StoreOptions store = {.os = os_linux(), .engine = engine_memory_open(), .limits = &limits_default, .readers = 1};
    assert_int_equal(store_open(&store, &server.store), OK);
    assert_int_equal(store_start(server.store), OK);
    assert_int_equal(loop_open(os_linux(), &server.loop), OK);
    assert_int_equal(loop_open(os_linux(), &server.worker), OK);
    WireOptions options = {
        .os = os_linux(),
        .store = server.store,
        .loops = &server.loop,
        .loop_count = 1,
        .services = services,
        .service_count = 1,
        .limits = &limits_default,
        .endpoint = SLICE("http://127.0.0.1:4566"),
        .report = report,
    };
    server.handler = wire_handler_open(&options);
    HttpServerOptions http = {
        .loops = &server.loop, .loop_count = 1, .handler = server.handler, .limits = &limits_default};
    assert_int_equal(http_server_open(&http, &server.http), OK);
    Slice bound;
    assert_int_equal(http_server_listen(server.http, "127.0.0.1:0", &server.client.arena, &bound), OK);
    server.client.port = atoi(strrchr(arena_string(&server.client.arena, bound), ':') + 1);
    assert_int_equal(loop_start(server.loop), OK);
    assert_int_equal(loop_start(server.worker), OK);
    return 0;
}

static int close_server(void **unused)
{
    (void)unused;
    store_stop(server.store);
    loop_stop(server.worker);
    loop_stop(server.loop);
    http_server_close(server.http);
    wire_handler_close(server.handler);
    loop_close(server.loop);
    loop_close(server.worker);
    arena_free(&server.client.arena);
    return 0;
}

static void send_request(int fd, const char *method, const char *target, const char *body)
{
    char head[1024];
    int size = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nhost: brume.test:4566\r\ncontent-length: %zu\r\n\r\n",
                        method, target, strlen(body));
    assert_true(size > 0 && (size_t)size < sizeof head);
    client_send(fd, head, (size_t)size);
    client_send(fd, body, strlen(body));
}

/* One request on a connection of its own: the answer, which the caller frees. */
static char *ask(const char *method, const char *target, const char *body)
{
    int fd = client_connect(&server.client);
    send_request(fd, method, target, body);
    char *answer = client_answer(fd);
    assert_non_null(answer);
    close(fd);
    return answer;
}

static void assert_answer(char *answer, int status, const char *body)
{
    assert_int_equal(client_status(answer), status);
    assert_string_equal(client_body(answer), body);
    free(answer);
}

#define LISTEN "/2026-01-01/listen/"
#define SING "/2026-01-01/sing/"

/* ---- Answers and errors of a REST service ---- */

static void an_answer_has_its_own_content_type(void **unused)
{
    (void)unused;
    char *answer = ask("GET", "/2026-01-01/files/a/b", "");
    assert_non_null(strstr(answer, "\r\ncontent-type: image/test\r\n"));
    assert_null(strstr(answer, "octet-stream"));
    assert_non_null(strstr(answer, "\r\nx-amzn-requestid: "));
    assert_answer(answer, 200, "a/b");
}

static void an_error_has_its_type_in_the_head_and_its_members_in_the_body(void **unused)
{
    (void)unused;
    char *answer = ask("POST", "/2026-01-01/words", "\"Rob\"");
    assert_non_null(strstr(answer, "\r\nx-amzn-errortype: Flown\r\n"));
    assert_non_null(strstr(answer, "\r\nretry-after: 9\r\n"));
    assert_non_null(strstr(answer, "\r\ncontent-type: application/json\r\n"));
    assert_answer(answer, 404,
                  "{\"Type\":\"User\",\"Message\":\"\\\"Rob\\\" has flown.\",\"Where\":{\"chick_name\":\"south\"}}");
}

static void an_error_of_every_service_has_a_message_alone(void **unused)
{
    (void)unused;
    char *answer = ask("DELETE", "/2026-01-01/birds/robin", "");
    assert_non_null(strstr(answer, "\r\nx-amzn-errortype: NotImplemented\r\n"));
    assert_answer(answer, 501, "{\"message\":\"Brume does not implement Aviary DeleteBird.\"}");
    answer = ask("PUT", "/2026-01-01/birds/x/7/true/2026-01-02T03:04:05Z", "");
    assert_non_null(strstr(answer, "\r\nx-amzn-errortype: ValidationException\r\n"));
    assert_int_equal(client_status(answer), 400);
    free(answer);
    answer = ask("GET", "/2026-01-01/nests", "");
    assert_non_null(strstr(answer, "\r\nx-amzn-errortype: AccessDeniedException\r\n"));
    assert_int_equal(client_status(answer), 403);
    free(answer);
}

static void an_operation_has_a_body_limit_of_its_own_and_its_service_s_words_for_it(void **unused)
{
    (void)unused;
    char song[1002];
    memset(song, 'a', sizeof song);
    song[1000] = '\0';
    assert_answer(ask("POST", "/2026-01-01/songs", song), 200, song);
    song[1000] = 'a';
    song[1001] = '\0';
    assert_answer(ask("POST", "/2026-01-01/songs", song), 404,
                  "{\"Type\":\"User\",\"Message\":\"The song is too long.\"}");
}

/* ---- One answer, later ---- */

static void an_async_operation_answers_when_it_has_finished(void **unused)
{
    (void)unused;
    assert_answer(ask("POST", LISTEN "now", "{\"Words\":\"one\"}"), 200, "{\"Words\":\"one\"}");
    assert_answer(ask("POST", LISTEN "later", "{\"Words\":\"two\"}"), 200, "{\"Words\":\"two\"}");
    assert_answer(ask("POST", LISTEN "store", "{\"Words\":\"three\"}"), 200, "{\"Words\":\"three\"}");
}

static void an_async_operation_refuses_as_any_other(void **unused)
{
    (void)unused;
    assert_answer(ask("POST", LISTEN "refuse", "{}"), 503, "{\"message\":\"Not today.\"}");
    assert_answer(ask("POST", LISTEN "flown", "{}"), 404, "{\"Type\":\"User\"}");
    assert_answer(
        ask("POST", LISTEN "full", "{}"), 503,
        "{\"message\":\"The disk is nearly full: writes are refused until there is space again; reads go on.\"}");
}

/* Closes so that the server sees a reset, not only the end of the input. */
static void leave(int fd)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(fd);
}

/* Also under AddressSanitizer: the call's memory is written to when nobody waits for it any more. */
static void a_call_lives_until_it_is_finished_though_its_client_has_left(void **unused)
{
    (void)unused;
    atomic_store(&server.gone, 0);
    int fd = client_connect(&server.client);
    send_request(fd, "POST", LISTEN "park", "{\"Words\":\"nobody hears\"}");
    AWAIT(atomic_load(&server.parked) != NULL);
    leave(fd);
    AWAIT(atomic_load(&server.gone) == 1);
    assert_true(call_is_gone(atomic_load(&server.parked)));
    int reports = atomic_load(&server.reports);
    answer_parked();
    AWAIT(atomic_load(&server.reports) == reports + 1);
    assert_int_equal(atomic_load(&server.gone), 1);
    assert_answer(ask("POST", LISTEN "now", "{\"Words\":\"still here\"}"), 200, "{\"Words\":\"still here\"}");
}

static void a_call_may_end_when_its_client_leaves(void **unused)
{
    (void)unused;
    atomic_store(&server.gone, 0);
    atomic_store(&server.parked, NULL);
    int reports = atomic_load(&server.reports);
    int fd = client_connect(&server.client);
    send_request(fd, "POST", LISTEN "while", "{}");
    AWAIT(atomic_load(&server.parked) != NULL);
    atomic_store(&server.parked, NULL);
    leave(fd);
    AWAIT(atomic_load(&server.reports) == reports + 1);
    assert_int_equal(atomic_load(&server.gone), 1);
}

/* It may have no more to ask, and still read. */
static void a_client_that_has_ended_its_side_is_answered(void **unused)
{
    (void)unused;
    atomic_store(&server.gone, 0);
    int fd = client_connect(&server.client);
    send_request(fd, "POST", LISTEN "park", "{\"Words\":\"heard\"}");
    AWAIT(atomic_load(&server.parked) != NULL);
    shutdown(fd, SHUT_WR);
    AWAIT(atomic_load(&server.gone) == 1);
    answer_parked();
    assert_answer(client_answer(fd), 200, "{\"Words\":\"heard\"}");
    close(fd);
}

/* ---- In pieces ---- */

static void a_stream_has_the_fields_of_its_output_and_all_of_its_pieces(void **unused)
{
    (void)unused;
    int reports = atomic_load(&server.reports);
    char *answer = ask("POST", SING "all?pieces=3", "");
    assert_int_equal(client_status(answer), 200);
    assert_non_null(strstr(answer, "\r\nx-key: g sharp\r\n"));
    assert_non_null(strstr(answer, "\r\ncontent-type: audio/test\r\n"));
    assert_non_null(strstr(answer, "\r\ntransfer-encoding: chunked\r\n"));
    const char *at = client_body(answer);
    for (char letter = 'c'; letter >= 'a'; letter--)
        for (size_t i = 0; i < PIECE_BYTES; i++)
            assert_int_equal(*at++, letter);
    assert_string_equal(at, "");
    free(answer);
    AWAIT(atomic_load(&server.reports) == reports + 1);
    assert_int_equal(atomic_load(&server.reported_status), 200);
}

static void a_stream_is_held_back_by_a_client_that_does_not_read(void **unused)
{
    (void)unused;
    enum { PIECES = 5000 };
    atomic_store(&server.writable, 0);
    atomic_store(&server.streamed, 0);
    int fd = client_connect(&server.client);
    send_request(fd, "POST", SING "all?pieces=5000", "");
    /* It has stopped when another request is answered and nothing was added meanwhile. */
    size_t before;
    do {
        before = atomic_load(&server.streamed);
        free(ask("POST", LISTEN "now", "{}"));
    } while (before == 0 || atomic_load(&server.streamed) != before);
    assert_true(before < (size_t)PIECES * PIECE_BYTES);
    char *answer = client_answer(fd);
    assert_int_equal(client_status(answer), 200);
    free(answer);
    assert_int_equal(atomic_load(&server.streamed), (size_t)PIECES * PIECE_BYTES);
    assert_true(atomic_load(&server.writable) > 0);
    close(fd);
}

/* Whether it had ended its side before the stream began, or not. */
static void a_stream_ends_when_its_client_leaves(void **unused)
{
    (void)unused;
    for (int half = 0; half < 2; half++) {
        int reports = atomic_load(&server.reports);
        atomic_store(&server.streamed, 0);
        int fd = client_connect(&server.client);
        send_request(fd, "POST", half == 1 ? SING "late?pieces=5000" : SING "all?pieces=5000", "");
        if (half == 1)
            shutdown(fd, SHUT_WR);
        AWAIT(atomic_load(&server.streamed) > 0);
        leave(fd);
        AWAIT(atomic_load(&server.reports) == reports + 1);
    }
}

static void a_stream_that_is_cut_is_seen_to_be(void **unused)
{
    (void)unused;
    int reports = atomic_load(&server.reports);
    int fd = client_connect(&server.client);
    send_request(fd, "POST", SING "cut?pieces=1", "");
    size_t size;
    char *rest = client_rest(fd, &size);
    assert_true(size > PIECE_BYTES);
    assert_null(strstr(rest, "\r\n0\r\n\r\n"));
    free(rest);
    close(fd);
    AWAIT(atomic_load(&server.reports) == reports + 1);
    assert_int_equal(atomic_load(&server.reported_failure), ERROR_IO);
}

static void assert_header(const EventMessage *message, size_t number, const char *name, const char *value)
{
    assert_true(number < message->header_count);
    assert_true(slice_equal(message->headers[number].name, slice_of_string(name)));
    assert_int_equal(message->headers[number].type, EVENT_HEADER_STRING);
    assert_true(slice_equal(message->headers[number].bytes, slice_of_string(value)));
}

static void an_event_stream_has_messages(void **unused)
{
    (void)unused;
    int fd = client_connect(&server.client);
    client_say(fd, "POST " SING "events HTTP/1.0\r\nhost: brume.test\r\n\r\n"); /* so that nothing is chunked */
    size_t size;
    char *answer = client_rest(fd, &size);
    assert_non_null(strstr(answer, "\r\ncontent-type: application/vnd.amazon.eventstream\r\n"));
    const char *body = client_body(answer);
    Slice rest = slice_make(body, size - (size_t)(body - answer));
    Arena arena = arena_make();
    EventMessage messages[3];
    for (size_t i = 0; i < 3; i++) {
        size_t used;
        assert_int_equal(event_stream_decode(rest, &arena, &messages[i], &used), OK);
        assert_true(used > 0);
        rest = slice_skip(rest, used);
    }
    assert_int_equal(rest.size, 0);
    assert_header(&messages[0], 0, ":message-type", "event");
    assert_header(&messages[0], 1, ":event-type", "Verse");
    assert_header(&messages[0], 2, ":content-type", "text/plain");
    assert_true(slice_equal(messages[0].payload, SLICE("la")));
    assert_int_equal(messages[1].header_count, 2);
    assert_header(&messages[1], 1, ":event-type", "End");
    assert_header(&messages[2], 0, ":message-type", "exception");
    assert_header(&messages[2], 1, ":exception-type", "Flown");
    assert_true(slice_equal(messages[2].payload, SLICE("{\"Message\":\"gone\"}")));
    arena_free(&arena);
    free(answer);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_its_own_content_type),
        cmocka_unit_test(an_error_has_its_type_in_the_head_and_its_members_in_the_body),
        cmocka_unit_test(an_error_of_every_service_has_a_message_alone),
        cmocka_unit_test(an_operation_has_a_body_limit_of_its_own_and_its_service_s_words_for_it),
        cmocka_unit_test(an_async_operation_answers_when_it_has_finished),
        cmocka_unit_test(an_async_operation_refuses_as_any_other),
        cmocka_unit_test(a_call_lives_until_it_is_finished_though_its_client_has_left),
        cmocka_unit_test(a_call_may_end_when_its_client_leaves),
        cmocka_unit_test(a_client_that_has_ended_its_side_is_answered),
        cmocka_unit_test(a_stream_has_the_fields_of_its_output_and_all_of_its_pieces),
        cmocka_unit_test(a_stream_is_held_back_by_a_client_that_does_not_read),
        cmocka_unit_test(a_stream_ends_when_its_client_leaves),
        cmocka_unit_test(a_stream_that_is_cut_is_seen_to_be),
        cmocka_unit_test(an_event_stream_has_messages),
    };
    return cmocka_run_group_tests(tests, open_server, close_server);
}
