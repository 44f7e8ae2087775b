"""Settings of function URLs, through boto3."""

import itertools
import re

import pytest
from conftest import client
from functions import make

ACCOUNT = "123456789012"
numbers = itertools.count(1)
CORS = {"AllowCredentials": True, "AllowHeaders": ["x-one"], "AllowMethods": ["GET", "*"],
        "AllowOrigins": ["https://www.example.com", "http://localhost:3000"], "ExposeHeaders": ["date"], "MaxAge": 600}


@pytest.fixture
def name(functions):
    name = f"function-{next(numbers)}"
    make(functions, name)
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    return name


def settings(answer):
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_a_url_is_made_from_the_scheme_and_port_of_the_call(server, functions, name):
    made = functions.create_function_url_config(FunctionName=name, AuthType="NONE", Cors=CORS)
    port = server.url.rsplit(":", 1)[1]
    scheme, rest = made["FunctionUrl"].split("://")
    assert scheme == "http" and re.fullmatch(rf"[a-z0-9]{{32}}\.lambda-url\.us-east-1\.localhost:{port}/", rest)
    assert made["FunctionArn"] == f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    assert (made["AuthType"], made["Cors"]) == ("NONE", CORS)
    got = functions.get_function_url_config(FunctionName=name)
    assert got["FunctionUrl"] == made["FunctionUrl"] and got["Cors"] == CORS
    assert got["CreationTime"] == made["CreationTime"] == got["LastModifiedTime"]


def test_a_function_and_each_alias_have_one(functions, name, refused):
    own = functions.create_function_url_config(FunctionName=name, AuthType="NONE")
    live = functions.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="AWS_IAM")
    assert own["FunctionUrl"] != live["FunctionUrl"]
    assert live["FunctionArn"].endswith(f"{name}:live")
    again = refused(functions.create_function_url_config, FunctionName=f"{name}:live", AuthType="NONE")
    assert (again.code, again.message) == (
        "ResourceConflictException", f"Failed to create function url config for [functionArn = {live['FunctionArn']}]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function")
    first = functions.list_function_url_configs(FunctionName=name, MaxItems=1)
    second = functions.list_function_url_configs(FunctionName=name, MaxItems=1, Marker=first["NextMarker"])
    assert [row["FunctionUrl"] for page in (first, second) for row in page["FunctionUrlConfigs"]] == [
        own["FunctionUrl"], live["FunctionUrl"]]
    assert "NextMarker" not in second


def test_a_url_is_changed_member_by_member(functions, name):
    made = functions.create_function_url_config(FunctionName=name, AuthType="NONE", Cors=CORS)
    changed = functions.update_function_url_config(FunctionName=name, AuthType="AWS_IAM")
    assert (changed["FunctionUrl"], changed["AuthType"], changed["Cors"]) == (made["FunctionUrl"], "AWS_IAM", CORS)
    functions.update_function_url_config(FunctionName=name, Cors={"AllowOrigins": ["*"]})
    assert functions.get_function_url_config(FunctionName=name)["Cors"] == {"AllowOrigins": ["*"]}
    functions.update_function_url_config(FunctionName=name, Cors={})
    got = functions.get_function_url_config(FunctionName=name)
    assert "Cors" not in got and got["AuthType"] == "AWS_IAM"


def test_a_deleted_url_is_never_given_again(functions, name, refused):
    before = functions.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"]
    functions.delete_function_url_config(FunctionName=name)
    gone = refused(functions.get_function_url_config, FunctionName=name)
    assert (gone.code, gone.message) == ("ResourceNotFoundException", "The resource you requested does not exist.")
    assert refused(functions.delete_function_url_config, FunctionName=name).code == "ResourceNotFoundException"
    assert functions.create_function_url_config(FunctionName=name, AuthType="NONE")["FunctionUrl"] != before


def test_an_alias_takes_its_url_along(functions, name, refused):
    functions.create_function_url_config(FunctionName=name, Qualifier="live", AuthType="NONE")
    functions.delete_alias(FunctionName=name, Name="live")
    assert functions.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []
    missing = refused(functions.create_function_url_config, FunctionName=name, Qualifier="live", AuthType="NONE")
    assert (missing.code, missing.message) == ("ResourceNotFoundException", "Function does not exist")


@pytest.mark.parametrize("qualifier", ["1", "$LATEST"])
def test_a_version_has_no_url(functions, name, qualifier, refused):
    for call, more in ((functions.create_function_url_config, {"AuthType": "NONE"}),
                       (functions.get_function_url_config, {}),
                       (functions.update_function_url_config, {"AuthType": "NONE"}),
                       (functions.delete_function_url_config, {})):
        refusal = refused(call, FunctionName=name, Qualifier=qualifier, **more)
        assert refusal.code == "ValidationException" and f"'{qualifier}' at 'qualifier'" in refusal.message


def test_what_is_not_there_is_said(functions, name, refused):
    for missing in ({"FunctionName": "there-is-none"}, {"FunctionName": name, "Qualifier": "none"}):
        for call, more, message in (
                (functions.create_function_url_config, {"AuthType": "NONE"}, "Function does not exist"),
                (functions.update_function_url_config, {"AuthType": "NONE"}, "Function does not exist"),
                (functions.get_function_url_config, {}, "The resource you requested does not exist."),
                (functions.delete_function_url_config, {}, "The resource you requested does not exist.")):
            refusal = refused(call, **missing, **more)
            assert (refusal.code, refusal.message) == ("ResourceNotFoundException", message)
    without = refused(functions.update_function_url_config, FunctionName=name, AuthType="NONE")
    assert without.message == "The resource you requested does not exist."
    two = refused(functions.get_function_url_config, FunctionName=f"{name}:live", Qualifier="other")
    assert (two.code, two.message) == (
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.")
    far = refused(functions.get_function_url_config, FunctionName=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}")
    assert far.message == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"


@pytest.mark.parametrize("cors, code", [
    ({"AllowMethods": ["OPTIONS"]}, "ValidationException"),
    ({"AllowMethods": ["get"]}, "InvalidParameterValueException"),
    ({"AllowOrigins": ["example.com"]}, "InvalidParameterValueException"),
    ({"AllowOrigins": ["https://example.com/path"]}, "InvalidParameterValueException"),
    ({"AllowOrigins": [""]}, "ValidationException"),
    ({"MaxAge": 86401}, "ValidationException"),
    ({"MaxAge": -1}, "ValidationException")])
def test_cors_is_checked(functions, name, cors, code, refused):
    refusal = refused(functions.create_function_url_config, FunctionName=name, AuthType="NONE", Cors=cors)
    assert refusal.code == code
    assert functions.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"] == []


def test_the_auth_type_is_asked_for(functions, name, refused):
    assert refused(functions.create_function_url_config, FunctionName=name).code == "ValidationException"
    assert refused(functions.create_function_url_config, FunctionName=name, AuthType="BASIC").code == "ValidationException"


def test_a_url_outlives_the_server(start):
    server = start()
    functions = client(server, "lambda")
    make(functions, "hello")
    url = functions.create_function_url_config(FunctionName="hello", AuthType="NONE")["FunctionUrl"]
    server.kill()
    again = client(start(data=server.data), "lambda")
    host = url.split("//")[1].split(":")[0]
    assert again.get_function_url_config(FunctionName="hello")["FunctionUrl"].split("//")[1].split(":")[0] == host
