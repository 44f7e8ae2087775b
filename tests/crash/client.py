"""client.py: the smallest client that speaks AWS's JSON protocols, and the server's process.

Raw sockets, because a loss is found the sooner the more requests are under way when the process dies."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

import build

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/{}/aws4_request, SignedHeaders=host;x-amz-date, "
    "Signature=" + "0" * 64
)
# What a service is called before its operations, and the version of its protocol.
SQS, LOGS = ("sqs", "AmazonSQS", "1.0"), ("logs", "Logs_20140328", "1.1")
READY_SECONDS = 20
ANSWER_SECONDS = 20


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, operation, status, code, text):
        super().__init__(f"{operation}: {status} {code} {text}")
        self.code = code


class Gone(Exception):
    """The connection ended without an answer: nobody knows whether the operation happened."""


class Client:
    """One connection; not for several threads."""

    def __init__(self, port, service=SQS):
        self.port, self.service = port, service
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        except OSError as problem:
            raise Gone(str(problem)) from problem
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def close(self):
        self.socket.close()

    def call(self, operation, **members):
        """The answer's members. Refused, Gone."""
        body = json.dumps(members).encode()
        name, target, version = self.service
        head = (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/x-amz-json-{version}\r\n"
            f"X-Amz-Target: {target}.{operation}\r\nAuthorization: {AUTHORIZATION.format(name)}\r\n"
            f"X-Amz-Date: 20250101T000000Z\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            self.socket.sendall(head.encode() + body)
            status, answer = self.read_answer()
        except TimeoutError as problem:
            raise Refused(operation, 0, "NoAnswer", f"in {ANSWER_SECONDS} s") from problem
        except OSError as problem:
            raise Gone(str(problem)) from problem
        document = json.loads(answer) if answer else {}
        if status != 200:
            raise Refused(operation, status, document.get("__type", "").split("#")[-1], document.get("message"))
        return document

    def read_answer(self):
        while b"\r\n\r\n" not in self.buffer:
            self.read_more()
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        length = int(re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE).group(1))
        while len(self.buffer) - len(head) - 4 < length:
            self.read_more()
        rest = self.buffer[len(head) + 4 :]
        self.buffer = rest[length:]
        return int(head.split(b" ", 2)[1]), rest[:length]

    def read_more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed")
        self.buffer += piece


class Server:
    """A running brume. `journal`: its writes are kept there, for a loss of power (see powerloss.c). `more` is added to
    its environment. `restore`: a backup that the data directory is made from first."""

    def __init__(self, binary, data, journal=None, sync_us=0, failpoint=None, more=None, restore=None):
        self.binary, self.data = binary, data
        environment = build.shim_environment(data, journal, sync_us) if journal else dict(os.environ)
        if failpoint:
            environment["BRUME_FAILPOINT"] = failpoint
        environment.update(more or {})
        if restore:
            self.run("restore", restore)
        command = [binary, "start", "--data", data, "--listen", "127.0.0.1:0", "--auth", "open", "--virtual-clock"]
        self.errors = tempfile.TemporaryFile()  # no pipe: nobody reads while the load runs
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL
        )
        self.port = None

    def wait_ready(self):
        """True when it listens; False when it ended before (by a failpoint). AssertionError: it did neither."""
        deadline = time.monotonic() + READY_SECONDS
        output = b""
        while time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                piece = os.read(self.process.stdout.fileno(), 4096)
                output += piece
                found = re.search(rb"127\.0\.0\.1:(\d+)", output)
                if found and b"\n" in output[found.start() :]:
                    self.port = int(found.group(1))
                    return True
                if not piece:
                    status = self.process.wait(timeout=READY_SECONDS)
                    if status == -signal.SIGKILL:
                        return False
                    raise AssertionError(f"the server ended at its start with {status}: {self.complaint()}")
        self.kill()
        raise AssertionError(f"the server was not ready in {READY_SECONDS} s: {output!r}")

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()[-2000:]

    def has_ended(self):
        """Whether it has, or does within two seconds: its connections end a little earlier than the process."""
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return False
        return True

    def children(self):
        """The processes that its threads have started, by id: the keeper of functions is one."""
        found = []
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{thread}/children", encoding="ascii") as file:
                found += [int(child) for child in file.read().split()]
        return found

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait(timeout=READY_SECONDS)

    def stop(self):
        """Ends it as an operator does; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=READY_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server did not stop on SIGTERM") from None

    def close(self):
        self.kill()
        self.process.stdout.close()
        self.errors.close()

    def run(self, *arguments):
        """Runs a command of brume against this server; gives its output."""
        done = subprocess.run(
            [self.binary, *arguments, "--data", self.data],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError(f"brume {' '.join(arguments)}: {done.returncode}: {done.stdout.decode()}")
        return done.stdout.decode()

    def advance(self, duration):
        """Gives what the clock shows then, as text that sorts by time."""
        return clock_text(self.run("clock", "advance", duration))

    def clock(self):
        return clock_text(self.run("clock", "now"))


def clock_text(output):
    """With its milliseconds always, so that texts compare."""
    moment = output.strip().rstrip("Z")
    return moment if "." in moment else moment + ".000"
