"""Asynchronous invocations, with handlers that run: through the SDK for Python. Retries are made by moving the clock."""

import itertools
import json
import time

import pytest
from brume import Server, command
from conftest import client
from functions import make, package

ACCOUNT = "123456789012"
REGION = "us-east-1"
HANDLER = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("no " + context.aws_request_id)
    return {"seen": event, "id": context.aws_request_id, "context": getattr(context.client_context, "custom", None)}
"""
numbers = itertools.count(1)


@pytest.fixture
def name(functions):
    name = f"event-{next(numbers)}"
    make(functions, name, Code={"ZipFile": package({"app.py": HANDLER})})
    return name


def arn_of(url):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{url.rsplit('/', 1)[1]}"


def send(functions, name, event, **more):
    answer = functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event), **more)
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert "ExecutedVersion" not in answer and "FunctionError" not in answer
    return answer["ResponseMetadata"]["RequestId"]


def tell(functions, name, queue, **more):
    destination = {"Destination": arn_of(queue)}
    functions.put_function_event_invoke_config(
        FunctionName=name, DestinationConfig={"OnSuccess": destination, "OnFailure": destination}, **more)


def take(sqs, queue, seconds=20):
    """The next message, taken out of the queue."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5, MessageAttributeNames=["All"],
                                           AttributeNames=["All"]).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return message
    raise AssertionError("nothing came")


def wait_metric(server, row, value):
    deadline = time.monotonic() + 20
    while server.metric(f"brume_function_{row}") != value:
        assert time.monotonic() < deadline, (row, server.metric(f"brume_function_{row}"), value)
        time.sleep(0.02)


def test_an_event_is_accepted_at_once_and_processed_soon(functions, sqs, name, queue):
    tell(functions, name, queue)
    request_id = send(functions, name, {"a": 1}, ClientContext="eyJjdXN0b20iOnsiYiI6MX19")
    message = take(sqs, queue)
    record = json.loads(message["Body"])
    assert record["version"] == "1.0" and record["timestamp"].endswith("Z")
    assert record["requestContext"] == {
        "requestId": request_id, "functionArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:$LATEST",
        "condition": "Success", "approximateInvokeCount": 1}
    assert record["requestPayload"] == {"a": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"seen": {"a": 1}, "id": request_id, "context": {"b": 1}}
    assert message["Attributes"]["AWSTraceHeader"].startswith("Root=1-")


def test_a_failed_event_is_tried_three_times_and_then_reaches_both_who_are_told(server, functions, sqs, name, queue, new_name):
    dead = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    functions.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": arn_of(dead)})
    tell(functions, name, queue)
    retried = server.metric("brume_function_events_retried_total")
    request_id = send(functions, name, {"fail": 1})
    wait_metric(server, "events_retried_total", retried + 1)
    command("clock", "advance", "60s", "--data", server.data)
    wait_metric(server, "events_retried_total", retried + 2)
    command("clock", "advance", "119s", "--data", server.data)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    command("clock", "advance", "1s", "--data", server.data)

    record = json.loads(take(sqs, queue)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["requestId"] == request_id
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == f"no {request_id}"
    letter = take(sqs, dead)
    assert json.loads(letter["Body"]) == {"fail": 1}
    assert letter["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": f"no {request_id}"}}


def test_an_event_that_is_too_old_is_not_tried_again(server, functions, sqs, name, queue):
    tell(functions, name, queue, MaximumEventAgeInSeconds=60)
    retried = server.metric("brume_function_events_retried_total")
    send(functions, name, {"fail": 1})
    wait_metric(server, "events_retried_total", retried + 1)
    command("clock", "advance", "60s", "--data", server.data)
    record = json.loads(take(sqs, queue)["Body"])
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert "responsePayload" not in record


def test_a_function_without_concurrency_gives_its_events_up(functions, sqs, name, queue):
    tell(functions, name, queue)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    send(functions, name, {})
    record = json.loads(take(sqs, queue)["Body"])
    assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"


