"""Functions, their versions and aliases, through the SDK for Python: what is kept of them, and what is refused."""

import concurrent.futures
import datetime
import io
import itertools
import os
import stat
import time
import urllib.request
import zipfile

import pytest
from botocore.exceptions import ClientError
from brume import command
from conftest import client
from packages import HANDLER, ROLE, digest, function_arguments, make_zip

ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"
numbers = itertools.count(1)


def settle(functions, name, qualifier=None):
    """Waits until nothing of the function changes any more; gives its configuration."""
    more = {"Qualifier": qualifier} if qualifier else {}
    end = time.monotonic() + 10
    while time.monotonic() < end:
        now = functions.get_function_configuration(FunctionName=name, **more)
        if now["State"] == "Active" and now.get("LastUpdateStatus") == "Successful":
            return now
    raise AssertionError(f"{name} does not settle: {now}")


@pytest.fixture
def function(functions):
    """The name of a fresh function."""
    name = f"function-{next(numbers)}"
    functions.create_function(**function_arguments(name))
    settle(functions, name)
    return name


def refused(call, code, text, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    assert text in error["Message"], error
    return caught.value.response


def package_folders(server, account=ACCOUNT):
    path = os.path.join(server.data, "functions", account)
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def wait_until(holds, seconds=10):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


# ---- Making and finding ----

def test_a_function_is_what_was_asked_for(functions):
    package = make_zip({"index.py": HANDLER})
    made = functions.create_function(**function_arguments(
        "whole", package, Description="all of it", Timeout=7, MemorySize=256, EphemeralStorage={"Size": 1024},
        Environment={"Variables": {"STAGE": "test", "EMPTY": ""}}, TracingConfig={"Mode": "Active"}, Tags={"team": "mist"},
        Architectures=["arm64"]))
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["State"] == "Pending" and made["StateReasonCode"] == "Creating" and "LastUpdateStatus" not in made
    now = settle(functions, "whole")
    assert datetime.datetime.strptime(now.pop("LastModified"), "%Y-%m-%dT%H:%M:%S.%f%z").tzinfo
    assert now.pop("RevisionId") != made["RevisionId"]
    now.pop("ResponseMetadata")
    assert now == {
        "FunctionName": "whole", "FunctionArn": ARN + "whole", "Runtime": "python3.11", "Handler": "index.handler",
        "Role": ROLE.format(account=ACCOUNT), "CodeSize": len(package), "CodeSha256": digest(package),
        "Description": "all of it", "Timeout": 7, "MemorySize": 256, "EphemeralStorage": {"Size": 1024},
        "Environment": {"Variables": {"STAGE": "test", "EMPTY": ""}}, "TracingConfig": {"Mode": "Active"},
        "Architectures": ["arm64"], "Version": "$LATEST", "PackageType": "Zip", "State": "Active",
        "LastUpdateStatus": "Successful", "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}}
    assert functions.get_function(FunctionName="whole")["Tags"] == {"team": "mist"}


@pytest.mark.parametrize("name", [
    "{name}", "function:{name}", "123456789012:function:{name}", "123456789012:{name}", ARN + "{name}",
    "us-east-1:123456789012:function:{name}"])
def test_a_function_has_many_names(functions, function, name):
    asked = name.format(name=function)
    assert functions.get_function_configuration(FunctionName=asked)["FunctionName"] == function
    qualified = functions.get_function_configuration(FunctionName=asked + ":$LATEST")
    assert qualified["FunctionArn"] == f"{ARN}{function}:$LATEST"


def test_a_function_of_another_region_or_account_is_out_of_reach(functions, function):
    refused(functions.get_function, "ResourceNotFoundException",
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
            FunctionName=ARN.replace("us-east-1", "eu-west-1") + function)
    refused(functions.get_function, "AccessDeniedException", "no resource-based policy allows",
            FunctionName=ARN.replace(ACCOUNT, "210987654321") + function)


def test_a_second_function_of_a_name_is_refused(functions, function):
    answer = refused(functions.create_function, "ResourceConflictException", f"Function already exist: {function}",
                     **function_arguments(function))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 409 and answer["Type"] == "User"


def test_functions_are_listed_page_by_page(server):
    functions = client(server, "lambda", key="300000000001")
    names = [f"listed-{i:02}" for i in range(7)]
    for name in names:
        functions.create_function(**function_arguments(name, account="300000000001"))
    settle(functions, names[3])
    functions.publish_version(FunctionName=names[3])
    pages = functions.get_paginator("list_functions")
    found = [row for page in pages.paginate(PaginationConfig={"PageSize": 3}) for row in page["Functions"]]
    assert [row["FunctionName"] for row in found] == names
    assert "State" not in found[0] and "RuntimeVersionConfig" not in found[0]
    found = [row for page in pages.paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 2})
             for row in page["Functions"]]
    assert [(row["FunctionName"], row["Version"]) for row in found] == sorted(
        [(name, "$LATEST") for name in names] + [(names[3], "1")], key=lambda row: (row[0], row[1] != "$LATEST"))
    for marker in ("nonsense", "aa", "00", "6600ff"):
        refused(functions.list_functions, "InvalidParameterValueException", "Marker", Marker=marker)


