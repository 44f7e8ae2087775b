"""What events, mappings and logs are given by whoever means no good: the server goes on, and others with it."""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError
from conftest import client
from functions import make, package
from test_mappings import TELLER, World, until, world  # fixtures

ECHO = """
def handler(event, context):
    return event
"""
# Answers what the first message says.
ANSWERER = """
import boto3, json, os
sqs = boto3.client("sqs")

def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps([r["body"][:20] for r in event["Records"]]))
    ids = [record["messageId"] for record in event["Records"]]
    return eval(event["Records"][0]["body"])
"""


@pytest.fixture(scope="module")
def logs(server):
    return client(server, "logs")


@pytest.fixture
def group(logs, new_name):
    name = f"/hostile/{new_name()}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def code_of(function, **arguments):
    with pytest.raises(ClientError) as caught:
        function(**arguments)
    return caught.value.response["Error"]["Code"]


# ---- Filters of mappings ----

def bomb():
    """680 bytes that make 930 combinations, each looked for in each object of a list."""
    ones = [{"b": [1]}] * 31
    return json.dumps({"body": {"a": {"$or": ones, "c": {"$or": ones[1:]}, "d": [1], "e": [1], "f": [1], "g": [1]}}},
                      separators=(",", ":"))


def test_hostile_filters_cost_their_own_messages_alone(server, world):
    one, other = world(), world()
    other.map()
    one.map(FilterCriteria={"Filters": [{"Pattern": bomb()}] * 5})
    one.wait()
    other.wait()
    one.send('{"a":[' + '{"b":1},' * 120_000 + '1]}')
    other.send("good")
    other.events(1)
    until(lambda: "mapping_filter_takes_too_long" in server.errors())
    assert one.counts() == (0, 1)  # neither dropped nor run
    assert until(lambda: other.counts() == (0, 0))
    # Filters are changed, and the mapping is deleted, while they are at work.
    one.send(*['{"a":[' + '{"b":1},' * 30_000 + '1]}'] * 3)
    until(lambda: one.counts() == (0, 4))
    one.functions.update_event_source_mapping(UUID=one.uuid, FilterCriteria={"Filters": [{"Pattern": bomb()}] * 4})
    one.wait()
    one.functions.delete_event_source_mapping(UUID=one.uuid)
    until(lambda: not one.functions.list_event_source_mappings(FunctionName=one.name)["EventSourceMappings"])
    other.send("better")
    other.events(1)


@pytest.mark.parametrize("pattern", [
    '{"body":' + '{"a":' * 700 + "[1]" + "}" * 701,
    '{"body":{"a":[' + "[" * 4000,
    '{"$or":[{"a":[1]},{"b":[1]}],' * 130 + '"c":[1]' + "}" * 130,
    '{' + ",".join('"$or":[{"a":[%d]},{"b":[1]}]' % i for i in range(20)) + "}",
    '{"body":[{"wildcard":"' + "*a" * 2100 + '"}]}',
    '{"body":[{"wildcard":"a**b"}]}',
    '{"body":[{"numeric":[">",' + "9" * 3000 + "]}]}",
    '{"' + "a." * 2040 + '":[1]}',
    '{"body":["\ud800"]}',
])
def test_hostile_patterns_are_refused_or_bounded(world_of_patterns, pattern):
    functions, name, arn = world_of_patterns
    try:
        uuid = functions.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, Enabled=False, FilterCriteria={
            "Filters": [{"Pattern": pattern}]})["UUID"]
    except ClientError as refused:
        assert refused.response["Error"]["Code"] in ("InvalidParameterValueException", "ValidationException",
                                                     "SerializationException", "InvalidRequestContentException"), refused
        return
    functions.delete_event_source_mapping(UUID=uuid)


@pytest.fixture(scope="module")
def world_of_patterns(server):
    one = World(server)
    return one.functions, one.name, one.arn()


# ---- Answers of batches ----

@pytest.mark.parametrize("answer, deleted", [
    ("{'batchItemFailures': [{'itemIdentifier': i} for i in ids] + [{'itemIdentifier': 'x'}] * 10000}", False),
    ("{'batchItemFailures': [{'itemIdentifier': ids[0]}] * 10000}", False),
    ("{'batchItemFailures': [{'itemIdentifier': '00000000-0000-4000-8000-000000000000'}]}", False),
    ("{'batchItemFailures': [{'itemIdentifier': chr(0x1f600) + chr(0)}]}", False),
    ("{'batchItemFailures': [{'itemIdentifier': ''}]}", False),
    ("{'batchItemFailures': [{'itemIdentifier': [[[[{}]]]]}]}", False),
    ("{'batchItemFailures': [" + "[" * 80 + "]" * 80 + "]}", False),
    ("{'batchItemFailures': [], 'more': ['x' * 1000] * 5000}", True),
    ("'x' * 6000000", False),
    ("'x' * 9000000", False),
])
def test_answers_of_batches_delete_nothing_that_was_not_processed(world, answer, deleted):
    one = world(code=ANSWERER, queue={"VisibilityTimeout": "600"})
    one.send(answer)
    one.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    one.events(1)
    if deleted:
        assert until(lambda: one.counts() == (0, 0))
    else:
        # The outcome is known when the next message has gone through.
        one.send("{}")
        one.events(1)
        assert until(lambda: one.counts() == (0, 1))


