"""Event source mappings that read queues, with functions that run: through the SDK for Python."""

import itertools
import json
import pathlib
import time

import pytest
from conftest import client
from functions import ROLE, make, package, wait_settled

ACCOUNT = "123456789012"
numbers = itertools.count(1)

# Tells a queue what it was given, and fails as the messages say: the whole batch, or some messages alone.
TELLER = """
import boto3, json, os
sqs = boto3.client("sqs")
told = os.environ["TOLD"]

def handler(event, context):
    bodies = [record["body"] for record in event["Records"]]
    sqs.send_message(QueueUrl=told, MessageBody=json.dumps(event))
    if any("poison" in body for body in bodies):
        raise ValueError("poison")
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}
                                  for record in event["Records"] if "bad" in record["body"]]}
"""


def until(check, seconds=20):
    """What `check` gives, once that is something."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


class World:
    """A queue, a function that tells another queue what it gets, and the mapping between."""

    def __init__(self, server, code=TELLER, queue=None, fifo=False, timeout=3, **more):
        self.functions, self.sqs = client(server, "lambda"), client(server, "sqs")
        self.name = f"mapped-{next(numbers)}"
        kind = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if fifo else {}
        self.queue = self.make_queue(self.name + (".fifo" if fifo else ""), **{"VisibilityTimeout": "3", **kind, **(queue or {})})
        self.told = self.make_queue(self.name + "-told")
        make(self.functions, self.name, Timeout=timeout, Code={"ZipFile": package({"app.py": code})},
             Environment={"Variables": {"TOLD": self.told}}, **more)

    def make_queue(self, name, **attributes):
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def arn(self, url=None):
        return self.sqs.get_queue_attributes(QueueUrl=url or self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def map(self, **settings):
        made = self.functions.create_event_source_mapping(FunctionName=self.name, EventSourceArn=self.arn(), **settings)
        self.uuid = made["UUID"]
        return made

    def wait(self, state="Enabled"):
        return until(lambda: self.get() if self.get()["State"] == state else None)

    def get(self):
        return self.functions.get_event_source_mapping(UUID=self.uuid)

    def events(self, count):
        """The first events that the function told of."""
        events = []
        while len(events) < count:
            got = self.sqs.receive_message(QueueUrl=self.told, WaitTimeSeconds=10, MaxNumberOfMessages=10)
            assert got.get("Messages"), (events, self.counts())
            for message in got["Messages"]:
                events.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.told, ReceiptHandle=message["ReceiptHandle"])
        return events

    def counts(self, url=None):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        got = self.sqs.get_queue_attributes(QueueUrl=url or self.queue, AttributeNames=names)["Attributes"]
        return tuple(int(got[name]) for name in names)

    def send(self, *bodies, **more):
        for start in range(0, len(bodies), 10):
            entries = [{"Id": str(i), "MessageBody": body, **more} for i, body in enumerate(bodies[start:start + 10])]
            assert "Failed" not in self.sqs.send_message_batch(QueueUrl=self.queue, Entries=entries)


@pytest.fixture
def world(server):
    """Makes worlds, and takes their mappings away."""
    worlds = []

    def make_world(*arguments, **more):
        worlds.append(World(server, *arguments, **more))
        return worlds[-1]

    yield make_world
    for made in worlds:
        for mapping in made.functions.list_event_source_mappings(FunctionName=made.name)["EventSourceMappings"]:
            made.functions.delete_event_source_mapping(UUID=mapping["UUID"])


def test_a_message_is_given_to_the_function_and_deleted(world):
    one = world()
    made = one.map()
    assert (made["State"], made["StateTransitionReason"]) == ("Creating", "USER_INITIATED")
    one.send('{"a": 1}')
    (event,) = one.events(1)
    (record,) = event["Records"]
    assert (record["body"], record["eventSource"], record["awsRegion"]) == ('{"a": 1}', "aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == one.arn() and record["attributes"]["ApproximateReceiveCount"] == "1"
    assert until(lambda: one.counts() == (0, 0))


def test_messages_that_are_reported_come_back_and_others_do_not(world):
    one = world()
    one.send("good 1", "bad", "good 2")
    one.map(FunctionResponseTypes=["ReportBatchItemFailures"])
    assert [record["body"] for record in one.events(1)[0]["Records"]] == ["good 1", "bad", "good 2"]
    assert until(lambda: one.counts()[0] + one.counts()[1] == 1)
    (again,) = one.events(1)[0]["Records"]
    assert (again["body"], again["attributes"]["ApproximateReceiveCount"]) == ("bad", "2")


def test_poison_reaches_the_dead_letter_queue(world):
    one = world()
    letters = one.make_queue(one.name + "-letters")
    policy = json.dumps({"deadLetterTargetArn": one.arn(letters), "maxReceiveCount": 2})
    one.sqs.set_queue_attributes(QueueUrl=one.queue, Attributes={"RedrivePolicy": policy})
    one.map()
    one.send("poison")
    got = one.sqs.receive_message(QueueUrl=letters, WaitTimeSeconds=20)["Messages"]
    assert [message["Body"] for message in got] == ["poison"]
    assert len(one.events(2)) == 2 and one.counts() == (0, 0)


def test_a_window_gathers_what_comes(world):
    one = world()
    one.map(BatchSize=100, MaximumBatchingWindowInSeconds=2)
    one.wait()
    one.send(*map(str, range(15)))
    one.send(*map(str, range(15, 30)))
    (event,) = one.events(1)
    assert sorted(int(record["body"]) for record in event["Records"]) == list(range(30))


def test_messages_that_no_filter_matches_are_deleted_unseen(world):
    one = world()
    pattern = json.dumps({"body": {"kind": ["order"], "amount": [{"numeric": [">=", 10]}]}})
    made = one.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    assert made["FilterCriteria"] == {"Filters": [{"Pattern": pattern}]}
    one.send('{"kind": "order", "amount": 9}', '{"kind": "order", "amount": 10}', "order")
    assert [record["body"] for record in one.events(1)[0]["Records"]] == ['{"kind": "order", "amount": 10}']
    assert until(lambda: one.counts() == (0, 0))


def test_groups_of_a_fifo_queue_are_worked_through_in_order(world):
    one = world(fifo=True)
    for number in range(20):
        for group in "ab":
            one.sqs.send_message(QueueUrl=one.queue, MessageBody=f"{group} {number}", MessageGroupId=group)
    one.map(BatchSize=3)
    seen = {"a": [], "b": []}
    while len(seen["a"]) + len(seen["b"]) < 40:
        for event in one.events(1):
            for record in event["Records"]:
                group, number = record["body"].split()
                seen[group].append(int(number))
                assert record["attributes"]["MessageGroupId"] == group and record["attributes"]["SequenceNumber"]
    # What the function told may be received in another order: what was given is each once.
    assert {group: sorted(numbers) for group, numbers in seen.items()} == dict.fromkeys("ab", list(range(20)))
    assert until(lambda: one.counts() == (0, 0))


HANGER = """
import boto3, json, os, time
def handler(event, context):
    count = int(event["Records"][0]["attributes"]["ApproximateReceiveCount"])
    boto3.client("sqs").send_message(QueueUrl=os.environ["TOLD"], MessageBody=json.dumps(event))
    if count == 1:
        time.sleep(60)
