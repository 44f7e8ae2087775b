"""load.py: workers that send, receive, delete and change, and tell the ledger before and after each request."""

import random
import threading

from client import Client, Gone, Refused
from ledger import GONE, LEAVING, MAYBE, THERE

FIFO_QUEUE = "crash.fifo"  # a group for each worker: its messages are kept in order
FAIR_QUEUE = "crash-fair"
SHARED_QUEUES = ["crash-0", "crash-1", FIFO_QUEUE, FAIR_QUEUE]
FIFO_ATTRIBUTES = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
TENANTS = ["small", "large", "large", "large"]
WORKERS = 6
LEASE_SECONDS = 3600  # beyond every round: a lease ends only when the check advances the clock
CREATED_VISIBILITY = "30"
CLOCK_MOVES = 4  # in each life
CLOCK_MOVE = "100s"


def queue_url(port, queue):
    return f"http://127.0.0.1:{port}/000000000000/{queue}"


class Worker(threading.Thread):
    """Runs until its connection ends or `stop` is set. `name` is part of every body."""

    def __init__(self, port, ledger, name, seed, body_bytes, stop):
        super().__init__(name=name)
        self.port, self.ledger, self.body_bytes, self.stop = port, ledger, body_bytes, stop
        self.chance = random.Random(f"{seed} {name}")
        self.sequence = 0
        self.held = []  # (queue, body, receipt) that this worker received
        self.client = None

    def run(self):
        try:
            self.client = Client(self.port)
            while not self.stop.is_set():
                self.step()
        except Gone:
            pass
        except Refused as problem:
            # A server that is being stopped may refuse; what it refuses it has not done.
            if not self.stop.is_set():
                self.ledger.violation(f"{self.name}: {problem}")
        finally:
            if self.client is not None:
                self.client.close()

    def step(self):
        draw = self.chance.random()
        queue = self.chance.choice(SHARED_QUEUES)
        if draw < 0.40:
            self.send(queue)
        elif draw < 0.52:
            self.send_batch(queue)
        elif draw < 0.75:
            self.receive(queue)
        elif draw < 0.90:
            self.delete()
        elif draw < 0.95:
            self.delete_batch()
        else:
            self.change_visibility()

    def call(self, operation, queue, **members):
        return self.client.call(operation, QueueUrl=queue_url(self.port, queue), **members)

    def bodies(self, count):
        made = []
        for _ in range(count):
            self.sequence += 1
            made.append(f"{self.name}-{self.sequence}-" + "x" * self.chance.randint(0, self.body_bytes))
        return made

    def options(self, queue):
        """What a message is sent with: its group, or now and then a delay."""
        if queue == FIFO_QUEUE:
            return {"MessageGroupId": self.name}
        delay = {"DelaySeconds": self.chance.randint(60, 900)} if self.chance.random() < 0.1 else {}
        group = {"MessageGroupId": self.chance.choice(TENANTS)} if queue == FAIR_QUEUE else {}
        return {**delay, **group}

    def send(self, queue):
        bodies = self.bodies(1)
        self.ledger.sending(queue, bodies)
        self.call("SendMessage", queue, MessageBody=bodies[0], **self.options(queue))
        self.ledger.sent(queue, bodies)

    def send_batch(self, queue):
        bodies = self.bodies(self.chance.randint(2, 10))
        entries = [{"Id": str(i), "MessageBody": body, **self.options(queue)} for i, body in enumerate(bodies)]
        self.ledger.sending(queue, bodies)
        answer = self.call("SendMessageBatch", queue, Entries=entries)
        self.expect_all("SendMessageBatch", answer, len(bodies))
        self.ledger.sent(queue, bodies)

    def expect_all(self, operation, answer, count):
        if answer.get("Failed") or len(answer["Successful"]) != count:
            self.ledger.violation(f"{self.name}: {operation} of {count} answered {answer}")

    def receive(self, queue):
        answer = self.call(
            "ReceiveMessage",
            queue,
            MaxNumberOfMessages=self.chance.randint(1, 10),
            VisibilityTimeout=LEASE_SECONDS,
            WaitTimeSeconds=self.chance.choice([0, 0, 0, 1]),
        )
        for message in answer.get("Messages", []):
            self.ledger.received(queue, message["Body"], message["ReceiptHandle"])
            self.held.append((queue, message["Body"], message["ReceiptHandle"]))

    def take_held(self):
        return self.held.pop(self.chance.randrange(len(self.held)))

    def delete(self):
        if not self.held:
            return
        queue, body, receipt = self.take_held()
        self.ledger.deleting(queue, [body])
        self.call("DeleteMessage", queue, ReceiptHandle=receipt)
        self.ledger.deleted(queue, [body])

    def delete_batch(self):
        queue = self.chance.choice(SHARED_QUEUES)
        mine = [held for held in self.held if held[0] == queue][:10]
        if not mine:
            return
        self.held = [held for held in self.held if held not in mine]
        bodies = [body for _, body, _ in mine]
        entries = [{"Id": str(i), "ReceiptHandle": receipt} for i, (_, _, receipt) in enumerate(mine)]
        self.ledger.deleting(queue, bodies)
        answer = self.call("DeleteMessageBatch", queue, Entries=entries)
        self.expect_all("DeleteMessageBatch", answer, len(mine))
        self.ledger.deleted(queue, bodies)

    def change_visibility(self):
        """To another time, after which the receipt is still good; or to none, which gives the message back."""
        if not self.held:
            return
        queue, body, receipt = self.take_held()
        seconds = self.chance.choice([0, LEASE_SECONDS * 2])
        if seconds == 0:
            self.ledger.dropping_receipt(queue, body)
        self.call("ChangeMessageVisibility", queue, ReceiptHandle=receipt, VisibilityTimeout=seconds)
        if seconds != 0:
            self.held.append((queue, body, receipt))


