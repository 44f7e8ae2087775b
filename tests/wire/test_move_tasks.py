"""Message move tasks, in the JSON protocol and in Query (Debian's boto3 knows nothing of them)."""

import json
import time

import pytest
from brume import command
from conftest import client

ACCOUNT = "123456789012"


def arn(name):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


HEADERS = {"authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/sqs/aws4_request, "
                            "SignedHeaders=host, Signature=00"}


def call(server, operation, **document):
    status, headers, body = server.json(operation, json.dumps(document).encode(), HEADERS)
    return status, json.loads(body), headers


def ok(server, operation, **document):
    status, answer, _ = call(server, operation, **document)
    assert status == 200, answer
    return answer


def refused(server, operation, **document):
    """(status, Query code, message)."""
    status, answer, headers = call(server, operation, **document)
    assert status != 200
    return status, headers["x-amzn-query-error"].split(";")[0], answer["message"]


class Letters:
    """A dead-letter queue full of letters of one source; `bodies` are theirs."""

    def __init__(self, server, prefix, count):
        self.server, self.sqs, self.source, self.name = server, client(server), f"{prefix}-source", f"{prefix}-letters"
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.source_url = self.sqs.create_queue(QueueName=self.source, Attributes={
            "VisibilityTimeout": "0",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn(self.name), "maxReceiveCount": 1})})["QueueUrl"]
        self.bodies = [f"letter {number}" for number in range(count)]
        for first in range(0, count, 10):
            self.sqs.send_message_batch(QueueUrl=self.source_url, Entries=[
                {"Id": str(i), "MessageBody": body} for i, body in enumerate(self.bodies[first:first + 10])])
        while self.depth(self.url) < count:
            self.sqs.receive_message(QueueUrl=self.source_url, MaxNumberOfMessages=10)

    def depth(self, url):
        names = ["ApproximateNumberOfMessages"]
        return int(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]])

    def start(self, **more):
        return ok(self.server, "StartMessageMoveTask", SourceArn=arn(self.name), **more)["TaskHandle"]

    def tasks(self, **more):
        return ok(self.server, "ListMessageMoveTasks", SourceArn=arn(self.name), **more)["Results"]

    def ended(self, seconds=30):
        """The last task, when it is not running any more."""
        end = time.monotonic() + seconds
        while (task := self.tasks()[0])["Status"] == "RUNNING":
            assert time.monotonic() < end
        return task

    def drain(self, url):
        """The bodies of all visible messages, each of which is deleted."""
        seen = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
            for message in messages:
                seen.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return seen


@pytest.fixture
def letters(server, new_name):
    return lambda count: Letters(server, new_name(), count)


def test_letters_go_back_to_their_source_as_new_messages(server, letters):
    queue = letters(25)
    before = queue.sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=0)["Messages"][0]["MessageId"]
    command("clock", "advance", "60s", "--data", server.data)
    queue.start()
    task = queue.ended()
    assert {name: task[name] for name in ("Status", "SourceArn", "ApproximateNumberOfMessagesMoved",
                                          "ApproximateNumberOfMessagesToMove")} == {
        "Status": "COMPLETED", "SourceArn": arn(queue.name), "ApproximateNumberOfMessagesMoved": 25,
        "ApproximateNumberOfMessagesToMove": 25}
    assert not {"TaskHandle", "DestinationArn", "FailureReason", "MaxNumberOfMessagesPerSecond"} & set(task)
    message = queue.sqs.receive_message(QueueUrl=queue.source_url, AttributeNames=["All"], VisibilityTimeout=0)["Messages"][0]
    assert message["MessageId"] != before
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert int(message["Attributes"]["SentTimestamp"]) >= task["StartedTimestamp"]
    assert "DeadLetterQueueSourceArn" not in message["Attributes"]
    queue.sqs.set_queue_attributes(QueueUrl=queue.source_url, Attributes={"RedrivePolicy": ""})
    assert sorted(queue.drain(queue.source_url)) == sorted(queue.bodies)
    assert queue.depth(queue.url) == 0


def test_letters_go_to_the_queue_that_is_named(server, letters, new_name):
    queue = letters(12)
    name = new_name()
    url = queue.sqs.create_queue(QueueName=name)["QueueUrl"]
    queue.start(DestinationArn=arn(name), MaxNumberOfMessagesPerSecond=500)
    command("clock", "advance", "5s", "--data", server.data)
    task = queue.ended()
    assert (task["Status"], task["DestinationArn"], task["MaxNumberOfMessagesPerSecond"]) == ("COMPLETED", arn(name), 500)
    assert sorted(queue.drain(url)) == sorted(queue.bodies)