def test_the_account_counts_what_it_has(server):
    functions = client(server, "lambda", key="300000000002")
    package = make_zip({"index.py": HANDLER})
    for name in ("one", "two"):
        functions.create_function(**function_arguments(name, package, account="300000000002"))
        settle(functions, name)
    functions.publish_version(FunctionName="one")
    usage = functions.get_account_settings()["AccountUsage"]
    assert usage == {"FunctionCount": 2, "TotalCodeSize": 3 * len(package)}
    functions.delete_function(FunctionName="one")
    assert functions.get_account_settings()["AccountUsage"] == {"FunctionCount": 1, "TotalCodeSize": len(package)}


def test_the_account_s_code_storage_is_a_limit(server):
    command("account", "create", "--data", server.data, "--id", "300000000003", "--name", "tiny")
    command("account", "limit", "LAMBDA_CODE_STORAGE_BYTES", "1000", "--data", server.data, "--id", "300000000003")
    functions = client(server, "lambda", key="300000000003")
    package = make_zip({"index.py": os.urandom(600)})
    functions.create_function(**function_arguments("fits", package, account="300000000003"))
    refused(functions.create_function, "CodeStorageExceededException", "Code storage limit exceeded.",
            **function_arguments("does-not", make_zip({"index.py": os.urandom(600)}), account="300000000003"))
    wait_until(lambda: len(package_folders(server, "300000000003")) == 1)


# ---- Changing ----

def test_no_function_has_a_code_signing_configuration(functions, function):
    said = functions.get_function_code_signing_config(FunctionName=f"{ARN}{function}")
    assert said["FunctionName"] == function and "CodeSigningConfigArn" not in said
    refused(functions.get_function_code_signing_config, "ResourceNotFoundException", f"Function not found: {ARN}nobody",
            FunctionName="nobody")


def test_an_update_is_seen_to_go_on_and_to_end(functions, function):
    before = functions.get_function_configuration(FunctionName=function)
    changed = functions.update_function_configuration(FunctionName=function, Timeout=9, Description="slower")
    assert changed["LastUpdateStatus"] == "InProgress" and changed["Timeout"] == 9
    refused(functions.update_function_configuration, "ResourceConflictException", "An update is in progress",
            FunctionName=function, Timeout=10)
    now = settle(functions, function)
    assert now["Timeout"] == 9 and now["Description"] == "slower" and now["Handler"] == before["Handler"]
    assert len({before["RevisionId"], changed["RevisionId"], now["RevisionId"]}) == 3


def test_new_code_replaces_the_old(server, functions, function):
    package = make_zip({"index.py": HANDLER, "more.txt": function})
    before = functions.get_function_configuration(FunctionName=function)
    tried = functions.update_function_code(FunctionName=function, ZipFile=package, DryRun=True)
    assert tried["CodeSha256"] == digest(package)
    assert functions.get_function_configuration(FunctionName=function)["CodeSha256"] == before["CodeSha256"]
    functions.update_function_code(FunctionName=function, ZipFile=package, Architectures=["arm64"])
    now = settle(functions, function)
    assert now["CodeSha256"] == digest(package) and now["Architectures"] == ["arm64"]


