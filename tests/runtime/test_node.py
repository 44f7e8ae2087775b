"""Node.js handlers, as AWS runs them (AWS Lambda developer guide, "Building Lambda functions with Node.js")."""

import json
import re
import signal
import time

import pytest

from worker import ARN, HANDLERS, NODE as PROGRAM, REQUEST_ID, Ended, version_of

NODE = HANDLERS / "nodejs"
VERSION = version_of(PROGRAM)
# Node.js 24 is the first whose handlers answer with promises alone.
CALLBACKS = VERSION < (24, 0)
with_callbacks = pytest.mark.skipif(not CALLBACKS, reason="this Node.js has no callback handlers")
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def behaviour(node):
    """A worker of behaviour.js, by its function's name."""
    def start(name, environment=None, **settings):
        worker = node(environment=environment)
        assert worker.start(f"behaviour.{name}", **settings).kind == "READY"
        return worker

    return start


def text_of(log):
    """What a line of the text format says, without its time and request id."""
    match = re.fullmatch(rf"{STAMP}\t([\w-]+)\t(\w+)\t(.*)", log, re.S)
    assert match, log
    return match.group(2), match.group(3)


# ---- Handlers' names ----

@pytest.mark.parametrize("handler, answer", [
    ("folder/nested.handler", "folder/nested.js"), ("esm.handler", True), ("common.handler", "cjs"),
    ("behaviour.nested.deep.handler", "nested"), ("module/app.handler", "module/app.js"),
    ("module/inner/app.handler", "inner/app.js")])
def test_a_handler_may_be_of_either_kind_of_module_and_lie_anywhere(node, handler, answer):
    worker = node()
    assert worker.start(handler).kind == "READY"
    assert worker.invoke({}).document == answer


@pytest.mark.parametrize("handler, kind, message", [
    ("nodots", "Runtime.MalformedHandlerName", "Bad handler"),
    ("../hello.handler", "Runtime.MalformedHandlerName",
     "'../hello.handler' is not a valid handler name. Use absolute paths when specifying root directories in handler names."),
    ("missing.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'missing'"),
    ("needs_more.handler", "Runtime.ImportModuleError", "Error: Cannot find module 'no-such-thing'"),
    ("needs_more_too.handler", "Runtime.ImportModuleError", "Error: Cannot find package 'no-such-thing'"),
    ("bad_syntax.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token '=>'"),
    ("hello.missing", "Runtime.HandlerNotFound", "hello.missing is undefined or not exported"),
    ("hello.handler.deeper.still", "Runtime.HandlerNotFound", "hello.handler.deeper.still is undefined or not exported"),
    ("behaviour.notFunction", "Runtime.HandlerNotFound", "behaviour.notFunction is not a function"),
])
def test_a_handler_that_cannot_be_loaded_is_an_error_of_the_start(node, handler, kind, message):
    worker = node()
    answer = worker.start(handler)
    assert answer.kind == "INIT_ERROR"
    assert list(answer.document) == ["errorType", "errorMessage", "trace"]
    assert answer.document["errorType"] == kind
    assert answer.document["errorMessage"].startswith(message)
    assert answer.document["trace"][0].startswith(f"{kind}: {message.splitlines()[0]}")
    level, text = text_of(answer.logs[0])
    assert level == "ERROR" and text.startswith(f'Uncaught Exception \t{{"errorType":"{kind}","errorMessage":"')
    assert worker.wait() == 1


def test_what_a_module_throws_while_it_is_loaded_is_an_error_of_the_start(node):
    answer = node().start("throws_at_load.handler")
    assert (answer.document["errorType"], answer.document["errorMessage"]) == ("RangeError", "while loading")
    assert f"throws_at_load.js:1" in answer.document["trace"][1]
    assert re.fullmatch(rf"{STAMP}\tundefined\tINFO\tloading", answer.logs[0])


def test_a_module_may_exit_while_it_is_loaded(node):
    worker = node()
    with pytest.raises(Ended):
        worker.start("exits_at_load.handler")
    assert worker.wait() == 5


