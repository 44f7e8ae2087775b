"""Invoke with real handlers, through the SDK for Python, `brume invoke` and `brume functions`."""

import base64
import concurrent.futures
import contextlib
import itertools
import json
import os
import subprocess
import time

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError
from brume import BINARY, ENVIRONMENT, command
from conftest import client
from functions import make, package, wait_settled

ACCOUNT = "123456789012"
numbers = itertools.count(1)

HANDLER = '''
import os, sys, time

def handler(event, context):
    if event == "fail":
        raise ValueError("not this one")
    if event == "exit":
        os._exit(3)
    if event == "sleep":
        time.sleep(10)
    if isinstance(event, dict) and "large" in event:
        return "x" * event["large"]
    print("seen", event)
    context_of = context.client_context
    return {"event": event, "arn": context.invoked_function_arn, "version": context.function_version,
            "request": context.aws_request_id, "custom": context_of and context_of.custom,
            "trace": os.environ.get("_X_AMZN_TRACE_ID")}
'''


@pytest.fixture(scope="module")
def function(functions):
    """The name of the handler above, which the tests share."""
    make(functions, "invoked", Code={"ZipFile": package({"app.py": HANDLER})}, Timeout=1)
    return "invoked"


def new(functions, text, **more):
    name = f"invoke-{next(numbers)}"
    make(functions, name, Code={"ZipFile": package({"app.py": text})}, **more)
    return name


def answer(functions, name, event=None, **more):
    """(the answer's members, its payload)"""
    result = functions.invoke(FunctionName=name, **({} if event is None else {"Payload": json.dumps(event)}), **more)
    return result, json.loads(result["Payload"].read() or "null")


def refused(functions, name, **more):
    with pytest.raises(ClientError) as caught:
        functions.invoke(FunctionName=name, **more)
    return caught.value.response