def test_a_change_of_an_older_revision_is_refused(functions, function):
    for call, more in ((functions.update_function_configuration, {"Timeout": 5}),
                       (functions.update_function_code, {"ZipFile": make_zip({"index.py": HANDLER})}),
                       (functions.publish_version, {})):
        answer = refused(call, "PreconditionFailedException", "The Revision Id provided does not match",
                         FunctionName=function, RevisionId="11111111-2222-4333-8444-555555555555", **more)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 412
    revision = functions.get_function_configuration(FunctionName=function)["RevisionId"]
    functions.update_function_configuration(FunctionName=function, RevisionId=revision, Timeout=5)


def test_what_was_set_can_be_taken_back(functions):
    functions.create_function(**function_arguments("taken-back", Environment={"Variables": {"STAGE": "1"}}))
    settle(functions, "taken-back")
    functions.update_function_configuration(FunctionName="taken-back", Environment={"Variables": {}}, Description="")
    now = settle(functions, "taken-back")
    assert now["Environment"] == {"Variables": {}} and now["Description"] == ""


# ---- Versions ----

def test_a_version_stays_as_it_was_published(functions, function):
    first = functions.publish_version(FunctionName=function, Description="first")
    assert (first["Version"], first["FunctionArn"]) == ("1", f"{ARN}{function}:1")
    assert functions.publish_version(FunctionName=function, Description="again")["RevisionId"] == first["RevisionId"]
    functions.update_function_configuration(FunctionName=function, Timeout=30)
    settle(functions, function)
    second = functions.publish_version(FunctionName=function)
    assert second["Version"] == "2" and second["Timeout"] == 30
    assert functions.get_function_configuration(FunctionName=function, Qualifier="1")["Timeout"] == 3
    assert functions.get_function(FunctionName=f"{function}:1")["Configuration"]["Description"] == "first"
    rows = functions.list_versions_by_function(FunctionName=function)["Versions"]
    assert [row["Version"] for row in rows] == ["$LATEST", "1", "2"]
    assert rows[0]["FunctionArn"].endswith(":$LATEST")
    page = functions.list_versions_by_function(FunctionName=function, MaxItems=2)
    rest = functions.list_versions_by_function(FunctionName=function, Marker=page["NextMarker"])
    assert [row["Version"] for row in page["Versions"] + rest["Versions"]] == ["$LATEST", "1", "2"]


def test_numbers_of_versions_are_never_given_twice(functions, function):
    assert functions.publish_version(FunctionName=function)["Version"] == "1"
    assert functions.delete_function(FunctionName=function, Qualifier="1")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.publish_version(FunctionName=function)["Version"] == "2"
    refused(functions.get_function, "ResourceNotFoundException", f"Function not found: {ARN}{function}:1",
            FunctionName=function, Qualifier="1")


def test_a_version_is_published_of_the_code_that_is_meant(functions, function):
    refused(functions.publish_version, "InvalidParameterValueException", "is different from current CodeSHA256 in $LATEST",
            FunctionName=function, CodeSha256=digest(b"another"))
    sha256 = functions.get_function_configuration(FunctionName=function)["CodeSha256"]
    assert functions.publish_version(FunctionName=function, CodeSha256=sha256)["Version"] == "1"


def test_creating_and_updating_may_publish(functions):
    made = functions.create_function(**function_arguments("published", Publish=True))
    assert made["Version"] == "1" and made["FunctionArn"] == ARN + "published:1" and made["State"] == "Pending"
    settle(functions, "published")
    settle(functions, "published", "1")
    changed = functions.update_function_code(FunctionName="published", ZipFile=make_zip({"index.py": "x = 1\n"}),
                                             Publish=True)
    assert changed["Version"] == "2" and changed["State"] == "Pending"
    settle(functions, "published", "2")


# ---- Aliases ----

