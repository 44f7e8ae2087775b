"""Custom runtimes: real programs that speak the HTTP Runtime API, without a sandbox. What each byte of the API does is in
tests/unit/test_runtime_api.c; functions on a whole server are in tests/wire/test_handlers.py."""

import os
import pathlib
import shutil
import signal
import socket
import struct
import tempfile
import textwrap

import pytest

import worker

BUILD = worker.ROOT / "build" / "tests" / "runtime"
SHIM = BUILD / "custom_shim"
C_BOOTSTRAP = BUILD / "custom_c" / "bootstrap"
KEYS = {"name": "wörld"}


@pytest.fixture
def folder():
    """A folder that every user may look into."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="brume-custom-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def custom(workers, folder):
    """Starts the Runtime API over `folder`; a text is the bootstrap, nothing is the one in C."""

    def start(bootstrap=None, prefix=(), **more):
        path = folder / "bootstrap"
        if bootstrap is None:
            shutil.copy(C_BOOTSTRAP, path)
        else:
            path.write_text(textwrap.dedent(bootstrap).lstrip())
        path.chmod(0o755)
        return workers([*prefix, SHIM, folder, "/nowhere"], folder, **more)

    return start


def ended(answer):
    """How a worker's program ended, as the server is told it: an exit code, or minus a signal."""
    assert answer.kind == "EXIT"
    return os.waitstatus_to_exitcode(struct.unpack("<II", answer.content)[0])


# ---- Programs ----

def test_a_runtime_in_c_keeps_its_state_from_event_to_event(custom):
    runtime = custom()
    assert runtime.start("any").kind == "READY"
    for count in range(1, 201):
        answer = runtime.invoke(KEYS)
        assert (answer.kind, answer.document) == ("RESPONSE", {"event": KEYS, "count": count})


def test_large_events_pass_through_a_runtime_in_c(custom):
    runtime = custom()
    assert runtime.start("any").kind == "READY"
    event = "x" * (6 * 1024 * 1024 - 64)
    answer = runtime.invoke(event)
    assert (answer.kind, answer.document) == ("RESPONSE", {"event": event, "count": 1})


def test_a_runtime_has_the_whole_environment_and_starts_in_its_folder(custom, folder):
    runtime = custom(environment={"GREETING": "hello"})
    assert runtime.start("some.handler").kind == "READY"
    expected = f"PWD={folder} _HANDLER=some.handler LAMBDA_TASK_ROOT={folder} AWS_REGION=us-east-1 GREETING=hello"
    assert runtime.invoke("environment").document == expected


def test_a_runtime_reports_errors_and_goes_on(custom):
    runtime = custom()
    assert runtime.start("any").kind == "READY"
    answer = runtime.invoke("fail")
    assert (answer.kind, answer.document) == (
        "ERROR", {"errorMessage": "as you wish", "errorType": "Bootstrap.Failed"})
    assert runtime.invoke(1).document == {"event": 1, "count": 1}


def test_a_runtime_streams_its_answer(custom):
    runtime = custom()
    assert runtime.start("any").kind == "READY"
    answer = runtime.invoke("stream", streamed=True)
    assert (answer.kind, answer.start) == ("STREAM_END", {"contentType": "text/plain"})
    assert b"".join(answer.pieces).decode() == "".join(f"piece {i}\n" for i in range(100))
    assert runtime.invoke(1).kind == "RESPONSE"


@pytest.mark.parametrize("wish, status", [("exit", 3), ("crash", -signal.SIGSEGV)])
def test_how_a_runtime_ended_is_told(custom, wish, status):
    runtime = custom()
    assert runtime.start("any").kind == "READY"
    assert ended(runtime.invoke(wish)) == status
    assert runtime.wait() == status


SHELL = """
    #!/bin/sh
    # The form of AWS's tutorial: a shell script that asks with curl.
    set -eu
    api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
    . "$LAMBDA_TASK_ROOT/$(echo "$_HANDLER" | cut -d. -f1).sh"
    while :; do
        headers=$(mktemp)
        event=$(curl -sS -LD "$headers" "$api/invocation/next")
        id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
        rm -f "$headers"
        response=$($(echo "$_HANDLER" | cut -d. -f2) "$event")
        curl -sS "$api/invocation/$id/response" -d "$response" >/dev/null
    done
"""


def test_a_shell_script_with_curl_is_a_runtime(custom, folder):
    (folder / "function.sh").write_text('handler () { echo "seen" >&2; echo "{\\"echo\\": $1}"; }\n')
    runtime = custom(SHELL)
    assert runtime.start("function.handler").kind == "READY"
    for event in (KEYS, [1, 2], "x"):
        answer = runtime.invoke(event)
        assert (answer.kind, answer.document) == ("RESPONSE", {"echo": event})
    assert runtime.printed("err") == "seen\n" * 3


