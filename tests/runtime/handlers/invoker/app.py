"""Handlers that do what handlers do, the bad ones included."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time

COUNT = 0
LEFT_OPEN = socket.socketpair()


def hello(event, context):
    global COUNT
    COUNT += 1
    return {"hello": event.get("name", "world"), "count": COUNT, "request": context.aws_request_id}


def throw(event, context):
    raise ValueError("not today")


def leave(event, context):
    os._exit(event["status"])


def kill_itself(event, context):
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)


def segfault(event, context):
    ctypes.string_at(0)


def hang(event, context):
    print("hanging")
    while True:
        time.sleep(1)


def spin(event, context):
    while True:
        pass


def leak(event, context):
    kept = []
    while True:
        kept.append(bytearray(1 << 20))


def garbage(event, context):
    os.write(1, bytes(range(256)) * 4)
    os.write(2, b"\xff\xfe no newline")
    return "fine"


def flood(event, context):
    line = b"x" * 99 + b"\n"
    for _ in range(event["lines"]):
        os.write(1, line)
    return event["lines"]


def threads(event, context):
    done = []
    running = [threading.Thread(target=done.append, args=(number,)) for number in range(20)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done)


def background(event, context):
    """A thread that outlives the event, and writes while nobody listens."""
    def talk():
        while True:
            time.sleep(0.01)
            sys.stdout.write("still here\n")
    threading.Thread(target=talk, daemon=True).start()
    return "started"


def subprocesses(event, context):
    return subprocess.run(["/bin/echo", "from a process"], capture_output=True, text=True, check=True).stdout


def orphan(event, context):
    """A process that would outlive its worker."""
    process = subprocess.Popen(["/bin/sleep", "1000"])
    return process.pid


def kept_socket(event, context):
    LEFT_OPEN[0].send(b"ping")
    return LEFT_OPEN[1].recv(4).decode()


def environment(event, context):
    return dict(os.environ)


def large(event, context):
    return "x" * event["size"]


def lie(event, context):
    os.write(4, b"\x12\x00\x00\x00\x04\x00\x00\x00liar")
    os.write(4, b"\xff" * 64)
    time.sleep(10)
