"""A deleted function takes along what it had: its idle workers, its code; and what is made under its name is another."""

import json
import os
import threading
import time

import pytest

from conftest import client as connect
from functions import ROLE, package, wait_settled

COUNTS = "runs = 0\n\ndef handler(event, context):\n    global runs\n    runs += 1\n    return ['{name}', runs]\n"
SLOW = "import time\n\ndef handler(event, context):\n    time.sleep(1)\n    return 'done'\n"


def make(client, name, code):
    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE,
                           Code={"ZipFile": package({"app.py": code})})
    wait_settled(client, name)


def invoke(client, name):
    answer = client.invoke(FunctionName=name)
    assert "FunctionError" not in answer
    return json.loads(answer["Payload"].read())


def await_event(happened, what, seconds=10):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


@pytest.fixture(name="client")
def client_fixture(server):
    return connect(server, "lambda")


def workers(server):
    return server.metric("brume_function_workers")


def test_idle_workers_and_code_go_with_the_function_and_no_other_s(server, client, module_folder):
    make(client, "stays", COUNTS.format(name="stays"))
    make(client, "goes", COUNTS.format(name="goes"))
    assert invoke(client, "stays") == ["stays", 1] and invoke(client, "goes") == ["goes", 1]
    assert workers(server) == 2
    codes = module_folder / "data" / "functions" / "123456789012"
    assert len(os.listdir(codes)) == 2
    client.delete_function(FunctionName="goes")
    await_event(lambda: workers(server) == 1, lambda: f"{workers(server)} workers")
    await_event(lambda: len(os.listdir(codes)) == 1, lambda: os.listdir(codes))
    assert invoke(client, "stays") == ["stays", 2]
    client.delete_function(FunctionName="stays")
    await_event(lambda: workers(server) == 0, lambda: f"{workers(server)} workers")


def test_a_function_made_again_under_its_name_never_meets_an_old_worker(server, client):
    for number in range(5):
        make(client, "again", COUNTS.format(name=f"code {number}"))
        assert [invoke(client, "again") for _ in range(2)] == [[f"code {number}", 1], [f"code {number}", 2]]
        client.delete_function(FunctionName="again")
    make(client, "again", COUNTS.format(name="code 4"))
    assert invoke(client, "again") == ["code 4", 1], "the same code in a worker of the function before"
    await_event(lambda: workers(server) == 1, lambda: f"{workers(server)} workers")
    client.delete_function(FunctionName="again")
    await_event(lambda: workers(server) == 0, lambda: f"{workers(server)} workers")


def test_idle_workers_go_with_their_version_and_no_other_s(server, client):
    make(client, "versions", COUNTS.format(name="versions"))
    client.publish_version(FunctionName="versions")
    assert invoke(client, "versions:1") == ["versions", 1] and invoke(client, "versions") == ["versions", 1]
    assert workers(server) == 2
    client.delete_function(FunctionName="versions", Qualifier="1")
    await_event(lambda: workers(server) == 1, lambda: f"{workers(server)} workers")
    assert invoke(client, "versions") == ["versions", 2]
    client.delete_function(FunctionName="versions")
    await_event(lambda: workers(server) == 0, lambda: f"{workers(server)} workers")


def test_what_runs_when_the_function_is_deleted_is_answered_and_then_its_worker_goes(server, client):
    make(client, "slow", SLOW)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(invoke(connect(server, "lambda"), "slow")))
    thread.start()
    await_event(lambda: server.metric("brume_function_busy") == 1, lambda: "it does not run")
    client.delete_function(FunctionName="slow")
    thread.join()
    assert answers == ["done"]
    await_event(lambda: workers(server) == 0, lambda: f"{workers(server)} workers")
