"""Python handlers, as AWS runs them (AWS Lambda developer guide, "Building Lambda functions with Python")."""

import json
import re
import select
import signal
import subprocess

import pytest

from worker import ARN, HANDLERS, PYTHON as PROGRAM, REQUEST_ID, RUNTIMES, Ended, version_of

PYTHON = HANDLERS / "python"
VERSION = version_of(PROGRAM)
INDENT = "\u00a0\u00a0"


@pytest.fixture
def behaviour(python):
    """A worker of behaviour.py, by its function's name."""
    def start(name, environment=None, **settings):
        worker = python(environment=environment)
        assert worker.start(f"behaviour.{name}", **settings).kind == "READY"
        return worker

    return start


def failure(message, kind, trace=(), request_id=REQUEST_ID):
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": list(trace)}


# ---- Handlers' names ----

@pytest.mark.parametrize("handler, name", [("folder/nested.handler", "folder.nested"),
                                           ("package.inner.app.handler", "package.inner.app"),
                                           ("package/inner.app.handler", "package.inner.app")])
def test_a_handler_may_lie_in_folders_and_packages(python, handler, name):
    worker = python()
    assert worker.start(handler).kind == "READY"
    assert worker.invoke({}).document == name


@pytest.mark.parametrize("handler, kind, message", [
    ("nodots", "Runtime.MalformedHandlerName", "Bad handler 'nodots': not enough values to unpack (expected 2, got 1)"),
    ("missing.handler", "Runtime.ImportModuleError", "Unable to import module 'missing': No module named 'missing'"),
    ("needs_more.handler", "Runtime.ImportModuleError", "Unable to import module 'needs_more': No module named 'no_such_thing'"),
    ("hello.missing", "Runtime.HandlerNotFound", "Handler 'missing' missing on module 'hello'"),
    ("sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
])
def test_a_handler_that_cannot_be_loaded_is_an_error_of_the_start(python, handler, kind, message):
    worker = python()
    answer = worker.start(handler)
    assert (answer.kind, answer.document) == ("INIT_ERROR", failure(message, kind, request_id=""))
    assert answer.logs == [f"[ERROR] {kind}: {message}\nTraceback (most recent call last):"]
    assert worker.wait() == 1


def test_a_syntax_error_shows_its_line(python):
    answer = python().start("bad_syntax.handler")
    path = PYTHON / "bad_syntax.py"
    said = "expected ':'" if VERSION >= (3, 10) else "invalid syntax"
    assert answer.document == failure(f"Syntax error in module 'bad_syntax': {said} (bad_syntax.py, line 1)",
                                      "Runtime.UserCodeSyntaxError",
                                      [f'  File "{path}" Line 1\n    def handler(event, context)\n'], "")


def test_an_exception_at_import_shows_the_importers_frames(python):
    """As in AWS's recorded answer (TestLambdaErrors.test_lambda_runtime_error)."""
    answer = python().start("broken_import.handler")
    assert answer.kind == "INIT_ERROR"
    trace = answer.document["stackTrace"]
    assert {**answer.document, "stackTrace": []} == failure("Runtime startup fails", "Exception", request_id="")
    assert re.fullmatch(r'  File ".*/importlib/__init__\.py", line \d+, in import_module\n    return .*\n', trace[0])
    assert re.fullmatch(r'  File "<frozen importlib\._bootstrap>", line \d+, in _gcd_import\n', trace[1])
    assert trace[-1] == f'  File "{PYTHON}/broken_import.py", line 1, in <module>\n    raise Exception("Runtime startup fails")\n'


def test_a_module_may_exit_while_it_is_imported(python):
    worker = python()
    with pytest.raises(Ended):
        worker.start("leaves_at_import.handler")
    assert worker.wait() == 5


# ---- Context and environment ----

def test_the_context_says_all_about_the_function_and_the_event(behaviour):
    worker = behaviour("describe_context")
    client = {"custom": {"a": 1}, "env": {"locale": "en"}, "client": {"app_title": "shop"}}
    answer = worker.invoke({}, clientContext=client, tenantId="blue",
                           identity={"cognitoIdentityId": "id", "cognitoIdentityPoolId": "pool"})
    full = {"aws_request_id": REQUEST_ID, "log_group_name": "/aws/lambda/hello", "function_name": "hello",
            "log_stream_name": "2026/11/25/[$LATEST]0123456789abcdef", "memory_limit_in_mb": "128",
            "function_version": "$LATEST", "invoked_function_arn": ARN, "tenant_id": "blue", "identity": ["id", "pool"],
            "client_context": [{"a": 1}, {"locale": "en"}, "shop"], "remaining": [True, True]}
    assert answer.document == full
    assert worker.invoke({}).document == {**full, "tenant_id": None, "identity": [None, None], "client_context": None}


def test_the_context_logs_and_describes_itself(behaviour):
    answer = behaviour("log_by_context").invoke({})
    assert answer.logs == ["by context"]
    assert answer.document.startswith(f"LambdaContext([aws_request_id={REQUEST_ID},log_group_name=/aws/lambda/hello,")


def test_the_environment_is_the_functions_and_nothing_else(python):
    worker = python(environment={"TZ": "Asia/Tokyo", "COLOUR": "blå"}, process_environment={"SECRET": "of the server"})
    worker.start("behaviour.see_environment")
    seen = worker.invoke({}).document
    assert seen["all"] == {**worker.environment, "_HANDLER": "behaviour.see_environment", **{
        name: seen["all"][name] for name in ("LC_CTYPE",) if name in seen["all"]}}
    assert (seen["time"], seen["directory"], seen["stdin"]) == ("JST", str(PYTHON), "")


def test_imports_look_into_the_function_then_layers_then_the_sdk(workers, tmp_path):
    version = "python%d.%d" % VERSION
    places = {"task": tmp_path / "task", "own": tmp_path / "own", "packages": tmp_path / f"opt/python/lib/{version}/site-packages",
              "layer": tmp_path / "opt/python", "sdk": tmp_path / "sdk"}
    # Each module stands in its place and in all behind it; the first is taken.
    for number, (place, folder) in enumerate(places.items()):
        folder.mkdir(parents=True, exist_ok=True)
        for name in list(places)[:number + 1]:
            (folder / f"in_{name}.py").write_text(f"place = {place!r}")
    (places["task"] / "app.py").write_text(
        "import " + ", ".join(f"in_{name}" for name in places) + "\n"
        "def handler(event, context): return [" + ", ".join(f"in_{name}.place" for name in places) + "]\n")
    start = (f"import sys; sys.path.insert(0, {str(RUNTIMES / 'python')!r}); import bootstrap\n"
             f"bootstrap.LAYERS = {str(tmp_path / 'opt')!r}\nbootstrap.prepare({str(places['sdk'])!r}); bootstrap.serve()")
    worker = workers([PROGRAM, "-c", start], places["task"],
                     {"PYTHONPATH": f"{places['own']}:{places['sdk']}", "LAMBDA_RUNTIME_DIR": str(places["sdk"])})
    assert worker.start("app.handler").kind == "READY"
    assert worker.invoke({}).document == list(places)


def test_the_trace_header_is_that_of_the_event(behaviour):
    worker = behaviour("trace")
    assert [worker.invoke({}, **head).document for head in ({"trace": "Root=1"}, {"trace": "Root=2"}, {})] == ["Root=1", "Root=2", None]


def test_what_a_module_keeps_is_there_for_the_next_event(behaviour):
    worker = behaviour("count")
    assert [worker.invoke({}).document for _ in range(3)] == [1, 2, 3]


# ---- Errors ----

def test_an_exception_is_answered_and_logged_with_its_frames(behaviour):
    worker = behaviour("fail")
    answer = worker.invoke({})
    file = PYTHON / "behaviour.py"
    lines = file.read_text().split("\n")
    inner, outer = lines.index('        raise ValueError("not this")') + 1, lines.index("    inner()") + 1
    assert answer.kind == "ERROR"
    assert answer.document == failure("not this", "ValueError", [
        f'  File "{file}", line {outer}, in fail\n    inner()\n',
        f'  File "{file}", line {inner}, in inner\n    raise ValueError("not this")\n'])
    assert list(answer.document) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert answer.logs == [f"[ERROR] ValueError: not this\nTraceback (most recent call last):\n"
                           f'{INDENT}File "{file}", line {outer}, in fail\n{INDENT * 2}inner()\n'
                           f'{INDENT}File "{file}", line {inner}, in inner\n{INDENT * 2}raise ValueError("not this")']
    assert worker.invoke({}).kind == "ERROR"  # and it lives on


def test_an_exception_that_has_no_text_is_answered_all_the_same(behaviour):
    assert behaviour("fail_strangely").invoke({}).document["errorMessage"] == "<unprintable Strange: RuntimeError>"


def test_errors_are_logged_as_json_when_the_log_is(behaviour):
    answer = behaviour("fail", logFormat="JSON").invoke({})
    event = json.loads(answer.logs[0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("timestamp"))
    assert event == {"level": "ERROR", **answer.document}


@pytest.mark.parametrize("function, event, status", [
    ("leave", None, 0), ("leave", 0, 0), ("leave", 7, 7), ("leave", "a reason", 1), ("leave_at_once", 9, 9),
    ("die", int(signal.SIGSEGV), -signal.SIGSEGV), ("die", int(signal.SIGTERM), -signal.SIGTERM), ("fail_fatally", {}, 1)])
def test_a_process_that_ends_gives_no_answer(behaviour, function, event, status):
    worker = behaviour(function)
    with pytest.raises(Ended):
        worker.invoke(event)
    assert worker.wait() == status


def test_exiting_waits_for_threads_and_runs_hooks(behaviour):
    worker = behaviour("leave_with_hooks")
    worker.send_event({})
    assert [worker.receive()[1] for _ in range(2)] == [b"the thread ended\n", b"the hook ran\n"]
    assert worker.wait() == 3


# ---- Answers ----

@pytest.mark.parametrize("value, message", [
    ("decimal", "Object of type Decimal is not JSON serializable"),
    ("datetime", "Object of type datetime is not JSON serializable"),
    ("set", "Object of type set is not JSON serializable"),
    ("keys", "keys must be str, int, float, bool or None, not tuple"),
])
def test_an_answer_that_is_no_json_is_an_error(behaviour, value, message):
    answer = behaviour("answer").invoke(value)
    assert answer.kind == "ERROR"
    assert answer.document == failure(f"Unable to marshal response: {message}", "Runtime.MarshalError")


@pytest.mark.parametrize("value, content", [
    ("bytes", b'{"raw": 1}'), ("pair", b"[[1, 2]]"), ("none", b"null"), ("nan", b"[NaN]"),
    ("inner", b'{"b": "w\\u00f6rd"}' if VERSION < (3, 12) else '{"b": "wörd"}'.encode()),
    ("text", b'"w\\u00f6rd"' if VERSION < (3, 12) else '"wörd"'.encode()),
])
def test_an_answer_is_written_as_awss_runtime_writes_it(behaviour, value, content):
    answer = behaviour("answer").invoke(value)
    assert (answer.kind, answer.content) == ("RESPONSE", content)


def test_an_async_handler_is_refused(behaviour):
    answer = behaviour("asynchronous").invoke({})
    assert answer.document == failure("Unable to marshal response: Object of type coroutine is not JSON serializable",
                                      "Runtime.MarshalError")


def test_an_event_that_is_no_json_is_an_error(behaviour):
    worker = behaviour("echo")
    assert worker.invoke(b"{").document == failure(
        "Unable to unmarshal input: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "Runtime.UnmarshalError")
    assert worker.invoke(b"\xff").document["errorType"] == "Runtime.UnmarshalError"
    assert worker.invoke(b'{"a": 1.50}').document == {"a": 1.5}


@pytest.mark.parametrize("size", [0, 32760, 65536, 6 << 20])
def test_events_and_answers_of_any_size_pass(behaviour, size):
    assert behaviour("echo").invoke("x" * size).document == "x" * size


# ---- Logs ----

def test_each_printed_line_is_a_log_event(behaviour):
    worker = behaviour("write")
    answer = worker.invoke({})
    assert answer.logs == ["one\n", "two three\n", "unfinished\n", "to stderr\n", "last"]
    assert answer.document == 1
    assert worker.printed() == "bytes\n"


def test_logging_writes_awss_lines(behaviour):
    logs = behaviour("log").invoke("this").logs
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,3}Z"
    assert re.fullmatch(rf"\[INFO\]\t{stamp}\t{REQUEST_ID}\tseen this\n", logs[0])
    assert re.fullmatch(rf"\[WARNING\]\t{stamp}\t{REQUEST_ID}\ttwo\nlines\n", logs[1])
    assert re.match(rf"\[ERROR\]\t{stamp}\t{REQUEST_ID}\tfailed\nTraceback", logs[2])
    assert len(logs) == 3


def test_logging_writes_json_when_asked(behaviour):
    logs = [json.loads(line) for line in behaviour("log", logFormat="JSON").invoke("this").logs]
    for event in logs:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("timestamp"))
    assert logs[0] == {"level": "INFO", "message": "seen this", "logger": "root", "requestId": REQUEST_ID}
    assert logs[1] == {"level": "WARNING", "message": "two\nlines", "logger": "shop", "requestId": REQUEST_ID, "order": 7}
    assert (logs[2]["errorType"], logs[2]["errorMessage"]) == ("KeyError", "'k'")
    assert re.fullmatch(r".*behaviour\.py:log:\d+", logs[2]["location"])
    assert any("raise KeyError" in line for line in logs[2]["stackTrace"])


@pytest.mark.parametrize("settings, seen", [
    ({}, ["warning", "error", "critical"]),
    ({"logLevel": "DEBUG"}, ["warning", "error", "critical"]),
    ({"logFormat": "JSON"}, ["info", "warning", "error", "critical"]),
    ({"logFormat": "JSON", "logLevel": "TRACE"}, ["debug", "info", "warning", "error", "critical"]),
    ({"logFormat": "JSON", "logLevel": "FATAL"}, ["critical"]),
])
def test_the_log_level_holds_for_json_logs(behaviour, settings, seen):
    logs = behaviour("log_at_default", **settings).invoke({}).logs
    assert [json.loads(line)["message"] if line[0] == "{" else line.rstrip("\n").split("\t")[-1] for line in logs] == seen


def test_what_child_processes_print_comes_over_the_pipes(behaviour):
    worker = behaviour("run_children")
    answer = worker.invoke({})
    assert answer.logs == ["parent\n"]
    assert worker.printed() == "child\nprogram\n"
    assert "/" in answer.document and "socket" not in answer.document  # the channel is the worker's alone


def test_a_child_process_that_returns_answers_nothing(behaviour):
    answer = behaviour("forks_and_returns").invoke({})
    assert (answer.kind, answer.document) == ("RESPONSE", 1)


def test_lines_of_threads_stay_whole(behaviour):
    logs = behaviour("print_from_threads").invoke({}).logs
    assert sorted(logs) == sorted(f"thread {n} line {i}\n" for n in range(4) for i in range(200))


# ---- SnapStart ----

def test_hooks_run_around_a_snapshot(python):
    worker = python()
    assert worker.start("snap.handler", snapStart=True).kind == "SNAPSHOT_READY"
    worker.send("RESTORE", json.dumps({"environment": {"AWS_LAMBDA_LOG_STREAM_NAME": "copy"}}).encode())
    assert worker.receive() == ("READY", b"")
    assert worker.invoke({}).document[0] == ["import", "before two!", "before one", "after one copy", "after two"]


def test_a_hook_that_fails_after_a_restore_is_an_error_of_the_start(python):
    worker = python()
    assert worker.start("snap_fails.handler", snapStart=True).kind == "SNAPSHOT_READY"
    worker.send("RESTORE", b'{"environment": {}}')
    answer = worker.answer()
    assert (answer.kind, answer.document["errorType"]) == ("INIT_ERROR", "OSError")


def test_copies_go_on_from_the_snapshot(workers):
    """As the zygote of a snapshot does it: the process that waits forks, and its child serves on."""
    start = (f"import os, sys; sys.path.insert(0, {str(RUNTIMES / 'python')!r}); import bootstrap\n"
             "def take_copies():\n"
             "    if os.fork():\n"
             "        os._exit(os.WEXITSTATUS(os.wait()[1]))\n"
             "bootstrap.serve(take_copies)")
    worker = workers([PROGRAM, "-c", start], PYTHON)
    assert worker.start("snap.handler", snapStart=True).kind == "SNAPSHOT_READY"
    worker.send("RESTORE", b'{"environment": {}}')
    assert worker.receive()[0] == "READY"
    answer = worker.invoke({})
    assert (answer.document[0][-1], answer.logs) == ("after two", ["in the copy\n"])
    worker.close_channel()
    assert worker.wait() == 0


# ---- The SDK ----

def skip_without_boto3():
    if subprocess.run([PROGRAM, "-c", "import boto3"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this Python has no boto3")


@pytest.mark.parametrize("environment, expected", [
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, ["http://127.0.0.1:4566"] * 2),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_ENDPOINT_URL_SFN": "http://127.0.0.1:1"},
     ["http://127.0.0.1:4566", "http://127.0.0.1:1"]),
    ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
     ["https://sqs.us-east-1.amazonaws.com", "https://states.us-east-1.amazonaws.com"]),
])
def test_a_client_without_an_endpoint_goes_where_the_environment_says(python, environment, expected):
    skip_without_boto3()
    worker = python(environment=environment, ahead=True)
    assert worker.start("aws.handler").kind == "READY"
    assert list(worker.invoke(["sqs", "stepfunctions"]).document.values()) == expected


