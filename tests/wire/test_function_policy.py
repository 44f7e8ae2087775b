"""Permissions of functions, their versions and aliases, through boto3; and their tags and concurrency."""

import itertools
import json

import pytest
from conftest import client
from functions import make

ACCOUNT = "123456789012"
numbers = itertools.count(1)


@pytest.fixture
def name(functions):
    name = f"function-{next(numbers)}"
    make(functions, name)
    return name


def arn(name, qualifier=None):
    return f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}" + (f":{qualifier}" if qualifier else "")


def allow(functions, name, statement="s", principal="s3.amazonaws.com", action="lambda:InvokeFunction", **more):
    answer = functions.add_permission(FunctionName=name, StatementId=statement, Action=action, Principal=principal, **more)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    return answer["Statement"]


# ---- Statements ----

def test_a_statement_is_written_as_aws_writes_it(functions, name):
    source = {"SourceArn": "arn:aws:s3:::bucket", "SourceAccount": ACCOUNT}
    assert allow(functions, name, **source) == (
        '{"Sid":"s","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction",'
        f'"Resource":"{arn(name)}","Condition":{{"StringEquals":{{"AWS:SourceAccount":"{ACCOUNT}"}},'
        '"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::bucket"}}}')
    policy = functions.get_policy(FunctionName=name)
    assert policy["Policy"].startswith('{"Version":"2012-10-17","Id":"default","Statement":[{"Sid":"s",')
    assert len(policy["RevisionId"]) == 36


@pytest.mark.parametrize("principal, written", [
    ("*", "*"),
    ("events.amazonaws.com", {"Service": "events.amazonaws.com"}),
    ("alexa-appkit.amazon.com", {"Service": "alexa-appkit.amazon.com"}),
    ("210987654321", {"AWS": "arn:aws:iam::210987654321:root"}),
    ("arn:aws:iam::210987654321:root", {"AWS": "arn:aws:iam::210987654321:root"}),
    ("arn:aws:iam::210987654321:role/some/role", {"AWS": "arn:aws:iam::210987654321:role/some/role"})])
def test_principals_of_every_kind_are_taken(functions, name, principal, written):
    assert json.loads(allow(functions, name, principal=principal))["Principal"] == written


@pytest.mark.parametrize("principal", ["invalid.nonaws.com", "s3", "12345", "arn:aws:s3:::bucket", "arn:aws:iam::1:root"])
def test_what_is_no_principal_is_refused(functions, name, principal, refused):
    refusal = refused(allow, functions=functions, name=name, principal=principal)
    assert (refusal.code, refusal.message) == (
        "InvalidParameterValueException", "The provided principal was invalid. Please check the principal and try again.")


def test_conditions_are_kept(functions, name):
    assert json.loads(allow(functions, name, "token", "alexa-appkit.amazon.com", EventSourceToken="amzn1.ask"))[
        "Condition"] == {"StringEquals": {"lambda:EventSourceToken": "amzn1.ask"}}
    assert json.loads(allow(functions, name, "org", "*", PrincipalOrgID="o-1234567890"))["Condition"] == {
        "StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    assert json.loads(allow(functions, name, "url", "*", "lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE"))[
        "Condition"] == {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}


def test_a_url_s_auth_type_is_of_calls_to_it_alone(functions, name, refused):
    refusal = refused(allow, functions=functions, name=name, FunctionUrlAuthType="NONE")
    assert refusal.code == "InvalidParameterValueException" and "lambda:InvokeFunctionUrl" in refusal.message


# ---- Policies ----

def test_statements_are_in_the_order_in_which_they_were_added(functions, name, refused):
    for statement in ("b", "a", "c"):
        allow(functions, name, statement)
    functions.remove_permission(FunctionName=name, StatementId="a")
    policy = json.loads(functions.get_policy(FunctionName=name)["Policy"])
    assert [row["Sid"] for row in policy["Statement"]] == ["b", "c"]
    again = refused(allow, functions=functions, name=name, statement="b")
    assert (again.code, again.status) == ("ResourceConflictException", 409)
    assert again.message == ("The statement id (b) provided already exists. Please provide a new statement id, or remove "
                             "the existing statement.")


def test_a_policy_without_statements_is_none(functions, name, refused):
    allow(functions, name)
    unknown = refused(functions.remove_permission, FunctionName=name, StatementId="other")
    assert unknown.code == "ResourceNotFoundException"
    functions.remove_permission(FunctionName=name, StatementId="s")
    assert refused(functions.get_policy, FunctionName=name).message == "The resource you requested does not exist."
    assert refused(functions.remove_permission, FunctionName=name, StatementId="s").message == (
        "No policy is associated with the given resource.")


def test_each_qualifier_has_a_policy_of_its_own(functions, name, refused):
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    allow(functions, name, Qualifier="1")
    allow(functions, f"{name}:live", Qualifier="live")
    assert refused(functions.get_policy, FunctionName=name).code == "ResourceNotFoundException"
    for qualifier in ("1", "live"):
        policy = json.loads(functions.get_policy(FunctionName=name, Qualifier=qualifier)["Policy"])
        assert policy["Statement"][0]["Resource"] == arn(name, qualifier)
    latest = refused(allow, functions=functions, name=name, Qualifier="$LATEST")
    assert latest.message == "We currently do not support adding policies for $LATEST."
    functions.delete_alias(FunctionName=name, Name="live")
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert refused(functions.get_policy, FunctionName=name, Qualifier="live").code == "ResourceNotFoundException"