@pytest.mark.parametrize("kind", ["cjs", "mjs"])
def test_packages_are_found_in_layers_and_beside_the_sdk(node, tmp_path, kind):
    for folder, name in (("opt/nodejs/node_modules", "of-layer"), ("runtime/node_modules", "of-sdk"), ("task/node_modules", "own")):
        package = tmp_path / folder / name
        package.mkdir(parents=True)
        (package / "package.json").write_text(json.dumps({"name": name, "exports": {"import": "./a.mjs", "require": "./a.cjs"}}))
        (package / "a.mjs").write_text(f"export default '{name} by import';")
        (package / "a.cjs").write_text(f"module.exports = '{name} by require';")
    names = ["of-layer", "of-sdk", "own"]
    if kind == "mjs":
        code = "".join(f"import m{i} from '{name}';" for i, name in enumerate(names)) + "export const handler = async () => [m0, m1, m2];"
    else:
        code = "const m = " + json.dumps(names) + ".map((name) => require(name)); exports.handler = async () => m;"
    (tmp_path / "task" / f"app.{kind}").write_text(code)
    worker = node(task=tmp_path / "task", environment={
        "NODE_PATH": f"{tmp_path}/nowhere/node_modules:{tmp_path}/opt/nodejs/node_modules:{tmp_path}/runtime/node_modules"})
    assert worker.start("app.handler").kind == "READY"
    by = "import" if kind == "mjs" else "require"
    assert worker.invoke({}).document == [f"{name} by {by}" for name in names]


# ---- Context and environment ----

def test_the_context_says_all_about_the_function_and_the_event(behaviour):
    worker = behaviour("context")
    full = {"functionVersion": "$LATEST", "functionName": "hello", "memoryLimitInMB": "128", "logGroupName": "/aws/lambda/hello",
            "logStreamName": "2026/11/25/[$LATEST]0123456789abcdef", "invokedFunctionArn": ARN, "awsRequestId": REQUEST_ID,
            **({"callbackWaitsForEmptyEventLoop": True} if CALLBACKS else {})}
    more = {"clientContext": {"custom": {"a": 1}}, "identity": {"cognitoIdentityId": "id"}, "tenantId": "blue"}
    assert worker.invoke({}, **more).document == {"plain": {**full, **more}, "remaining": True}
    assert worker.invoke({}).document == {"plain": full, "remaining": True}


def test_the_environment_is_the_functions_and_nothing_else(node):
    worker = node(environment={"TZ": "Asia/Tokyo", "COLOUR": "blå"}, process_environment={"SECRET": "of the server"})
    worker.start("behaviour.environment")
    seen = worker.invoke({}).document
    assert seen["all"] == {**worker.environment, "_HANDLER": "behaviour.environment", "NODE_PATH": seen["all"]["NODE_PATH"]}
    assert re.fullmatch(r"/opt/nodejs/node\d\d/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:.*",
                        seen["all"]["NODE_PATH"])
    assert (seen["hours"], seen["directory"]) == (9, str(NODE))


def test_the_trace_header_is_that_of_the_event(behaviour):
    worker = behaviour("trace")
    assert [worker.invoke({}, **head).document for head in ({"trace": "Root=1"}, {"trace": "Root=2"}, {})] == ["Root=1", "Root=2", None]


# ---- Ways to answer ----

@with_callbacks
@pytest.mark.parametrize("name, answer", [
    ("callback", {"got": 1}), ("done", "done"), ("succeed", "succeeded"), ("plain", None), ("neverSettled", None),
    ("neverCalled", None), ("answersTwice", "first"), ("three", "function"), ("both", "by callback")])
def test_handlers_answer_in_any_of_nodes_ways(behaviour, name, answer):
    worker = behaviour(name)
    for _ in range(2):
        got = worker.invoke(1)
        assert (got.kind, got.document) == ("RESPONSE", answer)


@pytest.mark.skipif(CALLBACKS, reason="this Node.js has callback handlers")
def test_callback_handlers_are_refused_from_node_24_on(node):
    answer = node().start("behaviour.callback")
    assert (answer.kind, answer.document["errorType"]) == ("INIT_ERROR", "Runtime.CallbackHandlerDeprecated")
    assert answer.document["errorMessage"].startswith("ERROR: AWS Lambda has removed support for callback-based")
    worker = node()
    assert worker.start("behaviour.plain").kind == "READY"
    assert worker.invoke(1).document == "ignored"  # what a handler that is not async returns is its answer


