"""Clients that hold on to what they can get: the server's memory stays flat, and whoever behaves is served meanwhile."""

import contextlib
import http.client
import json
import re
import resource
import socket
import threading
import time

import pytest
from test_hostile import request

MIB = 1024  # in KiB
# Much less than each attack holds, so that memory shows which of them is not bounded.
LIMITS = {"NET_INPUT_BYTES": 16 << 20, "NET_BODIES_BYTES": 32 << 20, "NET_OUTPUT_BYTES": 32 << 20}
MEMORY_MIB = 160  # over the empty server: all limits together, twice
FILES_BESIDE = 600


def memory_kib(server):
    """Memory that is the server's alone: what malloc has taken from the system."""
    with open(f"/proc/{server.process.pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Anonymous: +(\d+) kB", file.read(), re.M).group(1))


@pytest.fixture
def files():
    """As many open files as the system lets this process have; a server that it starts raises its own limit itself."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Patron(threading.Thread):
    """Sends, receives and deletes messages one after another; asks again when throttled, as SDKs do. Keeps what went wrong
    and how long each request took until it was done."""

    def __init__(self, server):
        super().__init__()
        self.server, self.took, self.wrong, self.done = server, [], [], threading.Event()
        server.json("CreateQueue", b'{"QueueName":"patron"}')

    def ask(self, connection, operation, **more):
        began, status = time.monotonic(), None
        while status is None or b"#RequestThrottled" in body:
            connection.request("POST", "/", json.dumps({"QueueUrl": "patron", **more}), {
                "content-type": "application/x-amz-json-1.0", "x-amz-target": f"AmazonSQS.{operation}"})
            answer = connection.getresponse()
            status, body = answer.status, answer.read()
        self.took.append(time.monotonic() - began)
        if status != 200:
            self.wrong.append((status, body))
        return json.loads(body) if body else {}

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            while not self.done.is_set():
                self.ask(connection, "SendMessage", MessageBody="x" * 300)
                for message in self.ask(connection, "ReceiveMessage").get("Messages", []):
                    self.ask(connection, "DeleteMessage", ReceiptHandle=message["ReceiptHandle"])
        except OSError as problem:
            self.wrong.append(problem)
        connection.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()

    def assert_served(self):
        """Every request was done, and soon: generous, since the attack runs on the same cores."""
        assert not self.wrong, self.wrong[:3]
        slowest = sorted(self.took)
        assert slowest[len(slowest) // 2] < 1 and slowest[-1] < 10, slowest


# ---- Connections that do nothing ----

@pytest.mark.parametrize("count", [10000, 50000])
def test_idle_connections_cost_little_and_slow_nobody(start, files, count):
    if files < count + FILES_BESIDE:
        pytest.skip(f"the hard limit of open files is {files}: {count} connections need {count + FILES_BESIDE} "
                    "(`ulimit -Hn`)")
    server = start()
    assert server.request("GET", "/_brume/health")[0] == 200
    before = memory_kib(server)
    with contextlib.ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(socket.socket())
            # An address has fewer free ports than there are connections.
            connection.bind((f"127.0.0.{2 + number // 10000}", 0))
            connection.connect(("127.0.0.1", server.port))
        await_metric(server, "brume_http_connections", lambda now: now == count + 1)
        each = (memory_kib(server) - before) / count
        assert each < 2, f"{each:.2f} KiB a connection"
        with Patron(server) as patron:
            time.sleep(2)
        patron.assert_served()
    await_metric(server, "brume_http_connections", lambda now: now == 1)
    assert server.terminate() == 0


def await_metric(server, name, wanted):
    end = time.monotonic() + 30
    while not wanted(server.metric(name)):
        assert time.monotonic() < end, f"{name} is {server.metric(name)}"
        time.sleep(0.05)


class Attacker(threading.Thread):
    """Runs an attack; its connections are closed with the stack."""

    def __init__(self, server, attack, stack):
        super().__init__()
        self.server, self.attack, self.stack, self.problem = server, attack, stack, None

    def run(self):
        try:
            self.attack(self.server, self.connect)
        except Exception as problem:
            self.problem = problem

    def connect(self):
        return self.stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port), 30))


# ---- Attacks: each takes a function that makes connections, and is over when all is said ----

def send_what_is_taken(connection, data):
    """Without waiting for a server that does not read; whether all of it was taken. It may have hung up."""
    try:
        connection.setblocking(False)
        while data:
            data = data[connection.send(data):]
    except OSError:
        return False
    return True


LARGE = request("ReceiveMessage", {"QueueUrl": "large"})


def make_large_message(server):
    server.json("CreateQueue", b'{"QueueName":"large","Attributes":{"VisibilityTimeout":"0"}}')
    server.json("SendMessage", json.dumps({"QueueUrl": "large", "MessageBody": "x" * 1000000}).encode())


def answers_that_nobody_reads(server, connect):
    """300 connections, each with eight answers of a megabyte, of which the kernel takes some."""
    make_large_message(server)
    for _ in range(300):
        connection = connect()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(LARGE * 8)
        connection.recv(1, socket.MSG_PEEK)


def large_answers_all_at_once(server, connect):
    """400 receives of a megabyte at the same moment: more than the server can hold, and for a while more than it can do."""
    make_large_message(server)
    connections = [connect() for _ in range(400)]
    for connection in connections:
        send_what_is_taken(connection, LARGE * 2)
    for connection in connections:
        connection.setblocking(True)
        connection.recv(1, socket.MSG_PEEK)


def heads_that_do_not_end(_, connect):
    """8 000 heads of 60 000 bytes, but for their end."""
    head = b"POST / HTTP/1.1\r\nhost: localhost\r\n" + b"".join(b"x-%d: %s\r\n" % (n, b"y" * 490) for n in range(120))
    for _ in range(8000):
        send_what_is_taken(connect(), head)


def the_largest_heads(server, connect):
    """4 000 long polls with heads of 128 fields and 60 000 bytes."""
    server.json("CreateQueue", b'{"QueueName":"empty"}')
    poll = request("ReceiveMessage", {"QueueUrl": "empty", "WaitTimeSeconds": 20},
                   b"".join(b"x-%d: %s\r\n" % (n, b"y" * 470) for n in range(124)))
    for _ in range(4000):
        send_what_is_taken(connect(), poll)


def connections_half_open(_, connect):
    """10 000 beginnings of a request line."""
    for _ in range(10000):
        send_what_is_taken(connect(), b"POST / HT")


def bodies_that_do_not_end(_, connect):
    """2 000 bodies in chunks, 200 000 bytes each, without an end."""
    head = (b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\n"
            b"x-amz-target: AmazonSQS.SendMessage\r\ntransfer-encoding: chunked\r\n\r\n")
    for _ in range(2000):
        send_what_is_taken(connect(), head + b"30d40\r\n" + b"x" * 200000)


def a_byte_now_and_then(_, connect):
    """6 000 bodies of 16 000 bytes, a byte at a time."""
    connections = [connect() for _ in range(6000)]
    head = request("SendMessage", {"QueueUrl": "patron", "MessageBody": "x" * 15000})[:-15000]
    for connection in connections:
        send_what_is_taken(connection, head)
    for _ in range(3):
        for connection in connections:
            send_what_is_taken(connection, b"x")
        time.sleep(0.2)


def requests_without_waiting_for_answers(server, connect):
    """1 000 connections that poll, and send two megabytes of further requests meanwhile."""
    server.json("CreateQueue", b'{"QueueName":"empty"}')
    poll = request("ReceiveMessage", {"QueueUrl": "empty", "WaitTimeSeconds": 20})
    flood = request("GetQueueUrl", {"QueueName": "empty"}) * 10000
    for _ in range(1000):
        send_what_is_taken(connect(), poll + flood)


@pytest.mark.parametrize("attack", [
    answers_that_nobody_reads, large_answers_all_at_once, heads_that_do_not_end, the_largest_heads, connections_half_open, bodies_that_do_not_end,
    a_byte_now_and_then, requests_without_waiting_for_answers], ids=lambda attack: attack.__name__)
def test_memory_stays_flat_and_others_are_served(start, files, attack):
    if files < 10000 + FILES_BESIDE:
        pytest.skip(f"the hard limit of open files is {files}: an attack needs {10000 + FILES_BESIDE} (`ulimit -Hn`)")
    server = start(*[word for name, value in LIMITS.items() for word in ("--limit", f"{name}={value}")])
    with Patron(server) as patron, contextlib.ExitStack() as stack:
        before = most = memory_kib(server)
        attacking = Attacker(server, attack, stack)
        attacking.start()
        end = None
        while end is None or time.monotonic() < end:
            most = max(most, memory_kib(server))
            if end is None and not attacking.is_alive():
                end = time.monotonic() + 2
            time.sleep(0.02)
        attacking.join()
        assert attacking.problem is None, attacking.problem
    patron.assert_served()
    assert (most - before) / MIB < MEMORY_MIB
    assert server.terminate() == 0, server.errors()