def test_a_running_task_has_a_handle_and_is_cancelled_by_it(server, letters):
    queue = letters(10)
    handle = queue.start(MaxNumberOfMessagesPerSecond=1)
    running, = queue.tasks()
    assert (running["Status"], running["TaskHandle"]) == ("RUNNING", handle)
    assert refused(server, "StartMessageMoveTask", SourceArn=arn(queue.name)) == (
        400, "InvalidParameterValue",
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
    moved = ok(server, "CancelMessageMoveTask", TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    assert 0 <= moved < 10
    command("clock", "advance", "60s", "--data", server.data)
    task, = queue.tasks()
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("CANCELLED", moved)
    assert "TaskHandle" not in task and queue.depth(queue.url) == 10 - moved
    assert refused(server, "CancelMessageMoveTask", TaskHandle=handle) == (
        400, "InvalidParameterValue", "Only active tasks can be cancelled.")


def test_a_rate_is_kept(server, letters):
    queue = letters(30)
    queue.start(MaxNumberOfMessagesPerSecond=5)
    command("clock", "advance", "2s", "--data", server.data)
    assert 10 <= queue.tasks()[0]["ApproximateNumberOfMessagesMoved"] <= 20
    command("clock", "advance", "5s", "--data", server.data)
    assert queue.ended()["ApproximateNumberOfMessagesMoved"] == 30


def test_a_letter_of_unknown_source_fails_the_task_with_its_reason(server, letters):
    queue = letters(1)
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="sent here")
    queue.start()
    task = queue.ended()
    assert (task["Status"], task["FailureReason"], task["ApproximateNumberOfMessagesMoved"]) == (
        "FAILED", "CouldNotDetermineMessageSource", 1)
    assert queue.drain(queue.url) == ["sent here"]


def test_a_source_that_is_gone_fails_the_task_with_its_reason(server, letters, new_name):
    queue = letters(3)
    other = queue.sqs.create_queue(QueueName=new_name(), Attributes={
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn(queue.name), "maxReceiveCount": 1})})["QueueUrl"]
    queue.sqs.delete_queue(QueueUrl=queue.source_url)
    assert other
    queue.start()
    task = queue.ended()
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "AWS.SimpleQueueService.NonExistentQueue")
    assert sorted(queue.drain(queue.url)) == sorted(queue.bodies)


def test_the_last_tasks_are_listed_newest_first(server, letters):
    queue = letters(0)
    for number in range(12):
        queue.start(MaxNumberOfMessagesPerSecond=number + 1)
        queue.ended()
    assert [task["MaxNumberOfMessagesPerSecond"] for task in queue.tasks()] == [12]
    assert [task["MaxNumberOfMessagesPerSecond"] for task in queue.tasks(MaxResults=10)] == list(range(12, 2, -1))


