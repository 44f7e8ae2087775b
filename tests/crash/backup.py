"""backup.py: a backup that is made under load is one state of the store: restored, it holds what was acknowledged before
the backup began and not touched until it ended, nothing that was gone before, and its counts agree."""

import os
import time

import check
from client import Server
from ledger import GONE, MAYBE, THERE, Ledger
from load import CREATED_VISIBILITY, Load, make_shared_queues
from rounds import Round


def between(before, after):
    """The ledger of a state somewhere between two moments, each (messages, queues, visibility) of one ledger."""
    ledger = Ledger()
    for states, index in ((ledger.messages, 0), (ledger.queues, 1)):
        for key, last in after[index].items():
            first = before[index].get(key)
            if first == last and last in (THERE, GONE):
                states[key] = last
            else:
                states[key] = GONE if first == GONE else MAYBE
    for queue, values in after[2].items():
        # One that was made meanwhile may be there as it was made, before it was changed.
        ledger.visibility[queue] = values | before[2].get(queue, {CREATED_VISIBILITY})
    return ledger


class BackupRound(Round):
    """`restored` and its ledger follow the backup; the server itself is killed in the end and must hold as always."""

    def load(self, server, life):
        make_shared_queues(server.port, self.ledger)
        path = os.path.join(self.top, f"backup{life}")
        load = Load(server, self.ledger, life, self.seed, self.body_bytes)
        try:
            time.sleep(self.chance.uniform(0.1, 0.4))
            before = self.ledger.copy()
            server.run("backup", path)
            after = self.ledger.copy()
        finally:
            server.kill()
            load.join()
        self.verify_backup(path, between(before, after))

    def verify_backup(self, path, ledger):
        data = path + "-data"
        server = Server(self.plain, data, restore=path)
        try:
            if not server.wait_ready():
                raise AssertionError(f"the server does not start from the backup: {server.complaint()}")
            checks = check.Check(server, ledger, self.chance)
            try:
                checks.queues()
                checks.totals()
                checks.drain()
            finally:
                checks.close()
        finally:
            server.close()
        for violation in ledger.violations:
            self.ledger.violation(f"restored: {violation}")