"""


def test_a_handler_that_hangs_is_ended_and_its_message_given_again(world):
    one = world(code=HANGER, timeout=1)
    one.map(BatchSize=1)
    one.send("a")
    first, second = one.events(2)
    assert [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for event in (first, second)] == ["1", "2"]
    assert until(lambda: one.counts() == (0, 0))


def test_a_disabled_mapping_leaves_messages_alone(world):
    one = world()
    assert one.map(Enabled=False)["State"] == "Creating"
    one.wait("Disabled")
    one.send("a")
    changed = one.functions.update_event_source_mapping(UUID=one.uuid, Enabled=True)
    assert changed["State"] == "Enabling"
    assert one.events(1)[0]["Records"][0]["body"] == "a"
    assert one.functions.update_event_source_mapping(UUID=one.uuid, Enabled=False)["State"] == "Disabling"
    one.wait("Disabled")
    one.send("b")
    assert until(lambda: one.counts() == (1, 0))


def test_mappings_are_changed_and_deleted_while_messages_come(world):
    """Every message is given to the function, whatever happens to the mapping meanwhile."""
    one = world()
    one.map(BatchSize=5)
    sent = [f"m{number}" for number in range(200)]
    for start in range(0, 200, 20):
        one.send(*sent[start:start + 20])
        one.wait()
        one.functions.update_event_source_mapping(UUID=one.uuid, BatchSize=1 + start % 10)
        if start == 100:
            one.wait()
            assert one.functions.delete_event_source_mapping(UUID=one.uuid)["State"] == "Deleting"
            one.map(BatchSize=5)
    until(lambda: one.counts() == (0, 0))
    seen = set()
    while len(seen) < 200:
        seen |= {record["body"] for event in one.events(1) for record in event["Records"]}
    assert seen == set(sent)


def test_a_function_without_concurrency_leaves_messages_for_later(world):
    one = world()
    one.functions.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=0)
    one.map()
    one.send("a")
    assert until(lambda: one.counts() == (0, 1))
    one.functions.put_function_concurrency(FunctionName=one.name, ReservedConcurrentExecutions=1)
    assert one.events(1)[0]["Records"][0]["body"] == "a"
    assert until(lambda: one.counts() == (0, 0))


def test_a_deleted_dead_letter_queue_loses_no_message(world):
    one = world()
    letters = one.make_queue(one.name + "-letters")
    policy = json.dumps({"deadLetterTargetArn": one.arn(letters), "maxReceiveCount": 1})
    one.sqs.set_queue_attributes(QueueUrl=one.queue, Attributes={"RedrivePolicy": policy})
    one.sqs.delete_queue(QueueUrl=letters)
    one.map()
    one.send("poison")
    assert len(one.events(2)) == 2  # it is received again instead
    assert sum(one.counts()) == 1


def test_a_breaker_stops_a_mapping_whose_function_fails(world):
    one = world()
    one.map(BatchSize=1)
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:{one.uuid}"
    one.functions.tag_resource(Resource=arn, Tags={"brume:circuit-breaker": "threshold=2 recovery=3"})
    one.send("poison 1", "poison 2")
    one.events(2)
    opened = until(lambda: one.get() if "open" in one.get()["StateTransitionReason"] else None)
    assert opened["StateTransitionReason"].startswith("Circuit breaker open: 2 failures in a row, opened at ")
    assert opened["State"] == "Enabled"
    one.sqs.purge_queue(QueueUrl=one.queue)
    one.send("good")
    assert one.counts()[0] == 1
    assert one.events(1)[0]["Records"][0]["body"] == "good"  # the probe, three seconds later
    assert until(lambda: one.get()["StateTransitionReason"] == "USER_INITIATED")


POWERTOOLS = """
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
const processor = new BatchProcessor(EventType.SQS);
const work = async (record) => { if (record.body.includes('bad')) throw new Error('no'); };
export const handler = async (event, context) => processPartialResponse(event, work, processor, { context });
"""


def test_the_batch_processor_of_powertools_runs_unmodified(world):
    modules = pathlib.Path(__file__).parents[1] / "runtime" / "node_modules"
    files = {f"node_modules/{path.relative_to(modules)}": path.read_text()
             for name in ("@aws-lambda-powertools/batch", "@aws-lambda-powertools/commons")
             for path in sorted((modules / name).rglob("*")) if path.suffix in (".js", ".json", ".mjs", ".cjs")}
    one = world(queue={"VisibilityTimeout": "30"})
    one.functions.create_function(FunctionName=one.name + "-js", Runtime="nodejs22.x", Handler="app.handler", Role=ROLE,
                                  Code={"ZipFile": package({"app.mjs": POWERTOOLS, **files})})
    wait_settled(one.functions, one.name + "-js")
    one.send("good 1", "bad", "good 2")
    one.functions.create_event_source_mapping(FunctionName=one.name + "-js", EventSourceArn=one.arn(),
                                              FunctionResponseTypes=["ReportBatchItemFailures"])
    assert until(lambda: one.counts() == (0, 1))


def test_what_a_killed_server_ran_runs_again(start, folder):
    """kill -9 with messages in flight: each is processed at least once, and none is left."""
    server = start(data=folder / "data")
    one = World(server)
    one.map(BatchSize=10)
    one.wait()
    sent = [f"m{number}" for number in range(2000)]
    one.send(*sent[:1000])
    server.kill()
    server = start(data=folder / "data")
    again = World.__new__(World)
    again.__dict__ = {**one.__dict__, "functions": client(server, "lambda"), "sqs": client(server, "sqs")}
    port = one.queue.split("/")[2]
    again.queue, again.told = (url.replace(port, server.url.split("/")[2]) for url in (one.queue, one.told))
    again.send(*sent[1000:])
    seen = set()
    while len(seen) < 2000:
        seen |= {record["body"] for event in again.events(1) for record in event["Records"]}
    assert seen == set(sent)
    assert until(lambda: again.counts() == (0, 0))
