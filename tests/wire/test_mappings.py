"""Event source mappings that read queues, with functions that run: through the SDK for Python."""

import itertools
import json
import time

import pytest
from conftest import client
from functions import make, package

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
        self.queue = self.make_queue(self.name + (".fifo" if fifo else ""), VisibilityTimeout="3", **kind, **(queue or {}))
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
