"""Handlers that behave in one way each."""

import atexit
import datetime
import decimal
import logging
import os
import subprocess
import sys
import threading
import time
import typing


def echo(event, context):
    return event


def describe_context(event, context):
    remaining = context.get_remaining_time_in_millis()
    client = context.client_context
    return {
        "aws_request_id": context.aws_request_id, "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name, "function_name": context.function_name,
        "memory_limit_in_mb": context.memory_limit_in_mb, "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn, "tenant_id": context.tenant_id,
        "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
        "client_context": client and [client.custom, client.env, client.client and client.client.app_title],
        "remaining": [isinstance(remaining, int), 0 < remaining <= 3000],
    }


def log_by_context(event, context):
    context.log("by context")
    return repr(context)


def see_environment(event, context):
    return {"all": dict(os.environ), "time": time.strftime("%Z"), "directory": os.getcwd(),
            "stdin": sys.stdin.read(), "path": sys.path}


def fail(event, context):
    def inner():
        raise ValueError("not this")

    inner()


class Strange(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def fail_strangely(event, context):
    raise Strange


def leave(event, context):
    print("leaving")
    sys.exit(event)


def leave_at_once(event, context):
    os._exit(event)


def die(event, context):
    os.kill(os.getpid(), event)


class Fatal(BaseException):
    pass


def fail_fatally(event, context):
    raise Fatal("beyond Exception")


def leave_with_hooks(event, context):
    atexit.register(print, "the hook ran")
    threading.Thread(target=lambda: (time.sleep(0.05), print("the thread ended"))).start()
    sys.exit(3)


class Pair(typing.NamedTuple):
    left: int
    right: int


UNMARSHALABLE = {
    "decimal": decimal.Decimal("1.5"), "datetime": datetime.datetime(2026, 11, 25), "set": {1}, "keys": {(1, 2): 3},
    "surrogate": "\ud800",
}
MARSHALABLE = {"bytes": b'{"raw": 1}', "inner": {"b": "wörd".encode()}, "pair": [(1, 2)], "text": "wörd", "none": None,
               "nan": [float("nan")], "keys": {1: 2, None: 3, True: 4}}


def answer(event, context):
    return {**MARSHALABLE, **UNMARSHALABLE}[event]


async def asynchronous(event, context):
    return 1


def write(event, context):
    print("one")
    print("two", "three")
    print("un", end="")
    print("finished\n\nlast", end="", flush=True)
    sys.stderr.write("to stderr\n")
    sys.stdout.buffer.write(b"bytes\n")
    return sys.stdout.fileno()


def log(event, context):
    logging.getLogger().setLevel(logging.INFO)
    logging.debug("unseen")
    logging.info("seen %s", event)
    logging.getLogger("shop").warning("two\nlines", extra={"order": 7})
    try:
        raise KeyError("k")
    except KeyError:
        logging.exception("failed")


def log_at_default(event, context):
    for level in ("debug", "info", "warning", "error", "critical"):
        getattr(logging, level)(level)


def run_children(event, context):
    print("parent")
    child = os.fork()
    if child == 0:
        print("child")
        os._exit(0)
    os.waitpid(child, 0)
    subprocess.run(["/bin/echo", "program"], check=True)
    return subprocess.run(["/bin/ls", "-l", "/proc/self/fd"], capture_output=True, text=True, check=True).stdout


def forks_and_returns(event, context):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if hasattr(os, "waitstatus_to_exitcode") else 1
    return "of the child"


def print_from_threads(event, context):
    threads = [threading.Thread(target=lambda n=n: [print(f"thread {n} line {i}") for i in range(200)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def trace(event, context):
    return os.environ.get("_X_AMZN_TRACE_ID")


def large(event, context):
    return "x" * event


state = []


def count(event, context):
    state.append(event)
    return len(state)


not_callable = 7
