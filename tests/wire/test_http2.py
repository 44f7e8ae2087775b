"""HTTP/2 without TLS, as clients meet it: curl in both ways of beginning, a load generator, many calls on one connection,
clients that break off or flood."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import time

import pytest

JSON = "content-type: application/x-amz-json-1.0"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
CANCEL, ENHANCE_YOUR_CALM = 8, 11


def curl(server, *arguments, path="/"):
    """What curl prints: the body, and the version of HTTP and the status that it got."""
    done = subprocess.run(["curl", "-sS", "-m", "30", "-w", "\n%{http_version} %{http_code}", *arguments, server.url + path],
                          capture_output=True, check=True)
    body, _, line = done.stdout.rpartition(b"\n")
    return body, line.decode()


def call(server, way, operation, document):
    return curl(server, way, "-H", JSON, "-H", f"x-amz-target: AmazonSQS.{operation}", "--data-binary", json.dumps(document))


def metric(server, name):
    _, _, body = server.request("GET", "/_brume/metrics")
    return int(re.search(rf"^brume_{name} (\d+)$", body.decode(), re.M).group(1))


def await_metric(server, name, value):
    end = time.monotonic() + 30
    while (found := metric(server, name)) != value:
        assert time.monotonic() < end, f"{name} is {found}, not {value}"
        time.sleep(0.01)


class Connection:
    """A client that knows frames, and fields without compression (RFC 7541, 6.2.2): enough to do what clients of good
    manners cannot."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 30)
        self.stream = 1
        self.received = b""
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS) + frame(SETTINGS, flags=1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next_frame(self):
        """(type, flags, stream, payload); None at the end of the connection."""
        while len(self.received) < 9 or len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                return None
            self.received += piece
        size = int.from_bytes(self.received[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
        payload, self.received = self.received[9:9 + size], self.received[9 + size:]
        return kind, flags, stream, payload

    def frames_until(self, wanted):
        while (found := self.next_frame()) is not None:
            if found[0] == wanted:
                return found
        return None


def frame(kind, payload=b"", stream=0, flags=0):
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def field(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def sqs_head(stream, operation):
    fields = {b":method": b"POST", b":scheme": b"http", b":authority": b"localhost", b":path": b"/",
              b"content-type": b"application/x-amz-json-1.0", b"x-amz-target": b"AmazonSQS." + operation.encode()}
    return frame(HEADERS, b"".join(field(name, value) for name, value in fields.items()), stream, flags=4)


def sqs_call(stream, operation, document):
    """The frames of one SQS call."""
    return sqs_head(stream, operation) + frame(DATA, json.dumps(document).encode(), stream, flags=1)


def reset(stream):
    return frame(RST_STREAM, struct.pack(">I", CANCEL), stream)


# ---- Clients of good manners ----

@pytest.mark.parametrize("way", ["--http2-prior-knowledge", "--http2"])
def test_curl_sends_and_receives_a_message(server, new_name, way):
    body, line = curl(server, way, path="/_brume/health")
    assert line == "2 200"
    body, line = call(server, way, "CreateQueue", {"QueueName": new_name()})
    url = json.loads(body)["QueueUrl"]
    assert line == "2 200" and url.startswith(server.url)
    body, line = call(server, way, "SendMessage", {"QueueUrl": url, "MessageBody": "one coffee"})
    assert line == "2 200" and json.loads(body)["MessageId"]
    body, line = call(server, way, "ReceiveMessage", {"QueueUrl": url})
    assert line == "2 200" and json.loads(body)["Messages"][0]["Body"] == "one coffee"
    body, line = call(server, way, "SendMessage", {"QueueUrl": url})
    assert line == "2 400" and json.loads(body)["__type"].endswith("#MissingRequiredParameterException")


def test_a_message_of_the_largest_size_goes_both_ways(server, new_name, folder):
    way = "--http2-prior-knowledge"
    url = json.loads(call(server, way, "CreateQueue", {"QueueName": new_name()})[0])["QueueUrl"]
    text = "x" * 1048576
    (folder / "body").write_text(json.dumps({"QueueUrl": url, "MessageBody": text}))
    body, line = curl(server, way, "-H", JSON, "-H", "x-amz-target: AmazonSQS.SendMessage", "--data-binary",
                      f"@{folder / 'body'}")
    assert line == "2 200", body
    assert json.loads(call(server, way, "ReceiveMessage", {"QueueUrl": url})[0])["Messages"][0]["Body"] == text


def test_a_body_that_is_too_large_is_refused_and_the_answer_is_read(server, folder):
    (folder / "body").write_bytes(b"x" * (10 << 20))
    body, line = curl(server, "--http2-prior-knowledge", "-H", JSON, "-H", "x-amz-target: AmazonSQS.SendMessage",
                      "--data-binary", f"@{folder / 'body'}")
    assert line == "2 413", body


def test_every_call_of_a_load_is_answered(server, new_name, folder):
    url = json.loads(call(server, "--http2", "CreateQueue", {"QueueName": new_name()})[0])["QueueUrl"]
    (folder / "body").write_text(json.dumps({"QueueUrl": url, "MessageBody": "x" * 300}))
    done = subprocess.run(["h2load", "-n", "5000", "-c", "4", "-m", "100", "-d", str(folder / "body"), "-H", JSON,
                           "-H", "x-amz-target: AmazonSQS.SendMessage", server.url], capture_output=True, text=True,
                          check=True, timeout=120)
    assert "5000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout, done.stdout
    assert "5000 2xx" in done.stdout
    body, _ = call(server, "--http2", "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["All"]})
    assert json.loads(body)["Attributes"]["ApproximateNumberOfMessages"] == "5000"


# ---- Long polls ----

def test_a_long_poll_that_is_reset_takes_no_message(server, new_name):
    url = json.loads(call(server, "--http2", "CreateQueue", {"QueueName": new_name()})[0])["QueueUrl"]
    poll = {"QueueUrl": url, "WaitTimeSeconds": 20}
    with Connection(server) as client:
        for stream in (1, 3, 5):
            client.socket.sendall(sqs_call(stream, "ReceiveMessage", poll))
            await_metric(server, "store_waiting", stream // 2 + 1)
        client.socket.sendall(reset(1) + reset(3))
        await_metric(server, "store_waiting", 1)
        call(server, "--http2", "SendMessage", {"QueueUrl": url, "MessageBody": "for the last"})
        _, _, stream, payload = client.frames_until(DATA)
        assert stream == 5 and b"for the last" in payload


def anonymous_bytes(server):
    with open(f"/proc/{server.process.pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"^Anonymous: +(\d+) kB$", file.read(), re.M).group(1)) * 1024


def cpu_seconds(server):
    with open(f"/proc/{server.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ten_thousand_long_polls_on_a_hundred_connections_are_cheap(start):
    server = start()
    url = json.loads(call(server, "--http2", "CreateQueue", {"QueueName": "q"})[0])["QueueUrl"]
    poll = {"QueueUrl": url, "WaitTimeSeconds": 20}
    with contextlib.ExitStack() as stack:
        before = anonymous_bytes(server)
        clients = [stack.enter_context(Connection(server)) for _ in range(100)]
        for client in clients:
            client.socket.sendall(b"".join(sqs_call(stream, "ReceiveMessage", poll) for stream in range(1, 200, 2)))
        await_metric(server, "store_waiting", 10000)
        each = (anonymous_bytes(server) - before) / 10000
        assert each < 4096, f"{each} bytes each"  # the store's part included
        used = cpu_seconds(server)
        time.sleep(1)
        assert cpu_seconds(server) - used <= 0.05
        for number in range(3):
            call(server, "--http2", "SendMessage", {"QueueUrl": url, "MessageBody": f"message {number}"})
            await_metric(server, "store_waiting", 10000 - number - 1)
        # What the client has broken off leaves nothing behind.
    await_metric(server, "store_waiting", 0)
    await_metric(server, "http_connections", 1)


# ---- The end ----

def test_a_server_that_is_stopped_answers_what_waits_and_says_goodbye(start):
    server = start()
    url = json.loads(call(server, "--http2", "CreateQueue", {"QueueName": "q"})[0])["QueueUrl"]
    with Connection(server) as client:
        client.socket.sendall(sqs_call(1, "ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20}))
        await_metric(server, "store_waiting", 1)
        server.process.send_signal(signal.SIGTERM)
        seen = []
        while (found := client.next_frame()) is not None:
            seen.append(found)
            if found[0] == PING and found[1] == 0:
                client.socket.sendall(frame(PING, found[3], flags=1))
        assert [payload[4:8] for kind, _, _, payload in seen if kind == GOAWAY] == [b"\0\0\0\0"] * 2
        assert [stream for kind, flags, stream, _ in seen if kind in (HEADERS, DATA) and flags & 1] == [1]
    assert server.process.wait(20) == 0


# ---- Clients without manners ----

def test_a_flood_ends_its_connection_and_costs_others_nothing(start):
    server = start()
    floods = {
        "rapid reset": lambda stream: sqs_call(stream, "ListQueues", {}) + reset(stream),
        "pings": lambda stream: frame(PING, b"12345678") * 20,
        "settings": lambda stream: frame(SETTINGS, b"\0\4\0\0\xff\xff") * 20,
        "empty pieces": lambda stream: (sqs_head(1, "ListQueues") if stream == 1 else b"") + frame(DATA, b"", 1) * 20,
    }
    server.request("GET", "/_brume/health")
    before = anonymous_bytes(server)
    for name, make in floods.items():
        with Connection(server) as client:
            try:
                for stream in range(1, 100000, 2):
                    client.socket.sendall(make(stream))
            except (BrokenPipeError, ConnectionResetError):
                pass
            goodbye = client.frames_until(GOAWAY)
            assert goodbye is None or goodbye[3][4:8] == struct.pack(">I", ENHANCE_YOUR_CALM), (name, goodbye)
        assert curl(server, "--http2-prior-knowledge", path="/_brume/health")[1] == "2 200"
    assert anonymous_bytes(server) - before < 16 << 20
    await_metric(server, "http_connections", 1)
    assert metric(server, "http_evicted_total") == len(floods)