def test_an_alias_is_a_name_for_a_version(functions, function):
    functions.publish_version(FunctionName=function)
    made = functions.create_alias(FunctionName=function, Name="live", FunctionVersion="1", Description="what is live")
    assert made["AliasArn"] == f"{ARN}{function}:live" and made["ResponseMetadata"]["HTTPStatusCode"] == 201
    refused(functions.create_alias, "ResourceConflictException", f"Alias already exists: {ARN}{function}:live",
            FunctionName=function, Name="live", FunctionVersion="$LATEST")
    assert functions.get_function(FunctionName=function, Qualifier="live")["Configuration"]["Version"] == "1"
    changed = functions.update_alias(FunctionName=function, Name="live", FunctionVersion="$LATEST")
    assert changed["FunctionVersion"] == "$LATEST" and changed["Description"] == "what is live"
    assert changed["RevisionId"] != made["RevisionId"]
    refused(functions.update_alias, "PreconditionFailedException", "Call the GetFunction/GetAlias API",
            FunctionName=function, Name="live", RevisionId=made["RevisionId"])
    assert functions.delete_alias(FunctionName=function, Name="live")["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused(functions.get_alias, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}{function}:live",
            FunctionName=function, Name="live")


def test_an_alias_may_share_its_calls_between_two_versions(functions, function):
    functions.publish_version(FunctionName=function)
    functions.update_function_configuration(FunctionName=function, Timeout=20)
    settle(functions, function)
    functions.publish_version(FunctionName=function)
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    made = functions.create_alias(FunctionName=function, Name="both", FunctionVersion="1", RoutingConfig=routing)
    assert made["RoutingConfig"] == routing
    cleared = functions.update_alias(FunctionName=function, Name="both", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in cleared
    for weights, code, text in (
            ({"1": 0.5}, "InvalidParameterValueException", "already included in routing configuration"),
            ({"2": 1.5}, "ValidationException", "less than or equal to 1.0"),
            ({"2": 2}, "ValidationException", "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights'"),
            ({"2": -1}, "ValidationException", "Value '{2=-1.0}' at 'routingConfig.additionalVersionWeights'"),
            ({"2": 0.1, "1": 0.1}, "InvalidParameterValueException", "cannot be greater than 1"),
            ({"9": 0.1}, "ResourceNotFoundException", f"Function not found: {ARN}{function}:9"),
            ({"$LATEST": 0.1}, "ValidationException",
             "failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal "
             "to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "
             "[0-9]+, Member must not be null]")):
        refused(functions.update_alias, code, text, FunctionName=function, Name="both",
                RoutingConfig={"AdditionalVersionWeights": weights})
    functions.update_alias(FunctionName=function, Name="both", RoutingConfig=routing)
    refused(functions.update_alias, "InvalidParameterValueException", "version 2 is already included",
            FunctionName=function, Name="both", FunctionVersion="2")
    refused(functions.update_alias, "InvalidParameterValueException", "$LATEST is not supported",
            FunctionName=function, Name="both", FunctionVersion="$LATEST")
    assert functions.get_alias(FunctionName=function, Name="both")["FunctionVersion"] == "1"
    refused(functions.create_alias, "InvalidParameterValueException", "$LATEST is not supported", FunctionName=function,
            Name="latest", FunctionVersion="$LATEST", RoutingConfig=routing)


def test_a_version_that_an_alias_names_cannot_be_deleted(functions, function):
    functions.publish_version(FunctionName=function)
    functions.create_alias(FunctionName=function, Name="holds", FunctionVersion="1")
    refused(functions.delete_function, "ResourceConflictException", "aliases reference it: [holds]",
            FunctionName=function, Qualifier="1")
    functions.delete_alias(FunctionName=function, Name="holds")
    functions.delete_function(FunctionName=function, Qualifier="1")


def test_aliases_are_listed_by_name_and_by_version(functions, function):
    functions.publish_version(FunctionName=function)
    for name, version in (("b", "1"), ("a", "$LATEST"), ("c", "1")):
        functions.create_alias(FunctionName=function, Name=name, FunctionVersion=version)
    names = [row["Name"] for row in functions.list_aliases(FunctionName=function)["Aliases"]]
    assert names == ["a", "b", "c"]
    rows = functions.list_aliases(FunctionName=function, FunctionVersion="1", MaxItems=1)
    more = functions.list_aliases(FunctionName=function, FunctionVersion="1", Marker=rows["NextMarker"])
    assert [row["Name"] for row in rows["Aliases"] + more["Aliases"]] == ["b", "c"]


def test_an_alias_has_no_number_for_a_name(functions, function):
    refused(functions.create_alias, "ValidationException", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)", FunctionName=function,
            Name="12", FunctionVersion="$LATEST")