def test_what_cannot_be_moved_is_refused_in_the_words_of_aws(server, letters, new_name):
    queue = letters(0)
    plain = new_name()
    queue.sqs.create_queue(QueueName=plain)
    start = lambda **document: refused(server, "StartMessageMoveTask", **document)
    missing = "The resource that you specified for the {} parameter doesn't exist."
    assert start(SourceArn=arn(plain), DestinationArn=arn(queue.source)) == (
        400, "InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    assert start(SourceArn=arn("nowhere")) == (404, "ResourceNotFoundException", missing.format("SourceArn"))
    assert start(SourceArn=arn(queue.name), DestinationArn=arn("nowhere")) == (
        404, "ResourceNotFoundException", missing.format("DestinationArn"))
    assert start(SourceArn=arn(queue.name).replace(ACCOUNT, "999999999999"))[:2] == (404, "ResourceNotFoundException")
    assert start(SourceArn="letters")[:2] == (400, "InvalidParameterValue")
    assert start(SourceArn=arn(queue.name), DestinationArn=arn(queue.name))[:2] == (400, "InvalidParameterValue")
    for rate in (0, 501):
        status, code, message = start(SourceArn=arn(queue.name), MaxNumberOfMessagesPerSecond=rate)
        assert (status, code) == (400, "InvalidParameterValue") and "Must be >= 1 and <= 500" in message
    assert start()[1] == "MissingParameter"
    assert refused(server, "ListMessageMoveTasks", SourceArn=arn("nowhere"))[:2] == (404, "ResourceNotFoundException")
    assert refused(server, "ListMessageMoveTasks", SourceArn=arn(queue.name), MaxResults=11)[1] == "InvalidParameterValue"
    assert refused(server, "CancelMessageMoveTask", TaskHandle="foobared") == (
        400, "InvalidParameterValue", "Value for parameter TaskHandle is invalid.")
    handle = queue.start()
    queue.ended()
    queue.sqs.delete_queue(QueueUrl=queue.url)
    assert refused(server, "CancelMessageMoveTask", TaskHandle=handle) == (
        404, "ResourceNotFoundException", "Task does not exist.")


def test_an_account_has_its_limit_of_running_tasks(start):
    server = start("--virtual-clock")
    command("account", "create", "--id", ACCOUNT, "--data", server.data)
    command("account", "limit", "SQS_MOVE_TASKS", "1", "--id", ACCOUNT, "--data", server.data)
    one, two = Letters(server, "one", 3), Letters(server, "two", 3)
    handle = one.start(MaxNumberOfMessagesPerSecond=1)
    assert refused(server, "StartMessageMoveTask", SourceArn=arn(two.name))[:2] == (403, "RequestThrottled")
    ok(server, "CancelMessageMoveTask", TaskHandle=handle)
    two.start()


def test_tasks_speak_the_query_protocol(server, letters):
    queue = letters(2)
    def query(action, **parameters):
        text = "&".join(f"{name}={value}" for name, value in {"Action": action, "Version": "2012-11-05", **parameters}.items())
        return server.query(text, headers=HEADERS)
    status, _, body = query("StartMessageMoveTask", SourceArn=arn(queue.name))
    assert status == 200 and b"<TaskHandle>" in body
    queue.ended()
    status, _, body = query("ListMessageMoveTasks", SourceArn=arn(queue.name))
    assert status == 200
    assert b"<ListMessageMoveTasksResultEntry>" in body and b"<Status>COMPLETED</Status>" in body
    status, _, body = query("CancelMessageMoveTask", TaskHandle="x")
    assert status == 400 and b"<Code>InvalidParameterValue</Code>" in body


def test_a_task_goes_on_after_every_kill_with_nothing_lost_and_nothing_twice(start, folder):
    server = start()
    queue = Letters(server, "killed", 300)
    queue.start(MaxNumberOfMessagesPerSecond=200)
    seen = 0
    for _ in range(4):
        end = time.monotonic() + 10
        while queue.tasks()[0]["ApproximateNumberOfMessagesMoved"] <= seen and time.monotonic() < end:
            pass
        server.kill()
        server = start(data=folder / "data0")
        queue.server, queue.sqs = server, client(server)
        queue.url, queue.source_url = queue.name, queue.source
        task = queue.tasks()[0]
        # What the task says is what the queues hold, at every moment.
        assert task["ApproximateNumberOfMessagesMoved"] >= seen
        assert queue.depth(queue.url) + queue.depth(queue.source_url) == 300
        seen = task["ApproximateNumberOfMessagesMoved"]
    task = queue.ended()
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 300)
    assert queue.depth(queue.url) == 0
    assert sorted(queue.drain(queue.source_url)) == sorted(queue.bodies)


def test_letters_with_and_without_groups_are_moved_alike_while_more_come(server, new_name):
    letters = Letters(server, new_name(), 0)
    for number in range(60):
        group = {} if number % 3 == 0 else {"MessageGroupId": f"tenant-{number % 3}"}
        letters.sqs.send_message(QueueUrl=letters.source_url, MessageBody=f"letter {number}", **group)
    while letters.depth(letters.url) < 60:
        letters.sqs.receive_message(QueueUrl=letters.source_url, MaxNumberOfMessages=10)
    target = letters.sqs.create_queue(QueueName=new_name())["QueueUrl"]
    letters.start(DestinationArn=arn(target.rsplit("/", 1)[1]), MaxNumberOfMessagesPerSecond=60)
    for number in range(30):
        letters.sqs.send_message(QueueUrl=letters.url, MessageBody=f"later {number}")
    task = letters.ended()
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 60)
    assert sorted(letters.drain(target)) == sorted(f"letter {number}" for number in range(60))
    assert sorted(letters.drain(letters.url)) == sorted(f"later {number}" for number in range(30))
