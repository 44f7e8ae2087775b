"""FIFO queues through boto3 (Query protocol): order, deduplication, receipts, delays, attempts."""

import hashlib
import threading

import pytest
from brume import command


@pytest.fixture
def new_fifo(sqs, new_name):
    """Makes a FIFO queue with these attributes; gives its URL."""

    def make(**attributes):
        return sqs.create_queue(QueueName=new_name() + ".fifo", Attributes={"FifoQueue": "true", **attributes})["QueueUrl"]

    return make


@pytest.fixture
def fifo(new_fifo):
    return new_fifo(ContentBasedDeduplication="true", VisibilityTimeout="30")


def send(sqs, queue, *messages):
    """Each message is `group body`."""
    for message in messages:
        sqs.send_message(QueueUrl=queue, MessageBody=message.split()[1], MessageGroupId=message.split()[0])


def receive(sqs, queue, count=10, **more):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=count, **more).get("Messages", [])


def bodies(messages):
    return [message["Body"] for message in messages]


def test_groups_are_received_in_order_one_after_the_other(sqs, fifo):
    send(sqs, fifo, "1 1a", "2 2a", "1 1b", "1 1c", "3 3a")
    assert bodies(receive(sqs, fifo)) == ["1a", "1b", "1c", "2a", "3a"]


def test_a_group_waits_for_its_first_message(sqs, fifo):
    send(sqs, fifo, "1 1a", "1 1b", "2 2a")
    [first] = receive(sqs, fifo, 1)
    assert bodies(receive(sqs, fifo)) == ["2a"]
    assert receive(sqs, fifo) == []
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(receive(sqs, fifo)) == ["1b"]


def test_a_long_poll_is_answered_when_the_group_is_free(sqs, fifo):
    send(sqs, fifo, "1 1a", "1 1b")
    [first] = receive(sqs, fifo, 1)
    received = []
    waiting = threading.Thread(target=lambda: received.extend(receive(sqs, fifo, WaitTimeSeconds=20)))
    waiting.start()
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first["ReceiptHandle"])
    waiting.join()
    assert bodies(received) == ["1b"]


def test_ten_consumers_keep_the_order_of_each_group(sqs, fifo):
    for number in range(20):
        sqs.send_message_batch(QueueUrl=fifo, Entries=[
            {"Id": str(group), "MessageBody": f"{group}-{number}", "MessageGroupId": str(group)} for group in range(5)])
    seen, lock = {str(group): [] for group in range(5)}, threading.Lock()

    def consume():
        while messages := receive(sqs, fifo, 3, WaitTimeSeconds=1):
            for message in messages:
                group, number = message["Body"].split("-")
                with lock:  # in the order in which they may be handled: before they are deleted
                    seen[group].append(int(number))
                sqs.delete_message(QueueUrl=fifo, ReceiptHandle=message["ReceiptHandle"])

    consumers = [threading.Thread(target=consume) for _ in range(10)]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join()
    assert seen == {str(group): list(range(20)) for group in range(5)}


