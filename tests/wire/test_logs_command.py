"""`brume logs`: what a function or a group has logged, and what comes while it is followed."""

import os
import select
import subprocess
import time

import pytest
from brume import BINARY, ENVIRONMENT, command
from conftest import client
from functions import make, package

CODE = "def handler(event, context):\n    print('hello', event['n'])\n"
WHOSE = ("--account", "123456789012")


@pytest.fixture(scope="module")
def logs(server):
    return client(server, "logs")


@pytest.fixture
def group(logs, new_name):
    name = f"/command/{new_name()}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="a")
    logs.create_log_stream(logGroupName=name, logStreamName="b")
    return name


def put(logs, group, texts, stream="a", ago_ms=5000):
    start = int(time.time() * 1000) - ago_ms
    logs.put_log_events(logGroupName=group, logStreamName=stream,
                        logEvents=[{"timestamp": start + i, "message": text} for i, text in enumerate(texts)])


def shown(server, name, *options):
    """What the command prints, without the times."""
    done = command("logs", name, *WHOSE, "--data", server.data, *options)
    return [line.split(" ", 1)[1] for line in done.stdout.splitlines()]


class Follower:
    """A command that follows; its lines, as they come."""

    def __init__(self, server, name, *options):
        self.process = subprocess.Popen([BINARY, "logs", name, "-f", *WHOSE, "--data", server.data, *options],
                                        env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.text = b""

    def line(self, seconds=20):
        deadline = time.monotonic() + seconds
        while b"\n" not in self.text:
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert readable, "nothing came"
            piece = os.read(self.process.stdout.fileno(), 4096)
            assert piece, self.process.stderr.read()
            self.text += piece
        line, self.text = self.text.split(b"\n", 1)
        return line.decode().split(" ", 1)[1]

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def test_events_are_shown_in_order_and_filtered(server, logs, group):
    put(logs, group, ["one", "two ERROR"])
    put(logs, group, ["three"], stream="b", ago_ms=4000)
    put(logs, group, ["old"], ago_ms=3600_000)
    assert shown(server, group) == ["one", "two ERROR", "three"]
    assert shown(server, group, "--since", "2h") == ["old", "one", "two ERROR", "three"]
    assert shown(server, group, "--filter", "ERROR") == ["two ERROR"]
    assert shown(server, group, "--stream", "b") == ["three"]


def test_much_is_shown_whole(server, logs, group):
    for i in range(8):
        put(logs, group, [f"{'x' * 90} {j}" for j in range(5000)], ago_ms=100_000 - 6000 * i)
    assert len(shown(server, group)) == 40_000


def test_what_comes_is_followed_by_all_who_follow(server, logs, group):
    put(logs, group, ["before"])
    followers = [Follower(server, group) for _ in range(3)]
    try:
        assert [follower.line() for follower in followers] == ["before"] * 3
        for text in ("first", "second"):
            put(logs, group, [text], ago_ms=3000)
            assert [follower.line() for follower in followers] == [text] * 3
    finally:
        for follower in followers:
            follower.end()


def test_a_function_is_followed_by_its_name(server, functions, new_name):
    name = new_name()
    make(functions, name, Code={"ZipFile": package({"app.py": CODE})})
    done = command("logs", name, *WHOSE, "--data", server.data, check=False)
    assert done.returncode == 1 and "has logged nothing yet" in done.stderr
    functions.invoke(FunctionName=name, Payload=b'{"n": 1}')
    deadline = time.monotonic() + 20
    while command("logs", name, *WHOSE, "--data", server.data, check=False).returncode != 0:
        assert time.monotonic() < deadline
    follower = Follower(server, name, "--filter", "hello")
    try:
        assert follower.line() == "hello 1"
        functions.invoke(FunctionName=name, Payload=b'{"n": 2}')
        assert follower.line() == "hello 2"
    finally:
        follower.end()


def test_what_is_not_there_is_told_with_names_that_are(server, logs, group):
    done = command("logs", group[:-1] + "none", *WHOSE, "--data", server.data, check=False)
    assert done.returncode == 1
    assert "there is no function and no log group" in done.stderr and "/command/" in done.stderr
    done = command("logs", group, *WHOSE, "--data", server.data, "--filter", "{ $.a", check=False)
    assert done.returncode == 1 and "that is no filter pattern" in done.stderr
    assert command("logs", group, "--since", "soon", "--data", server.data, check=False).returncode == 2


def test_a_log_does_not_steer_the_terminal(server, logs, group):
    put(logs, group, ["a\x1b[2Jb\rc"])
    assert shown(server, group) == ["a\\x1b[2Jb\\x0dc"]
