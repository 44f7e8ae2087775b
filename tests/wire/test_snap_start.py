"""SnapStart, with workers that are copies of one that was initialised: through the SDK for Python."""

import base64
import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from brume import Server
from conftest import client
from functions import make, package

# The version that this host has stands in for one that AWS offers SnapStart for: what is tested does not depend on it.
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
COPIED = """
import os, time, uuid
from snapshot_restore_py import register_before_snapshot, register_after_restore

init = uuid.uuid4().hex
steps = ["init"]
register_before_snapshot(lambda: steps.append("before"))
register_after_restore(lambda: steps.append("after"))


def handler(event, context):
    time.sleep(event["seconds"])
    return {"init": init, "own": uuid.uuid4().hex, "steps": steps, "version": context.function_version,
            "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "stream": context.log_stream_name}
"""


@pytest.fixture(scope="module", params=["host", "isolated"])
def functions(request, tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("data"), "--network", request.param,
                   "--runtime", f"python3.12=/usr/bin/python{HERE}")
    yield client(server, "lambda")
    server.terminate()


def wait_active(functions, name, version):
    """A version is pending until it has settled."""
    deadline = time.monotonic() + 10
    while True:
        now = functions.get_function_configuration(FunctionName=name, Qualifier=version)
        if now["State"] == "Active":
            return now
        assert now["State"] == "Pending" and time.monotonic() < deadline, now
        time.sleep(0.02)


def test_a_version_runs_in_copies_of_one_initialised_process(functions):
    make(functions, "copied", Runtime="python3.12", Code={"ZipFile": package({"app.py": COPIED})},
         SnapStart={"ApplyOn": "PublishedVersions"}, Timeout=30)
    latest = functions.get_function_configuration(FunctionName="copied")
    assert latest["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    functions.publish_version(FunctionName="copied")
    version = wait_active(functions, "copied", "1")
    assert version["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}

    def invoke(_):
        answer = functions.invoke(FunctionName="copied", Qualifier="1", LogType="Tail", Payload=b'{"seconds": 1}')
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read()), base64.b64decode(answer["LogResult"]).decode()

    with ThreadPoolExecutor(3) as together:
        answers = list(together.map(invoke, range(3)))
    documents = [document for document, _ in answers]
    assert len({document["init"] for document in documents}) == 1  # init code ran once
    assert len({document["own"] for document in documents}) == len({document["stream"] for document in documents}) == 3
    for document, log in answers:
        assert document["steps"] == ["init", "before", "after"]
        assert (document["type"], document["version"]) == ("snap-start", "1")
        report = re.search(r"Restore Duration: (\d+\.\d\d) ms\tBilled Restore Duration: (\d+) ms", log)
        assert report and 0 < float(report[1]) <= int(report[2]) and "Init Duration" not in log


def test_latest_is_no_copy(functions):
    make(functions, "latest", Runtime="python3.12", Code={"ZipFile": package({"app.py": COPIED})},
         SnapStart={"ApplyOn": "PublishedVersions"})
    answer = json.loads(functions.invoke(FunctionName="latest", Payload=b'{"seconds": 0}')["Payload"].read())
    assert (answer["steps"], answer["type"]) == (["init"], "on-demand")


def test_an_init_phase_that_fails_is_told(functions):
    make(functions, "broken", Runtime="python3.12", Code={"ZipFile": package({"app.py": "raise ValueError('not so')"})},
         SnapStart={"ApplyOn": "PublishedVersions"})
    functions.publish_version(FunctionName="broken")
    wait_active(functions, "broken", "1")
    answer = functions.invoke(FunctionName="broken", Qualifier="1")
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorMessage"] == "not so"