PYTHON = """
    #!/usr/bin/python3
    import http.client, os
    VERSION = "/2018-06-01/runtime/"
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def ask(method, path, body=None, headers={}):
        api.request(method, VERSION + path, body, headers)
        answer = api.getresponse()
        return answer, answer.read()

    def pieces(event):
        for i in range(int(event)):
            yield bytes(65536)

    while True:
        head, event = ask("GET", "invocation/next")
        id = head.headers["Lambda-Runtime-Aws-Request-Id"]
        api.request("POST", f"{VERSION}invocation/{id}/response", pieces(event), encode_chunked=True,
                    headers={"Transfer-Encoding": "chunked", "Lambda-Runtime-Function-Response-Mode": "streaming"})
        assert api.getresponse().read() == b'{"status":"OK"}'
"""


def test_a_stream_of_megabytes_comes_whole(custom):
    runtime = custom(PYTHON)
    assert runtime.start("any").kind == "READY"
    for count in (1000, 0, 3):
        answer = runtime.invoke(count, streamed=True)
        assert (answer.kind, answer.start) == ("STREAM_END", {})
        assert sum(map(len, answer.pieces)) == count * 65536


# ---- Who may speak ----

TELLS_ITS_PORT = """
    #!/bin/sh
    echo "$AWS_LAMBDA_RUNTIME_API" > "$LAMBDA_TASK_ROOT/port.new"
    mv "$LAMBDA_TASK_ROOT/port.new" "$LAMBDA_TASK_ROOT/port"
    exec "$LAMBDA_TASK_ROOT/runtime"
"""


def test_nobody_outside_the_sandbox_is_served(custom, folder):
    """The network is the host's, as it is for functions on a loopback-only server; the processes are the sandbox's."""
    shutil.copy(C_BOOTSTRAP, folder / "runtime")
    runtime = custom(TELLS_ITS_PORT, prefix=["/usr/bin/unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"])
    assert runtime.start("any").kind == "READY"
    host, port = (folder / "port").read_text().strip().split(":")
    for _ in range(3):
        with socket.create_connection((host, int(port))) as stranger:
            try:
                stranger.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n")
                assert stranger.recv(100) == b""
            except (ConnectionResetError, BrokenPipeError):
                pass
        assert runtime.invoke(KEYS).kind == "RESPONSE"


MAPPED = """
    #!/usr/bin/python3
    import os, socket
    port = int(os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")[1])
    api = socket.create_connection(("::ffff:127.0.0.1", port))
    api.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: runtime\\r\\n\\r\\n")
    head = api.recv(65536)
    id = head.split(b"Aws-Request-Id: ")[1].split(b"\\r\\n")[0].decode()
    answer = b'"served"'
    api.sendall(f"POST /2018-06-01/runtime/invocation/{id}/response HTTP/1.1\\r\\nContent-Length: {len(answer)}\\r\\n\\r\\n".encode())
    api.sendall(answer)
    api.recv(1000)
"""


def test_a_client_that_speaks_ipv4_over_ipv6_is_served(custom):
    runtime = custom(MAPPED)
    assert runtime.start("any").kind == "READY"
    assert runtime.invoke(1).document == "served"


CURIOUS = """
    #!/usr/bin/python3
    import http.client, json, os
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    found = {}
    for name in ("mem", "environ", "maps", "fd"):
        try:
            path = f"/proc/{os.getppid()}/{name}"
            found[name] = str(os.listdir(path) if name == "fd" else open(path, "rb"))
        except OSError as error:
            found[name] = error.__class__.__name__
    found["files"] = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:4]
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    head = api.getresponse()
    head.read()
    api.request("POST", "/2018-06-01/runtime/invocation/" + head.headers["Lambda-Runtime-Aws-Request-Id"] + "/response",
                json.dumps(found))
    api.getresponse().read()
"""


def test_a_function_cannot_look_into_the_process_that_serves_it(custom):
    """That process is a fork of one that knows the environments of all functions."""
    unprivileged = ["/usr/bin/setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]
    runtime = custom(CURIOUS, prefix=unprivileged if os.getuid() == 0 else [])
    assert runtime.start("any").kind == "READY"
    found = runtime.invoke(1).document
    # 3 is the listing's own file: nothing of the server's was left open.
    assert found == {**dict.fromkeys(("mem", "environ", "maps", "fd"), "PermissionError"), "files": [0, 1, 2, 3]}


# ---- Programs that are none ----

def test_a_function_without_a_bootstrap_says_where_it_was_looked_for(workers, folder):
    runtime = workers([SHIM, folder, "/nowhere"], folder)
    answer = runtime.start("any")
    assert (answer.kind, answer.document) == ("INIT_ERROR", {
        "errorMessage": f"Couldn't find valid bootstrap(s): [{folder}/bootstrap /nowhere/bootstrap]",
        "errorType": "Runtime.InvalidEntrypoint"})
    assert runtime.wait() == 1


def test_a_bootstrap_of_a_layer_runs_where_the_function_has_none(workers, folder):
    layer = folder / "layer"
    layer.mkdir()
    shutil.copy(C_BOOTSTRAP, layer / "bootstrap")
    (folder / "bootstrap").mkdir()  # a folder of that name is no program
    runtime = workers([SHIM, folder, layer], folder)
    assert runtime.start("any").kind == "READY"
    assert runtime.invoke(1).kind == "RESPONSE"
