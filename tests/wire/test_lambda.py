"""Lambda, as far as it goes, through the SDK for Python: a REST service in JSON."""

import base64
import json
import os
import re

import pytest
from botocore.exceptions import ClientError
from brume import ROOT, Server, command
from conftest import client
from functions import package

KEY, SECRET = "BRUMEROOTKEY00000001", "root/secret+with=signs"


def unsupported():
    """What the declaration lists as AWS's and not ours."""
    with open(os.path.join(ROOT, "api", "lambda.smithy"), encoding="utf-8") as file:
        rows = re.search(r"unsupported: \[(.*?)\n    \]", file.read(), re.DOTALL)[1]
    return set(re.findall(r"\) (\w+)$", rows, re.MULTILINE))


def documented():
    """The operations that docs/lambda.md says are there, and those that it says are refused."""
    with open(os.path.join(ROOT, "docs", "lambda.md"), encoding="utf-8") as file:
        text = file.read()
    supported = re.search(r"## Supported\n(.*?)\n\n[^|]", text, re.DOTALL)[1]
    first = re.findall(r"^\| ([A-Z][\w, ]+) \|", supported, re.MULTILINE)
    refused = re.search(r"\n- Operations \(.*?:\n(.*?)\n\n", text, re.DOTALL)[1]
    return set(re.findall(r"\w+", " ".join(first))), set(re.findall(r"`(\w+)`", refused))


def test_the_documentation_lists_every_operation(functions):
    supported, refused = documented()
    assert refused == unsupported()
    assert not supported & refused
    assert set(functions.meta.service_model.operation_names) <= supported | refused


def labels_of(functions, operation):
    """A value for each label of the operation's path; nothing else is sent."""
    shape = functions.meta.service_model.operation_model(operation).input_shape
    members = shape.members.items() if shape else ()
    return {name: 7 if member.type_name in ("integer", "long") else "it"
            for name, member in members if member.serialization.get("location") == "uri"}


def test_the_account_s_settings_are_told(functions):
    settings = functions.get_account_settings()
    assert settings["AccountLimit"] == {
        "TotalCodeSize": 80530636800, "CodeSizeUnzipped": 262144000, "CodeSizeZipped": 52428800,
        "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000}
    assert settings["AccountUsage"] == {"TotalCodeSize": 0, "FunctionCount": 0}
    assert settings["ResponseMetadata"]["RequestId"]


def test_an_account_s_own_limit_is_told(server):
    command("account", "create", "--data", server.data, "--id", "210987654321", "--name", "small")
    command("account", "limit", "LAMBDA_CONCURRENT_EXECUTIONS", "10", "--data", server.data, "--id", "210987654321")
    limit = client(server, "lambda", key="210987654321").get_account_settings()["AccountLimit"]
    assert limit["ConcurrentExecutions"] == limit["UnreservedConcurrentExecutions"] == 10


def test_every_other_operation_is_refused_by_its_name(functions):
    refused = unsupported()
    assert "CreateCodeSigningConfig" in refused and "CreateFunction" not in refused
    for method, operation in functions.meta.method_to_api_mapping.items():
        if operation not in refused:
            continue
        arguments = labels_of(functions, operation)
        with pytest.raises(ClientError) as caught:
            getattr(functions, method)(**arguments)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501, operation
        assert caught.value.response["Error"] == {
            "Code": "NotImplemented", "Message": f"Brume does not implement Lambda {operation}."}


# What operations want besides a function.
WANTED = {
    "InvokeAsync": {"InvokeArgs": b"{}"},
    "AddPermission": {"StatementId": "it", "Action": "lambda:InvokeFunction", "Principal": "*"},
    "CreateAlias": {"Name": "it", "FunctionVersion": "1"},
    "CreateFunctionUrlConfig": {"AuthType": "NONE"},
    "DeleteProvisionedConcurrencyConfig": {"Qualifier": "1"},
    "GetProvisionedConcurrencyConfig": {"Qualifier": "1"},
    "PutFunctionConcurrency": {"ReservedConcurrentExecutions": 1},
    "PutProvisionedConcurrencyConfig": {"Qualifier": "1", "ProvisionedConcurrentExecutions": 1},
    "UpdateFunctionCode": {"ZipFile": package()},
}


def test_every_operation_refuses_a_function_of_another_region(functions):
    asked = 0
    for method, operation in functions.meta.method_to_api_mapping.items():
        labels = labels_of(functions, operation)
        if "FunctionName" not in labels or operation in unsupported():
            continue
        labels["FunctionName"] = "arn:aws:lambda:eu-west-1:123456789012:function:it"
        with pytest.raises(ClientError) as caught:
            getattr(functions, method)(**labels, **WANTED.get(operation, {}))
        assert caught.value.response["Error"] == {
            "Code": "ResourceNotFoundException",
            "Message": "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"}, operation
        asked += 1
    assert asked > 25


@pytest.mark.parametrize("method, path", [
    ("GET", "/2015-03-31/nonsense"), ("PATCH", "/2016-08-19/account-settings"), ("GET", "/2016-08-19//account-settings")])
def test_what_no_operation_has_is_answered_as_lambda_does(server, method, path):
    status, headers, body = server.request(method, path)
    assert status == 403 and headers["x-amzn-errortype"] == "AccessDeniedException"
    assert json.loads(body)["message"].startswith("Unable to determine service/operation name to be authorized")
    assert headers["x-amzn-requestid"] and headers["content-type"] == "application/json"


def test_a_slash_at_the_end_means_nothing(server):
    for path in ("/2016-08-19/account-settings", "/2016-08-19/account-settings/"):
        assert server.request("GET", path)[0] == 200


def test_paths_of_queues_stay_those_of_sqs(server):
    server.query("Action=CreateQueue&Version=2012-11-05&QueueName=beside-lambda")
    path = "/000000000000/beside-lambda"
    status, _, body = server.query("Action=SendMessage&Version=2012-11-05&MessageBody=hi", path=path)
    assert status == 200 and b"SendMessageResponse" in body
    status, _, body = server.request("GET", path + "?Action=ReceiveMessage&Version=2012-11-05")
    assert status == 200 and b"<Body>hi</Body>" in body


def test_signatures_of_a_rest_service_are_verified(folder):
    running = Server(folder / "signed", "--auth", "signed", environment={
        "BRUME_ACCESS_KEY_ID": KEY, "BRUME_SECRET_ACCESS_KEY": SECRET})
    try:
        assert client(running, "lambda", key=KEY, secret=SECRET).get_account_settings()["AccountUsage"]
        with pytest.raises(ClientError) as caught:
            client(running, "lambda", key=KEY, secret="wrong").get_account_settings()
        assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"
        # Large enough that a worker hashes it.
        code = package({"blob": base64.b64encode(os.urandom(3 << 20)).decode()})
        layer = {"LayerName": "large", "Content": {"ZipFile": code}}
        assert client(running, "lambda", key=KEY, secret=SECRET).publish_layer_version(**layer)["Version"] == 1
        with pytest.raises(ClientError) as caught:
            client(running, "lambda", key=KEY, secret="wrong").publish_layer_version(**layer)
        assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"
        status, headers, _ = running.request("GET", "/2016-08-19/account-settings/")
        assert status == 403 and headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    finally:
        assert running.terminate() == 0, running.errors()
