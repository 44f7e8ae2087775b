"""Provisioned concurrency, with workers that run: through the SDK for Python."""

import itertools
import json
import time

import pytest
from conftest import client
from functions import make, package, wait_settled

ACCOUNT = "123456789012"
STARTED = "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
numbers = itertools.count(1)


@pytest.fixture
def name(functions):
    """A function with a version, and an alias of it."""
    name = f"ready-{next(numbers)}"
    make(functions, name, Code={"ZipFile": package({"app.py": STARTED})})
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def put(functions, name, qualifier, count):
    return functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count)


def wait_ready(functions, name, qualifier):
    deadline = time.monotonic() + 20
    while True:
        now = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
        if now["Status"] == "READY":
            return now
        assert now["Status"] == "IN_PROGRESS" and time.monotonic() < deadline, now
        time.sleep(0.02)


def test_executions_are_ready_before_anyone_asks(functions, name):
    asked = put(functions, name, "live", 2)
    assert asked["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert (asked["Status"], asked["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 2)
    assert asked["LastModified"].endswith("+0000")
    ready = wait_ready(functions, name, "live")
    assert (ready["AllocatedProvisionedConcurrentExecutions"], ready["AvailableProvisionedConcurrentExecutions"]) == (2, 2)
    listed = functions.list_provisioned_concurrency_configs(FunctionName=name)["ProvisionedConcurrencyConfigs"]
    assert [(row["FunctionArn"], row["Status"]) for row in listed] == [
        (f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}:live", "READY")]
    answer = functions.invoke(FunctionName=name, Qualifier="live")["Payload"].read()
    assert json.loads(answer) == "provisioned-concurrency"


def test_a_configuration_that_is_gone_is_not_found(functions, name, refused):
    put(functions, name, "1", 1)
    functions.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    gone = refused(functions.get_provisioned_concurrency_config, FunctionName=name, Qualifier="1")
    assert gone.code == "ProvisionedConcurrencyConfigNotFoundException"
    functions.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")


def test_what_cannot_be_provisioned_is_refused(functions, name, refused):
    def refusal(qualifier, count):
        return refused(put, functions=functions, name=name, qualifier=qualifier, count=count)

    assert refusal("$LATEST", 1).message == (
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    assert refusal("none", 1).code == refusal("7", 1).code == "ResourceNotFoundException"
    for qualifier in ("none", "$LATEST", "7"):
        absent = refused(put, functions=functions, name="nobody", qualifier=qualifier, count=1).message
        assert absent == refusal(qualifier, 1).message.replace(f":{name}:", ":nobody:")
    assert refusal("1", 1001).message == (
        "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].")
    assert refusal("1", 901).message.endswith("UnreservedConcurrentExecution below its minimum value of [100].")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert refusal("1", 3).message == (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    put(functions, name, "1", 1)
    assert refusal("live", 1).message == (
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    lower = refused(functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=0)
    assert lower.code == "InvalidParameterValueException" and lower.message == (
        "ReservedConcurrentExecutions  0 should not be lower than function's total provisioned concurrency [1].")
    for call in (functions.get_provisioned_concurrency_config, functions.delete_provisioned_concurrency_config):
        assert refused(call, FunctionName=name, Qualifier="$LATEST").message == (
            "The function resource provided must be an alias or a published version.")
        for function in (name, "nobody"):
            refusal_of = refused(call, FunctionName=function, Qualifier="none")
            assert refusal_of.message.startswith("Cannot find alias arn: arn:") and refusal_of.message.endswith(":none")
        assert refused(call, FunctionName=name, Qualifier="7").message.startswith("Function not found: arn:")
    functions.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="1")
    functions.delete_function_concurrency(FunctionName=name)
    functions.update_function_configuration(FunctionName=name, Timeout=9)
    wait_settled(functions, name)
    functions.publish_version(FunctionName=name)
    functions.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})
    assert refusal("live", 1).message == "Alias with weights can not be used with Provisioned Concurrency"


def test_what_was_provisioned_is_ready_again_after_a_kill(start):
    server = start()
    functions = client(server, "lambda")
    make(functions, "hello")
    functions.publish_version(FunctionName="hello")
    put(functions, "hello", "1", 1)
    wait_ready(functions, "hello", "1")
    server.kill()
    again = client(start(data=server.data), "lambda")
    assert wait_ready(again, "hello", "1")["AvailableProvisionedConcurrentExecutions"] == 1


def test_a_server_stops_while_workers_are_made_ready(start):
    for _ in range(6):
        server = start()
        functions = client(server, "lambda")
        make(functions, "hello")
        functions.publish_version(FunctionName="hello")
        put(functions, "hello", "1", 2)
        assert server.terminate() == 0, server.errors()
