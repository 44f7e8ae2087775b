"""event_rounds.py: events for functions come in, are run, tried again and told of while the server is killed: each one that
was acknowledged has been processed, or has failed and reached both who are told of that, at least once."""

import json

from client import Client
from flight_rounds import FlightRound
from lambda_client import ACCOUNT, FUNCTIONS, Caller

TOLD, LETTERS = "told", "letters"
TEXTS = {"quick": "def handler(event, context):\n    return event\n",
         "slow": "import time\n\ndef handler(event, context):\n    time.sleep(0.02)\n    return event\n",
         "failing": "def handler(event, context):\n    raise ValueError('no')\n"}
NAMES = list(TEXTS)


def arn_of(queue):
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}"


class EventRound(FlightRound):
    """`sent`: the number of the last event; `acknowledged`: numbers of events that were answered with 202; `seen`: by queue,
    those of which it has told."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.sent, self.acknowledged, self.seen = 0, set(), {TOLD: set(), LETTERS: set()}
        self.callers = {}

    def prepare(self, server):
        queues, caller = Client(server.port), Caller(server.port)
        for queue in (TOLD, LETTERS):
            queues.call("CreateQueue", QueueName=queue)
        target = {"Destination": arn_of(TOLD)}
        for name, text in TEXTS.items():
            more = {"DeadLetterConfig": {"TargetArn": arn_of(LETTERS)}} if name == "failing" else {}
            caller.make_function(name, text, **more)
            # Tried again, so that one that was under way when the keeper was killed is no failure.
            caller.ask("PUT", f"/2019-09-25/functions/{name}/event-invoke-config", {
                "MaximumRetryAttempts": 1, "DestinationConfig": {"OnSuccess": target, "OnFailure": target}}, 200)
        queues.close()
        caller.close()
        server.advance("1s")  # until they are active

    def run_sender(self, server, number):
        self.callers[number] = Caller(server.port)
        super().run_sender(server, number)
        self.callers[number].close()

    def send(self, server, number):
        with self.lock:
            self.sent += 1
            event = self.sent
        self.callers[number].ask("POST", f"{FUNCTIONS}/{name_of(event)}/invocations", {"number": event}, 202,
                                 {"x-amz-invocation-type": "Event"})
        self.acknowledge()
        self.acknowledged.add(event)

    # ---- What must hold afterwards ----

    def expected(self):
        return {TOLD: self.acknowledged, LETTERS: {event for event in self.acknowledged if name_of(event) == "failing"}}

    def settle(self, server):
        queues = Client(server.port)
        expected = self.expected()

        def done():
            for queue in self.seen:
                self.take(queues, queue)
            return all(expected[queue] <= self.seen[queue] for queue in self.seen)

        self.settle_until(server, done, lambda: sum(map(len, self.seen.values())), "65s")
        queues.close()
        for queue, events in expected.items():
            missing = events - self.seen[queue]
            if missing:
                self.ledger.violation(f"{len(missing)} of {len(events)} events were acknowledged, and {queue} was not told "
                                      f"what became of them, as {sorted(missing)[:5]}")
            unknown = [event for event in self.seen[queue] if event > self.sent]
            if unknown:
                self.ledger.violation(f"nobody has sent {unknown[:5]}")

    def take(self, queues, queue):
        while messages := queues.call("ReceiveMessage", QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.see(queue, json.loads(message["Body"]))
            queues.call("DeleteMessageBatch", QueueUrl=queue, Entries=[
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)])

    def see(self, queue, document):
        if queue == TOLD:
            event, context = document["requestPayload"]["number"], document["requestContext"]
            if context["condition"] != ("RetriesExhausted" if name_of(event) == "failing" else "Success"):
                self.ledger.violation(f"event {event} of {name_of(event)} ended as {context}")
        else:
            event = document["number"]
            if name_of(event) != "failing":
                self.ledger.violation(f"event {event} of {name_of(event)} is a dead letter")
        self.seen[queue].add(event)

    def clear(self, server):
        """What was under way without an acknowledgment ends, too; then nothing is left."""
        queues = Client(server.port)
        server.advance("10m")
        for queue in self.seen:
            queues.call("DeleteQueue", QueueUrl=queue)
        queues.close()


def name_of(event):
    return NAMES[event % len(NAMES)]