def test_a_poison_group_holds_up_itself_alone(world):
    one = world(fifo=True, queue={"VisibilityTimeout": "600"})
    one.map(BatchSize=1)
    one.wait()
    one.send("poison 1", "poison 2", MessageGroupId="bad")
    for start in range(0, 100, 10):
        for i in range(start, start + 10):
            one.send(f"good {i}", MessageGroupId=f"g{i}")
    assert until(lambda: sum(one.counts()) == 2, 60)


def test_a_queue_and_a_function_may_go_while_a_batch_runs(server, world):
    one = world(code="import time\ndef handler(event, context):\n    time.sleep(1)\n")
    one.map()
    one.wait()
    one.send("a")
    until(lambda: one.counts()[1] == 1)
    one.sqs.delete_queue(QueueUrl=one.queue)
    one.functions.delete_function(FunctionName=one.name)
    time_up = time.monotonic() + 1.5
    assert until(lambda: time.monotonic() > time_up and server.process.poll() is None)
    make(one.functions, one.name, Code={"ZipFile": package({"app.py": ECHO})})
    assert one.functions.invoke(FunctionName=one.name, Payload="1")["Payload"].read() == b"1"


# ---- Asynchronous events ----

def test_functions_that_send_to_each_other_end(server, functions):
    """A's result is sent to B, and B's to A: a loop, which is seen and ended."""
    for name in ("ring-a", "ring-b"):
        make(functions, name, Code={"ZipFile": package({"app.py": ECHO})})
    arn = functions.get_function_configuration(FunctionName="ring-a")["FunctionArn"][:-1]
    for name, other in (("ring-a", "b"), ("ring-b", "a")):
        functions.put_function_event_invoke_config(
            FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": arn + other}})
    functions.invoke(FunctionName="ring-a", InvocationType="Event", Payload="{}")
    ran = lambda: server.metric('brume_function_invocations_total')
    last = [-1, time.monotonic()]

    def is_quiet():
        if ran() != last[0]:
            last[:] = [ran(), time.monotonic()]
        return time.monotonic() - last[1] > 2

    assert until(is_quiet, 30)


@pytest.mark.parametrize("destination", [
    "arn:aws:sqs:us-east-1:999999999999:other", "arn:aws:sqs:us-east-1:123456789012:" + "a" * 300,
    "arn:aws:sqs:us-east-1:123456789012:../x", "arn:aws:lambda:us-east-1:123456789012:function:", "arn:aws:s3:::bucket",
    "arn:aws:sqs:us-east-1::x", "arn:aws:lambda:us-east-1:999999999999:function:other", "http://127.0.0.1/",
])
def test_destinations_that_are_none_are_refused_or_reach_nobody(server, functions, destination):
    name = "tricked-" + str(abs(hash(destination)) % 10 ** 9)
    make(functions, name, Code={"ZipFile": package({"app.py": ECHO})})
    try:
        functions.put_function_event_invoke_config(
            FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": destination}})
    except ClientError as refused:
        assert refused.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404, 501), refused
        return
    functions.invoke(FunctionName=name, InvocationType="Event", Payload="{}")
    # It ends, and another one runs.
    assert functions.invoke(FunctionName=name, Payload="7")["Payload"].read() == b"7"


# ---- Logs ----

@pytest.mark.parametrize("pattern", [
    "%a.{0,99}.{0,99}[bc]%", "%[^yz]*[yz]%", "%a*a*a*a*a*a*a*a*[bc]%", "{ $.a[*].b[*].c[*] = *x*x*x* }",
    "{ " + "(" * 33 + "$.a = 1" + ")" * 33 + " }", "{ " + " && ".join(["$.a[*].b = 1"] * 60) + " }", "[" + "a," * 300 + "]",
])
def test_hostile_filters_of_logs_end(logs, group, pattern):
    text = '{"a":[' + '{"b":[{"c":"xxxx"}]},' * 11000 + '1]}'
    start = int(time.time() * 1000) - 1000
    for message in ("a" * 250_000, text):
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": start, "message": message}])
    try:
        logs.filter_log_events(logGroupName=group, filterPattern=pattern)
    except ClientError as refused:
        assert refused.response["Error"]["Code"] == "InvalidParameterException"


@pytest.mark.parametrize("token", ["", "f/", "f/" + "9" * 56 + "/s", "b/" + "0" * 56 + "/s", "x/" + "0" * 56 + "/s",
                                   "f/" + "-" * 56 + "/s", "n/" + "1" * 56 + "/s", "a" * 100_000, "f/" + "\x00" * 56 + "/s"])
def test_tokens_that_nobody_gave_are_refused_or_lead_nowhere(logs, group, token):
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[
        {"timestamp": int(time.time() * 1000), "message": "x"}])
    for call, more in ((logs.get_log_events, {"logStreamName": "s"}), (logs.filter_log_events, {})):
        try:
            answer = call(logGroupName=group, nextToken=token, **more)
        except Exception as refused:
            assert getattr(refused, "response", {"Error": {"Code": "ParamValidation"}})["Error"]["Code"] in (
                "InvalidParameterException", "ParamValidation", "ValidationException"), refused
            continue
        assert len(answer["events"]) <= 1


