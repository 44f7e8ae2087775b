"""flight_rounds.py: a server is killed again and again while something comes in that it goes on working at after it has
acknowledged it; what is left at each kill waits for the next life. Only the last one is let come to its end."""

import os
import signal
import threading
import time

from client import LOGS, Client, Gone, Refused
from lambda_client import FUNCTIONS, Caller, Ended
from rounds import Round

SENDERS = 4
SETTLE_SECONDS = 120
IDLE_SECONDS = 0.2  # with nothing seen to be done, the clock is moved to whatever comes next
FLOOD_SECONDS = 60


class FlightRound(Round):
    """A kind has `prepare(server)`, `send(server, number)`, which sends once for that sender, and `settle(server)`, which
    waits for the end of everything and tells what is missing; `clear(server)` deletes all. `flood`: so many are
    acknowledged before the first kill. `keeper`: what watches over functions is killed in the midst of each life."""

    def __init__(self, *arguments, flood=0, keeper=False, **options):
        super().__init__(*arguments, **options)
        self.flood, self.keeper = flood, keeper
        self.lock = threading.Lock()
        self.stop = None

    def acknowledge(self, count=1):
        with self.lock:
            self.ledger.acknowledged += count

    def live(self, life):
        self.figures.lives += 1
        if life == 0:
            with self.plain_server() as server:
                self.prepare(server)
        elif self.chance.random() < 0.5:
            self.die_at_start()
        server = self.start(self.failpoint and f"{self.failpoint}:{int(2 ** self.chance.uniform(3, 9))}")
        try:
            if server.wait_ready():
                self.run_senders(server)
        finally:
            server.close()
        self.lose_power()

    def run_senders(self, server):
        self.stop = threading.Event()
        threads = [threading.Thread(target=self.run_sender, args=(server, number)) for number in range(SENDERS)]
        for thread in threads:
            thread.start()
        try:
            self.await_end(server)
            early = None if self.failpoint else server.process.poll()
        finally:
            server.kill()
            self.stop.set()
            for thread in threads:
                thread.join()
        if early is not None:
            self.ledger.violation(f"the server ended by itself with {early}: {server.complaint()}")

    def await_end(self, server):
        if self.failpoint:
            self.await_failpoint(server)
            return
        time.sleep(self.chance.uniform(0.1, 0.6))
        if self.keeper:
            os.kill(server.children()[0], signal.SIGKILL)
        deadline = time.monotonic() + FLOOD_SECONDS
        while self.ledger.acknowledged < self.flood and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(self.chance.uniform(0.1, 0.6))

    def run_sender(self, server, number):
        try:
            while not self.stop.is_set():
                self.send(server, number)
        except (Ended, Gone):
            pass
        except (AssertionError, Refused) as problem:
            self.ledger.violation(f"sender {number}: {problem}")

    # ---- What must hold afterwards ----

    def verify(self, final):
        if not final:
            return
        with self.plain_server() as server:
            try:
                self.settle(server)
                if not self.ledger.violations:
                    self.clear(server)
                    self.clear_functions_and_logs(server)
                    self.await_no_orphans(server)
            except (Ended, Gone) as problem:
                raise AssertionError(f"the server went: {server.complaint()}") from problem

    def settle_until(self, server, done, progress, step):
        """Until `done()`: moves the clock by `step` whenever `progress()` has not changed for a moment."""
        deadline = time.monotonic() + SETTLE_SECONDS
        seen, since = None, time.monotonic()
        while not done():
            now = time.monotonic()
            if now > deadline:
                return False
            if progress() != seen:
                seen, since = progress(), now
            elif now - since > IDLE_SECONDS:
                server.advance(step)
                since = time.monotonic()
        return True

    def clear_functions_and_logs(self, server):
        """A function's last lines come a little after its end, and make its group anew."""
        caller, logs = Caller(server.port), Client(server.port, LOGS)
        for function in caller.ask("GET", FUNCTIONS, None, 200)["Functions"]:
            caller.ask("DELETE", f"{FUNCTIONS}/{function['FunctionName']}", None, 204)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 0.5:
            for group in logs.call("DescribeLogGroups")["logGroups"]:
                logs.call("DeleteLogGroup", logGroupName=group["logGroupName"])
                quiet_since = time.monotonic()
            time.sleep(0.05)
        logs.close()
        caller.close()


