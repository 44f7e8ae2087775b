"""What an application does with SQS, through a current boto3 (JSON protocol). AWS_ENDPOINT_URL names the server, and boto3
reads it itself; the SDK checks the digest of each message that it sends or receives."""

import os
import threading

import boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs")
url = sqs.create_queue(QueueName="python", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]


def code_of(function, exception, **arguments):
    """The error's code of a call that must be refused, by an exception of its own."""
    try:
        function(**arguments)
    except exception as error:
        return error.response["Error"]["Code"]
    raise SystemExit(f"{function.__name__} was not refused")


def batches():
    entries = [{"Id": f"m{i}", "MessageBody": f"ünïcödé {i} \U0001f32b", "MessageAttributes": {
        "i": {"DataType": "Number", "StringValue": str(i)}, "raw": {"DataType": "Binary", "BinaryValue": bytes([i, 255])},
    }} for i in range(9)] + [{"Id": "late", "MessageBody": "x", "DelaySeconds": 901}]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert len(answer["Successful"]) == 9
    assert [(failed["Id"], failed["Code"]) for failed in answer["Failed"]] == [("late", "InvalidParameterValue")]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"],
                                   MessageSystemAttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert sorted(message["Body"] for message in messages) == [entry["MessageBody"] for entry in entries[:9]]
    for message in messages:
        assert message["Attributes"] == {"ApproximateReceiveCount": "1"}
        i = int(message["MessageAttributes"]["i"]["StringValue"])
        assert message["MessageAttributes"]["raw"]["BinaryValue"] == bytes([i, 255])
    handles = [{"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)]
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**handle, "VisibilityTimeout": 120} for handle in handles])
    assert len(changed["Successful"]) == 9
    assert len(sqs.delete_message_batch(QueueUrl=url, Entries=handles)["Successful"]) == 9


def a_long_poll():
    threading.Timer(0.5, boto3.client("sqs").send_message, kwargs={"QueueUrl": url, "MessageBody": "woken"}).start()
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    assert message["Body"] == "woken"
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)


def a_mebibyte():
    body = "m" * 1048576
    sqs.send_message(QueueUrl=url, MessageBody=body)
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == body
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert code_of(sqs.send_message, ClientError, QueueUrl=url, MessageBody=body + "m") == "InvalidParameterValue"


def attributes():
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "3"})
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert found["DelaySeconds"] == "3" and found["VisibilityTimeout"] == "60"
    assert found["ApproximateNumberOfMessages"] == found["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert url in sqs.list_queues(QueueNamePrefix="py")["QueueUrls"]


def errors():
    known = sqs.exceptions
    code_of(sqs.create_queue, known.QueueNameExists, QueueName="python", Attributes={"DelaySeconds": "4"})
    code_of(sqs.get_queue_url, known.QueueDoesNotExist, QueueName="nowhere")
    code_of(sqs.delete_message, known.ReceiptHandleIsInvalid, QueueUrl=url, ReceiptHandle="garbage")
    code_of(sqs.delete_message_batch, known.EmptyBatchRequest, QueueUrl=url, Entries=[])
    code_of(sqs.set_queue_attributes, known.InvalidAttributeName, QueueUrl=url, Attributes={"Colour": "red"})


def per_client():
    named = boto3.client("sqs", endpoint_url=os.environ["BRUME_URL"])
    assert named.get_queue_url(QueueName="python")["QueueUrl"] == url


for play in (batches, a_long_poll, a_mebibyte, attributes, errors, per_client):
    play()
print("boto3", boto3.__version__)
