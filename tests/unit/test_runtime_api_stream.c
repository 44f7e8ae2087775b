/* A program that answers in pieces: they go on as they come, are held back when nobody takes them, and end as they should or
 * are told to have broken. */
#include "runtime_api_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAMING(type)                                                                                                \
    "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: runtime\r\nContent-Type: " type             \
    "\r\nLambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n"                           \
    "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
#define INTEGRATION "application/vnd.awslambda.http-integration-response"

static void pieces_go_on_as_they_come(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain"));
    expect_frame(worker, FRAME_STREAM_START, "{\"contentType\":\"text/plain\"}");
    send_text(file, "5\r\nfirst\r\n");
    expect_frame(worker, FRAME_STREAM_PIECE, "first");
    int other = connect_to(worker);
    send_text(other, NEXT);
    expect_answer(worker, other, 403, NOT_ALLOWED("RuntimeInvocationResponseState", "Ready"));
    close(other);
    send_text(file, "6\r\nsecond\r\n");
    expect_frame(worker, FRAME_STREAM_PIECE, "second");
    send_text(file, "0\r\n\r\n");
    expect_frame(worker, FRAME_STREAM_END, "");
    expect_answer(worker, file, 202, STATUS_OK);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    close(file);
    stop(worker);
}

static void trailers_tell_why_a_stream_broke(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain") "5\r\nfirst\r\n0\r\nLambda-Runtime-Function-Error-Type: App.Broken\r\n"
                                            "Lambda-Runtime-Function-Error-Body: eyJlcnJvclR5cGUiOiJhIn0=\r\n\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    expect_frame(worker, FRAME_STREAM_PIECE, "first");
    expect_frame(worker, FRAME_STREAM_ERROR, "{\"errorType\":\"a\"}");
    expect_answer(worker, file, 202, STATUS_OK);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_text(file, STREAMING("text/plain") "0\r\nLambda-Runtime-Function-Error-Type: App.Broken\r\n\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    expect_frame(worker, FRAME_STREAM_ERROR, "{\"errorType\":\"App.Broken\"}");
    close(file);
    stop(worker);
}

static void a_whole_answer_may_break_in_its_trailers(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: runtime\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n"
                    "Lambda-Runtime-Function-Error-Type: App.Broken\r\n\r\n");
    expect_frame(worker, FRAME_ERROR, "{\"errorType\":\"App.Broken\"}");
    expect_answer(worker, file, 202, STATUS_OK);
    close(file);
    stop(worker);
}

static void an_answer_with_a_prelude_is_streamed_to_who_takes_pieces(void **state)
{
    (void)state;
    static const char answer[] = "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: runtime\r\n"
                                 "Content-Type: " INTEGRATION "\r\nContent-Length: 14\r\n\r\n{}\0\0\0\0\0\0\0\0body";
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_all(file, answer, sizeof answer - 1);
    assert_int_equal(read_frame(worker), FRAME_RESPONSE);
    assert_int_equal(worker->size, 14);
    expect_answer(worker, file, 202, STATUS_OK);
    send_text(file, NEXT);
    send_event(worker, "{\"requestId\":\"" ID "\",\"streamed\":true}", "{}", 2);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_all(file, answer, sizeof answer - 1);
    expect_frame(worker, FRAME_STREAM_START, "{\"contentType\":\"" INTEGRATION "\",\"prelude\":{}}");
    expect_frame(worker, FRAME_STREAM_PIECE, "body");
    expect_frame(worker, FRAME_STREAM_END, "");
    expect_answer(worker, file, 202, STATUS_OK);
    close(file);
    stop(worker);
}

static void the_prelude_of_a_url_is_told_apart_from_the_body(void **state)
{
    (void)state;
    static const char second[] = "a\r\n\0\0\0\0\0\0body\r\n0\r\n\r\n";
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING(INTEGRATION) "9\r\n{\"statusC\r\n");
    send_all(file, "b\r\node\":201}\0\0\r\n", 16);
    send_all(file, second, sizeof second - 1);
    expect_frame(worker, FRAME_STREAM_START, "{\"contentType\":\"" INTEGRATION "\",\"prelude\":{\"statusCode\":201}}");
    expect_frame(worker, FRAME_STREAM_PIECE, "body");
    expect_frame(worker, FRAME_STREAM_END, "");
    expect_answer(worker, file, 202, STATUS_OK);
    close(file);
    stop(worker);
}