@pytest.mark.parametrize("time_ms", [0, 1, 2 ** 53, 2 ** 62, 2 ** 63 - 1])
def test_times_far_away_are_rejected_and_read_as_nothing(logs, group, time_ms):
    answer = logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[{"timestamp": time_ms, "message": "x"}])
    assert "rejectedLogEventsInfo" in answer
    for more in ({"startTime": time_ms}, {"endTime": time_ms}, {"startTime": time_ms, "endTime": 0}):
        assert logs.filter_log_events(logGroupName=group, **more)["events"] == []
        assert logs.get_log_events(logGroupName=group, logStreamName="s", **more)["events"] == []


def test_events_of_many_streams_at_one_time_are_read_page_by_page(logs, group):
    """As many bytes as nobody could hold, all of one millisecond."""
    start = int(time.time() * 1000) - 60_000
    for i in range(280):
        logs.create_log_stream(logGroupName=group, logStreamName=f"s{i}")
        logs.put_log_events(logGroupName=group, logStreamName=f"s{i}", logEvents=[
            {"timestamp": start, "message": "m" * 250_000 + str(j)} for j in range(4)])
    first = logs.filter_log_events(logGroupName=group)
    second = logs.filter_log_events(logGroupName=group, nextToken=first["nextToken"])
    seen = [event["eventId"] for page in (first, second) for event in page["events"]]
    assert len(seen) == len(set(seen)) >= 6
    logs.delete_log_group(logGroupName=group)


def test_a_group_may_go_while_it_is_read_and_written(logs, new_name):
    name = f"/hostile/{new_name()}"
    stop = threading.Event()
    wrong = []

    def hammer(call, **arguments):
        while not stop.is_set():
            try:
                call(logGroupName=name, **arguments)
            except ClientError as refused:
                code = refused.response["Error"]["Code"]
                if code not in ("ResourceNotFoundException", "ResourceAlreadyExistsException", "OperationAbortedException",
                                "ThrottlingException"):
                    wrong.append(refused)

    threads = [threading.Thread(target=hammer, args=(call,), kwargs=more) for call, more in (
        (logs.create_log_group, {}), (logs.create_log_stream, {"logStreamName": "s"}), (logs.filter_log_events, {}),
        (logs.get_log_events, {"logStreamName": "s"}), (logs.describe_log_streams, {}),
        (logs.put_log_events, {"logStreamName": "s", "logEvents": [
            {"timestamp": int(time.time() * 1000), "message": "m" * 1000}] * 50}))]
    for thread in threads:
        thread.start()
    for _ in range(40):
        try:
            logs.delete_log_group(logGroupName=name)
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "ResourceNotFoundException", refused
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_function_that_logs_without_measure_harms_itself_alone(server, functions):
    make(functions, "loud", Timeout=20, MemorySize=256, Code={"ZipFile": package({"app.py": """
import os
def handler(event, context):
    block = event["unit"].encode() * (65536 // len(event["unit"]))
    for _ in range(event["times"]):
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(1, rest):]
    return "done"
"""})})
    before = resident(server)
    for unit in ("x", "y\n", "z" * 100 + "\n"):
        result = functions.invoke(FunctionName="loud", Payload=json.dumps({"unit": unit, "times": 400}))
        assert result["Payload"].read() in (b'"done"',) or result["FunctionError"]
    # What is kept of 75 MB of lines is bounded.
    assert resident(server) - before < 200_000


def resident(server):
    with open(f"/proc/{server.process.pid}/status") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])
