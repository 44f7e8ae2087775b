"""Messages through boto3 (Query protocol): sent, received, hidden, deleted; one by one and in batches."""

import hashlib
import struct
import threading
import time

import pytest
from brume import command
from conftest import client


def attributes_md5(attributes):
    """The digest that SQS answers (SQS developer guide, "Calculating the MD5 message digest for message attributes")."""
    digest = hashlib.md5()

    def add(part):
        digest.update(struct.pack(">I", len(part)) + part)

    for name, attribute in sorted(attributes.items()):
        add(name.encode())
        add(attribute["DataType"].encode())
        if attribute["DataType"].startswith("Binary"):
            digest.update(b"\x02")
            add(attribute["BinaryValue"])
        else:
            digest.update(b"\x01")
            add(attribute["StringValue"].encode())
    return digest.hexdigest()


ATTRIBUTES = {
    "name": {"DataType": "String", "StringValue": "Zoë"},
    "count": {"DataType": "Number", "StringValue": "-12.5e3"},
    "bytes": {"DataType": "Binary.raw", "BinaryValue": b"\x00\xff\x10"},
    "Upper": {"DataType": "String.custom", "StringValue": "a b&c=d<e>"},
}


@pytest.mark.parametrize("body", [
    "hello", "x", "line\nbreak\r\ttab", "<xml>&amp;</xml>", "ünïcödé \U0001f32b 雾", "a+b c%20d&e=f;g", " spaces "])
def test_a_message_arrives_as_it_was_sent_with_its_digest(sqs, queue, body):
    sent = sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert (message["Body"], message["MessageId"], message["MD5OfBody"]) == (
        body, sent["MessageId"], sent["MD5OfMessageBody"])
    assert "Attributes" not in message and "MessageAttributes" not in message


def test_a_deleted_message_never_comes_back(server, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="once")
    [message] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=30)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])  # again is no error
    command("clock", "advance", "31s", "--data", server.data)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_message_attributes_arrive_with_their_digest_when_asked_for(sqs, queue):
    sent = sqs.send_message(QueueUrl=queue, MessageBody="b", MessageAttributes=ATTRIBUTES)
    assert sent["MD5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)
    [message] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], VisibilityTimeout=0)["Messages"]
    assert message["MessageAttributes"] == ATTRIBUTES
    assert message["MD5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)
    [message] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["na.*", "count"], VisibilityTimeout=0)["Messages"]
    chosen = {name: ATTRIBUTES[name] for name in ("name", "count")}
    assert message["MessageAttributes"] == chosen and message["MD5OfMessageAttributes"] == attributes_md5(chosen)
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert "MessageAttributes" not in message


@pytest.mark.parametrize("attribute", [
    {"DataType": "String"}, {"DataType": "Colour", "StringValue": "red"}, {"DataType": "", "StringValue": "x"},
    {"DataType": "Number", "StringValue": "many"}, {"DataType": "String", "StringValue": ""}])
def test_a_message_attribute_that_aws_refuses_is_refused(sqs, queue, refused, attribute):
    refusal = refused(sqs.send_message, QueueUrl=queue, MessageBody="b", MessageAttributes={"a": attribute})
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)


def test_system_attributes_come_when_asked_for(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="b")
    sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)
    [message] = sqs.receive_message(QueueUrl=queue, AttributeNames=["All"])["Messages"]
    attributes = message["Attributes"]
    assert attributes["ApproximateReceiveCount"] == "2"
    assert attributes["SenderId"]
    assert int(attributes["SentTimestamp"]) <= int(attributes["ApproximateFirstReceiveTimestamp"])
    assert len(attributes["SentTimestamp"]) == 13


@pytest.mark.parametrize("body, code", [
    ("", "MissingParameter"), ("\x00", "InvalidMessageContents"), ("￿", "InvalidMessageContents")])
def test_a_body_that_aws_refuses_is_refused(sqs, queue, refused, body, code):
    refusal = refused(sqs.send_message, QueueUrl=queue, MessageBody=body)
    assert (refusal.code, refusal.status) == (code, 400)


def test_a_message_of_the_largest_size_is_taken_and_one_byte_more_is_refused(sqs, queue, refused):
    largest = "m" * 1048576
    sqs.send_message(QueueUrl=queue, MessageBody=largest)
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == largest
    refusal = refused(sqs.send_message, QueueUrl=queue, MessageBody=largest + "m")
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)


