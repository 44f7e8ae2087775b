"""log_rounds.py: a server is killed while log events come in: those that were acknowledged are all there, once, in their
order, a batch under which the server died is there as a whole or not at all, and the group's size agrees."""

import time

from client import LOGS, Client
from flight_rounds import SENDERS, FlightRound

GROUP = "crash"
OVERHEAD_BYTES = 26  # of an event (PutLogEvents)
MOST_EVENTS = 40


class LogRound(FlightRound):
    """`kept`: by stream, the (time, message) that were acknowledged; `unsure`: the batch under which the server died."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.kept, self.unsure = {number: [] for number in range(SENDERS)}, {}
        self.sent, self.clients = 0, {}
        self.last_ms = dict.fromkeys(range(SENDERS), 0)

    def prepare(self, server):
        logs = Client(server.port, LOGS)
        logs.call("CreateLogGroup", logGroupName=GROUP)
        for number in range(SENDERS):
            logs.call("CreateLogStream", logGroupName=GROUP, logStreamName=str(number))
        logs.close()

    def run_sender(self, server, number):
        self.clients[number] = Client(server.port, LOGS)
        if number in self.unsure:
            self.decide(number)
        super().run_sender(server, number)
        self.clients[number].close()

    def decide(self, number):
        """What is there of the batch under which the server died: all or nothing. From then on it is known."""
        batch, found = self.unsure.pop(number), self.read(self.clients[number], number)
        if found[len(self.kept[number]):] == batch:
            self.kept[number] += batch
        self.check_stream(number, found)

    def batch(self, number):
        """Times go on, and many events share one; texts are of all sizes."""
        made = []
        for _ in range(self.chance.randint(1, MOST_EVENTS)):
            self.sent += 1
            self.last_ms[number] = max(self.last_ms[number], int(time.time() * 1000)) + self.chance.randint(0, 2)
            made.append((self.last_ms[number], f"{self.sent} " + "x" * self.chance.randint(0, self.body_bytes // 4)))
        return made

    def send(self, server, number):
        with self.lock:
            batch = self.unsure[number] = self.batch(number)
        answer = self.clients[number].call("PutLogEvents", logGroupName=GROUP, logStreamName=str(number), logEvents=[
            {"timestamp": moment, "message": message} for moment, message in batch])
        if "rejectedLogEventsInfo" in answer:
            raise AssertionError(f"events were refused: {answer}")
        self.kept[number] += batch
        del self.unsure[number]
        self.acknowledge(len(batch))

    # ---- What must hold afterwards ----

    @staticmethod
    def read(logs, number):
        """All of a stream, page by page from its head."""
        found, token = [], {}
        while True:
            page = logs.call("GetLogEvents", logGroupName=GROUP, logStreamName=str(number), startFromHead=True, **token)
            found += [(event["timestamp"], event["message"]) for event in page["events"]]
            if token == {"nextToken": page["nextForwardToken"]}:
                return found
            token = {"nextToken": page["nextForwardToken"]}

    def check_stream(self, number, found):
        kept = self.kept[number]
        if found == kept:
            return
        lost, twice = set(kept) - set(found), len(found) - len(set(found))
        self.ledger.violation(f"stream {number}: {len(found)} events are there, {len(kept)} were acknowledged; {len(lost)} of "
                              f"these are lost, {twice} are there twice, {len(set(found) - set(kept))} are others")

    def settle(self, server):
        logs = Client(server.port, LOGS)
        self.clients = dict.fromkeys(range(SENDERS), logs)
        for number in range(SENDERS):
            if number in self.unsure:
                self.decide(number)
            else:
                self.check_stream(number, self.read(logs, number))
        self.check_group(logs)
        logs.close()

    def check_group(self, logs):
        """All streams together, merged by time; and what the group says of its size."""
        everything = [event for events in self.kept.values() for event in events]
        found, more = [], {}
        while True:
            page = logs.call("FilterLogEvents", logGroupName=GROUP, **more)
            found += [(event["timestamp"], event["message"]) for event in page["events"]]
            if "nextToken" not in page:
                break
            more = {"nextToken": page["nextToken"]}
        if sorted(found) != sorted(everything) or [moment for moment, _ in found] != sorted(moment for moment, _ in found):
            self.ledger.violation(f"{len(found)} events of the group are found, {len(everything)} were acknowledged")
        size = sum(len(message) + OVERHEAD_BYTES for _, message in everything)
        group, = logs.call("DescribeLogGroups")["logGroups"]
        if group["storedBytes"] != size:
            self.ledger.violation(f"the group says that it has {group['storedBytes']} bytes, and has {size}")

    def clear(self, server):
        """As all groups are."""
