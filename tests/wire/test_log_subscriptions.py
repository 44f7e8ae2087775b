"""Subscriptions: what a log group takes is sent to a function."""

import base64
import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError
from brume import Server
from conftest import client
from functions import make, package

# What it gets it sends on to a queue, so that a test sees it.
CODE = """
import boto3, os
def handler(event, context):
    sqs = boto3.client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=event["awslogs"]["data"])
"""


@pytest.fixture(scope="module")
def logs(server):
    return client(server, "logs")


@pytest.fixture
def group(logs, new_name):
    name = f"/subscribed/{new_name()}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def put(logs, group, *texts):
    start = int(time.time() * 1000)
    logs.put_log_events(logGroupName=group, logStreamName="s",
                        logEvents=[{"timestamp": start + i, "message": text} for i, text in enumerate(texts)])
    return start


def make_sink(functions, sqs, name):
    """A function that sends what it gets to a queue, and lets CloudWatch Logs in: (its ARN, the queue's URL)."""
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    made = make(functions, name, Code={"ZipFile": package({"app.py": CODE})}, Timeout=20, Environment={"Variables": {"QUEUE": queue}})
    functions.add_permission(FunctionName=name, StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com")
    return made["FunctionArn"], queue


def received(sqs, queue, seconds=40):
    """The next document that came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return json.loads(gzip.decompress(base64.b64decode(message["Body"])))
    raise AssertionError("nothing came")


def refusal(function, **arguments):
    with pytest.raises(ClientError) as caught:
        function(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_events_that_match_are_sent_to_the_function(logs, functions, sqs, group, new_name):
    arn, queue = make_sink(functions, sqs, new_name())
    logs.put_subscription_filter(logGroupName=group, filterName="errors", filterPattern="ERROR", destinationArn=arn)
    put(logs, group, "fine")
    start = put(logs, group, "ERROR one", "fine", "ERROR two")
    document = received(sqs, queue)
    ids = [event.pop("id") for event in document["logEvents"]]
    assert ids == sorted(ids) and len(set(ids)) == 2
    assert document == {
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": group, "logStream": "s",
        "subscriptionFilters": ["errors"],
        "logEvents": [{"timestamp": start, "message": "ERROR one"}, {"timestamp": start + 2, "message": "ERROR two"}]}
    assert [event["eventId"] for event in logs.filter_log_events(logGroupName=group, filterPattern="ERROR")["events"]] == ids
    logs.delete_subscription_filter(logGroupName=group, filterName="errors")
    put(logs, group, "ERROR three")
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)


def test_what_a_function_logs_is_sent_to_another(logs, functions, sqs, new_name):
    name = new_name()
    make(functions, name, Code={"ZipFile": package({"app.py": "def handler(event, context):\n    print('one ERROR')\n"})})
    arn, queue = make_sink(functions, sqs, new_name())
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    logs.put_subscription_filter(logGroupName=f"/aws/lambda/{name}", filterName="f", filterPattern="%ERR.R%", destinationArn=arn)
    functions.invoke(FunctionName=name)
    assert [event["message"].rstrip() for event in received(sqs, queue)["logEvents"]] == ["one ERROR"]


def test_a_subscription_is_described_as_it_was_made(logs, functions, group, new_name):
    name = new_name()
    arn = make(functions, name)["FunctionArn"]
    functions.add_permission(FunctionName=name, StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.us-east-1.amazonaws.com",
                             SourceArn=f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*")
    for filter_name in ("b", "a"):
        logs.put_subscription_filter(logGroupName=group, filterName=filter_name, filterPattern="x", destinationArn=arn)
    logs.put_subscription_filter(logGroupName=group, filterName="a", filterPattern="y", destinationArn=arn)
    [a, b] = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert a.pop("creationTime") > 0
    assert a == {"filterName": "a", "logGroupName": group, "filterPattern": "y", "destinationArn": arn, "distribution": "ByLogStream"}
    assert refusal(logs.put_subscription_filter, logGroupName=group, filterName="c", filterPattern="", destinationArn=arn)[0] == "LimitExceededException"
    pages = logs.get_paginator("describe_subscription_filters").paginate(logGroupName=group, PaginationConfig={"PageSize": 1})
    assert [[one["filterName"] for one in page["subscriptionFilters"]] for page in pages] == [["a"], ["b"]]
    assert refusal(logs.delete_subscription_filter, logGroupName=group, filterName="c")[0] == "ResourceNotFoundException"


def test_destinations_that_cannot_be_are_refused(logs, functions, group, new_name):
    name = new_name()
    arn = make(functions, name)["FunctionArn"]
    where = {"logGroupName": group, "filterName": "f", "filterPattern": ""}
    denied = ("InvalidParameterException", "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission "
              "to execute your function.")
    assert refusal(logs.put_subscription_filter, destinationArn=arn, **where) == denied
    assert refusal(logs.put_subscription_filter, destinationArn=arn + "-none", **where) == denied
    assert refusal(logs.put_subscription_filter, destinationArn=arn.replace("123456789012", "210987654321"), **where)[0] == "AccessDeniedException"
    stream = "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    assert refusal(logs.put_subscription_filter, destinationArn=stream, **where)[0] == "InvalidParameterException"
    assert refusal(logs.put_subscription_filter, destinationArn=stream, roleArn="arn:aws:iam::123456789012:role/r", **where)[0] == "NotImplemented"
    functions.add_permission(FunctionName=name, StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com")
    assert refusal(logs.put_subscription_filter, destinationArn=arn, **{**where, "filterPattern": "%(%"})[0] == "InvalidParameterException"
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    code, message = refusal(logs.put_subscription_filter, destinationArn=arn, **{**where, "logGroupName": f"/aws/lambda/{name}"})
    assert code == "InvalidParameterException" and "its own log" in message


def test_what_was_not_sent_before_a_kill_is_sent_after_it(folder):
    """Chunks and their marks are one transaction: none is forgotten, none is sent twice."""
    server = Server(folder / "data")
    logs, functions, sqs = (client(server, service) for service in ("logs", "lambda", "sqs"))
    make_sink(functions, sqs, "sink")
    arn = functions.get_function(FunctionName="sink")["Configuration"]["FunctionArn"]
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    logs.put_subscription_filter(logGroupName="g", filterName="f", filterPattern="", destinationArn=arn)
    for i in range(20):
        put(logs, "g", f"event {i}")
    server.kill()
    again = Server(folder / "data", listen=f"127.0.0.1:{server.port}")
    try:
        sqs = client(again, "sqs")
        queue = sqs.get_queue_url(QueueName="sink")["QueueUrl"]
        seen = set()
        while len(seen) < 20:
            seen |= {event["message"] for event in received(sqs, queue)["logEvents"]}
        assert seen == {f"event {i}" for i in range(20)}
    finally:
        assert again.terminate() == 0, again.errors()
