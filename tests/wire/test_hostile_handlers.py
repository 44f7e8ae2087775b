"""Handlers that do what no handler should: with the channel on which they are given events, with what is not theirs, and with
HTTP. A function harms itself alone."""

import contextlib
import http.client
import json
import socket
import time

import pytest
from conftest import client
from functions import make, package

# Runs what it is sent, with the words of the channel (src/runtime/channel.h) at hand.
HANDLER = '''
import os, struct, time

def frame(kind, content=b"", size=None, padding=bytes(3)):
    os.write(4, bytes([kind]) + padding + struct.pack("<I", len(content) if size is None else size) + content)

READY, INIT_ERROR, RESPONSE, ERROR, STREAM, PIECE, END = range(16, 23)
LOG, SNAPSHOT, GOODBYE, EXIT = range(24, 28)

def handler(event, context):
    exec(event, globals())
    return "answered"
'''


@pytest.fixture(scope="module")
def functions(server):
    return client(server, "lambda")


@pytest.fixture(scope="module")
def function(functions):
    make(functions, "hostile", Code={"ZipFile": package({"app.py": HANDLER})}, Timeout=2, MemorySize=256)
    return "hostile"


def ask(functions, function, text):
    """(whether it failed, its payload)"""
    result = functions.invoke(FunctionName=function, Payload=json.dumps(text))
    return "FunctionError" in result, result["Payload"].read()


def lies(server):
    return server.errors().count("worker_lied")


@pytest.mark.parametrize("text, what", [
    ("frame(READY); time.sleep(9)", "a frame that has no place here"),
    ("frame(INIT_ERROR, b'{}'); time.sleep(9)", "a frame that has no place here"),
    ("frame(SNAPSHOT); time.sleep(9)", "a frame that has no place here"),
    ("frame(PIECE, b'x'); time.sleep(9)", "a frame that has no place here"),
    ("frame(END); time.sleep(9)", "a frame that has no place here"),
    ("frame(STREAM, b'{}'); frame(RESPONSE, b'1'); time.sleep(9)", "a frame that has no place here"),
    ("frame(STREAM, b'['); time.sleep(9)", "the start of a stream is no JSON"),
    ("frame(STREAM, b'{}'); frame(PIECE, size=0x7fffffff); time.sleep(9)", "no frame of the channel"),
    ("frame(2, b'{}'); time.sleep(9)", "no frame of the channel"),
    ("frame(255); time.sleep(9)", "no frame of the channel"),
    ("frame(RESPONSE, b'1', padding=b'xyz'); time.sleep(9)", "no frame of the channel"),
    # As if the event had never been taken: it would be given to another worker, and another.
    ("frame(EXIT, bytes(8)); time.sleep(9)", "an exit, which is told of custom runtimes"),
])
def test_a_frame_that_no_handler_sends_ends_the_worker_alone(server, functions, function, text, what):
    before = lies(server)
    failed, payload = ask(functions, function, text)
    assert failed and json.loads(payload)["errorType"] == "Runtime.ExitError"
    assert lies(server) == before + 1
    assert server.errors().splitlines()[-1].endswith(f'what="{what}"')
    assert ask(functions, function, "pass") == (False, b'"answered"')


def test_a_second_answer_is_nobodys(functions, function):
    assert ask(functions, function, "frame(RESPONSE, b'1'); frame(RESPONSE, b'2')") == (False, b"1")
    assert ask(functions, function, "pass") == (False, b'"answered"')


@pytest.mark.parametrize("direction", ["os.close(4)", "os.dup2(os.open('/dev/null', os.O_WRONLY), 4)"])
def test_who_closes_the_answers_has_left(functions, function, direction):
    failed, payload = ask(functions, function, f"{direction}; time.sleep(9)")
    assert failed and json.loads(payload)["errorType"] == "Runtime.ExitError"
    assert ask(functions, function, "pass") == (False, b'"answered"')


def test_who_closes_the_events_gets_none(functions, function):
    # Something lives on that would still answer.
    text = "os.dup2(os.open('/dev/zero', os.O_RDONLY), 3)"
    assert ask(functions, function, text) == (False, b'"answered"')
    assert ask(functions, function, "pass") == (False, b'"answered"')


@pytest.mark.parametrize("text", [
    "frame(RESPONSE, size=0xffffffff); time.sleep(9)",
    "frame(LOG, size=0xffffffff); time.sleep(9)",
    "os.write(4, b'half'); time.sleep(9)",
    "os.kill(os.getpid(), 19); time.sleep(9)",
    "pid = os.getpid(); os.fork() == 0 and (os.kill(pid, 19), time.sleep(9)); time.sleep(9)",
])
def test_what_does_not_come_whole_ends_with_the_timeout(functions, function, text):
    failed, payload = ask(functions, function, text)
    assert failed and json.loads(payload)["errorType"] == "Sandbox.Timedout"
    assert ask(functions, function, "pass") == (False, b'"answered"')


