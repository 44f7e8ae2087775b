"""check.py: after a restart, what is there is held against the ledger."""

import os

from client import Client, Refused
from ledger import GONE, LEAVING, MAYBE, THERE
from load import FIFO_QUEUE, queue_url

COUNTS = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
]
BEYOND_EVERY_LEASE = "3h"
RECEIPTS_TRIED = 20
VIOLATIONS_SHOWN = 5


class Check:
    """Each method adds to the ledger's violations; what it deletes, it enters there."""

    def __init__(self, server, ledger, chance):
        self.server, self.ledger, self.chance = server, ledger, chance
        self.client = Client(server.port)

    def close(self):
        self.client.close()

    def call(self, operation, queue, **members):
        return self.client.call(operation, QueueUrl=queue_url(self.server.port, queue), **members)

    def attributes(self, queue):
        """None: there is no such queue."""
        try:
            return self.call("GetQueueAttributes", queue, AttributeNames=["All"])["Attributes"]
        except Refused as problem:
            if problem.code in ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"):
                return None
            raise

    def counts(self, queue):
        attributes = self.attributes(queue)
        return None if attributes is None else [int(attributes[name]) for name in COUNTS]

    def clock(self):
        """A move of the clock that was acknowledged is kept: it never goes back."""
        shown = self.server.clock()
        if shown < self.ledger.clock:
            self.ledger.violation(f"the clock shows {shown}, and showed {self.ledger.clock} before")

    def queues(self):
        """Every queue that must be there is, with its settings; none that must not."""
        for queue, state in sorted(self.ledger.queues.items()):
            attributes = self.attributes(queue)
            if attributes is None:
                if state == THERE:
                    self.ledger.violation(f"{queue} is lost")
                self.ledger.queue_is(queue, GONE)
                self.ledger.emptying(queue, GONE)
                continue
            if state == GONE:
                self.ledger.violation(f"{queue} is there again after its delete was acknowledged")
            allowed = self.ledger.visibility[queue]
            if attributes["VisibilityTimeout"] not in allowed:
                self.ledger.violation(f"{queue}: VisibilityTimeout {attributes['VisibilityTimeout']}, not {allowed}")
            self.ledger.queue_is(queue, THERE)

    def present_queues(self):
        return sorted(queue for queue, state in self.ledger.queues.items() if state == THERE)

    def totals(self):
        """The counts of each queue lie between what must be and what may be there."""
        for queue in self.present_queues():
            counts = self.counts(queue)
            least = len(self.ledger.of_queue(queue, THERE))
            most = least + len(self.ledger.of_queue(queue, MAYBE, LEAVING))
            if not least <= sum(counts) <= most:
                self.ledger.violation(f"{queue}: counts {counts}, but {least} to {most} messages are there")

    def receipts(self):
        """A receipt that was given before the crash deletes its message."""
        held = sorted(self.ledger.receipts.items())
        for (queue, body), receipt in self.chance.sample(held, min(RECEIPTS_TRIED, len(held))):
            self.ledger.deleting(queue, [body])
            try:
                self.call("DeleteMessage", queue, ReceiptHandle=receipt)
                self.ledger.deleted(queue, [body])
            except Refused as problem:
                self.ledger.violation(f"{queue}: a receipt from before the crash: {problem}")

    def drain(self):
        """Once every lease and delay has ended, each message comes once; counts say how many; then none is left."""
        self.server.advance(BEYOND_EVERY_LEASE)
        for queue in self.present_queues():
            before = self.counts(queue)
            if before[1:] != [0, 0]:
                self.ledger.violation(f"{queue}: counts {before} after every lease and delay has ended")
            must = self.ledger.of_queue(queue, THERE)
            got = self.receive_all(queue)
            lost = must - set(got)
            if lost:
                self.ledger.violation(f"{queue}: {len(lost)} acknowledged messages are lost, {sorted(lost)[0][:20]}…")
            if len(got) != sum(before):
                self.ledger.violation(f"{queue}: counts {before}, but {len(got)} messages were received")
            if len(got) != len(set(got)):
                self.ledger.violation(f"{queue}: {len(got) - len(set(got))} messages came twice within their lease")
            if queue == FIFO_QUEUE:
                self.order(got)
            # What may have been there and was not is gone for good.
            self.ledger.emptying(queue, GONE)
        self.empty()

    def order(self, bodies):
        """Each worker's messages, which are a group, come in the order in which it sent them."""
        last = {}
        for body in bodies:
            group, number = body.split("-")[:2]
            if int(number) <= last.get(group, 0):
                self.ledger.violation(f"{FIFO_QUEUE}: {group}-{number} came behind {group}-{last[group]}")
            last[group] = int(number)

    def receive_all(self, queue):
        got = []
        while True:
            answer = self.call("ReceiveMessage", queue, MaxNumberOfMessages=10, VisibilityTimeout=600)
            messages = answer.get("Messages", [])
            if not messages:
                return got
            entries = []
            for index, message in enumerate(messages):
                self.ledger.received(queue, message["Body"], message["ReceiptHandle"])
                got.append(message["Body"])
                entries.append({"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]})
            self.ledger.deleting(queue, [message["Body"] for message in messages])
            failed = self.call("DeleteMessageBatch", queue, Entries=entries).get("Failed")
            if failed:
                self.ledger.violation(f"{queue}: deletes failed: {failed[:2]}")
            self.ledger.deleted(queue, [message["Body"] for message in messages])

    def empty(self):
        """Nothing can be received any more, and every count is zero."""
        for queue in self.present_queues():
            if sum(self.counts(queue)) != 0:
                self.ledger.violation(f"{queue}: counts {self.counts(queue)}, but it was emptied")
            if self.receive_all(queue):
                self.ledger.violation(f"{queue}: messages came after it was emptied")

    def delete_queues(self):
        for queue in self.present_queues():
            self.ledger.queue_is(queue, LEAVING)
            self.call("DeleteQueue", queue)
            self.ledger.queue_is(queue, GONE)


def stored_bytes(server, path):
    """The size of a backup: of every key and value that the store holds."""
    server.run("backup", path)
    size = os.path.getsize(path)
    os.unlink(path)
    return size