@pytest.mark.parametrize("environment", [{}, {"AWS_PROFILE": "blue"}, {"HOME": None}])
def test_the_session_made_ahead_knows_nothing_but_the_functions_environment(python, tmp_path, environment):
    """A profile of the function's own is found; one of the process that went before is not."""
    skip_without_boto3()
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[profile blue]\nregion = eu-north-1\n[default]\nregion = eu-south-1\n")
    own = {"AWS_DEFAULT_REGION": "us-west-2"}
    if environment:
        own = {**environment, "HOME": str(tmp_path)}
    worker = python(ahead=True, environment=own, process_environment={
        "PATH": "/usr/bin:/bin", "AWS_PROFILE": "of-the-server", "AWS_DEFAULT_REGION": "sa-east-1", "AWS_ACCESS_KEY_ID": "server"})
    if environment:
        del worker.environment["AWS_DEFAULT_REGION"]
    assert worker.start("aws.region").kind == "READY"
    expected = {"AWS_PROFILE": "eu-north-1", "HOME": "eu-south-1"}.get(next(iter(environment), None), "us-west-2")
    assert worker.invoke({}).document == [expected, "123456789012"]


def test_packages_of_the_function_come_before_what_was_imported_ahead(python, tmp_path):
    skip_without_boto3()
    (tmp_path / "aws.py").write_text((PYTHON / "aws.py").read_text())
    for name in ("boto3", "dateutil"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("__version__ = 'of the function'")
    worker = python(task=tmp_path, ahead=True)
    assert worker.start("aws.version").kind == "READY"
    assert worker.invoke({}).document == ["of the function", "boto3", "dateutil"]
    assert worker.invoke({}).document[0] == "of the function"


# ---- Workers that wait ----

def test_what_a_waiting_worker_rehearses_is_seen_by_nobody(workers):
    """What a handler could see is the same before and after, and copies draw numbers of their own."""
    look = ("import gc, logging, os, random, sys, threading\n"
            "def look():\n"
            "    files = sorted(os.listdir('/proc/self/fd'))[:-1]\n"
            "    return [sorted(sys.modules), dict(os.environ), list(sys.path), sys.flags, files, os.getcwd(), gc.isenabled(),\n"
            "            threading.active_count(), logging.getLogger().handlers, sys.modules['boto3'].DEFAULT_SESSION\n"
            "            if 'boto3' in sys.modules else None]\n")
    text = (f"import sys; sys.path.insert(0, {str(RUNTIMES / 'python')!r})\n{look}"
            "import bootstrap; bootstrap.prepare('/var/runtime')\n"
            "from brume_runtime import rehearsal\n"
            "before = look(); rehearsal.rehearse(); after = look()\n"
            "assert before == after, [pair for pair in zip(before, after) if pair[0] != pair[1]]")
    result = subprocess.run([PROGRAM, "-c", text], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_a_worker_that_has_waited_handles_events_as_any(python):
    worker = python()
    assert not select.select([worker.answers], [], [], 0.1)[0]  # long enough to rehearse, and nothing is said of it
    assert worker.start("folder/nested.handler").kind == "READY"
    assert worker.invoke({}).document == "folder.nested"
