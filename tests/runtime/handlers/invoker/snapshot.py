"""SnapStart: what init code did is there in each copy, and what must be each copy's own is."""

import os
import random
import socket
import ssl
import time
import uuid

import snapshot_restore_py

STEPS = ["init"]
INIT = uuid.uuid4().hex
KEPT_OPEN = open(__file__, encoding="utf-8")
with open("/tmp/of_the_init_phase", "w", encoding="utf-8") as left:
    left.write(INIT)


@snapshot_restore_py.register_before_snapshot
def before_first():
    STEPS.append("before 1")


@snapshot_restore_py.register_before_snapshot
def before_second():
    STEPS.append("before 2")


@snapshot_restore_py.register_after_restore
def after_first():
    STEPS.append("after 1")


@snapshot_restore_py.register_after_restore
def after_second():
    STEPS.append("after 2")


def seen_processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def copy(event, context):
    """Stays long enough for others to run at the same time."""
    found = os.path.exists("/tmp/of_a_copy")
    with open("/tmp/of_a_copy", "w", encoding="utf-8") as mine:
        mine.write("x")
    with open("/dev/shm/of_a_copy", "w" if found else "x", encoding="utf-8"):
        pass
    time.sleep(event.get("seconds", 0))
    with open("/proc/self/status", encoding="utf-8") as status:
        powers = [line.split()[1] for line in status if line.startswith(("CapEff", "CapPrm", "CapBnd"))]
    return {
        "steps": STEPS,
        "init": INIT,
        "drawn": [random.random(), uuid.uuid4().hex, ssl.RAND_bytes(16).hex(), os.urandom(16).hex()],
        "clock": time.time(),
        "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "stream": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        "processes": seen_processes(),
        "process": os.getpid(),
        "host": os.uname().nodename,
        "foundAnothers": found,
        "readsItsCode": KEPT_OPEN.readline() != "" or KEPT_OPEN.seek(0) == 0,
        "powers": powers,
        "child": os.popen("echo child").read().strip(),
    }


def listen(event, context):
    """On a port that a copy beside this one listens on, too."""
    with socket.create_server(("127.0.0.1", 8080)) as server:
        time.sleep(event["seconds"])
        with socket.create_connection(server.getsockname()) as caller:
            caller.sendall(b"itself")
            return {"heard": server.accept()[0].recv(64).decode()}