def test_a_queue_s_own_message_size_limit_holds(sqs, new_name, refused):
    url = sqs.create_queue(QueueName=new_name(), Attributes={"MaximumMessageSize": "1024"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="m" * 1024)
    refusal = refused(sqs.send_message, QueueUrl=url, MessageBody="m" * 1025)
    assert refusal.code == "InvalidParameterValue" and "1024" in refusal.message


def test_a_received_message_is_hidden_until_its_visibility_timeout_has_passed(server, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="b")
    [first] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=100)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    command("clock", "advance", "99s", "--data", server.data)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    command("clock", "advance", "2s", "--data", server.data)
    [again] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert again["MessageId"] == first["MessageId"] and again["ReceiptHandle"] != first["ReceiptHandle"]


def test_visibility_zero_gives_the_message_back_at_once(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="b")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


def test_a_longer_visibility_timeout_hides_the_message_longer(server, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="b")
    [message] = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=10)["Messages"]
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=1000)
    command("clock", "advance", "11s", "--data", server.data)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    command("clock", "advance", "1000s", "--data", server.data)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1


@pytest.mark.parametrize("seconds", [-1, 43201])
def test_a_visibility_timeout_past_12_hours_is_refused(sqs, queue, refused, seconds):
    sqs.send_message(QueueUrl=queue, MessageBody="b")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    refusal = refused(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"],
                      VisibilityTimeout=seconds)
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)


@pytest.mark.parametrize("handle", ["garbage", "AQEB" + "a" * 300])
def test_a_receipt_handle_that_was_never_given_is_refused(sqs, queue, refused, handle):
    assert refused(sqs.delete_message, QueueUrl=queue, ReceiptHandle=handle).code == "ReceiptHandleIsInvalid"
    refusal = refused(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=1)
    assert refusal.code == "ReceiptHandleIsInvalid"


def test_the_visibility_of_a_deleted_message_cannot_be_changed(sqs, queue, refused):
    sqs.send_message(QueueUrl=queue, MessageBody="b")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    refusal = refused(sqs.change_message_visibility, QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"],
                      VisibilityTimeout=5)
    assert refusal.code == "InvalidParameterValue"


def test_a_delayed_message_is_seen_when_its_delay_has_passed(server, sqs, new_name):
    url = sqs.create_queue(QueueName=new_name(), Attributes={"DelaySeconds": "60"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="of the queue")
    sqs.send_message(QueueUrl=url, MessageBody="of its own", DelaySeconds=900)
    sqs.send_message(QueueUrl=url, MessageBody="at once", DelaySeconds=0)

    def bodies():
        return [message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])]

    assert bodies() == ["at once"]
    command("clock", "advance", "61s", "--data", server.data)
    assert "of the queue" in bodies()
    command("clock", "advance", "14m", "--data", server.data)
    assert "of its own" in bodies() + bodies()


