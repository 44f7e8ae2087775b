"""mapping_rounds.py: queues feed a function, which processes some messages at the second try and some never, while the
server is killed: each message that was acknowledged has been processed, or is a dead letter; those of a group of a FIFO
queue were processed in their order; and none is left."""

import json

from client import Client
from event_rounds import arn_of
from flight_rounds import FlightRound
from lambda_client import Caller
from witness import TELL, Witness

FUNCTION = "worker"
FIFO_SHARE = 20  # one batch of so many goes to the FIFO queue: what fails there holds its group up
FLAKY, POISON = 29, 101  # each so many messages
RECEIVES = {"orders": 8, "orders.fifo": 3}  # before a message is a dead letter; kills count among them, too
QUEUES = list(RECEIVES)
VISIBILITY_S = 5
MOST_BATCHES = 150  # of a sender in all lives: the rest of a round is spent waiting for what failed
FLOOD_BATCHES = 400
DONE = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"
LETTERS_PART = 20  # of those that could be processed, at most one of so many may be a dead letter
# Of a FIFO group nothing is processed behind what failed (Lambda developer guide, "Handling errors for an SQS event source").
HANDLER = TELL + f"""
def fails(body, attributes):
    number = int(body.split("-")[1])
    return number % {POISON} == 0 or number % {FLAKY} == 0 and attributes["ApproximateReceiveCount"] == "1"

def handler(event, context):
    done, failed, held = [], [], set()
    for record in event["Records"]:
        group = record["attributes"].get("MessageGroupId")
        if group in held or fails(record["body"], record["attributes"]):
            failed.append({{"itemIdentifier": record["messageId"]}})
            held |= {{group}} - {{None}}
        else:
            done.append([record["eventSourceARN"].split(":")[5], record["body"]])
    tell(done)
    return {{"batchItemFailures": failed}}
"""