@pytest.mark.parametrize("value, content", [("nothing", b"null"), ("null", b"null"), ("method", b"null"),
                                            ("date", b'"1970-01-01T00:00:00.000Z"'), ("text", '"wörd"'.encode())])
def test_an_answer_is_written_as_json(behaviour, value, content):
    assert behaviour("answers").invoke(value).content == content


@pytest.mark.parametrize("value", ["bigint", "circle"])
def test_an_answer_that_is_no_json_is_an_error(behaviour, value):
    answer = behaviour("unanswerable").invoke(value)
    assert (answer.kind, answer.document["errorType"]) == ("ERROR", "Error")
    assert answer.document["errorMessage"] == "Unable to stringify response body"


@pytest.mark.parametrize("size", [0, 21000, 65536, 6 << 20])
def test_events_and_answers_of_any_size_pass(behaviour, size):
    worker = behaviour("echo")
    for text in ("x" * size, "ä€" * (size // 5)):
        assert worker.invoke(text).document == text


# ---- The event loop ----

@with_callbacks
def test_a_callbacks_answer_waits_for_the_event_loop(behaviour):
    worker = behaviour("waits")
    assert worker.invoke({}).document == "answered"
    assert json.loads(worker.invoke({}).content) == "answered"


@with_callbacks
def test_a_callbacks_answer_waits_not_when_told_so(behaviour):
    """What was left goes on with the next event."""
    worker = behaviour("waitsNot")
    assert worker.invoke({}).document == []


def test_what_is_left_running_goes_on_with_the_next_event(behaviour):
    worker = behaviour("leftovers")
    assert worker.invoke("leave").document == []
    assert sorted(worker.invoke("look").document) == ["immediate", "left over"]


def test_open_handles_hold_no_answer_of_a_promise(behaviour):
    worker = behaviour("keepsOpen")
    assert [worker.invoke({}).document for _ in range(3)] == ["answered"] * 3


# ---- Errors ----

@pytest.mark.parametrize("name, kind, message", [
    ("throws", "CustomError", "thrown"), ("throwsAtOnce", "CustomError", "thrown"),
    pytest.param("fail", "Error", "failed", marks=with_callbacks),
    pytest.param("callbackError", "RangeError", "by callback", marks=with_callbacks)])
def test_an_error_is_answered_and_logged_with_its_stack(behaviour, name, kind, message):
    worker = behaviour(name)
    answer = worker.invoke({})
    assert answer.kind == "ERROR"
    assert list(answer.document) == ["errorType", "errorMessage", "trace"]
    assert (answer.document["errorType"], answer.document["errorMessage"]) == (kind, message)
    assert answer.document["trace"][0].endswith(message)
    assert f"{NODE}/behaviour.js:" in answer.document["trace"][1]
    level, text = text_of(answer.logs[0])
    assert level == "ERROR" and text.startswith("Invoke Error \t")
    logged = json.loads(text.partition("\t")[2])
    assert logged.pop("stack") == answer.document["trace"]
    expected = {"errorType": kind, "errorMessage": message}
    assert logged == ({**expected, "code": "E_CUSTOM", "details": {"order": 7}} if kind == "CustomError" else expected)
    assert worker.invoke({}).kind == "ERROR"  # and it lives on


@pytest.mark.parametrize("thing, document", [
    ("text", {"errorType": "string", "errorMessage": "text", "trace": []}),
    ("nothing", {"errorType": "undefined", "errorMessage": "undefined", "trace": []}),
    ("number", {"errorType": "number", "errorMessage": "7", "trace": []}),
    ("object", {"errorType": "object", "errorMessage": "[object Object]", "trace": []}),
])
def test_anything_may_be_thrown(behaviour, thing, document):
    assert behaviour("throwsThing").invoke(thing).document == document


def test_a_promise_may_be_rejected_with_nothing(behaviour):
    answer = behaviour("rejectsNothing").invoke({})
    assert (answer.kind, answer.document) == ("ERROR", {"errorType": "object", "errorMessage": "null", "trace": []})


@with_callbacks
def test_a_callback_may_be_given_a_text_as_error(behaviour):
    assert behaviour("callbackText").invoke({}).document == {"errorType": "string", "errorMessage": "a text", "trace": []}


@pytest.mark.parametrize("name, kind, message, title, status", [
    ("uncaught", "TypeError", "in a timer", "Uncaught Exception", 129),
    ("rejected", "Runtime.UnhandledPromiseRejection", "TypeError: nobody caught this", "Unhandled Promise Rejection", 128)])
def test_an_error_that_nobody_catches_is_answered_and_ends_the_worker(behaviour, name, kind, message, title, status):
    worker = behaviour(name)
    answer = worker.invoke({})
    assert answer.kind == "ERROR"
    assert (answer.document["errorType"], answer.document["errorMessage"]) == (kind, message)
    assert answer.document["trace"][0] == f"{kind}: {message}"
    assert text_of(answer.logs[0])[1].startswith(f'{title} \t{{"errorType":"{kind}"')
    assert worker.wait() == status


@pytest.mark.parametrize("name, event, status", [("exits", 0, 0), ("exits", 7, 7), ("kills", "SIGKILL", -signal.SIGKILL)])
def test_a_process_that_ends_gives_no_answer(behaviour, name, event, status):
    worker = behaviour(name)
    with pytest.raises(Ended):
        worker.invoke(event)
    assert worker.wait() == status


def test_an_event_that_is_no_json_is_an_error(behaviour):
    assert behaviour("echo").invoke(b"{").document["errorType"] == "SyntaxError"


# ---- Logs ----

def test_console_and_streams_write_log_events_in_order(behaviour):
    logs = behaviour("logs").invoke({}).logs
    assert [text_of(log) for log in logs if log[0] == "2"] == [
        ("DEBUG", "debug"), ("INFO", "log formatted { a: 1 }"), ("INFO", "two\nlines"), ("WARN", "warn"), ("ERROR", "error"),
        ("TRACE", "trace"), ("FATAL", "fatal"), ("INFO", "after")]
    assert [log for log in logs if log[0] != "2"] == ["written in parts", "to stderr", "and "]
    assert logs.index("written in parts") == 7 and logs[-1] == "and "
    assert all(f"\t{REQUEST_ID}\t" in log for log in logs if log[0] == "2")


@pytest.mark.parametrize("level, seen", [("INFO", ["INFO", "INFO", "WARN", "ERROR", "FATAL", "INFO"]), ("ERROR", ["ERROR", "FATAL"]),
                                         ("TRACE", ["DEBUG", "INFO", "INFO", "WARN", "ERROR", "TRACE", "FATAL", "INFO"])])
def test_the_log_level_holds_for_json_logs(behaviour, level, seen):
    logs = [json.loads(log) for log in behaviour("logs", logFormat="JSON", logLevel=level).invoke({}).logs if log[0] == "{"]
    assert [log["level"] for log in logs] == seen
    assert all(list(log) == ["timestamp", "level", "requestId", "message"] and log["requestId"] == REQUEST_ID for log in logs)


def test_json_logs_hold_objects_and_errors(behaviour):
    logs = [json.loads(log) for log in behaviour("logsThings", logFormat="JSON").invoke({}).logs]
    assert logs[0]["message"] == {"order": 7}
    assert (logs[1]["errorType"], logs[1]["errorMessage"]) == ("RangeError", "too far")
    assert logs[1]["message"].startswith("failed: RangeError: too far\n") and logs[1]["stackTrace"][0] == "RangeError: too far"
    assert logs[2]["message"]["errorMessage"] == "alone"
    assert logs[3]["message"] == "<ref *1> { circle: [Circular *1] }"


def test_what_child_processes_print_comes_over_the_pipes(behaviour):
    worker = behaviour("children")
    answer = worker.invoke({})
    assert len(answer.logs) == 1 and worker.printed() == "program\n"
    assert "3 -> socket" not in answer.document and "4 -> socket" not in answer.document  # the channel is the worker's alone


# ---- Streams ----

@pytest.fixture
def streaming(node):
    def start(name):
        worker = node()
        assert worker.start(f"streaming.{name}").kind == "READY"
        return worker

    return start


@pytest.mark.parametrize("name, start, text", [
    ("pieces", {"contentType": "text/plain"}, b"one two three"),
    ("http", {"contentType": "application/vnd.awslambda.http-integration-response",
              "prelude": {"statusCode": 201, "headers": {"x-a": "b"}, "cookies": ["c=d"]}}, b"created"),
    ("piped", {}, b"abc"), ("left", {}, b"xy"), ("forgotten", {}, b"no end"), ("nothing", {}, b""), ("marked", {}, b"4096")])
def test_a_streamed_answer_comes_in_pieces(streaming, name, start, text):
    worker = streaming(name)
    for _ in range(2):
        answer = worker.invoke({}, streamed=True)
        assert (answer.kind, answer.start, b"".join(answer.pieces)) == ("STREAM_END", start, text)


def test_logs_and_pieces_do_not_mix(streaming):
    answer = streaming("pieces").invoke({}, streamed=True)
    assert [text_of(log)[1] for log in answer.logs] == [f"between {REQUEST_ID}"]
    assert answer.pieces == [b"one ", b"two ", b"three"]


@pytest.mark.parametrize("name, kind, error, start", [
    ("failsBefore", "ERROR", "before", None), ("failsWithin", "STREAM_ERROR", "within", {}),
    ("typeTooLate", "STREAM_ERROR", "Cannot set content-type, too late.", {}),
    ("notAsync", "ERROR", "Streaming does not support non-async handlers.", None)])
def test_a_stream_may_fail_before_and_after_it_has_begun(streaming, name, kind, error, start):
    worker = streaming(name)
    for _ in range(2):
        answer = worker.invoke({}, streamed=True)
        assert (answer.kind, answer.document["errorMessage"]) == (kind, error)
        assert answer.start == start


@pytest.mark.parametrize("name, status", [("failsBehind", None), ("uncaughtBehind", 129)])
def test_an_error_comes_after_the_piece_that_is_on_its_way(streaming, name, status):
    worker = streaming(name)
    worker.send_event({}, streamed=True)
    # Nothing is read until the handler has failed: its piece is larger than what the socket holds.
    time.sleep(0.1)
    answer = worker.answer()
    assert (answer.kind, answer.document["errorMessage"]) == ("STREAM_ERROR", "behind")
    assert [len(piece) for piece in answer.pieces] == [1 << 20]
    if status is None:
        assert worker.invoke({}, streamed=True).kind == "STREAM_ERROR"  # and it lives on
    else:
        assert worker.wait() == status


def test_an_uncaught_error_breaks_the_stream_and_ends_the_worker(streaming):
    worker = streaming("uncaughtWithin")
    answer = worker.invoke({}, streamed=True)
    assert (answer.kind, answer.document["errorMessage"], answer.pieces) == ("STREAM_ERROR", "in a timer", [b"some"])
    assert worker.wait() == 129


def test_a_slow_reader_holds_up_the_writer_and_nothing_else(streaming):
    worker = streaming("pressed")
    worker.send_event({"pieces": 64, "size": 3 << 19}, streamed=True)
    kind, _ = worker.receive()
    assert kind == "STREAM_START"
    sizes, logs = [], []
    while kind != "STREAM_END":
        kind, content = worker.receive()
        (sizes if kind == "STREAM_PIECE" else logs).append(len(content) if kind == "STREAM_PIECE" else content)
    assert sum(sizes) == 64 * (3 << 19) and max(sizes) <= 1 << 20
    said = json.loads(text_of(logs[0].decode())[1])
    assert said == {"waits": 64, "ticked": True}


def test_a_plain_handler_answers_whole_when_a_stream_is_asked_for(streaming):
    answer = streaming("buffered").invoke({}, streamed=True)
    assert (answer.kind, answer.document) == ("RESPONSE", {"not": "streamed"})
