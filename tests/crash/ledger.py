"""ledger.py: what was acknowledged, and what may therefore be on the disk.

A message is known by its body, which is never used twice. From the moment when its send is under way it may be there;
once the send is acknowledged, or a receive has shown it, it must be; while a delete is under way it may be; once that is
acknowledged it must not. The rules for queues are the same."""

import threading

MAYBE, THERE, LEAVING, GONE = "maybe", "there", "leaving", "gone"


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.messages = {}  # (queue, body) → state
        self.receipts = {}  # (queue, body) → receipt that is good: received last, and not given back
        self.queues = {}  # name → state
        self.visibility = {}  # queue → the values that the attribute VisibilityTimeout may have
        self.clock = ""  # the latest time that the clock was seen to show
        self.violations = []
        self.acknowledged = 0

    def violation(self, text):
        with self.lock:
            self.violations.append(text)

    def copy(self):
        """What is known now: messages, queues, visibility."""
        with self.lock:
            return dict(self.messages), dict(self.queues), dict(self.visibility)

    def clock_shown(self, moment):
        with self.lock:
            self.clock = max(self.clock, moment)
            self.acknowledged += 1

    # ---- Messages ----

    def sending(self, queue, bodies):
        with self.lock:
            for body in bodies:
                self.messages[queue, body] = MAYBE

    def sent(self, queue, bodies):
        with self.lock:
            for body in bodies:
                if self.messages[queue, body] == MAYBE:
                    self.messages[queue, body] = THERE
            self.acknowledged += 1

    def received(self, queue, body, receipt):
        with self.lock:
            state = self.messages.get((queue, body))
            if state == GONE:
                self.violations.append(f"{queue}: {body} was received after its delete was acknowledged")
            elif state is None:
                self.violations.append(f"{queue}: {body!r} was received and never sent")
            elif state == MAYBE:
                self.messages[queue, body] = THERE
            self.receipts[queue, body] = receipt
            self.acknowledged += 1

    def dropping_receipt(self, queue, body):
        """The message is given back: whoever receives it next has the good receipt."""
        with self.lock:
            self.receipts.pop((queue, body), None)

    def deleting(self, queue, bodies):
        with self.lock:
            for body in bodies:
                self.messages[queue, body] = LEAVING
                self.receipts.pop((queue, body), None)

    def deleted(self, queue, bodies):
        with self.lock:
            for body in bodies:
                self.messages[queue, body] = GONE
            self.acknowledged += 1

    def of_queue(self, queue, *states):
        return {body for (name, body), state in self.messages.items() if name == queue and state in states}

    # ---- Queues ----

    def queue_is(self, queue, state):
        """A queue that leaves, or a purge, takes its messages along."""
        with self.lock:
            self.queues[queue] = state

    def emptying(self, queue, state):
        """`state` LEAVING before a purge or the queue's delete, GONE after it."""
        with self.lock:
            for key in list(self.messages):
                if key[0] == queue:
                    self.messages[key] = state
                    self.receipts.pop(key, None)

    def visibility_may_be(self, queue, values):
        with self.lock:
            self.visibility[queue] = values
