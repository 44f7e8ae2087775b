"""One round through a current boto3 (JSON protocol): BRUME_URL names the server."""

import hashlib
import os

import boto3

sqs = boto3.client("sqs", endpoint_url=os.environ["BRUME_URL"])
url = sqs.create_queue(QueueName="python", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
body = "hello from Python, ünïcödé \U0001f32b"
sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes={
    "from": {"DataType": "String", "StringValue": "python"}})
assert sent["MD5OfMessageBody"] == hashlib.md5(body.encode()).hexdigest()
[message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"])["Messages"]
assert (message["Body"], message["MessageId"]) == (body, sent["MessageId"])
assert message["MessageAttributes"]["from"]["StringValue"] == "python"
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
[message] = sqs.receive_message(QueueUrl=url)["Messages"]
sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"
try:
    sqs.get_queue_url(QueueName="nowhere")
    raise SystemExit("a queue that is not there was found")
except sqs.exceptions.QueueDoesNotExist:
    pass
print("boto3", boto3.__version__)
