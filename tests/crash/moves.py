"""moves.py: a move task is killed again and again, at a page or at random, with and without a loss of power: at each
moment every message is in exactly one of the two queues, and in the end each has been moved once."""

import json
import time

from client import Client, Gone, Server
from rounds import Round

MESSAGES = 1500
FAILPOINT = "queue.move_page"
SECONDS = 20
ARN = "arn:aws:sqs:us-east-1:000000000000:"
DEPTH = "ApproximateNumberOfMessages"


def depth(client, queue):
    return int(client.call("GetQueueAttributes", QueueUrl=queue, AttributeNames=[DEPTH])["Attributes"][DEPTH])


def last_task(client):
    results = client.call("ListMessageMoveTasks", SourceArn=ARN + "letters")["Results"]
    return results[0] if results else None


class MoveRound(Round):
    """`letters` is the dead-letter queue of `orders`; all of its messages came from there."""

    def live(self, life):
        if life == 0:
            self.with_server(self.plain, self.fill)
            self.lose_power()
        self.figures.lives += 1
        server = self.start(self.failpoint and f"{self.failpoint}:{self.chance.randint(1, 6)}")
        try:
            if server.wait_ready():
                self.move(server)
        finally:
            server.close()
        self.lose_power()

    def with_server(self, binary, function):
        server = Server(binary, self.data)
        try:
            if not server.wait_ready():
                raise AssertionError(f"the server does not start again: {server.complaint()}")
            client = Client(server.port)
            try:
                function(client)
            finally:
                client.close()
        finally:
            server.close()

    def fill(self, client):
        policy = json.dumps({"deadLetterTargetArn": ARN + "letters", "maxReceiveCount": 1})
        client.call("CreateQueue", QueueName="letters")
        client.call("CreateQueue", QueueName="orders", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
        for first in range(0, MESSAGES, 10):
            client.call("SendMessageBatch", QueueUrl="orders", Entries=[
                {"Id": str(i), "MessageBody": str(i)} for i in range(first, first + 10)])
        while depth(client, "letters") < MESSAGES:
            client.call("ReceiveMessage", QueueUrl="orders", MaxNumberOfMessages=10)
        client.call("SetQueueAttributes", QueueUrl="orders", Attributes={"RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": ARN + "letters", "maxReceiveCount": 1000})})
        self.ledger.acknowledged += MESSAGES

    def move(self, server):
        """Until the failpoint ends the server, or a moment long."""
        try:
            client = Client(server.port)
            if last_task(client) is None:
                client.call("StartMessageMoveTask", SourceArn=ARN + "letters")
            deadline = time.monotonic() + (SECONDS if self.failpoint else self.chance.uniform(0, 0.03))
            while time.monotonic() < deadline and last_task(client)["Status"] == "RUNNING":
                pass
        except Gone:
            if not server.has_ended():
                raise

    def verify(self, final):
        self.with_server(self.plain, self.verify_end if final else self.verify_counts)

    def verify_counts(self, client):
        """Both counts are of one moment when the task did not move between them."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            before = last_task(client)
            orders, letters = depth(client, "orders"), depth(client, "letters")
            if before == last_task(client):
                moved = before["ApproximateNumberOfMessagesMoved"] if before else 0
                if (orders, letters) != (moved, MESSAGES - moved):
                    self.ledger.violation(f"{moved} were moved, but the counts are {orders} and {letters}")
                return
        self.ledger.violation("the task was never at rest")

    def verify_end(self, client):
        if last_task(client) is None:
            client.call("StartMessageMoveTask", SourceArn=ARN + "letters")
        deadline = time.monotonic() + SECONDS
        while last_task(client)["Status"] == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.01)
        task = last_task(client)
        if (task["Status"], task["ApproximateNumberOfMessagesMoved"]) != ("COMPLETED", MESSAGES):
            self.ledger.violation(f"the task ended as {task}")
        self.verify_counts(client)
        bodies = []
        while True:
            answer = client.call("ReceiveMessage", QueueUrl="orders", MaxNumberOfMessages=10, VisibilityTimeout=3600)
            if "Messages" not in answer:
                break
            bodies += [int(message["Body"]) for message in answer["Messages"]]
        if sorted(bodies) != list(range(MESSAGES)):
            self.ledger.violation(f"of {MESSAGES} messages, {len(set(bodies))} came, {len(bodies) - len(set(bodies))} twice")
