"""More than a server can do: what it refuses, it says so, and has not done; what it accepts, it has."""

import collections
import json
import select
import socket

from conftest import client

CONNECTIONS = 1500
BATCH = 10


def batch_request(path):
    """A SendMessageBatch of ten messages, as bytes."""
    body = json.dumps({"QueueUrl": path, "Entries": [{"Id": str(entry), "MessageBody": "x" * 1000}
                                                     for entry in range(BATCH)]}).encode()
    return (b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\n"
            b"x-amz-target: AmazonSQS.SendMessageBatch\r\ncontent-length: %d\r\n\r\n" % len(body) + body)


def whole_answer(data):
    """The body of an answer that is all there; None before."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return None
    size = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")))
    return body if len(body) == size else None


def ask_all(sockets, request):
    """Sends the request on every connection at once; gives (status, body) of each answer."""
    waiting = select.epoll()
    answers, data = [], {}
    for connection in sockets:
        connection.sendall(request)
        data[connection.fileno()] = (connection, b"")
        waiting.register(connection, select.EPOLLIN)
    while len(answers) < len(sockets):
        ready = waiting.poll(30)
        assert ready, f"{len(answers)} of {len(sockets)} answers came"
        for number, _ in ready:
            connection, got = data[number]
            piece = connection.recv(65536)
            assert piece, "the server has closed a connection"
            got += piece
            data[number] = (connection, got)
            body = whole_answer(got)
            if body is not None:
                answers.append((int(got[9:12]), body))
                waiting.unregister(connection)
    waiting.close()
    return answers


def test_what_is_refused_under_overload_has_not_happened_and_what_is_accepted_has(start):
    server = start("--limit", "STORE_DELAY_MS=1")
    sqs = client(server, key="000000000000")
    url = sqs.create_queue(QueueName="flood")["QueueUrl"]
    request = batch_request("/000000000000/flood")
    sockets = [socket.create_connection(("127.0.0.1", server.port), 30) for _ in range(CONNECTIONS)]
    outcomes = collections.Counter()
    rounds = 0
    while rounds < 40 and outcomes[403] < 100:
        for status, body in ask_all(sockets, request):
            outcomes[status] += 1
            assert status == 200 and b'"Failed"' not in body or b'"com.amazonaws.sqs#RequestThrottled"' in body, body
        rounds += 1
    for connection in sockets:
        connection.close()
    assert set(outcomes) == {200, 403}, outcomes
    count = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    assert int(count["ApproximateNumberOfMessages"]) == BATCH * outcomes[200]
    assert server.metric('brume_throttled_total{reason="overload"}') == outcomes[403]
    # A group of calls at least is done in each round: it never refuses all.
    assert outcomes[200] >= 512 * rounds
