"""rounds.py: one round is one data directory through several lives of the server, each ended the hard way."""

import contextlib
import functools
import os
import random
import shutil
import signal
import stat
import subprocess
import tempfile
import time

import check
import powerloss
from client import Client, Gone, Refused, Server
from ledger import Ledger
from load import Load, make_shared_queues

LIVES = 3
STOPPED_PART = 0.2  # of the lives that end at random end by SIGTERM
BODY_BYTES = 400
LARGE_BODY_BYTES = 30000
FAILPOINT_SECONDS = 15
ORPHAN_SLACK_BYTES = 512
ORPHAN_SECONDS = 20


def sockets(directory, names):
    """What a copy leaves out: a socket holds nothing."""
    return [name for name in names if stat.S_ISSOCK(os.lstat(os.path.join(directory, name)).st_mode)]


class Figures:
    """What a round did, for the table."""

    def __init__(self):
        self.lives = self.acknowledged = self.unsynced = self.dropped = self.names = 0

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self):
        text = f"lives={self.lives} acknowledged={self.acknowledged}"
        return text + f" unsynced={self.unsynced} dropped={self.dropped} names={self.names}"


class Round:
    """`power`: what was not synced is lost at each end. `failpoint`: a name, or None to be killed at random.
    `binary` is the server that is ended, `plain` the one that starts afterwards."""

    def __init__(self, binary, plain, seed, power=False, failpoint=None):
        self.binary, self.plain, self.seed, self.power, self.failpoint = binary, plain, seed, power, failpoint
        self.chance = random.Random(f"{seed} {power} {failpoint}")
        # Every third round has large bodies: the engine writes tables and changes its logs within a second.
        self.body_bytes = LARGE_BODY_BYTES if seed % 3 == 0 else BODY_BYTES
        self.ledger = Ledger()
        self.figures = Figures()
        self.top = tempfile.mkdtemp(prefix="brume-crash-")
        self.data = os.path.join(self.top, "data")
        self.base = os.path.join(self.top, "base")
        self.journal = os.path.join(self.top, "journal")
        os.mkdir(self.data, 0o700)

    def run(self):
        """The violations, none when all is well."""
        try:
            for life in range(LIVES):
                self.live(life)
                if self.ledger.violations:
                    break
                self.verify(final=life == LIVES - 1)
                if self.ledger.violations:
                    break
        except (AssertionError, Refused, Gone, powerloss.NoVerdict, subprocess.SubprocessError) as problem:
            self.ledger.violation(f"{type(problem).__name__}: {problem}")
        finally:
            shutil.rmtree(self.top, ignore_errors=True)
        self.figures.acknowledged = self.ledger.acknowledged
        return self.ledger.violations

    # ---- A life and its end ----

    def start(self, failpoint=None):
        if not self.power:
            return Server(self.binary, self.data, failpoint=failpoint)
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.copytree(self.data, self.base, ignore=sockets)
        if os.path.exists(self.journal):
            os.unlink(self.journal)
        sync_us = self.chance.choice([1000, 5000, 10000])
        return Server(self.binary, self.data, journal=self.journal, sync_us=sync_us, failpoint=failpoint)

    def live(self, life):
        self.figures.lives += 1
        if self.chance.random() < 0.5:
            self.die_at_start()
        failpoint = f"{self.failpoint}:{int(2 ** self.chance.uniform(3, 9))}" if self.failpoint else None
        server = self.start(failpoint)
        try:
            if server.wait_ready():
                self.load(server, life)
        finally:
            server.close()
        self.lose_power()

    def load(self, server, life):
        try:
            make_shared_queues(server.port, self.ledger)
        except Gone:
            if not self.failpoint:
                raise
        load = Load(server, self.ledger, life, self.seed, self.body_bytes)
        try:
            if self.failpoint:
                self.await_failpoint(server)
                early = None
            else:
                time.sleep(self.chance.uniform(0.1, 0.8))
                early = server.process.poll()
                if early is None and self.chance.random() < STOPPED_PART:
                    self.stop(server, load)
        finally:
            server.kill()
            load.join()
        if early is not None:
            self.ledger.violation(f"the server ended by itself with {early}: {server.complaint()}")

    def stop(self, server, load):
        """SIGTERM in the middle of the load: it must drain, and end well."""
        load.stop.set()
        status = server.stop()
        if status != 0:
            self.ledger.violation(f"stopped, the server ended with {status}: {server.complaint()}")

    def await_failpoint(self, server):
        try:
            status = server.process.wait(timeout=FAILPOINT_SECONDS)
            if status != -signal.SIGKILL:
                self.ledger.violation(f"the server ended by itself with {status}: {server.complaint()}")
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the failpoint {self.failpoint} was not reached in {FAILPOINT_SECONDS} s") from None

    def die_at_start(self):
        """Killed while it recovers, or a moment later."""
        server = self.start()
        time.sleep(self.chance.uniform(0, 0.1))
        server.close()
        self.lose_power()

    def lose_power(self):
        if not self.power or not os.path.exists(self.journal):
            return
        unsynced, dropped, names = powerloss.apply(
            self.base, self.journal, self.data, self.chance.getrandbits(32)
        )
        self.figures.unsynced += unsynced
        self.figures.dropped += dropped
        self.figures.names += names

    # ---- What must hold afterwards ----

    @contextlib.contextmanager
    def plain_server(self):
        """One that is killed in the end."""
        server = Server(self.plain, self.data)
        try:
            if not server.wait_ready():
                raise AssertionError(f"the server does not start again: {server.complaint()}")
            yield server
        finally:
            server.close()

    def verify(self, final):
        with self.plain_server() as server:
            checks = check.Check(server, self.ledger, self.chance)
            try:
                checks.clock()
                checks.queues()
                checks.totals()
                checks.receipts()
                if final:
                    checks.drain()
            finally:
                checks.close()
        if final and not self.ledger.violations:
            self.verify_nothing_left()

    def verify_nothing_left(self):
        """What was deleted stays deleted, and once every queue is deleted the store holds as little as a new one."""
        with self.plain_server() as server:
            checks = check.Check(server, self.ledger, self.chance)
            try:
                checks.queues()
                checks.empty()
                checks.delete_queues()
            finally:
                checks.close()
            self.await_no_orphans(server)
            if server.stop() != 0:
                self.ledger.violation("the server does not stop cleanly")

    def await_no_orphans(self, server):
        path = os.path.join(self.top, "backup")
        empty = empty_store_bytes(self.plain)
        deadline = time.monotonic() + ORPHAN_SECONDS
        while True:
            server.advance("10m")  # past the rest of the deleted names and the sweeps
            size = check.stored_bytes(server, path)
            if size <= empty + ORPHAN_SLACK_BYTES:
                return
            if time.monotonic() > deadline:
                self.ledger.violation(f"{size} bytes are stored after everything was deleted; a new store has {empty}")
                return
            time.sleep(0.2)


@functools.cache
def empty_store_bytes(binary):
    """What a store that was never written to holds."""
    with tempfile.TemporaryDirectory(prefix="brume-crash-") as top:
        server = Server(binary, os.path.join(top, "data"))
        try:
            if not server.wait_ready():
                raise AssertionError("the server does not start")
            server.advance("10m")
            return check.stored_bytes(server, os.path.join(top, "backup"))
        finally:
            server.close()