def test_pieces_without_end_and_floods_of_logs_cost_the_server_little(server, functions, function):
    assert ask(functions, function, "for i in range(100): os.write(4, (bytes([LOG, 0, 0, 0, 1, 0, 0, 0]) + b'x') * 1000)")[0] is False
    assert ask(functions, function, "for i in range(100): os.write(1, b'y' * 65536)")[0] is False
    empty = "os.write(4, bytes([PIECE]) + bytes(7)) if i % 2 else os.write(4, (bytes([PIECE]) + bytes(7)) * 20000)"
    assert ask(functions, function, f"frame(STREAM, b'{{}}')\nfor i in range(100): {empty}\nframe(PIECE, b'q'); frame(END)") == (
        False, b"q")
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        peak_kb = int(next(line.split()[1] for line in status if line.startswith("VmHWM")))
    assert peak_kb < 256 * 1024


# Looks for two halves that stand together: nowhere in this process does it put them so itself.
SEARCH = """
import os

def handler(event, context):
    first, second = (half.encode() for half in event)
    def holds(text):
        at = text.find(first)
        while at >= 0 and text[at + len(first):at + len(first) + len(second)] != second:
            at = text.find(first, at + 1)
        return at >= 0
    places = []
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps.readlines():
            begin, end = (int(word, 16) for word in line.split()[0].split("-"))
            try:
                memory.seek(begin)
                places += [line] if holds(memory.read(end - begin)) else []
            except (OSError, OverflowError):
                pass
    for path in ("/proc/self/environ", "/proc/self/cmdline"):
        text = open(path, "rb").read()
        places += [path] if holds(text) or b"BRUME_" in text else []
    return {"places": places, "files": [number for number in range(64) if os.path.exists(f"/proc/self/fd/{number}")]}
"""


def test_a_worker_knows_nothing_of_the_server(start):
    """Its memory, its environment and its files."""
    halves = ["a-secret-that-", "the-server-alone-has"]
    server = start(environment={"BRUME_ACCESS_KEY_ID": "BRUMEROOTKEY00000001", "BRUME_SECRET_ACCESS_KEY": "".join(halves)})
    functions = client(server, "lambda")
    make(functions, "searcher", Code={"ZipFile": package({"app.py": SEARCH})}, Timeout=20, MemorySize=512)

    def search(what):
        return json.loads(functions.invoke(FunctionName="searcher", Payload=json.dumps(what))["Payload"].read())

    assert search(halves) == {"places": [], "files": [0, 1, 2, 3, 4]}
    assert search(["/var/brume/python", "/zygote.py"])["places"]  # what is there is found


def test_a_worker_that_closed_its_output_takes_no_connection_with_it(server, functions):
    """Whoever connects next is given the numbers of its files in the server, and must keep them when the worker ends."""
    make(functions, "closer", Code={"ZipFile": package({"app.py": HANDLER})})
    assert ask(functions, "closer", "os.close(1); os.close(2)") == (False, b'"answered"')
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=10) for _ in range(8)]

    def all_answer():
        for connection in connections:
            connection.request("GET", "/_brume/health")
            assert connection.getresponse().read()

    all_answer()
    assert ask(functions, "closer", "os._exit(1)")[0]
    all_answer()
    for connection in connections:
        connection.close()


STREAMER = """
import os, time

def handler(event, context):
    os.write(4, bytes([20, 0, 0, 0, 2, 0, 0, 0]) + b"{}")
    many = (bytes([21, 0, 0, 0, 1, 0, 0, 0]) + b"x") * 20000
    while True:
        os.write(4, many)
"""


def test_streams_byte_by_byte_to_who_does_not_read_take_little_memory(start):
    """On threads of connections that are not the runtime's, too."""
    server = start("--threads", "4")
    functions = client(server, "lambda", key="000000000000")  # as who does not sign
    make(functions, "streamer", Code={"ZipFile": package({"app.py": STREAMER})}, Timeout=3, MemorySize=256,
         Role="arn:aws:iam::000000000000:role/worker")
    for action, more in (("InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}), ("InvokeFunction", {})):
        functions.add_permission(FunctionName="streamer", StatementId=action, Action=f"lambda:{action}", Principal="*", **more)
    status, _, body = server.request("POST", "/2021-10-31/functions/streamer/url", json.dumps(
        {"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}), {"content-type": "application/json"})
    assert status == 201, body
    host = json.loads(body)["FunctionUrl"].split("/")[2]
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(f"GET / HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
        deadline = time.monotonic() + 30
        while server.metric("brume_function_timeouts_total") < 8:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as status:
        peak_kb = int(next(line.split()[1] for line in status if line.startswith("VmHWM")))
    assert peak_kb < 192 * 1024
