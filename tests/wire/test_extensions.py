"""Extensions: processes beside a function's program, brought by its layers (Lambda Extensions API, version 2020-01-01)."""

import base64
import contextlib
import http.server
import itertools
import json
import os
import pathlib
import queue
import re
import signal
import stat
import threading
import time

import pytest
from brume import Server
from conftest import client
from functions import make, package
from packages import make_zip

HERE = pathlib.Path(__file__).parent
SHIPPER = (HERE / "handlers" / "shipper.py").read_text(encoding="utf-8")
PYTHON, NODEJS, CUSTOM = "python3.11", "nodejs22.x", "provided.al2023"
ECHO = {
    PYTHON: ("app.handler", {"app.py": '''
import os, time, uuid
me = str(uuid.uuid4())
def handler(event, context):
    print("handled", flush=True)
    for _ in range(event.get("lines", 0)):
        print("x" * 1000)
    if event.get("exit"):
        os._exit(7)
    time.sleep(event.get("sleep", 0))
    return {"me": me, "api": os.environ.get("AWS_LAMBDA_RUNTIME_API")}
'''}),
    NODEJS: ("app.handler", {"app.js": '''
const me = require("node:crypto").randomUUID();
exports.handler = async (event) => {
    console.log("handled");
    await new Promise((done) => setTimeout(done, 1000 * (event.sleep ?? 0)));
    return {me, api: process.env.AWS_LAMBDA_RUNTIME_API};
};
'''}),
    CUSTOM: ("any", {"bootstrap": '''#!/usr/bin/env python3
import http.client, json, os, uuid
me = str(uuid.uuid4())
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    event = api.getresponse()
    event.read()
    print("handled", flush=True)
    api.request("POST", f"/2018-06-01/runtime/invocation/{event.headers['Lambda-Runtime-Aws-Request-Id']}/response",
                json.dumps({"me": me, "api": os.environ["AWS_LAMBDA_RUNTIME_API"]}))
    api.getresponse().read()
'''}),
}
numbers = itertools.count(1)


class Listener:
    """What extensions tell the test."""

    def __init__(self):
        heard = self.heard = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                heard.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, seconds=15):
        return self.heard.get(timeout=seconds)

    def next_event(self, seconds=15):
        while True:
            told = self.next(seconds)
            if "event" in told:
                return told

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def listener():
    running = Listener()
    yield running
    running.close()


@pytest.fixture(scope="module")
def server(module_folder):
    running = Server(module_folder / "data", "--function-log", str(module_folder / "functions.log"))
    yield running
    assert running.terminate() == 0, running.errors()


@pytest.fixture(scope="module")
def functions(server):
    return client(server, "lambda")


@pytest.fixture
def log(module_folder):
    """What functions have logged since the test began."""
    path = module_folder / "functions.log"
    before = path.stat().st_size

    def read():
        with open(path, encoding="utf-8") as file:
            file.seek(before)
            return "".join(line + "\n" for line in file.read().split("\n"))

    return read


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def kill_extension(listener):
    """Kills the one that tells that listener."""
    wanted = f"TEST_SERVER={listener.address}".encode()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (process / "environ").read_bytes() and b"/opt/extensions/" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
                return
    raise AssertionError("there is no extension")



def layer(functions, *names, text=SHIPPER):
    files = {f"extensions/{name}": text for name in names}
    archive = make_zip(files, modes={path: stat.S_IFREG | 0o755 for path in files})
    return functions.publish_layer_version(LayerName=f"layer-{next(numbers)}", Content={"ZipFile": archive})["LayerVersionArn"]


@pytest.fixture
def deploy(functions, listener):
    """A function with extensions of those names; gives its own name."""

    def run(plan=None, runtime=PYTHON, names=("shipper",), text=SHIPPER, **more):
        name = f"extended-{next(numbers)}"
        handler, files = ECHO[runtime]
        code = make_zip(files, modes={"bootstrap": stat.S_IFREG | 0o755})
        variables = {"SHIPPER": json.dumps(plan or {}), "TEST_SERVER": listener.address}
        make(functions, name, Runtime=runtime, Handler=handler, Code={"ZipFile": code}, Layers=[layer(functions, *names, text=text)],
             Environment={"Variables": variables}, MemorySize=256, **{"Timeout": 10, **more})
        return name

    return run


