"""Dead letters of FIFO queues, and their way back: order and groups go along."""

import pytest
from conftest import client
from test_move_tasks import arn, ok
from test_redrive import policy, take

GROUPS = 7


class Pair:
    """A FIFO queue whose messages go to another after one receive."""

    def __init__(self, server, name):
        self.server, self.sqs = server, client(server)
        self.source_name, self.letters_name = f"{name}.fifo", f"{name}-letters.fifo"
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        self.letters = self.sqs.create_queue(QueueName=self.letters_name, Attributes=fifo)["QueueUrl"]
        self.source = self.sqs.create_queue(QueueName=self.source_name, Attributes={
            **fifo, "VisibilityTimeout": "0", "RedrivePolicy": policy(arn(self.letters_name))})["QueueUrl"]

    def send(self, count):
        for first in range(0, count, 10):
            sent = self.sqs.send_message_batch(QueueUrl=self.source, Entries=[
                {"Id": str(i), "MessageBody": str(i), "MessageGroupId": f"group-{i % GROUPS}"}
                for i in range(first, min(first + 10, count))])
            assert "Failed" not in sent

    def bury(self, count):
        """Receives until all are dead letters."""
        names = ["ApproximateNumberOfMessages"]
        while int(self.sqs.get_queue_attributes(QueueUrl=self.letters, AttributeNames=names)["Attributes"][names[0]]) < count:
            self.sqs.receive_message(QueueUrl=self.source, MaxNumberOfMessages=10)

    def drain(self, url):
        """All messages, in the order in which they are received; each is deleted."""
        seen = []
        while messages := take(self.sqs, url, MaxNumberOfMessages=10, VisibilityTimeout=60):
            for message in messages:
                seen.append(message)
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return seen


@pytest.fixture
def pair(server, new_name):
    return Pair(server, new_name())


def numbers_by_group(messages):
    groups = {}
    for message in messages:
        groups.setdefault(message["Attributes"]["MessageGroupId"], []).append(int(message["Body"]))
    return groups


def expected(count):
    return {f"group-{g}": list(range(g, count, GROUPS)) for g in range(GROUPS)}


def test_a_poison_message_makes_way_for_its_group(pair):
    sent = pair.sqs.send_message(QueueUrl=pair.source, MessageBody="poison", MessageGroupId="g")
    first, = take(pair.sqs, pair.source)
    pair.sqs.send_message(QueueUrl=pair.source, MessageBody="next", MessageGroupId="g")
    assert [message["Body"] for message in take(pair.sqs, pair.source)] == ["next"]
    letter, = take(pair.sqs, pair.letters)
    assert (letter["MessageId"], letter["Body"]) == (sent["MessageId"], "poison")
    attributes = letter["Attributes"]
    assert (attributes["MessageGroupId"], attributes["ApproximateReceiveCount"]) == ("g", "2")
    assert attributes["DeadLetterQueueSourceArn"] == arn(pair.source_name)
    # SQS developer guide, "How dead-letter queues work with message retention": on FIFO queues the enqueue time starts anew.
    assert int(attributes["SentTimestamp"]) >= int(first["Attributes"]["SentTimestamp"])


def test_letters_keep_the_order_of_their_groups(pair):
    pair.send(100)
    pair.bury(100)
    assert numbers_by_group(pair.drain(pair.letters)) == expected(100)
    assert pair.drain(pair.source) == []


def test_a_move_task_keeps_the_order_of_groups(server, pair):
    pair.send(400)
    pair.bury(400)
    ids = {message["MessageId"] for message in take(pair.sqs, pair.letters, MaxNumberOfMessages=10, VisibilityTimeout=0)}
    pair.sqs.set_queue_attributes(QueueUrl=pair.source, Attributes={"RedrivePolicy": policy(arn(pair.letters_name), 100)})
    ok(server, "StartMessageMoveTask", SourceArn=arn(pair.letters_name))
    while (task := ok(server, "ListMessageMoveTasks", SourceArn=arn(pair.letters_name))["Results"][0])["Status"] == "RUNNING":
        continue
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"], task["ApproximateNumberOfMessagesToMove"]) == (
        "COMPLETED", 400, 400)
    back = pair.drain(pair.source)
    assert numbers_by_group(back) == expected(400)
    assert not ids & {message["MessageId"] for message in back}
    assert {message["Attributes"]["ApproximateReceiveCount"] for message in back} == {"1"}
    assert pair.drain(pair.letters) == []


def test_a_task_leaves_what_came_after_its_start(server, pair):
    """With a rate of one a second, what is sent right after the start is not the task's."""
    pair.sqs.send_message(QueueUrl=pair.letters, MessageBody="there", MessageGroupId="g")
    target = pair.sqs.create_queue(QueueName=pair.source_name.replace(".fifo", "-target.fifo"),
                                   Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})["QueueUrl"]
    ok(server, "StartMessageMoveTask", SourceArn=arn(pair.letters_name), MaxNumberOfMessagesPerSecond=1,
       DestinationArn=arn(target.rsplit("/", 1)[1]))
    while ok(server, "ListMessageMoveTasks", SourceArn=arn(pair.letters_name))["Results"][0]["Status"] == "RUNNING":
        continue
    pair.sqs.send_message(QueueUrl=pair.letters, MessageBody="later", MessageGroupId="g")
    assert [message["Body"] for message in pair.drain(target)] == ["there"]
    assert [message["Body"] for message in pair.drain(pair.letters)] == ["later"]


def test_dead_letters_go_to_a_queue_of_their_kind(pair, queue, refused):
    refusal = refused(pair.sqs.set_queue_attributes, QueueUrl=pair.source,
                      Attributes={"RedrivePolicy": policy(arn(queue.rsplit("/", 1)[1]))})
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
    refusal = refused(pair.sqs.set_queue_attributes, QueueUrl=queue,
                      Attributes={"RedrivePolicy": policy(arn(pair.letters_name))})
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
