"""Circuit breakers: of handlers, by the module that the runtimes bring; by the operations behind it; on the command line."""

import concurrent.futures
import itertools
import json
import socket

import pytest
from brume import Server, command
from conftest import client
from deployment import HANDLERS, Deployer

PYTHON, NODEJS = "python3.11", "nodejs22.x"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def deployed(server):
    """A function for each language."""
    deployer = Deployer(lambda service: client(server, service))
    return {
        "python": deployer.deploy("breaking-python", {"app.py": HANDLERS / "breaking.py"}, PYTHON),
        "nodejs": deployer.deploy("breaking-nodejs", {"app.mjs": HANDLERS / "breaking.mjs"}, NODEJS),
    }


@pytest.fixture(params=["python", "nodejs"])
def function(deployed, request):
    return deployed[request.param]


@pytest.fixture
def other(deployed, function):
    """That of the other language."""
    return next(found for found in deployed.values() if found.name != function.name)


@pytest.fixture
def name():
    return f"payments-{next(numbers)}"


def ask(server, operation, key="123456789012", **document):
    status, answer = call(server, operation, key=key, **document)
    assert status == 200, answer
    return answer


def call(server, operation, key="123456789012", **document):
    credential = f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/brume/aws4_request, SignedHeaders=host, Signature=00"
    answer = server.request("POST", "/", json.dumps(document).encode(), {
        "X-Amz-Target": f"Brume.{operation}", "Content-Type": "application/x-amz-json-1.1", "Authorization": credential})
    return answer[0], json.loads(answer[2])


def open_it(function, name, times=3):
    for _ in range(times):
        assert function.ask({"name": name, "do": "record_failure"}) is None


def test_failures_in_one_worker_open_it_for_every_other_at_once(function, other, name):
    open_it(function, name, 2)
    assert function.ask({"name": name, "do": "is_open"}) is False
    open_it(other, name, 1)
    assert function.ask({"name": name, "do": "is_open"}) is True
    assert other.ask({"name": name, "do": "is_open"}) is True


def test_a_success_forgets_the_failures_before_it(function, name):
    open_it(function, name, 2)
    assert function.ask({"name": name, "do": "record_success"}) is None
    open_it(function, name, 2)
    assert function.ask({"name": name, "do": "is_open"}) is False


def test_a_guarded_function_is_not_called_while_it_is_open(function, name):
    event = {"name": name, "do": "guarded", "fails": True}
    assert function.ask({**event, "fails": False}) == "called"
    assert [function.ask(event) for _ in range(4)] == ["fallen"] * 3 + [
        f"open: circuit breaker {repr(name)} is open, {'True' if 'python' in function.name else 'true'}"]


def test_half_open_lets_one_probe_through_however_many_ask(server, function, other, name):
    open_it(function, name)
    command("clock", "advance", "61s", "--data", server.data)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(each.ask, {"name": name, "do": "is_open"}) for each in (function, other) * 6]
        assert sorted(each.result() for each in asked) == [False] + [True] * 11
    assert other.ask({"name": name, "do": "record_success"}) is None
    assert function.ask({"name": name, "do": "is_open"}) is False


def test_a_probe_that_fails_opens_it_anew(server, function, name):
    open_it(function, name)
    command("clock", "advance", "61s", "--data", server.data)
    assert function.ask({"name": name, "do": "is_open"}) is False
    open_it(function, name, 1)
    assert function.ask({"name": name, "do": "is_open"}) is True
    assert ask(server, "DescribeCircuitBreaker", Name=name)["Breaker"]["State"] == "OPEN"


def test_a_server_that_cannot_be_reached_is_named(function, name):
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    answer = function.invoke({"name": name, "do": "is_open", "endpoint": endpoint})
    assert answer.failed and answer.payload["errorType"].endswith("BrumeUnavailableError"), answer.payload
    assert f"the Brume server at {endpoint} did not answer" in answer.payload["errorMessage"]


def test_a_refusal_comes_with_its_code(function):
    answer = function.invoke({"name": "mapping/1", "do": "is_open"})
    assert answer.failed and answer.payload["errorType"].endswith("BrumeRefusedError"), answer.payload
    assert "ReservedNameException: Names that begin with" in answer.payload["errorMessage"]


def test_the_function_s_own_module_of_that_name_comes_first(server):
    deployer = Deployer(lambda service: client(server, service, key="555566667777"))
    files = {"brume.py": b"whose = 'mine'\n", "app.py": b"import brume\ndef handler(event, context):\n    return brume.whose\n"}
    assert deployer.deploy("own-python", files, PYTHON).ask() == "mine"
    files = {"node_modules/brume/index.js": b"exports.whose = 'mine';\n",
             "app.js": b"exports.handler = async () => require('brume').whose;\n"}
    assert deployer.deploy("own-nodejs", files, NODEJS).ask() == "mine"