def ask(functions, name, event=None):
    """(its answer, the error's kind, the end of its log)"""
    result = functions.invoke(FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail")
    tail = base64.b64decode(result["LogResult"]).decode()
    return json.loads(result["Payload"].read()), result.get("FunctionError"), tail


# ---- Their life ----

@pytest.mark.parametrize("runtime", [PYTHON, NODEJS, CUSTOM])
def test_an_extension_registers_and_is_told_of_each_event(functions, deploy, listener, log, runtime):
    name = deploy(runtime=runtime)
    answer, error, tail = ask(functions, name)
    assert error is None, answer
    registered = listener.next()
    assert registered["status"] == 200
    assert registered["registered"] == {"functionName": name, "functionVersion": "$LATEST", "handler": ECHO[runtime][0],
                                        "accountId": "123456789012"}
    assert not registered["task_root"], "the runtime's own variables are not the extension's"
    told = listener.next()
    assert told["event"]["eventType"] == "INVOKE"
    assert told["event"]["invokedFunctionArn"].endswith(f":function:{name}")
    assert told["event"]["requestId"] in tail
    assert 0 < told["left_ms"] <= 10000
    assert "REPORT RequestId" in tail and "handled" in tail
    assert answer["api"].startswith("127.0.0.1:")
    # The worker is used again, once its extension has asked.
    deadline = time.monotonic() + 10
    while ask(functions, name)[0]["me"] != answer["me"]:
        assert time.monotonic() < deadline
    logged = log()
    assert "shipper is ready" in logged
    assert "EXTENSION\tName: shipper\tState: Registered\tEvents: [INVOKE,SHUTDOWN]" in logged


def test_a_worker_whose_extension_is_at_work_takes_no_event(functions, deploy, listener):
    name = deploy({"work_s": 2})
    begun = time.monotonic()
    first, error, tail = ask(functions, name)
    assert error is None
    assert time.monotonic() - begun < 2, "the answer waited for the extension"
    assert "REPORT RequestId" in tail
    second, error, _ = ask(functions, name)
    assert error is None
    assert second["me"] != first["me"]


def test_the_report_has_the_time_of_the_extension(functions, deploy, listener, log):
    name = deploy({"work_s": 1})
    answer, error, tail = ask(functions, name)
    request_id = listener.next_event()["event"]["requestId"]
    line = wait_for(lambda: re.search(rf"REPORT RequestId: {request_id}\tDuration: ([0-9.]+) ms", log()))
    assert float(line.group(1)) >= 1000


def test_each_of_several_extensions_is_told(functions, deploy, listener):
    name = deploy(names=("one", "two", "three"))
    assert ask(functions, name)[1] is None
    told = [listener.next() for _ in range(6)]
    assert sorted(one["from"] for one in told if "event" in one) == ["one", "three", "two"]


def test_an_extension_may_leave_invocations_out(functions, deploy, listener):
    name = deploy({"events": ["SHUTDOWN"]})
    first, error, _ = ask(functions, name)
    second, error, _ = ask(functions, name)
    assert first["me"] == second["me"]
    assert "registered" in listener.next()
    functions.delete_function(FunctionName=name)
    assert listener.next()["event"]["eventType"] == "SHUTDOWN"


def test_a_file_that_cannot_be_executed_is_no_extension(functions, listener):
    archive = make_zip({"extensions/readme.txt": "not one"})
    arn = functions.publish_layer_version(LayerName="reading", Content={"ZipFile": archive})["LayerVersionArn"]
    make(functions, "plain", Code={"ZipFile": package(ECHO[PYTHON][1])}, Layers=[arn])
    answer, error, _ = ask(functions, "plain")
    assert error is None
    assert answer["api"] is None, "where there are no extensions there is no process beside the handler's"


# ---- Their failures ----

def refused(answer, kind, why):
    assert answer["errorType"] == kind
    assert re.fullmatch(rf"RequestId: [0-9a-f-]{{36}} Error: {re.escape(why)}", answer["errorMessage"]), answer


@pytest.mark.parametrize("runtime", [PYTHON, NODEJS, CUSTOM])
def test_an_extension_that_ends_in_its_init_phase_fails_the_start(functions, deploy, listener, runtime):
    answer, error, _ = ask(functions, deploy({"crash": "init"}, runtime=runtime))
    assert error == "Unhandled"
    refused(answer, "Extension.Crash", "exit code 3")


def test_an_extension_that_reports_an_error_of_its_init_phase_fails_the_start(functions, deploy, listener, log):
    answer, error, _ = ask(functions, deploy({"fail": "init"}))
    assert error == "Unhandled"
    refused(answer, "Extension.InitError", "exit code 0")
    assert "State: InitError\tEvents: [INVOKE,SHUTDOWN]\tError Type: Ship.Init" in log()


def test_a_program_that_the_machine_cannot_execute_fails_the_start(functions, deploy, listener):
    answer, error, _ = ask(functions, deploy(text="\x7fELF and nothing else"))
    assert error == "Unhandled"
    refused(answer, "Extension.LaunchError", "fork/exec /opt/extensions/shipper: exec format error")


def test_an_eleventh_extension_fails_the_start(functions, deploy, listener):
    answer, error, _ = ask(functions, deploy(names=[f"number-{i}" for i in range(11)]))
    assert error == "Unhandled"
    refused(answer, "Extension.TooManyExtensions", "/opt/extensions has 11 extensions: a function may have 10")


@pytest.mark.parametrize("where", ["register", "init"])
def test_an_extension_that_hangs_in_its_init_phase_times_out(functions, deploy, listener, where):
    begun = time.monotonic()
    answer, error, _ = ask(functions, deploy({"hang": where}, Timeout=2))
    assert error == "Unhandled"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert time.monotonic() - begun >= 12, "ten seconds, and again within the function's own two"


def test_an_extension_that_is_killed_at_an_event_ends_its_worker(functions, deploy, listener):
    name = deploy({"crash": "invoke"})
    answer, error, tail = ask(functions, name, {"sleep": 5})
    assert error == "Unhandled"
    refused(answer, "Extension.Crash", "signal: 9")
    assert "Error Type: Extension.Crash" in tail


def test_an_extension_that_is_killed_between_events_costs_its_worker_alone(functions, deploy, listener):
    name = deploy()
    before = ask(functions, name)[0]["me"]
    listener.next_event()
    kill_extension(listener)
    after, error, _ = ask(functions, name)
    for _ in range(2):  # an event that was on its way to the worker may have met its end
        if error is not None:
            after, error, _ = ask(functions, name)
    assert error is None
    assert after["me"] != before


def test_an_extension_that_reports_an_error_at_its_end_ends_its_worker(functions, deploy, listener):
    name = deploy({"fail": "exit"})
    answer, error, _ = ask(functions, name, {"sleep": 5})
    assert error == "Unhandled"
    refused(answer, "Extension.ExitError", "exit code 0")


# ---- The shutdown phase ----

def wait_for_end(listener):
    while True:
        told = listener.next_event()
        if told["event"]["eventType"] == "SHUTDOWN":
            return told


def test_the_end_of_an_idle_worker_is_told(functions, deploy, listener):
    name = deploy()
    assert ask(functions, name)[1] is None
    functions.delete_function(FunctionName=name)
    told = wait_for_end(listener)
    assert told["event"]["shutdownReason"] == "spindown"
    assert 1000 < told["left_ms"] <= 2000


def test_a_worker_that_is_idle_for_long_is_told_before_it_goes(start, listener, folder):
    functions = client(start("--limit", "RUNTIME_WORKER_IDLE_MS=500"), "lambda")
    variables = {"SHIPPER": "{}", "TEST_SERVER": listener.address}
    make(functions, "idle", Code={"ZipFile": package(ECHO[PYTHON][1])}, Layers=[layer(functions, "shipper")],
         Environment={"Variables": variables})
    assert ask(functions, "idle")[1] is None
    assert wait_for_end(listener)["event"]["shutdownReason"] == "spindown"


def test_a_timeout_is_told_as_such(functions, deploy, listener):
    name = deploy(Timeout=1)
    answer, error, _ = ask(functions, name, {"sleep": 10})
    assert answer["errorType"] == "Sandbox.Timedout"
    assert wait_for_end(listener)["event"]["shutdownReason"] == "timeout"


def test_an_extension_is_held_to_the_functions_timeout(functions, deploy, listener, log):
    name = deploy({"work_s": 30}, Timeout=1)
    _, error, _ = ask(functions, name)
    assert error is None
    request_id = listener.next_event()["event"]["requestId"]
    assert wait_for(lambda: re.search(rf"REPORT RequestId: {request_id}\t.*Status: timeout", log()))


def test_the_exit_of_the_handlers_process_is_told_as_a_failure(functions, deploy, listener):
    name = deploy()
    answer, error, _ = ask(functions, name, {"exit": True})
    assert error == "Unhandled"
    assert answer["errorType"] == "Runtime.ExitError" and "exit status 7" in answer["errorMessage"]
    assert wait_for_end(listener)["event"]["shutdownReason"] == "failure"


def test_the_end_of_the_server_is_told(start, listener, folder):
    server = start()
    functions = client(server, "lambda")
    make(functions, "ending", Code={"ZipFile": package(ECHO[PYTHON][1])}, Layers=[layer(functions, "shipper")],
         Environment={"Variables": {"SHIPPER": "{}", "TEST_SERVER": listener.address}})
    assert ask(functions, "ending")[1] is None
    assert server.terminate() == 0, server.errors()
    assert wait_for_end(listener)["event"]["shutdownReason"] == "spindown"