# ---- Deleting ----

def test_a_deleted_function_is_gone_with_all_that_it_had(server, functions):
    package = make_zip({"index.py": HANDLER, "mine.txt": "of this function alone"})
    functions.create_function(**function_arguments("gone", package))
    settle(functions, "gone")
    functions.publish_version(FunctionName="gone")
    functions.create_alias(FunctionName="gone", Name="live", FunctionVersion="1")
    folders = package_folders(server)
    assert functions.delete_function(FunctionName="gone")["ResponseMetadata"]["HTTPStatusCode"] == 204
    refused(functions.get_function, "ResourceNotFoundException", f"Function not found: {ARN}gone", FunctionName="gone")
    wait_until(lambda: len(package_folders(server)) == len(folders) - 1)
    functions.create_function(**function_arguments("gone", package))
    settle(functions, "gone")
    assert functions.publish_version(FunctionName="gone")["Version"] == "1"
    assert functions.list_aliases(FunctionName="gone")["Aliases"] == []


def test_a_function_of_very_many_versions_can_be_deleted(functions):
    functions.create_function(**function_arguments("many"))
    settle(functions, "many")
    for number in range(1, 13):
        functions.update_function_configuration(FunctionName="many", Timeout=number)
        settle(functions, "many")
        assert functions.publish_version(FunctionName="many")["Version"] == str(number)
    functions.delete_function(FunctionName="many")
    refused(functions.list_versions_by_function, "ResourceNotFoundException", "many", FunctionName="many")


# ---- What is refused ----

