"""Layers through boto3: versions, lists, permissions, and functions that use them."""

import base64
import hashlib
import io
import itertools
import json
import urllib.request
import zipfile

import pytest
from brume import command
from conftest import client
from functions import make, package, wait_settled

ACCOUNT, OTHER, SMALL = "123456789012", "210987654321", "333333333333"
TOOLS = package({"python/tool.py": "VALUE = 1\n"})
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def other(server):
    return client(server, "lambda", key=OTHER)


@pytest.fixture
def name():
    return f"layer-{next(numbers)}"


def arn(name, version=None, account=ACCOUNT):
    return f"arn:aws:lambda:us-east-1:{account}:layer:{name}" + (f":{version}" if version else "")


def publish(functions, name, content=TOOLS, **more):
    return functions.publish_layer_version(LayerName=name, Content={"ZipFile": content}, **more)


def test_a_version_is_read_back_as_it_was_published(functions, name):
    made = publish(functions, name, Description="tools", LicenseInfo="MIT", CompatibleRuntimes=["python3.11", "python3.12"],
                   CompatibleArchitectures=["x86_64"])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    got = functions.get_layer_version(LayerName=name, VersionNumber=1)
    by_arn = functions.get_layer_version_by_arn(Arn=arn(name, 1))
    for answer in (made, got, by_arn):
        assert (answer["LayerArn"], answer["LayerVersionArn"], answer["Version"]) == (arn(name), arn(name, 1), 1)
        assert (answer["Description"], answer["LicenseInfo"]) == ("tools", "MIT")
        assert answer["CompatibleRuntimes"] == ["python3.11", "python3.12"]
        assert answer["CompatibleArchitectures"] == ["x86_64"]
        assert answer["CreatedDate"].endswith("+0000")
        assert answer["Content"]["CodeSize"] == len(TOOLS)
        assert answer["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(TOOLS).digest()).decode()


def test_the_location_of_a_layer_is_its_zip(functions, name):
    location = publish(functions, name)["Content"]["Location"]
    with urllib.request.urlopen(location, timeout=10) as answer:
        assert answer.read() == TOOLS
    with zipfile.ZipFile(io.BytesIO(TOOLS)) as archive:
        assert archive.namelist() == ["python/tool.py"]


def test_versions_are_numbered_and_never_again(functions, name):
    assert [publish(functions, name)["Version"] for _ in range(3)] == [1, 2, 3]
    functions.delete_layer_version(LayerName=name, VersionNumber=3)
    functions.delete_layer_version(LayerName=name, VersionNumber=3)
    assert publish(functions, name)["Version"] == 4
    first = functions.list_layer_versions(LayerName=name, MaxItems=2)
    second = functions.list_layer_versions(LayerName=name, MaxItems=2, Marker=first["NextMarker"])
    assert [row["Version"] for page in (first, second) for row in page["LayerVersions"]] == [4, 2, 1]
    assert "NextMarker" not in second and "Content" not in first["LayerVersions"][0]


def test_layers_are_listed_with_the_newest_version_that_fits(functions, name):
    publish(functions, name, CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["arm64"])
    publish(functions, name, CompatibleRuntimes=["nodejs22.x"])
    publish(functions, name + "-b", CompatibleRuntimes=["python3.13"])

    def listed(**narrowed):
        rows = functions.list_layers(**narrowed)["Layers"]
        return [(row["LayerName"], row["LatestMatchingVersion"]["Version"]) for row in rows
                if row["LayerName"].startswith(name)]

    assert listed() == [(name, 2), (name + "-b", 1)]
    assert listed(CompatibleRuntime="python3.13") == [(name, 1), (name + "-b", 1)]
    assert listed(CompatibleRuntime="python3.13", CompatibleArchitecture="arm64") == [(name, 1)]
    assert listed(CompatibleRuntime="ruby3.3") == []
    assert functions.list_layer_versions(LayerName="there-is-none")["LayerVersions"] == []


def test_what_is_not_there_is_said(functions, name, refused):
    publish(functions, name)
    for missing in (refused(functions.get_layer_version, LayerName=name, VersionNumber=2),
                    refused(functions.get_layer_version_by_arn, Arn=arn("none", 1))):
        assert (missing.code, missing.message) == (
            "ResourceNotFoundException", "The resource you requested does not exist.")
    low = refused(functions.get_layer_version, LayerName=name, VersionNumber=0)
    assert (low.code, low.message) == ("InvalidParameterValueException", "Layer Version Cannot be less than 1")
    bad = refused(functions.get_layer_version_by_arn, Arn=arn(name))
    assert bad.code == "ValidationException" and "Value '" + arn(name) + "' at 'arn' failed" in bad.message


def test_what_is_no_layer_is_refused(functions, name, refused):
    no_zip = refused(publish, functions=functions, name=name, content=b"this is no zip")
    assert no_zip.code == "InvalidParameterValueException" and "Could not unzip uploaded file" in no_zip.message
    up = refused(publish, functions=functions, name=name, content=package({"../up.py": "x"}))
    assert up.code == "InvalidParameterValueException"
    runtime = refused(publish, functions=functions, name=name, CompatibleRuntimes=["cobol"], CompatibleArchitectures=["mips"])
    assert runtime.code == "ValidationException" and runtime.message.startswith("2 validation errors detected: ")
    from_s3 = refused(functions.publish_layer_version, LayerName=name, Content={"S3Bucket": "bucket", "S3Key": "key"})
    assert from_s3.code == "NotImplemented" and "S3" in from_s3.message
    nothing = refused(functions.publish_layer_version, LayerName=name, Content={})
    assert nothing.code == "InvalidParameterValueException"
    assert functions.list_layer_versions(LayerName=name)["LayerVersions"] == []


# ---- Permissions ----

def test_a_version_is_shared_by_its_policy(functions, other, name, refused):
    publish(functions, name)
    denied = refused(other.get_layer_version_by_arn, Arn=arn(name, 1))
    assert denied.code == "AccessDeniedException" and denied.message.endswith(
        f"is not authorized to perform: lambda:GetLayerVersion on resource: {arn(name, 1)} because no resource-based policy "
        "allows the lambda:GetLayerVersion action")
    none = refused(functions.get_layer_version_policy, LayerName=name, VersionNumber=1)
    assert (none.code, none.message) == (
        "ResourceNotFoundException", "No policy is associated with the given resource.")

    added = functions.add_layer_version_permission(
        LayerName=name, VersionNumber=1, StatementId="friend", Action="lambda:GetLayerVersion", Principal=OTHER)
    statement = {"Sid": "friend", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
                 "Action": "lambda:GetLayerVersion", "Resource": arn(name, 1)}
    assert json.loads(added["Statement"]) == statement
    policy = functions.get_layer_version_policy(LayerName=name, VersionNumber=1)
    assert json.loads(policy["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [statement]}
    assert policy["RevisionId"] == added["RevisionId"]
    assert other.get_layer_version_by_arn(Arn=arn(name, 1))["Version"] == 1
    assert other.get_layer_version(LayerName=arn(name), VersionNumber=1)["Version"] == 1

    stale = refused(functions.remove_layer_version_permission, LayerName=name, VersionNumber=1, StatementId="friend",
                    RevisionId="0")
    assert (stale.code, stale.message) == (
        "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the "
        "GetLayerPolicy API to retrieve the latest Revision Id")
    functions.remove_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="friend",
                                              RevisionId=policy["RevisionId"])
    assert refused(other.get_layer_version_by_arn, Arn=arn(name, 1)).code == "AccessDeniedException"


def test_nobody_changes_another_account_s_layer(functions, other, name, refused):
    publish(functions, name)
    functions.add_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="all",
                                           Action="lambda:GetLayerVersion", Principal="*")
    for call, arguments in ((other.delete_layer_version, {"VersionNumber": 1}),
                            (other.get_layer_version_policy, {"VersionNumber": 1}),
                            (other.list_layer_versions, {}),
                            (other.publish_layer_version, {"Content": {"ZipFile": TOOLS}})):
        assert refused(call, LayerName=arn(name), **arguments).code == "AccessDeniedException"
    assert functions.get_layer_version(LayerName=name, VersionNumber=1)["Version"] == 1


# ---- Functions with layers ----

def test_a_function_keeps_a_layer_that_was_deleted(functions, name):
    publish(functions, name)
    make(functions, name, Layers=[arn(name, 1)])
    functions.delete_layer_version(LayerName=name, VersionNumber=1)
    kept = functions.get_function_configuration(FunctionName=name)["Layers"]
    assert kept == [{"Arn": arn(name, 1), "CodeSize": len(TOOLS)}]
    functions.update_function_configuration(FunctionName=name, Layers=[])
    assert "Layers" not in wait_settled(functions, name)


def test_layers_of_a_function_are_checked(server, functions, other, name, refused):
    for _ in range(2):
        publish(functions, name)
    six = [f"{name}-{n}" for n in range(6)]
    for each in six:
        publish(functions, each)
    make(functions, name)

    def update(*layers):
        return refused(functions.update_function_configuration, FunctionName=name, Layers=list(layers))

    assert update(arn("none", 1)).message == f"Layer version {arn('none', 1)} does not exist."
    assert update(arn(name, 1), arn(name, 2)).message == (
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{arn(name, 1)} and {arn(name, 2)} are versions of the same layer.")
    assert update(*(arn(each, 1) for each in six)).message == "Cannot reference more than 5 layers."
    far = arn(name, 1).replace("us-east-1", "eu-west-1")
    assert update(far).message == (
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.")
    stranger = refused(other.create_function, FunctionName=name, Runtime="python3.11", Handler="app.handler",
                       Role=f"arn:aws:iam::{OTHER}:role/r", Code={"ZipFile": package()}, Layers=[arn(name, 1)])
    assert stranger.code == "AccessDeniedException"
    functions.add_layer_version_permission(LayerName=name, VersionNumber=1, StatementId="all",
                                           Action="lambda:GetLayerVersion", Principal="*")
    shared = other.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler",
                                   Role=f"arn:aws:iam::{OTHER}:role/r", Code={"ZipFile": package()}, Layers=[arn(name, 1)])
    assert shared["Layers"][0]["Arn"] == arn(name, 1)


def test_code_and_layers_together_stay_below_the_limit(server, refused):
    command("account", "create", "--data", server.data, "--id", SMALL, "--name", "small")
    command("account", "limit", "LAMBDA_CODE_UNZIPPED_BYTES", "3000", "--data", server.data, "--id", SMALL)
    functions = client(server, "lambda", key=SMALL)
    big = package({"python/big.py": "#" * 2000})
    for name in ("one", "two"):
        publish(functions, name, big)
    one, two = (arn(name, 1, SMALL) for name in ("one", "two"))
    make(functions, "hello", Layers=[one], Role=f"arn:aws:iam::{SMALL}:role/r")
    over = refused(functions.update_function_configuration, FunctionName="hello", Layers=[one, two])
    assert over.code == "InvalidParameterValueException" and "3000 bytes" in over.message
