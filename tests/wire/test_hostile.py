"""Clients that do not behave: they leave in the middle, say half of what they should, or say it again and again."""

import contextlib
import json
import socket
import struct
import time

import pytest


def request(operation, document, more=b""):
    """One SQS call in the JSON protocol, as bytes."""
    body = json.dumps(document).encode()
    return (b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\n"
            b"x-amz-target: AmazonSQS.%s\r\n%scontent-length: %d\r\n\r\n" % (operation.encode(), more, len(body)) + body)


def reset(connection):
    """Leaves without a word: the server gets a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.fixture
def connect(server):
    """Connections to the server, closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))


def waiting(server):
    """How many calls are parked."""
    _, _, body = server.request("GET", "/_brume/metrics")
    return int(next(line.split()[1] for line in body.decode().splitlines() if line.startswith("brume_store_waiting ")))


def await_waiting(server, count):
    end = time.monotonic() + 10
    while waiting(server) != count:
        assert time.monotonic() < end, f"{waiting(server)} calls wait, not {count}"
        time.sleep(0.01)


@pytest.mark.parametrize("leave", [reset, socket.socket.close, lambda connection: connection.shutdown(socket.SHUT_WR)],
                         ids=["reset", "close", "half-close"])
def test_a_message_goes_past_pollers_that_have_left(server, connect, new_name, leave):
    name = new_name()
    server.json("CreateQueue", json.dumps({"QueueName": name}).encode())
    poll = request("ReceiveMessage", {"QueueUrl": name, "WaitTimeSeconds": 20})
    leavers = [connect() for _ in range(8)]
    for number, leaver in enumerate(leavers):
        leaver.sendall(poll)
        await_waiting(server, number + 1)
    stayer = connect()
    stayer.sendall(poll)
    await_waiting(server, len(leavers) + 1)
    for leaver in leavers:
        leave(leaver)
    await_waiting(server, 1)
    server.json("SendMessage", json.dumps({"QueueUrl": name, "MessageBody": "for the last"}).encode())
    assert b"for the last" in stayer.recv(65536)


def test_clients_that_leave_are_no_failures_of_the_server(start):
    server = start()
    server.json("CreateQueue", b'{"QueueName":"q"}')
    poll = request("ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 20})
    for sent in (poll, poll[:-5]):
        with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
            connection.sendall(sent)
            if sent is poll:
                await_waiting(server, 1)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 408 ") and b"stopping" not in answer
    assert b'outcome="server_error"' not in server.request("GET", "/_brume/metrics")[2]
    assert server.errors() == ""