def test_a_repeat_is_dropped_for_five_minutes_even_when_the_first_was_deleted(server, sqs, new_fifo):
    queue = new_fifo()
    message = {"QueueUrl": queue, "MessageGroupId": "1", "MessageDeduplicationId": "once"}
    first = sqs.send_message(MessageBody="a", **message)
    [received] = receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=received["ReceiptHandle"])
    second = sqs.send_message(MessageBody="b", **message)
    assert (second["MessageId"], second["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert receive(sqs, queue) == []
    command("clock", "advance", "5m", "--data", server.data)
    third = sqs.send_message(MessageBody="c", **message)
    assert int(third["SequenceNumber"]) > int(first["SequenceNumber"]) and len(first["SequenceNumber"]) == 20
    assert bodies(receive(sqs, queue)) == ["c"]


def test_the_body_stands_in_for_the_id(sqs, fifo):
    send(sqs, fifo, "1 a", "2 a", "1 b")
    messages = receive(sqs, fifo, AttributeNames=["MessageDeduplicationId", "MessageGroupId", "SequenceNumber"])
    assert bodies(messages) == ["a", "b"]
    assert messages[0]["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"a").hexdigest()
    assert messages[0]["Attributes"]["MessageGroupId"] == "1"


def test_a_group_and_an_id_are_needed(sqs, new_fifo, refused):
    queue = new_fifo()
    no_group = refused(sqs.send_message, QueueUrl=queue, MessageBody="a", MessageDeduplicationId="i")
    assert (no_group.code, no_group.message) == (
        "MissingParameter", "The request must contain the parameter MessageGroupId.")
    no_id = refused(sqs.send_message, QueueUrl=queue, MessageBody="a", MessageGroupId="1")
    assert no_id.code == "InvalidParameterValue" and "ContentBasedDeduplication" in no_id.message
    batch = refused(sqs.send_message_batch, QueueUrl=queue, Entries=[
        {"Id": "1", "MessageBody": "a", "MessageGroupId": "1", "MessageDeduplicationId": "i"},
        {"Id": "2", "MessageBody": "b", "MessageGroupId": "1"}])
    assert batch.code == "InvalidParameterValue"
    assert receive(sqs, queue) == []


@pytest.mark.parametrize("name, value", [
    ("MessageGroupId", ""), ("MessageGroupId", "with space"), ("MessageDeduplicationId", "x" * 129)])
def test_ids_have_a_form(sqs, fifo, refused, name, value):
    refusal = refused(sqs.send_message, **{
        "QueueUrl": fifo, "MessageBody": "a", "MessageGroupId": "1", "MessageDeduplicationId": "i", name: value})
    assert (refusal.code, refusal.message) == ("InvalidParameterValue", (
        f"Value {value} for parameter {name} is invalid. Reason: {name} can only include alphanumeric and punctuation "
        "characters. 1 to 128 in length."))


def test_delays_are_the_queues_alone_and_hold_for_what_waits(server, sqs, new_fifo, refused):
    queue = new_fifo(ContentBasedDeduplication="true", DelaySeconds="900")
    refusal = refused(sqs.send_message, QueueUrl=queue, MessageBody="a", MessageGroupId="1", DelaySeconds=2)
    assert refusal.message == ("Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that "
                               "is not valid for this queue type.")
    sqs.send_message(QueueUrl=queue, MessageBody="a", MessageGroupId="1", DelaySeconds=0)
    command("clock", "advance", "1m", "--data", server.data)
    assert receive(sqs, queue) == []
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "30"})
    assert bodies(receive(sqs, queue, WaitTimeSeconds=10)) == ["a"]


def test_a_receipt_handle_expires(server, sqs, fifo, refused):
    send(sqs, fifo, "1 a")
    [message] = receive(sqs, fifo)
    command("clock", "advance", "30s", "--data", server.data)
    handle = message["ReceiptHandle"]
    refusal = refused(sqs.delete_message, QueueUrl=fifo, ReceiptHandle=handle)
    assert (refusal.code, refusal.message) == ("InvalidParameterValue", (
        f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."))
    batch = sqs.delete_message_batch(QueueUrl=fifo, Entries=[{"Id": "1", "ReceiptHandle": handle}])
    assert [entry["Code"] for entry in batch["Failed"]] == ["InvalidParameterValue"]
    assert bodies(receive(sqs, fifo)) == ["a"]


def test_an_attempt_can_be_repeated_until_its_messages_change(sqs, fifo, queue, refused):
    send(sqs, fifo, "1 a", "1 b")
    first = receive(sqs, fifo, ReceiveRequestAttemptId="attempt")
    assert receive(sqs, fifo, ReceiveRequestAttemptId="attempt") == first
    assert receive(sqs, fifo, ReceiveRequestAttemptId="another") == []
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=first[0]["ReceiptHandle"])
    refusal = refused(sqs.receive_message, QueueUrl=fifo, ReceiveRequestAttemptId="attempt")
    assert (refusal.code, refusal.message) == ("InvalidParameterValue", (
        "Value attempt for parameter ReceiveRequestAttemptId is invalid. Reason: The receiveRequestAttemptId is not valid "
        "anymore since the receive call is not retryable."))
    assert refused(sqs.receive_message, QueueUrl=queue, ReceiveRequestAttemptId="x").code == "InvalidParameterValue"


def test_what_was_sent_and_received_survives_kill_9_in_order(start):
    from conftest import client

    server = start("--virtual-clock")
    sqs = client(server)
    queue = sqs.create_queue(QueueName="kept.fifo", Attributes={
        "FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    send(sqs, queue, "1 1a", "1 1b", "2 2a")
    [first] = receive(sqs, queue, 1)
    server.kill()
    server = start("--virtual-clock", data=server.data)
    sqs = client(server)
    send(sqs, queue, "1 1a")  # a repeat still
    assert bodies(receive(sqs, queue)) == ["2a"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(receive(sqs, queue)) == ["1b"]


def test_fifo_attributes_are_reported_and_checked(sqs, new_name, new_fifo, queue, refused):
    fifo = new_fifo(DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
    names = ["FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"]
    assert sqs.get_queue_attributes(QueueUrl=fifo, AttributeNames=names)["Attributes"] == {
        "FifoQueue": "true", "ContentBasedDeduplication": "false", "DeduplicationScope": "messageGroup",
        "FifoThroughputLimit": "perMessageGroupId"}
    for attributes in ({"DeduplicationScope": "queue"}, {"FifoQueue": "false"}, {"FifoThroughputLimit": "x"}):
        assert refused(sqs.set_queue_attributes, QueueUrl=fifo, Attributes=attributes).code == "InvalidAttributeValue"
    assert refused(sqs.set_queue_attributes, QueueUrl=queue,
                   Attributes={"ContentBasedDeduplication": "true"}).code == "InvalidAttributeName"
    assert refused(sqs.create_queue, QueueName=new_name(), Attributes={"FifoQueue": "true"}).message == (
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo "
        "suffix and be 1 to 80 in length.")