def test_destinations_make_a_chain_of_functions(functions, sqs, name, queue):
    """What one function answers the next one has as its event, and the queue behind it hears of both."""
    second = f"event-{next(numbers)}"
    make(functions, second, Code={"ZipFile": package({"app.py": HANDLER})})
    tell(functions, second, queue)
    functions.put_function_event_invoke_config(FunctionName=name, DestinationConfig={
        "OnSuccess": {"Destination": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{second}"}})
    request_id = send(functions, name, {"first": True})
    record = json.loads(take(sqs, queue)["Body"])
    assert record["requestPayload"]["requestContext"]["requestId"] == request_id
    assert record["requestPayload"]["responsePayload"]["seen"] == {"first": True}
    assert record["requestContext"]["requestId"] != request_id


def test_a_queue_that_is_gone_is_waited_for(server, functions, sqs, name, new_name):
    queue = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    failures = server.metric("brume_function_destination_failures_total")
    tell(functions, name, queue)
    sqs.delete_queue(QueueUrl=queue)
    send(functions, name, {"a": 1})
    wait_metric(server, "destination_failures_total", failures + 1)
    command("clock", "advance", "61s", "--data", server.data)
    sqs.create_queue(QueueName=queue.rsplit("/", 1)[1])
    command("clock", "advance", "128s", "--data", server.data)
    assert json.loads(take(sqs, queue)["Body"])["requestPayload"] == {"a": 1}


def test_versions_and_aliases_have_settings_of_their_own(functions, sqs, name, queue):
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.put_function_event_invoke_config(
        FunctionName=name, Qualifier="live", DestinationConfig={"OnSuccess": {"Destination": arn_of(queue)}})
    send(functions, name, {"to": "$LATEST"})
    send(functions, name, {"to": "live"}, Qualifier="live")
    record = json.loads(take(sqs, queue)["Body"])
    assert record["requestPayload"] == {"to": "live"}
    assert record["requestContext"]["functionArn"].endswith(f":{name}:live")
    assert record["responseContext"]["executedVersion"] == "1"
    functions.delete_alias(FunctionName=name, Name="live")
    assert functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"] == []


def test_what_cannot_be_accepted_is_refused(functions, name, refused):
    def ask(**more):
        return refused(functions.invoke, **{"FunctionName": name, "InvocationType": "Event", **more})

    assert ask(FunctionName="nobody").message == f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:nobody:$LATEST"
    assert ask(Qualifier="9").status == 404
    assert ask(Payload=b"{").code == "InvalidRequestContentException"
    large = ask(Payload=b'"' + b"x" * 1048575 + b'"')
    assert (large.code, large.status) == ("RequestTooLargeException", 413)
    assert large.message == "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"


def test_an_event_of_one_megabyte_is_processed(server, functions, name):
    done = server.metric("brume_function_events_succeeded_total")
    send(functions, name, {"text": "x" * (1048576 - len('{"text": ""}'))})
    wait_metric(server, "events_succeeded_total", done + 1)


def test_the_older_operation_does_the_same(functions, sqs, name, queue):
    tell(functions, name, queue)
    assert functions.invoke_async(FunctionName=name, InvokeArgs=b'{"old": 1}')["Status"] == 202
    assert json.loads(take(sqs, queue)["Body"])["requestPayload"] == {"old": 1}


def test_settings_are_kept_changed_listed_and_deleted(functions, name, queue, refused):
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}:$LATEST"
    none = refused(functions.get_function_event_invoke_config, FunctionName=name)
    assert (none.code, none.message) == ("ResourceNotFoundException", f"The function {arn} doesn't have an EventInvokeConfig")
    assert refused(functions.put_function_event_invoke_config, FunctionName=name).message == (
        "You must specify at least one of error handling or destination setting.")
    put = functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert put["FunctionArn"] == arn and put["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {}}
    functions.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=90)
    both = functions.get_function_event_invoke_config(FunctionName=name)
    assert (both["MaximumRetryAttempts"], both["MaximumEventAgeInSeconds"]) == (1, 90)
    listed = functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
    assert [row["FunctionArn"] for row in listed] == [arn]
    functions.delete_function_event_invoke_config(FunctionName=name)
    assert refused(functions.get_function_event_invoke_config, FunctionName=name).status == 404


@pytest.mark.parametrize("destination, status, message", [
    ("arn:aws:sqs:us-east-1:123456789012:nowhere", 400, "The destination ARN arn:aws:sqs:us-east-1:123456789012:nowhere is invalid."),
    ("arn:aws:lambda:us-east-1:123456789012:function:nobody", 400,
     "The destination ARN arn:aws:lambda:us-east-1:123456789012:function:nobody is invalid."),
    ("arn:aws:sns:us-east-1:123456789012:news", 501, "Brume does not implement topics as destinations of events."),
    ("arn:aws:events:us-east-1:123456789012:event-bus/b", 501, "Brume does not implement event buses as destinations of events."),
    ("arn:aws:s3:::pail", 501, "Brume does not implement buckets as destinations of events."),
    ("arn:aws:sqs:us-east-1:999999999999:far", 501,
     "Brume does not implement queues of other accounts and regions as destinations."),
    ("arn:aws:iam:us-east-1:123456789012:role/r", 400,
     "The provided destination config DestinationConfig(onSuccess=OnSuccess(destination="
     "arn:aws:iam:us-east-1:123456789012:role/r), onFailure=null) is invalid."),
])
def test_a_destination_that_cannot_be_is_refused(functions, name, refused, destination, status, message):
    refusal = refused(functions.put_function_event_invoke_config, FunctionName=name,
                      DestinationConfig={"OnSuccess": {"Destination": destination}})
    assert (refusal.status, refusal.message) == (status, message)


def test_a_function_is_no_destination_of_its_own(functions, name, refused):
    own = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    refusal = refused(functions.put_function_event_invoke_config, FunctionName=name,
                      DestinationConfig={"OnFailure": {"Destination": own}})
    assert refusal.message == "You can't specify the function as a destination for itself."


def test_a_fifo_queue_is_neither_destination_nor_dead_letter_queue(functions, sqs, name, new_name, refused):
    fifo = sqs.create_queue(QueueName=new_name() + ".fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    assert refused(functions.put_function_event_invoke_config, FunctionName=name, DestinationConfig={
        "OnSuccess": {"Destination": arn_of(fifo)}}).message == f"The destination ARN {arn_of(fifo)} is invalid."
    assert refused(functions.update_function_configuration, FunctionName=name, DeadLetterConfig={
        "TargetArn": arn_of(fifo)}).code == "InvalidParameterValueException"


def test_the_command_line_sends_events_and_shows_those_that_wait(server, functions, name):
    retried = server.metric("brume_function_events_retried_total")
    options = ("--data", server.data, "--account", ACCOUNT)
    sent = command("invoke", name, "--async", "--payload", '{"fail": 1}', *options)
    assert len(sent.stdout.strip()) == 36
    wait_metric(server, "events_retried_total", retried + 1)
    rows = [json.loads(line) for line in command("functions", "--json", *options).stdout.splitlines()]
    row = next(row for row in rows if row["name"] == name)
    assert (row["events"], row["more_events"]) == (1, 0) and row["oldest_event_ms"] >= 0
    assert "EVENTS" in command("functions", *options).stdout
    gone = command("invoke", "nobody", "--async", *options, check=False)
    assert gone.returncode == 2 and "there is no function" in gone.stderr
    functions.delete_function(FunctionName=name)
    dropped = server.metric("brume_function_events_dropped_total")
    command("clock", "advance", "60s", "--data", server.data)
    wait_metric(server, "events_dropped_total", dropped + 1)


def test_events_survive_kills_and_each_is_processed(folder):
    """Killed twice, and stopped once, with events accepted, running and waiting: each ends at least once in the queue."""
    data, sent = folder / "data", set()
    server = Server(data)
    functions, sqs = client(server, "lambda"), client(server)
    queue = sqs.create_queue(QueueName="out")["QueueUrl"]
    make(functions, "slow", Code={"ZipFile": package({"app.py": "import time\n\ndef handler(event, context):\n"
                                                      "    time.sleep(0.05)\n    return event\n"})})
    tell(functions, "slow", queue)
    try:
        for end in ("kill", "kill", "terminate"):
            for _ in range(60):
                number = len(sent)
                send(functions, "slow", {"number": number})
                sent.add(number)
            assert getattr(server, end)() in (None, 0), server.errors()
            server = Server(data, listen=f"127.0.0.1:{server.port}")
        seen = set()
        while seen != sent:
            seen.add(json.loads(take(sqs, queue)["Body"])["requestPayload"]["number"])
    finally:
        assert server.terminate() == 0, server.errors()