def test_a_message_past_its_retention_is_dropped(server, sqs, new_name):
    url = sqs.create_queue(QueueName=new_name(), Attributes={"MessageRetentionPeriod": "3600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="old")
    command("clock", "advance", "59m", "--data", server.data)
    sqs.send_message(QueueUrl=url, MessageBody="new")
    command("clock", "advance", "2m", "--data", server.data)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in messages] == ["new"]


def test_a_long_poll_is_woken_by_a_send(server, sqs, queue):
    got = []

    def receive():
        got.extend(client(server).receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", []))

    poll = threading.Thread(target=receive)
    started = time.monotonic()
    poll.start()
    time.sleep(0.5)  # so that the poll is parked; were it not, the test would still hold
    sqs.send_message(QueueUrl=queue, MessageBody="wake")
    poll.join()
    assert [message["Body"] for message in got] == ["wake"] and time.monotonic() - started < 10


def test_a_long_poll_is_woken_by_a_message_that_becomes_visible(server, sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="back", DelaySeconds=900)
    got = []

    def receive():
        got.extend(client(server).receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", []))

    poll = threading.Thread(target=receive)
    started = time.monotonic()
    poll.start()
    time.sleep(0.5)
    command("clock", "advance", "901s", "--data", server.data)
    poll.join()
    assert [message["Body"] for message in got] == ["back"] and time.monotonic() - started < 10


def test_a_long_poll_that_gets_nothing_ends_after_its_wait(sqs, queue):
    started = time.monotonic()
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)
    assert 0.9 < time.monotonic() - started < 8


def test_one_send_wakes_one_of_several_long_polls(server, sqs, queue):
    got = []

    def receive():
        got.append(client(server).receive_message(QueueUrl=queue, WaitTimeSeconds=3).get("Messages", []))

    polls = [threading.Thread(target=receive) for _ in range(3)]
    for poll in polls:
        poll.start()
    time.sleep(0.5)
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    for poll in polls:
        poll.join()
    assert sorted(map(len, got)) == [0, 0, 1]


def test_a_receive_gives_at_most_the_number_asked_for(sqs, queue, refused):
    for number in range(12):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    bodies = {message["Body"] for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]}
    assert len(bodies) == 10
    for number in (0, 11):
        refusal = refused(sqs.receive_message, QueueUrl=queue, MaxNumberOfMessages=number)
        assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
    assert refused(sqs.receive_message, QueueUrl=queue, WaitTimeSeconds=21).code == "InvalidParameterValue"


def test_a_batch_is_sent_received_and_deleted_entry_by_entry(sqs, queue):
    entries = [{"Id": f"e{number}", "MessageBody": f"body {number}"} for number in range(10)]
    entries[3]["MessageAttributes"] = ATTRIBUTES
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    assert "Failed" not in answer and {entry["Id"] for entry in answer["Successful"]} == {e["Id"] for e in entries}
    by_id = {entry["Id"]: entry for entry in answer["Successful"]}
    assert by_id["e3"]["MD5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)
    assert by_id["e4"]["MD5OfMessageBody"] == hashlib.md5(b"body 4").hexdigest()
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert {message["Body"] for message in messages} == {entry["MessageBody"] for entry in entries}
    handles = [{"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=handles)
    assert "Failed" not in answer and len(answer["Successful"]) == 10
    counts = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_a_bad_entry_of_a_batch_fails_alone(sqs, queue):
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=[
        {"Id": "good", "MessageBody": "b"}, {"Id": "bad", "MessageBody": "b", "DelaySeconds": 901}])
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["SenderFault"], failed["Code"]) == ("bad", True, "InvalidParameterValue")
    [message] = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    answer = sqs.delete_message_batch(QueueUrl=queue, Entries=[
        {"Id": "bad", "ReceiptHandle": "garbage"}, {"Id": "good", "ReceiptHandle": message["ReceiptHandle"]}])
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "ReceiptHandleIsInvalid")]


def test_visibility_is_changed_by_batch(sqs, queue):
    sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(3)])
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    answer = sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[
        {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
        for n, message in enumerate(messages)])
    assert len(answer["Successful"]) == 3
    assert len(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]) == 3


@pytest.mark.parametrize("entries, code", [
    ([], "EmptyBatchRequest"),
    ([{"Id": str(n), "MessageBody": "b"} for n in range(11)], "TooManyEntriesInBatchRequest"),
    ([{"Id": "same", "MessageBody": "b"}] * 2, "BatchEntryIdsNotDistinct"),
    ([{"Id": "not good!", "MessageBody": "b"}], "InvalidBatchEntryId"),
    ([{"Id": "x" * 81, "MessageBody": "b"}], "InvalidBatchEntryId"),
    ([{"Id": str(n), "MessageBody": "m" * 600000} for n in range(2)], "BatchRequestTooLong"),
])
def test_a_batch_that_is_wrong_as_a_whole_is_refused_as_a_whole(sqs, queue, refused, entries, code):
    refusal = refused(sqs.send_message_batch, QueueUrl=queue, Entries=entries)
    assert (refusal.code, refusal.status) == ("AWS.SimpleQueueService." + code, 400)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_nothing_is_lost_or_given_twice_under_concurrent_clients(server, sqs, queue):
    sent, got, lock = set(), [], threading.Lock()

    def send(worker):
        mine = client(server)
        for number in range(50):
            body = f"{worker}-{number}"
            mine.send_message(QueueUrl=queue, MessageBody=body)
            with lock:
                sent.add(body)

    def receive():
        mine = client(server)
        while True:
            messages = mine.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
            if not messages:
                return
            for message in messages:
                mine.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            with lock:
                got.extend(message["Body"] for message in messages)

    threads = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    threads += [threading.Thread(target=receive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 200 and sorted(got) == sorted(sent)