@pytest.mark.parametrize("runtime, file", [(PYTHON, "breaking.py"), (NODEJS, "breaking.mjs")])
def test_calls_are_signed_and_go_over_tls(start, folder, name, runtime, file):
    """A server that verifies every signature, with a certificate that nobody else has signed."""
    key, secret = "BRUMEROOTKEY00000001", "root/secret+with=signs"
    command("tls", "self-signed", "--directory", folder / "tls")
    server = start("--auth", "signed", tls=folder / "tls",
                   environment={"BRUME_ACCESS_KEY_ID": key, "BRUME_SECRET_ACCESS_KEY": secret})
    deployer = Deployer(lambda service: client(server, service, key=key, secret=secret))
    function = deployer.deploy("breaking", {f"app.{file.split('.')[1]}": HANDLERS / file}, runtime)
    open_it(function, name)
    assert function.ask({"name": name, "do": "is_open"}) is True
    status, answer = call(server, "EnterCircuitBreaker", Name=name)
    assert status == 403 and "Allowed" not in answer


def test_breakers_belong_to_accounts_and_regions(server, name):
    ask(server, "RecordCircuitBreaker", Name=name, Success=False, FailureThreshold=1)
    assert ask(server, "EnterCircuitBreaker", Name=name)["Allowed"] is False
    assert ask(server, "EnterCircuitBreaker", key="999900001111", Name=name)["Allowed"] is True


def test_one_that_is_open_survives_a_kill(folder, name):
    server = Server(folder / "data")
    ask(server, "RecordCircuitBreaker", Name=name, Success=False, FailureThreshold=1)
    server.kill()
    server = Server(folder / "data")
    try:
        answer = ask(server, "EnterCircuitBreaker", Name=name)
        assert answer["Allowed"] is False and answer["Breaker"]["State"] == "OPEN"
        assert answer["Breaker"]["RetryAt"] == answer["Breaker"]["OpenedAt"] + 60000
    finally:
        assert server.terminate() == 0, server.errors()


def test_settings_are_kept_until_others_are_given(server, name):
    ask(server, "RecordCircuitBreaker", Name=name, Success=False, FailureThreshold=7, RecoveryMilliseconds=1500)
    state = ask(server, "DescribeCircuitBreaker", Name=name)["Breaker"]
    assert (state["State"], state["Failures"], state["FailureThreshold"], state["RecoveryMilliseconds"]) == ("CLOSED", 1, 7, 1500)
    assert "OpenedAt" not in state and "RetryAt" not in state


@pytest.mark.parametrize("document", [
    {}, {"Name": ""}, {"Name": "a b"}, {"Name": "x" * 257}, {"Name": "x", "FailureThreshold": 0},
    {"Name": "x", "RecoveryMilliseconds": 0}])
def test_what_makes_no_sense_is_refused(server, document):
    status, answer = call(server, "EnterCircuitBreaker", **document)
    assert status == 400 and answer["__type"].endswith("ValidationException"), answer


def test_breakers_are_listed_and_reset(server):
    key = "222233334444"
    for number in range(3):
        ask(server, "RecordCircuitBreaker", key=key, Name=f"b{number}", Success=False, FailureThreshold=1)
    page = ask(server, "ListCircuitBreakers", key=key, MaxResults=2)
    assert [row["Name"] for row in page["Breakers"]] == ["b0", "b1"]
    page = ask(server, "ListCircuitBreakers", key=key, MaxResults=2, NextToken=page["NextToken"])
    assert [row["Name"] for row in page["Breakers"]] == ["b2"] and "NextToken" not in page
    ask(server, "ResetCircuitBreaker", key=key, Name="b1")
    assert ask(server, "EnterCircuitBreaker", key=key, Name="b1")["Allowed"] is True
    assert len(ask(server, "ListCircuitBreakers", key=key)["Breakers"]) == 2


# ---- brume breakers ----

def brume_breakers(server, *arguments, account="333344445555", **more):
    return command("breakers", *arguments, "--account", account, "--data", server.data, **more)


def test_the_command_shows_breakers_and_closes_them(server):
    key = "333344445555"
    ask(server, "RecordCircuitBreaker", key=key, Name="slow", Success=False)
    for _ in range(2):
        ask(server, "RecordCircuitBreaker", key=key, Name="stuck", Success=False, FailureThreshold=2, RecoveryMilliseconds=90000)
    lines = brume_breakers(server).stdout.splitlines()
    assert lines[0].split("  ")[0] == "NAME" and "NEXT PROBE" in lines[0]
    assert [cell.strip() for cell in lines[1].split("  ") if cell.strip()] == ["slow", "us-east-1", "closed", "1 of 5", "1m", "-"], lines
    assert "open" in lines[2] and "2 of 2" in lines[2] and "1m30s" in lines[2]
    row = json.loads(brume_breakers(server, "list", "--json").stdout.splitlines()[1])
    assert 0 < row.pop("probe_in_ms") <= 90000 and row.pop("opened_ms") > 0
    assert row == {"name": "stuck", "region": "us-east-1", "state": "open", "failures": 2, "failure_threshold": 2, "recovery_ms": 90000}
    assert brume_breakers(server, "reset", "stuck").stdout == "stuck is closed; it was open, with 2 failures in a row\n"
    assert ask(server, "EnterCircuitBreaker", key=key, Name="stuck")["Allowed"] is True
    assert brume_breakers(server, "close", "stuck", check=False).returncode == 2


def test_many_breakers_are_listed_in_order(server):
    names = [f"b{number:03}" for number in range(130)]
    for each in names:
        ask(server, "RecordCircuitBreaker", key="666677778888", Name=each, Success=False)
    lines = brume_breakers(server, account="666677778888").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == names