def test_a_change_can_be_of_one_revision_alone(functions, name, refused):
    allow(functions, name, "first")
    revision = functions.get_policy(FunctionName=name)["RevisionId"]
    allow(functions, name, "second", RevisionId=revision)
    stale = refused(allow, functions=functions, name=name, statement="third", RevisionId=revision)
    assert (stale.code, stale.status) == ("PreconditionFailedException", 412)
    assert "Call the GetPolicy API to retrieve the latest Revision Id" in stale.message
    assert refused(functions.remove_permission, FunctionName=name, StatementId="first",
                   RevisionId=revision).code == "PreconditionFailedException"


def test_a_policy_is_bounded(functions, name, refused):
    for number in range(9):
        allow(functions, name, f"s{number}", SourceArn="arn:aws:s3:::" + "b" * 2000)
    over = refused(allow, functions=functions, name=name, statement="last", SourceArn="arn:aws:s3:::" + "b" * 2000)
    assert over.code == "PolicyLengthExceededException"
    assert over.message.startswith("The final policy size (") and over.message.endswith("is bigger than the limit (20480).")
    assert len(json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]) == 9


# ---- Reserved concurrency ----

def test_executions_are_reserved_and_given_back(functions, name):
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    for reserved in (0, 7):
        assert functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)[
            "ReservedConcurrentExecutions"] == reserved
        assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == reserved
        assert functions.get_function(FunctionName=name)["Concurrency"]["ReservedConcurrentExecutions"] == reserved
    assert functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 993
    functions.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    assert "Concurrency" not in functions.get_function(FunctionName=name)


def test_the_account_keeps_a_hundred_for_everybody(functions, name, refused):
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=900)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=900)
    over = refused(functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=901)
    assert (over.code, over.message) == (
        "InvalidParameterValueException", "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].")
    functions.delete_function_concurrency(FunctionName=name)


def test_a_version_has_no_reservation(functions, name, refused):
    refusal = refused(functions.put_function_concurrency, FunctionName=f"{name}:1", ReservedConcurrentExecutions=1)
    assert refusal.code == "InvalidParameterValueException"
    missing = refused(functions.get_function_concurrency, FunctionName="there-is-none")
    assert missing.message == f"Function not found: {arn('there-is-none')}"


# ---- Tags ----

def test_tags_are_set_listed_and_removed(functions, name):
    functions.tag_resource(Resource=arn(name), Tags={"team": "mist", "stage": "dev"})
    functions.tag_resource(Resource=arn(name), Tags={"stage": "live"})
    assert functions.list_tags(Resource=arn(name))["Tags"] == {"team": "mist", "stage": "live"}
    assert functions.get_function(FunctionName=name)["Tags"] == {"team": "mist", "stage": "live"}
    functions.untag_resource(Resource=arn(name), TagKeys=["team", "never"])
    assert functions.list_tags(Resource=arn(name))["Tags"] == {"stage": "live"}


def test_tags_are_bounded(functions, name, refused):
    functions.tag_resource(Resource=arn(name), Tags={f"k{n}": "v" for n in range(50)})
    over = refused(functions.tag_resource, Resource=arn(name), Tags={"another": "v"})
    assert (over.code, over.message) == (
        "InvalidParameterValueException", "Number of tags exceeds resource tag limit.")
    functions.tag_resource(Resource=arn(name), Tags={"k0": "w"})
    assert functions.list_tags(Resource=arn(name))["Tags"]["k0"] == "w"


@pytest.mark.parametrize("resource, code", [
    ("arn:aws:something", "ValidationException"),
    (arn("there-is-none"), "ResourceNotFoundException"),
    (arn("there-is-none", "live"), "InvalidParameterValueException"),
    (f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:tools", "InvalidParameterValueException"),
    (f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-0123456789abcdefg", "NotImplemented"),
    (f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:01234567-0123-0123-0123-0123456789ab",
     "ResourceNotFoundException")])
def test_what_has_no_tags_is_refused(functions, resource, code, refused):
    assert refused(functions.list_tags, Resource=resource).code == code
    assert refused(functions.tag_resource, Resource=resource, Tags={"a": "b"}).code == code
    assert refused(functions.untag_resource, Resource=resource, TagKeys=["a"]).code == code


# ---- Other accounts ----

def test_another_account_may_do_what_the_policy_says(server, functions, name, refused):
    other = client(server, "lambda", key="210987654321")
    denied = refused(other.get_function_configuration, FunctionName=arn(name))
    assert denied.code == "AccessDeniedException" and denied.message == (
        "User: arn:aws:iam::210987654321:root is not authorized to perform: lambda:GetFunctionConfiguration on resource: "
        f"{arn(name)} because no resource-based policy allows the lambda:GetFunctionConfiguration action")
    # Nobody learns what another account has.
    missing = refused(other.get_function_configuration, FunctionName=arn("there-is-none"))
    assert missing.code == "AccessDeniedException"

    allow(functions, name, "read", "210987654321", "lambda:GetFunctionConfiguration")
    assert other.get_function_configuration(FunctionName=arn(name))["FunctionArn"] == arn(name)
    assert refused(other.tag_resource, Resource=arn(name), Tags={"a": "b"}).code == "AccessDeniedException"
    assert refused(other.delete_function, FunctionName=arn(name)).code == "AccessDeniedException"
    allow(functions, name, "all", "210987654321", "lambda:*")
    other.create_alias(FunctionName=arn(name), Name="theirs", FunctionVersion="$LATEST")
    assert functions.get_alias(FunctionName=name, Name="theirs")["FunctionVersion"] == "$LATEST"
    # A policy is of its qualifier alone.
    assert refused(other.get_function_configuration, FunctionName=arn(name, "theirs")).code == "AccessDeniedException"
    third = client(server, "lambda", key="333333333333")
    assert refused(third.get_function_configuration, FunctionName=arn(name)).code == "AccessDeniedException"
