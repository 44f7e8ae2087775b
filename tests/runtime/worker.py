"""A worker as the server sees it: a bootstrap's process, and the other ends of its channel (src/runtime/channel.h). There is no
sandbox; the function's code is a folder of tests/runtime/handlers."""

import json
import os
import pathlib
import select
import signal
import socket
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RUNTIMES = ROOT / "runtimes"
HANDLERS = HERE / "handlers"

# Other versions are tested by naming their programs.
PYTHON = os.environ.get("PYTHON_UNDER_TEST") or sys.executable
NODE = os.environ.get("NODE_UNDER_TEST") or os.path.realpath(ROOT / "tests/wire/node_modules/.bin/node")

NAMES = {1: "INIT", 2: "INVOKE", 3: "RESTORE", 16: "READY", 17: "INIT_ERROR", 18: "RESPONSE", 19: "ERROR",
         20: "STREAM_START", 21: "STREAM_PIECE", 22: "STREAM_END", 23: "STREAM_ERROR", 24: "LOG", 25: "SNAPSHOT_READY",
         26: "GOODBYE", 27: "EXIT"}
KINDS = {name: kind for kind, name in NAMES.items()}

REQUEST_ID = "79b4f56e-95b1-4643-9700-2807f4e68189"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:hello"
HEADER = struct.Struct("<B3xI")
PATIENCE = 10  # seconds until a test that waits has failed


def version_of(program):
    """Its numbers, as (3, 11)."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(number) for number in said.split()[-1].lstrip("v").split(".")[:2])


class Ended(Exception):
    """The worker has closed its channel."""


class Answer:
    """What came back for an event: the kind and content of the last frame, and the log events before it."""

    def __init__(self, kind, content, logs, pieces=(), start=None):
        self.kind, self.content, self.logs, self.pieces, self.start = kind, content, logs, list(pieces), start

    @property
    def document(self):
        return json.loads(self.content)


class Worker:
    def __init__(self, command, task, environment=None, process_environment=None):
        events, events_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        answers, answers_theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        out, out_theirs = os.pipe()
        err, err_theirs = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        actions = [(os.POSIX_SPAWN_DUP2, file, number)
                   for file, number in ((null, 0), (out_theirs, 1), (err_theirs, 2), (events_theirs.fileno(), 3),
                                           (answers_theirs.fileno(), 4))]
        self.pid = os.posix_spawn(command[0], command, process_environment or {"PATH": "/usr/bin:/bin"}, file_actions=actions)
        for file in (out_theirs, err_theirs, null):
            os.close(file)
        events_theirs.close()
        answers_theirs.close()
        self.events, self.answers, self.pipes, self.status = events, answers, {"out": out, "err": err}, None
        self.task = str(task)
        self.environment = {
            "LAMBDA_TASK_ROOT": self.task, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "TZ": ":UTC",
            "AWS_LAMBDA_FUNCTION_NAME": "hello", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "PATH": "/usr/bin:/bin",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/25/[$LATEST]0123456789abcdef", "LANG": "en_US.UTF-8",
            "AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "secret", **(environment or {})}

    # ---- Frames ----

    def send(self, kind, content):
        self.events.sendall(HEADER.pack(KINDS[kind], len(content)) + content)

    def receive(self):
        kind, size = HEADER.unpack(self._exactly(HEADER.size))
        return NAMES[kind], self._exactly(size)

    def _exactly(self, size):
        self.answers.settimeout(PATIENCE)
        data = bytearray()
        while len(data) < size:
            more = self.answers.recv(min(size - len(data), 1 << 20))
            if not more:
                raise Ended
            data += more
        return bytes(data)

    def answer(self):
        """Everything up to the frame that ends an event, or a start."""
        logs, pieces, start = [], [], None
        while True:
            kind, content = self.receive()
            if kind == "LOG":
                logs.append(content.decode())
            elif kind == "STREAM_START":
                start = json.loads(content)
            elif kind == "STREAM_PIECE":
                pieces.append(content)
            else:
                return Answer(kind, content, logs, pieces, start)

    # ---- What the server does ----

    def start(self, handler, **settings):
        settings = {"handler": handler, "environment": {**self.environment, "_HANDLER": handler}, "snapStart": False,
                    "logFormat": "Text", "logLevel": "INFO", **settings}
        self.send("INIT", json.dumps(settings).encode())
        return self.answer()

    def send_event(self, payload, request_id=REQUEST_ID, timeout_ms=3000, **head):
        head = {"requestId": request_id, "deadlineMs": int(time.time() * 1000) + timeout_ms, "functionArn": ARN,
                "streamed": False, **head}
        head = json.dumps(head).encode()
        payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send("INVOKE", len(head).to_bytes(4, "little") + head + payload)

    def invoke(self, payload, **head):
        self.send_event(payload, **head)
        return self.answer()

    # ---- Its end ----

    def printed(self, pipe="out"):
        """What has come over a pipe until now."""
        file, text = self.pipes[pipe], b""
        while select.select([file], [], [], 0)[0]:
            more = os.read(file, 65536)
            if not more:
                break
            text += more
        return text.decode()

    def wait(self):
        """How the process ended: its exit code, or minus its signal."""
        deadline = time.monotonic() + PATIENCE
        file = os.pidfd_open(self.pid)
        try:
            assert select.select([file], [], [], max(0, deadline - time.monotonic()))[0], "the worker goes on"
        finally:
            os.close(file)
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def close_channel(self):
        self.events.close()
        self.answers.close()

    def close(self):
        self.close_channel()
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        for file in self.pipes.values():
            os.close(file)