def test_a_handler_answers(functions, function):
    result, payload = answer(functions, function, {"n": [1, 2.5, None, "é"]})
    assert result["StatusCode"] == 200 and result["ExecutedVersion"] == "$LATEST" and "FunctionError" not in result
    assert result["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/json"
    assert payload["event"] == {"n": [1, 2.5, None, "é"]}
    assert payload["arn"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{function}"
    assert payload["request"] == result["ResponseMetadata"]["RequestId"]
    assert answer(functions, function)[1]["event"] == {}


def test_the_end_of_the_log_comes_along_when_it_is_asked_for(functions, function):
    result, payload = answer(functions, function, "logged", LogType="Tail")
    log = base64.b64decode(result["LogResult"]).decode()
    assert log.startswith(f"START RequestId: {payload['request']} Version: $LATEST\n")
    assert "seen logged" in log and f"REPORT RequestId: {payload['request']}" in log
    assert "LogResult" not in answer(functions, function, "unlogged")[0]


@pytest.mark.parametrize("event, kind, text", [
    ("fail", "ValueError", "not this one"),
    ("exit", "Runtime.ExitError", "exit status 3"),
    ("sleep", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
])
def test_a_failure_is_told_as_the_runtime_tells_it(functions, function, event, kind, text):
    result, document = answer(functions, function, event)
    assert result["StatusCode"] == 200 and result["FunctionError"] == "Unhandled"
    assert document["errorType"] == kind and text in document["errorMessage"]
    assert answer(functions, function, "after it")[1]["event"] == "after it"


def test_an_answer_of_more_than_six_megabytes_is_a_failure(functions, function):
    result, payload = answer(functions, function, {"large": 6_000_000})
    assert len(payload) == 6_000_000
    result, document = answer(functions, function, {"large": 6_300_000})
    assert result["FunctionError"] == "Unhandled" and document["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_handler_that_is_not_there_is_a_failure(functions):
    name = new(functions, "x = 1\n")
    result, document = answer(functions, name)
    assert result["FunctionError"] == "Unhandled" and document["errorType"] == "Runtime.HandlerNotFound"
    name = new(functions, "import nothing_of_that_name\n")
    result, document = answer(functions, name)
    assert result["FunctionError"] == "Unhandled" and document["errorType"] == "Runtime.ImportModuleError"


def test_what_a_client_says_of_itself_reaches_the_handler(functions, function):
    context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    assert answer(functions, function, 1, ClientContext=context)[1]["custom"] == {"a": "b"}
    error = refused(functions, function, ClientContext="string")["Error"]
    assert error == {"Code": "InvalidRequestContentException",
                     "Message": "Client context must be a valid Base64-encoded JSON object."}


def test_what_is_no_json_is_refused(functions, function):
    error = refused(functions, function, Payload=b"e30=")["Error"]
    assert error["Code"] == "InvalidRequestContentException"
    assert error["Message"].startswith("Could not parse request body into json: Could not parse payload into json: "
                                       "Unrecognized token 'e30'")


def test_an_alias_shares_its_calls_between_two_versions(functions):
    name = new(functions, "def handler(event, context):\n    return context.function_version\n")
    for text in ("one", "two"):
        functions.update_function_configuration(FunctionName=name, Description=text)
        wait_settled(functions, name)
        version = functions.publish_version(FunctionName=name)["Version"]
        wait_settled(functions, name, Qualifier=version)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1",
                           RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    seen = [answer(functions, name, Qualifier="live") for _ in range(60)]
    assert {payload for _, payload in seen} == {"1", "2"}
    assert all(result["ExecutedVersion"] == payload for result, payload in seen)
    assert answer(functions, f"{name}:2")[1] == "2"
    error = refused(functions, f"{name}:live", Qualifier="1")["Error"]
    assert error["Code"] == "InvalidParameterValueException"


def test_an_alias_that_moves_takes_its_callers_along(functions):
    """What is invoked is the alias; what runs, the version that it means by then."""
    source = "def handler(event, context):\n    return [{}, context.invoked_function_arn, context.function_version]\n"
    name = new(functions, source.format(1))
    version = functions.publish_version(FunctionName=name)["Version"]
    alias = functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)["AliasArn"]
    for callee, more in ((name, {"Qualifier": "live"}), (alias, {})):
        result, payload = answer(functions, callee, **more)
        assert (result["ExecutedVersion"], payload) == ("1", [1, alias, "1"])
    functions.update_function_code(FunctionName=name, ZipFile=package({"app.py": source.format(2)}))
    wait_settled(functions, name)
    assert answer(functions, alias)[1] == [1, alias, "1"]
    version = functions.publish_version(FunctionName=name)["Version"]
    wait_settled(functions, name, Qualifier=version)
    assert answer(functions, alias)[1] == [1, alias, "1"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    result, payload = answer(functions, alias)
    assert (result["ExecutedVersion"], payload) == ("2", [2, alias, "2"])


@pytest.mark.parametrize("name, more, ending", [
    ("nobody", {}, ":$LATEST"), ("nobody", {"Qualifier": "7"}, ":7"), ("nobody:live", {}, ":live"),
    ("a" * 65, {}, ":$LATEST")])
def test_what_is_not_there_is_told_with_the_version_that_would_have_run(functions, name, more, ending):
    error = refused(functions, name, **more)["Error"]
    assert error["Code"] == "ResourceNotFoundException"
    bare = name.split(":")[0]
    assert error["Message"] == f"Function not found: arn:aws:lambda:us-east-1:{ACCOUNT}:function:{bare}{ending}"


def test_recursion_without_end_is_out_of_memory(functions):
    name = new(functions, "import sys\nsys.setrecursionlimit(10**9)\ndef handler(event, context):\n"
                          "    return handler([event], context)\n", Timeout=30)
    result, document = answer(functions, name)
    assert result["FunctionError"] == "Unhandled" and document["errorType"] == "Runtime.OutOfMemory"


def test_another_account_invokes_what_lets_it_in(server, functions, function):
    other = client(server, "lambda", key="111122223333")
    arn = functions.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
    assert refused(other, arn, Payload="1")["Error"]["Code"] == "AccessDeniedException"
    functions.add_permission(FunctionName=function, StatementId="friend", Action="lambda:InvokeFunction",
                             Principal="111122223333")
    assert answer(other, arn, "of a friend")[1]["event"] == "of a friend"
    functions.remove_permission(FunctionName=function, StatementId="friend")
    assert refused(other, arn, Payload="1")["Error"]["Code"] == "AccessDeniedException"


def test_what_may_not_run_is_throttled_with_the_reason(functions):
    name = new(functions, "def handler(event, context):\n    return 1\n")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    response = refused(functions, name)
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    functions.delete_function_concurrency(FunctionName=name)
    assert answer(functions, name)[1] == 1


def test_no_more_run_at_once_than_are_reserved(functions):
    name = new(functions, "import time\ndef handler(event, context):\n    time.sleep(0.5)\n    return 1\n", Timeout=10)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)

    def one(_):
        try:
            return answer(functions, name)[1]
        except ClientError as error:
            return error.response["Reason"]

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(one, range(6)))
    assert results.count(1) == 2
    assert results.count("ReservedFunctionConcurrentInvocationLimitExceeded") == 4


def test_a_runtime_that_the_host_lacks_is_refused_with_what_installs_it(functions):
    name = new(functions, HANDLER, Runtime="python3.14")
    response = refused(functions, name)
    assert response["Error"]["Code"] == "InvalidRuntimeException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 502
    assert "python3.14" in response["Error"]["Message"]


def test_a_dry_run_runs_nothing(functions, function):
    result = functions.invoke(FunctionName=function, InvocationType="DryRun", Payload=b'"exit"')
    assert result["StatusCode"] == 204 and result["Payload"].read() == b""


def test_a_function_that_invokes_itself_is_stopped(server, functions):
    """The SDK sends the trace along; the innermost call is refused, and each outer one tells how far it went."""
    name = new(functions, """
import boto3, botocore.exceptions, json
client = boto3.client("lambda")
def handler(event, context):
    try:
        inner = client.invoke(FunctionName=context.function_name, Payload=b"{}")
        return 1 + json.loads(inner["Payload"].read())
    except botocore.exceptions.ClientError as error:
        return 1 if error.response["Error"]["Code"] == "RecursiveInvocationException" else str(error)
""", Timeout=170, MemorySize=256)
    patient = botocore.config.Config(retries={"max_attempts": 0}, read_timeout=180)
    caller = boto3.client("lambda", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id=ACCOUNT,
                          aws_secret_access_key="any", config=patient)
    assert answer(caller, name)[1] == 16


def test_the_trace_goes_on(server, function):
    status, _, body = server.request(
        "POST", f"/2015-03-31/functions/{function}/invocations", b"1", {
            "authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-east-1/lambda/aws4_request",
            "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"})
    trace = json.loads(body)["trace"]
    assert status == 200
    assert trace.startswith("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=")


# ---- brume invoke, brume functions ----

def run(server, *arguments, text=None):
    return subprocess.run([BINARY, "invoke", *arguments, "--data", str(server.data), "--account", ACCOUNT],
                          env=ENVIRONMENT, input=text, capture_output=True, text=True, timeout=60)


def test_the_command_prints_the_answer_and_the_log(server, function, folder):
    done = run(server, function, "--payload", '{"a": 1}')
    assert done.returncode == 0 and json.loads(done.stdout)["event"] == {"a": 1}
    assert done.stderr.startswith("START RequestId: ") and "seen {'a': 1}" in done.stderr
    (folder / "event.json").write_text('["of a file"]')
    done = run(server, function, "--payload", f"@{folder / 'event.json'}", "--no-tail")
    assert json.loads(done.stdout)["event"] == ["of a file"] and done.stderr == ""
    done = run(server, function, "--payload", "-", "--client-context", '{"custom": {"x": 1}}', text="7")
    assert json.loads(done.stdout)["event"] == 7 and json.loads(done.stdout)["custom"] == {"x": 1}
    assert json.loads(run(server, function).stdout)["event"] == {}


def test_the_command_s_code_tells_how_it_went(server, function, folder):
    done = run(server, function, "--payload", '"fail"')
    assert done.returncode == 1 and json.loads(done.stdout)["errorType"] == "ValueError"
    for arguments, text in (
            (("nobody",), "there is no function nobody in account 123456789012 and region us-east-1"),
            ((function, "--payload", "{"), "no JSON"), ((function, "--qualifier", "9"), "no such version"),
            ((function, "--payload", "@/none"), "cannot be read"),
            ((function, "--client-context", "x"), "client context")):
        done = run(server, *arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert done.stderr.startswith("brume: ") and text in done.stderr
    done = subprocess.run([BINARY, "invoke", function, "--data", str(folder / "none")], env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no server runs" in done.stderr


def test_functions_are_shown_with_their_workers(server, functions):
    name = new(functions, HANDLER, MemorySize=256)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    answer(functions, name)
    rows = {row["name"]: row for row in map(json.loads, command(
        "functions", "--json", "--data", server.data, "--account", ACCOUNT).stdout.splitlines())}
    row = rows[name]
    assert (row["region"], row["runtime"], row["state"]) == ("us-east-1", "python3.11", "Active")
    assert (row["memory_mb"], row["reserved"], row["workers"], row["busy"]) == (256, 5, 1, 0)
    lines = command("functions", "--data", server.data, "--account", ACCOUNT, "--region", "us-east-1").stdout.splitlines()
    titles = ["NAME", "REGION", "RUNTIME", "STATE", "MEMORY", "VERSION", "RESERVED", "PROVISIONED", "WORKERS", "BUSY",
              "EVENTS", "OLDEST", "BREAKER"]
    assert lines[0].split() == titles
    line = next(line for line in lines if line.split()[0] == name)
    assert line.split() == [name, "us-east-1", "python3.11", "Active", "256", "MB", "$LATEST", "5", "-", "1", "0", "-", "-", "-"]
    assert command("functions", "--data", server.data, "--account", "999999999999", "--json").stdout == ""


# ---- Memory ----

def memory_used(functions, name, event=None):
    """Megabytes that the platform's report names."""
    result, _ = answer(functions, name, event, LogType="Tail")
    log = base64.b64decode(result["LogResult"]).decode()
    return int(log.partition("Max Memory Used: ")[2].split()[0])


def test_the_memory_that_is_reported_is_what_the_worker_has_held(functions):
    python = new(functions, "def handler(event, context):\n    return len(bytearray(b'x') * event)\n", MemorySize=512)
    small = memory_used(functions, python, 1)
    assert 10 <= small <= 100  # an interpreter, with what it has imported
    large = memory_used(functions, python, 200 << 20)
    assert 200 <= large - small <= 220
    assert memory_used(functions, python, 1) == large  # the most there ever was
    make(functions, "memory-node", Runtime="nodejs22.x", MemorySize=512,
         Code={"ZipFile": package({"app.js": "exports.handler = async () => 1;\n"})})
    # A control group is charged only for the pages of files that nobody had read before: of a second Node.js, little.
    assert 5 <= memory_used(functions, "memory-node") <= 150


# ---- Getting ready ----

def processes_below(process):
    """How many there are, their own included."""
    count = 0
    with contextlib.suppress(OSError):  # one has ended meanwhile
        for task in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{task}/children", encoding="ascii") as file:
                count += sum(1 + processes_below(int(child)) for child in file.read().split())
    return count


def test_a_new_function_s_runtime_is_got_ready_before_anyone_invokes_it(start):
    server = start()
    before = processes_below(server.process.pid)
    make(client(server, "lambda"), "soon")
    deadline = time.monotonic() + 20
    while processes_below(server.process.pid) < before + 2:  # what workers are forked from, and one of them
        assert time.monotonic() < deadline
        time.sleep(0.02)