class QueueWorker(Worker):
    """Makes queues of its own, changes, purges and deletes them."""

    def step(self):
        self.sequence += 1
        queue = f"{self.name}-{self.sequence}"
        self.ledger.queue_is(queue, MAYBE)
        self.ledger.visibility_may_be(queue, {CREATED_VISIBILITY})
        self.client.call("CreateQueue", QueueName=queue, Attributes={"VisibilityTimeout": CREATED_VISIBILITY})
        self.ledger.queue_is(queue, THERE)
        self.send_batch(queue)
        end = self.chance.choice(["keep", "set", "purge", "delete"])
        if end == "set":
            self.ledger.visibility_may_be(queue, {CREATED_VISIBILITY, "77"})
            self.call("SetQueueAttributes", queue, Attributes={"VisibilityTimeout": "77"})
            self.ledger.visibility_may_be(queue, {"77"})
        elif end == "purge":
            self.ledger.emptying(queue, LEAVING)
            self.call("PurgeQueue", queue)
            self.ledger.emptying(queue, GONE)
        elif end == "delete":
            self.ledger.queue_is(queue, LEAVING)
            self.ledger.emptying(queue, LEAVING)
            self.call("DeleteQueue", queue)
            self.ledger.queue_is(queue, GONE)
            self.ledger.emptying(queue, GONE)
        self.stop.wait(0.02)  # a few dozen queues a second are enough


class ClockWorker(threading.Thread):
    """Moves the clock: delays end, timers fire. All moves of a round together are shorter than a lease."""

    def __init__(self, server, ledger, stop):
        super().__init__(name="clock")
        self.server, self.ledger, self.stop = server, ledger, stop

    def run(self):
        for _ in range(CLOCK_MOVES):
            if self.stop.wait(0.1):
                return
            try:
                self.ledger.clock_shown(self.server.advance(CLOCK_MOVE))
            except AssertionError as problem:
                if not self.stop.is_set() and not self.server.has_ended():
                    self.ledger.violation(f"clock: {problem}")
                return


class Load:
    """All workers of one life of the server. Bodies have up to `body_bytes`."""

    def __init__(self, server, ledger, life, seed, body_bytes):
        self.stop = threading.Event()
        common = seed, body_bytes, self.stop
        self.workers = [Worker(server.port, ledger, f"w{life}.{i}", *common) for i in range(WORKERS)]
        self.workers.append(QueueWorker(server.port, ledger, f"q{life}", *common))
        self.workers.append(ClockWorker(server, ledger, self.stop))
        for worker in self.workers:
            worker.start()

    def join(self):
        self.stop.set()
        for worker in self.workers:
            worker.join()


def make_shared_queues(port, ledger):
    """Queues that every life shares; fine when they are there."""
    client = Client(port)
    try:
        for queue in SHARED_QUEUES:
            ledger.queue_is(queue, MAYBE)
            ledger.visibility_may_be(queue, {CREATED_VISIBILITY})
            kind = FIFO_ATTRIBUTES if queue == FIFO_QUEUE else {}
            client.call("CreateQueue", QueueName=queue, Attributes={"VisibilityTimeout": CREATED_VISIBILITY, **kind})
            ledger.queue_is(queue, THERE)
    finally:
        client.close()