@pytest.mark.parametrize("more, feature", [
    ({"PackageType": "Image", "Code": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/a:b"}}, "PackageType Image"),
    ({"Code": {"S3Bucket": "bucket", "S3Key": "key"}}, "code that comes from S3"),
    ({"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}, "VpcConfig"),
    ({"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0",
                             "LocalMountPath": "/mnt/a"}]}, "FileSystemConfigs"),
    ({"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/a"}, "KMSKeyArn"),
    ({"CodeSigningConfigArn": "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-" + 17 * "a"},
     "CodeSigningConfigArn"),
    ({"ImageConfig": {"Command": ["a"]}}, "ImageConfig"),
    ({"DeadLetterConfig": {"TargetArn": "arn:aws:sns:us-east-1:123456789012:topic"}}, "topics as targets"),
])
def test_what_is_not_there_is_refused_by_its_name(functions, more, feature):
    answer = refused(functions.create_function, "NotImplemented", feature,
                     **{**function_arguments("not-there"), **more})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize("runtime, status, text", [
    ("java21", 501, "Brume does not run java21"),
    ("dotnet8", 501, "Brume does not run dotnet8"),
    ("ruby3.4", 501, "Brume does not run ruby3.4"),
    ("python3.7", 400, "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda"),
    ("nodejs14.x", 400, "We recommend you use a supported runtime while creating or updating functions."),
    ("cobol85", 400, "Value cobol85 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
     "[nodejs20.x, python3.14, provided.al2023, "),
])
def test_runtimes_that_nobody_may_use(functions, runtime, status, text):
    code = "NotImplemented" if status == 501 else "InvalidParameterValueException"
    answer = refused(functions.create_function, code, text, **function_arguments("no-runtime", **{"Runtime": runtime}))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.mark.parametrize("more, code, text", [
    ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
    ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
    ({"EphemeralStorage": {"Size": 511}}, "ValidationException", "greater than or equal to 512"),
    ({"Architectures": ["mips"]}, "ValidationException", "Member must satisfy enum value set: [x86_64, arm64]"),
    ({"Role": "arn:aws:iam::123456789012:user/ann"}, "ValidationException", "role/?"),
    ({"Role": "arn:aws:iam::210987654321:role/worker"}, "InvalidParameterValueException", "Cross-account"),
    ({"Handler": "with space"}, "ValidationException", "[^\\s]+"),
    ({"Code": {}}, "InvalidParameterValueException", "Please provide a source for function code."),
    ({"Environment": {"Variables": {"AWS_REGION": "x", "LAMBDA_TASK_ROOT": "y"}}}, "InvalidParameterValueException",
     "Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT"),
    ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException", "[a-zA-Z]([a-zA-Z0-9_])+"),
    ({"Environment": {"Variables": {"LONG": 4096 * "x"}}}, "InvalidParameterValueException", "exceeded the 4KB limit"),
    ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "InvalidParameterValueException",
     "python3.11 is not supported for SnapStart enabled functions."),
    ({"Layers": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:none:1"]}, "InvalidParameterValueException",
     "Layer version arn:aws:lambda:us-east-1:123456789012:layer:none:1 does not exist."),
    ({"DeadLetterConfig": {"TargetArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:nowhere"}}, "InvalidParameterValueException",
     "does not exist"),
    ({"Tags": {"aws:mine": "x"}}, "InvalidParameterValueException", "Aws tags"),
    ({"Tags": {str(i): "x" for i in range(51)}}, "InvalidParameterValueException", "resource tag limit"),
])
def test_settings_that_cannot_be(functions, more, code, text):
    refused(functions.create_function, code, text, **{**function_arguments("cannot-be"), **more})
    refused(functions.get_function, "ResourceNotFoundException", "cannot-be", FunctionName="cannot-be")


def test_names_that_cannot_be_are_told_without_what_is_secret(functions):
    answer = refused(functions.create_function, "ValidationException",
                     "Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: "
                     "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+",
                     **function_arguments("no-such-name", Environment={"Variables": {"NO-NAME": "password"}}))
    assert "password" not in str(answer)
    refused(functions.create_function, "ValidationException",
            "Value '{no!=x, b=c}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [",
            **function_arguments("no-such-tag", Tags={"no!": "x", "b": "c"}))


def test_near_the_limit_of_the_environment_is_well(functions):
    value = (4096 - len('{"LONG":""}')) * "x"
    functions.create_function(**function_arguments("large-environment", Environment={"Variables": {"LONG": value}}))
    assert functions.get_function_configuration(FunctionName="large-environment")["Environment"]["Variables"]["LONG"] == value


def test_a_body_that_is_no_json_is_told_in_lambda_s_words(server):
    status, headers, body = server.request("POST", "/2015-03-31/functions", b"{", {"content-type": "application/json"})
    assert status == 400 and headers["x-amzn-errortype"] == "InvalidRequestContentException"
    assert b"Could not parse request body into json" in body


def test_dead_letters_go_to_a_queue_that_is_there(functions, sqs):
    sqs.create_queue(QueueName="dead")
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"
    functions.create_function(**function_arguments("dying", DeadLetterConfig={"TargetArn": arn}))
    assert settle(functions, "dying")["DeadLetterConfig"] == {"TargetArn": arn}


def test_a_signed_server_wants_a_role_that_lets_lambda_in(start):
    server = start("--auth", "signed", environment={
        "BRUME_ACCESS_KEY_ID": "BRUMEROOTKEY00000001", "BRUME_SECRET_ACCESS_KEY": "secret"})
    keys = {"key": "BRUMEROOTKEY00000001", "secret": "secret"}
    functions, iam = client(server, "lambda", **keys), client(server, "iam", **keys)
    arguments = function_arguments("trusted", account="000000000000")
    said = "The role defined for the function cannot be assumed by Lambda."
    refused(functions.create_function, "InvalidParameterValueException", said, **arguments)
    policy = ('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
              '"Principal": {"Service": "%s.amazonaws.com"}}]}')
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=policy % "ec2")
    refused(functions.create_function, "InvalidParameterValueException", said, **arguments)
    iam.update_assume_role_policy(RoleName="worker", PolicyDocument=policy % "lambda")
    functions.create_function(**arguments)


# ---- Packages ----

def bomb():
    """100 MB in 100 KB, three times."""
    return make_zip({f"{i}.bin": bytes(100_000_000) for i in range(3)})


def overlapping():
    """Two entries of one name's length whose bytes are the same ones."""
    package = bytearray(make_zip({"a.py": HANDLER, "b.py": HANDLER}))
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        first, second = archive.infolist()
        place = archive.start_dir
    entry = package.index(b"PK\x01\x02", place + 4)
    assert second.header_offset > first.header_offset
    package[entry + 42:entry + 46] = first.header_offset.to_bytes(4, "little")
    package[entry + 46:entry + 50] = b"a.py"
    return bytes(package)


def encrypted():
    package = bytearray(make_zip({"a.py": HANDLER}))
    place = package.index(b"PK\x01\x02")
    package[place + 8] |= 1
    return bytes(package)


def wrong_crc():
    package = bytearray(make_zip({"a.py": HANDLER}))
    place = package.index(b"PK\x01\x02")
    package[place + 16] ^= 1
    return bytes(package)


UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


@pytest.mark.parametrize("package, text", [
    (b"", UNZIP), (b"no zip at all", UNZIP), (make_zip({"a": "b"})[:-30], UNZIP), (wrong_crc(), UNZIP),
    (make_zip({}), "Uploaded file must be a non-empty zip"),
    (make_zip({"../out.py": "x"}), "would lie outside of it"), (make_zip({"a/../../out.py": "x"}), "would lie outside of it"),
    (make_zip({"/etc/out.py": "x"}), "would lie outside of it"), (make_zip({"a" * 300: "x"}), "no file can have"),
    (make_zip({"a.py": "x", "./a.py": "y"}), "two files of one name"),
    (make_zip({"a": "x", "a/b.py": "y"}), "two files of one name"),
    (make_zip({"a.py": "x"}, links={"b": "/etc/passwd"}), "leads out of it"),
    (make_zip({"a.py": "x"}, links={"b": "../out"}), "leads out of it"),
    (make_zip({"a.py": "x"}, links={"d": ".", "c": "d/../out"}), "leads out of it"),
    (overlapping(), UNZIP), (encrypted(), "is encrypted"),
    (make_zip({"pipe": ""}, modes={"pipe": stat.S_IFIFO | 0o644}), "would lie outside of it, or has a name"),
], ids=itertools.count())
def test_a_package_that_cannot_be_unpacked_leaves_nothing(server, functions, package, text):
    folders = package_folders(server)
    refused(functions.create_function, "InvalidParameterValueException", text, **function_arguments("bad", package))
    assert package_folders(server) == folders and os.listdir(os.path.join(server.data, "functions", "new")) == []


def test_a_zip_bomb_is_told_by_its_size(server, functions):
    refused(functions.create_function, "InvalidParameterValueException",
            "Unzipped size must be smaller than 262144000 bytes", **function_arguments("bomb", bomb()))


def test_a_package_of_50_mb_is_taken_and_a_larger_one_is_not(functions):
    most = 52428800
    empty = len(make_zip({"blob": b""}))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("blob"), os.urandom(most - 2 * empty))
    package = out.getvalue() + b""
    assert most - 400 < len(package) <= most
    made = functions.create_function(**function_arguments("largest", package))
    assert made["CodeSize"] == len(package)
    functions.delete_function(FunctionName="largest")
    refused(functions.create_function, "InvalidParameterValueException",
            "Zipped size must be smaller than 52428800 bytes",
            **function_arguments("too-large", package + bytes(1000)))
    answer = refused(functions.create_function, "RequestEntityTooLargeException",
                     "Request must be smaller than 70167211 bytes for the CreateFunction operation",
                     **function_arguments("too-large", package + bytes(1000000)))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_files_lie_there_as_the_zip_says(server, functions):
    package = make_zip(
        {"bin/run": "#!/bin/sh\n", "lib/data.txt": "data", "empty/": "", "./plain.py": HANDLER},
        links={"bin/link": "../lib/data.txt"}, modes={"bin/run": stat.S_IFREG | 0o700})
    before = package_folders(server)
    functions.create_function(**function_arguments("files", package))
    folder, = set(package_folders(server)) - set(before)
    code = os.path.join(server.data, "functions", ACCOUNT, folder, "code")
    assert stat.S_IMODE(os.stat(f"{code}/bin/run").st_mode) == 0o755
    assert stat.S_IMODE(os.stat(f"{code}/lib/data.txt").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(f"{code}/bin").st_mode) == 0o755
    assert os.readlink(f"{code}/bin/link") == "../lib/data.txt"
    assert os.listdir(f"{code}/empty") == [] and os.path.isfile(f"{code}/plain.py")
    assert {os.stat(f"{code}/{name}").st_mtime for name in ("bin/run", "plain.py")} == {315532800}