class MappingRound(FlightRound):
    """`sent`: the last number of each (queue, sender); `acknowledged`: bodies, SENDER-NUMBER, by queue."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.sent, self.acknowledged = {}, {queue: set() for queue in QUEUES}
        self.letters = {queue: [] for queue in QUEUES}
        self.clients, self.witness = {}, Witness()

    def run(self):
        try:
            return super().run()
        finally:
            self.witness.close()

    def prepare(self, server):
        queues, caller = Client(server.port), Caller(server.port)
        caller.make_function(FUNCTION, HANDLER, Timeout=VISIBILITY_S,
                             Environment={"Variables": {"WITNESS": str(self.witness.port)}})
        server.advance("1s")  # until it is active
        for queue in QUEUES:
            kind = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if queue.endswith(".fifo") else {}
            queues.call("CreateQueue", QueueName=letters_of(queue), Attributes=kind)
            policy = {"deadLetterTargetArn": arn_of(letters_of(queue)), "maxReceiveCount": RECEIVES[queue]}
            queues.call("CreateQueue", QueueName=queue, Attributes={
                "VisibilityTimeout": str(VISIBILITY_S), "RedrivePolicy": json.dumps(policy), **kind})
            caller.ask("POST", "/2015-03-31/event-source-mappings", {
                "EventSourceArn": arn_of(queue), "FunctionName": FUNCTION, "BatchSize": 10,
                "FunctionResponseTypes": ["ReportBatchItemFailures"]}, 202)
        queues.close()
        caller.close()

    def run_sender(self, server, number):
        self.clients[number] = Client(server.port)
        super().run_sender(server, number)
        self.clients[number].close()

    def send(self, server, number):
        if self.sent.get(("batches", number), 0) >= (FLOOD_BATCHES if self.flood else MOST_BATCHES):
            self.stop.wait()
            return
        queue = QUEUES[self.sent.get(("batches", number), 0) % FIFO_SHARE == 0]
        first = self.sent.get((queue, number), 0) + 1
        self.sent["batches", number] = self.sent.get(("batches", number), 0) + 1
        self.sent[queue, number] = first + 9
        bodies = [f"{number}-{one}" for one in range(first, first + 10)]
        group = {"MessageGroupId": str(number)} if queue.endswith(".fifo") else {}
        answer = self.clients[number].call("SendMessageBatch", QueueUrl=queue, Entries=[
            {"Id": str(i), "MessageBody": body, **group} for i, body in enumerate(bodies)])
        if len(answer["Successful"]) != len(bodies):
            raise AssertionError(f"a batch was answered {answer}")
        self.acknowledge(len(bodies))
        with self.lock:
            self.acknowledged[queue].update(bodies)

    # ---- What must hold afterwards ----

    def settle(self, server):
        queues = Client(server.port)

        def left():
            found = [queues.call("GetQueueAttributes", QueueUrl=queue, AttributeNames=["All"])["Attributes"]
                     for queue in QUEUES]
            return [[int(attributes[name]) for name in DONE] for attributes in found]

        if not self.settle_until(server, lambda: not any(map(sum, left())), lambda: len(self.witness.heard),
                                 f"{VISIBILITY_S + 1}s"):
            self.ledger.violation(f"messages are left: {left()} are there, hidden and delayed")
        for queue in QUEUES:
            self.take_letters(queues, queue)
            processed = [body for source, body in self.witness.heard if source == queue]
            self.check_queue(queue, processed, self.letters[queue])
        queues.close()

    def take_letters(self, queues, queue):
        url = letters_of(queue)
        while messages := queues.call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            self.letters[queue] += [message["Body"] for message in messages]
            queues.call("DeleteMessageBatch", QueueUrl=url, Entries=[
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)])

    def check_queue(self, queue, processed, letters):
        acknowledged = self.acknowledged[queue]
        lost = acknowledged - set(processed) - set(letters)
        if lost:
            self.ledger.violation(f"{queue}: {len(lost)} of {len(acknowledged)} messages were acknowledged, and neither "
                                  f"processed nor are they dead letters, as {sorted(lost)[:5]}")
        strange = [body for body in [*processed, *letters] if number_of(body) > self.sent.get((queue, sender_of(body)), 0)]
        if strange:
            self.ledger.violation(f"{queue}: nobody has sent {strange[:5]}")
        if len(letters) != len(set(letters)):
            self.ledger.violation(f"{queue}: {len(letters) - len(set(letters))} messages are dead letters twice")
        if queue.endswith(".fifo"):
            self.check_order(queue, processed)
            return
        poison = {body for body in acknowledged if number_of(body) % POISON == 0}
        if not poison <= set(letters):
            self.ledger.violation(f"{queue}: {sorted(poison - set(letters))[:5]} cannot be processed, and are gone")
        given_up = acknowledged - poison - set(processed)
        if len(given_up) * LETTERS_PART > len(acknowledged):
            self.ledger.violation(f"{queue}: {len(given_up)} of {len(acknowledged)} were never processed")

    def check_order(self, queue, processed):
        """What was processed for the first time came in the order in which it was sent."""
        last, seen = {}, set()
        for body in processed:
            sender, number = sender_of(body), number_of(body)
            if body not in seen and number < last.get(sender, 0):
                self.ledger.violation(f"{queue}: {body} was processed behind {sender}-{last[sender]}")
            seen.add(body)
            last[sender] = max(number, last.get(sender, 0))

    def clear(self, server):
        queues, caller = Client(server.port), Caller(server.port)
        for mapping in caller.ask("GET", "/2015-03-31/event-source-mappings", None, 200)["EventSourceMappings"]:
            caller.ask("DELETE", f"/2015-03-31/event-source-mappings/{mapping['UUID']}", None, 202)
        for queue in QUEUES:
            queues.call("DeleteQueue", QueueUrl=queue)
            queues.call("DeleteQueue", QueueUrl=letters_of(queue))
        queues.close()
        caller.close()


def letters_of(queue):
    return f"letters-of-{queue}"


def sender_of(body):
    return int(body.split("-")[0])


def number_of(body):
    return int(body.split("-")[1])