static void a_prelude_that_is_none_fails_the_invocation(void **state)
{
    (void)state;
    static const char broken[] = "10\r\nno JSON!\0\0\0\0\0\0\0\0\r\n4\r\nmore\r\n0\r\n\r\n";
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING(INTEGRATION));
    send_all(file, broken, sizeof broken - 1);
    expect_frame(worker, FRAME_ERROR,
                 "{\"errorMessage\":\"The answer does not begin with a JSON object and eight NUL bytes\","
                 "\"errorType\":\"Runtime.InvalidStreamingPrelude\"}");
    assert_int_equal(read_answer(worker, file, NULL), 400);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_text(file, STREAMING(INTEGRATION) "2\r\n{}\r\n0\r\n\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    assert_int_equal(read_frame(worker), FRAME_STREAM_ERROR);
    assert_int_equal(read_answer(worker, file, NULL), 202);
    close(file);
    stop(worker);
}

static void a_stream_whose_program_leaves_is_broken(void **state)
{
    (void)state;
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain") "5\r\nfirst\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    expect_frame(worker, FRAME_STREAM_PIECE, "first");
    close(file);
    expect_frame(worker, FRAME_STREAM_ERROR,
                 "{\"errorMessage\":\"The response stream ended before its end\","
                 "\"errorType\":\"Runtime.TruncatedResponse\"}");
    file = connect_to(worker);
    send_event(worker, EVENT_JSON, "{}", 2);
    send_text(file, NEXT);
    assert_int_equal(read_answer(worker, file, NULL), 200);
    send_text(file, STREAMING("text/plain") "nonsense\r\n");
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    assert_int_equal(read_frame(worker), FRAME_STREAM_ERROR);
    assert_int_equal(read_answer(worker, file, NULL), 400);
    close(file);
    stop(worker);
}

static void a_server_that_does_not_read_holds_the_stream_back(void **state)
{
    (void)state;
    enum { PIECE = 64 * 1024, PIECES = 512 };
    Worker *worker = start_worker("");
    int file = run_event(worker);
    send_text(file, STREAMING("text/plain"));
    assert_int_equal(fcntl(file, F_SETFL, O_NONBLOCK), 0);
    static char chunk[8 + PIECE + 2];
    memcpy(chunk, "010000\r\n", 8);
    memset(chunk + 8, 'x', PIECE);
    memcpy(chunk + 8 + PIECE, "\r\n", 2);
    size_t sent = 0;
    struct pollfd polled = {.fd = file, .events = POLLOUT};
    while (poll(&polled, 1, 300) == 1) {
        ssize_t now = send(file, chunk + sent % sizeof chunk, sizeof chunk - sent % sizeof chunk, MSG_NOSIGNAL);
        assert_true(now > 0);
        sent += (size_t)now;
        assert_true(sent < (size_t)PIECES * PIECE);
    }
    /* Once it reads, all of it comes. */
    assert_int_equal(read_frame(worker), FRAME_STREAM_START);
    size_t whole = sent / sizeof chunk * PIECE;
    size_t got = 0;
    while (got < whole) {
        assert_int_equal(read_frame(worker), FRAME_STREAM_PIECE);
        got += worker->size;
    }
    close(file);
    stop(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_go_on_as_they_come),
        cmocka_unit_test(trailers_tell_why_a_stream_broke),
        cmocka_unit_test(a_whole_answer_may_break_in_its_trailers),
        cmocka_unit_test(an_answer_with_a_prelude_is_streamed_to_who_takes_pieces),
        cmocka_unit_test(the_prelude_of_a_url_is_told_apart_from_the_body),
        cmocka_unit_test(a_prelude_that_is_none_fails_the_invocation),
        cmocka_unit_test(a_stream_whose_program_leaves_is_broken),
        cmocka_unit_test(a_server_that_does_not_read_holds_the_stream_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