def test_the_same_package_is_there_once(server):
    functions = client(server, "lambda", key="300000000004")
    package = make_zip({"index.py": HANDLER})
    for name in ("one", "two"):
        functions.create_function(**function_arguments(name, package, account="300000000004"))
    assert len(package_folders(server, "300000000004")) == 1
    functions.delete_function(FunctionName="one")
    settle(functions, "two")
    functions.publish_version(FunctionName="two")
    functions.update_function_code(FunctionName="two", ZipFile=make_zip({"index.py": "x = 1\n"}))
    wait_until(lambda: len(package_folders(server, "300000000004")) == 2)
    functions.delete_function(FunctionName="two")
    wait_until(lambda: package_folders(server, "300000000004") == [])


def test_many_packages_come_at_once(server):
    account = "300000000005"
    package = make_zip({"index.py": HANDLER})
    functions = client(server, "lambda", key=account)

    def create(number):
        own = package if number % 2 else make_zip({"index.py": HANDLER, "number": str(number)})
        functions.create_function(**function_arguments(f"at-once-{number}", own, account=account))
        functions.delete_function(FunctionName=f"at-once-{number}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(create, range(24)))
    wait_until(lambda: package_folders(server, account) == [])


def test_the_code_can_be_fetched_again(server, functions):
    package = make_zip({"index.py": HANDLER, "more": os.urandom(700_000)})
    functions.create_function(**function_arguments("fetched", package))
    code = functions.get_function(FunctionName="fetched")["Code"]
    assert code["RepositoryType"] == "S3"
    with urllib.request.urlopen(code["Location"], timeout=20) as answer:
        assert answer.headers["content-type"] == "application/zip" and answer.read() == package


@pytest.mark.parametrize("change", [("proof=", "proof=0"), ("expires=", "expires=1"), ("?", "?nothing="), ("functions/1", "functions/2")])
def test_a_place_that_was_not_told_is_refused(server, functions, function, change):
    location = functions.get_function(FunctionName=function)["Code"]["Location"].replace(*change)
    status, _, body = server.request("GET", location[len(server.url):])
    assert status == 403 and b"told for 10 minutes" in body


# ---- The hard way ----

def test_functions_survive_kill_9(start, folder):
    server = start(data=folder / "killed")
    functions = client(server, "lambda")
    package = make_zip({"index.py": HANDLER, "killed": "once"})
    functions.create_function(**function_arguments("survivor", package))
    settle(functions, "survivor")
    functions.publish_version(FunctionName="survivor")
    functions.create_alias(FunctionName="survivor", Name="live", FunctionVersion="1")
    server.kill()
    unfinished = os.path.join(server.data, "functions", "new", "7")
    orphan = os.path.join(server.data, "functions", ACCOUNT, 64 * "0")
    for path in (unfinished, orphan):
        os.makedirs(os.path.join(path, "code"))
    server = start(data=folder / "killed")
    functions = client(server, "lambda")
    assert functions.get_function(FunctionName="survivor", Qualifier="live")["Configuration"]["Version"] == "1"
    location = functions.get_function(FunctionName="survivor")["Code"]["Location"]
    with urllib.request.urlopen(location, timeout=20) as answer:
        assert answer.read() == package
    assert not os.path.exists(unfinished)
    wait_until(lambda: not os.path.exists(orphan))
    assert len(package_folders(server)) == 1


def test_code_is_not_unpacked_into_what_the_store_keeps_free(start, folder):
    server = start()
    free = os.statvfs(server.data).f_bavail * os.statvfs(server.data).f_frsize
    server.terminate()
    server = start("--limit", f"STORE_RESERVE_BYTES={free * 2}")
    answer = refused(client(server, "lambda").create_function, "ServiceUnavailableException", "The disk is nearly full",
                     **function_arguments("full"))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert package_folders(server) == []
