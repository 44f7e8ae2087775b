"""code_rounds.py: a server is killed while functions are made, changed and deleted: what was acknowledged has its code,
file by file, and nothing else lies beside the store."""

import base64
import hashlib
import io
import os
import threading
import time
import zipfile

from lambda_client import ACCOUNT, FUNCTIONS, ROLE, RUNTIME, Ended, call, package
from rounds import FAILPOINT_SECONDS, Round

FAILPOINT = "lambda.package_unpacked"
THREADS = 4
SECONDS = 20


def package_of(text):
    return package({name: f"# {name}\n{text}\n" * 50 for name in ("index.py", "lib/data.txt")})


class CodeRound(Round):
    """`kept`: a function's name: the package that it has; None: it is deleted. While something of it is under way, it is
    in `open`, and may have the one or the other."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.kept, self.open = {}, {}

    def live(self, life):
        self.figures.lives += 1
        server = self.start(self.failpoint and f"{self.failpoint}:{self.chance.randint(1, 12)}")
        try:
            if server.wait_ready():
                self.make_functions(server, life)
        finally:
            server.close()
        self.lose_power()

    def make_functions(self, server, life):
        stop = threading.Event()
        seeds = [self.chance.getrandbits(32) for _ in range(THREADS)]
        threads = [threading.Thread(target=self.work, args=(server, f"{life}-{number}", seeds[number], stop))
                   for number in range(THREADS)]
        for thread in threads:
            thread.start()
        if self.failpoint:
            deadline = time.monotonic() + FAILPOINT_SECONDS
            while server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            if server.process.poll() is None:
                self.ledger.violation(f"the failpoint {self.failpoint} was not reached")
        else:
            time.sleep(self.chance.uniform(0.05, 0.5))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()

    def work(self, server, prefix, seed, stop):
        number = 0
        try:
            while not stop.is_set():
                number += 1
                name = f"f-{prefix}-{number}"
                # Every third one has the code of all others.
                zip_file = package_of("shared" if number % 3 == 0 else f"{name} {seed}")
                self.change(server, name, None, zip_file, 201, "POST", FUNCTIONS, {
                    "FunctionName": name, "Runtime": RUNTIME, "Handler": "index.handler", "Role": ROLE,
                    "Code": {"ZipFile": base64.b64encode(zip_file).decode()}})
                if number % 2 == 0:
                    self.change(server, name, zip_file, None, 204, "DELETE", f"{FUNCTIONS}/{name}")
        except Ended:
            pass

    def change(self, server, name, before, after, status, *arguments):
        self.open[name] = (before, after)
        got, document = call(server.port, *arguments)
        while got == 429:  # more is asked than the machine can do just now: refused, and asked for again
            time.sleep(0.05)
            got, document = call(server.port, *arguments)
        if got != status:
            self.ledger.violation(f"{arguments[0]} {name}: {got} {document}")
        self.kept[name] = after
        del self.open[name]
        self.ledger.acknowledged += 1

    # ---- What must hold afterwards ----

    def verify(self, final):
        with self.plain_server() as server:
            for name, kept in list(self.kept.items()):
                if name not in self.open:
                    self.verify_function(server, name, [kept])
            for name, either in list(self.open.items()):
                self.kept[name] = self.verify_function(server, name, either)
                del self.open[name]
            self.await_no_others()

    def verify_function(self, server, name, allowed):
        """Gives the package that it has."""
        status, document = call(server.port, "GET", f"{FUNCTIONS}/{name}")
        found = None
        if status == 200:
            digest = document["Configuration"]["CodeSha256"]
            found = next((one for one in allowed if one and self.digest(one) == digest), b"")
        if found not in allowed:
            self.ledger.violation(f"{name} was acknowledged, and is lost or has other code: {status}")
        elif found:
            self.verify_code(name, found)
        return found

    @staticmethod
    def digest(zip_file):
        return base64.b64encode(hashlib.sha256(zip_file).digest()).decode()

    def folder_of(self, zip_file):
        return os.path.join(self.data, "functions", ACCOUNT, hashlib.sha256(zip_file).hexdigest())

    def verify_code(self, name, zip_file):
        folder = self.folder_of(zip_file)
        with zipfile.ZipFile(io.BytesIO(zip_file)) as archive:
            expected = {f"code/{entry}": archive.read(entry) for entry in archive.namelist()}
        expected["package.zip"] = zip_file
        for path, content in expected.items():
            try:
                with open(os.path.join(folder, path), "rb") as file:
                    same = file.read() == content
            except OSError:
                same = False
            if not same:
                self.ledger.violation(f"{name} was acknowledged, and its {path} is lost or changed")
                return

    def await_no_others(self):
        expected = {self.folder_of(zip_file) for zip_file in self.kept.values() if zip_file}
        account = os.path.join(self.data, "functions", ACCOUNT)
        deadline = time.monotonic() + SECONDS
        while True:
            there = {os.path.join(account, name) for name in os.listdir(account)} if os.path.isdir(account) else set()
            unfinished = os.listdir(os.path.join(self.data, "functions", "new"))
            if there == expected and not unfinished:
                return
            if time.monotonic() > deadline:
                self.ledger.violation(f"{len(there - expected)} packages that nobody refers to lie there, "
                                      f"{len(expected - there)} are missing, {len(unfinished)} are unfinished")
                return
            time.sleep(0.02)
