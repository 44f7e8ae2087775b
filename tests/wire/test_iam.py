"""IAM through boto3 (Query protocol): roles, policies, users, groups and instance profiles, their words and refusals."""

import itertools
import json

import pytest
from conftest import client

ACCOUNT = "123456789012"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/a%2Fb é"}]})
LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def iam(server):
    return client(server, "iam")


@pytest.fixture
def name():
    return f"thing-{next(numbers)}"


@pytest.fixture
def role(iam, name):
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]


def test_a_role_is_read_back_as_it_was_made(iam, name):
    made = iam.create_role(RoleName=name, Path="/some/where/", AssumeRolePolicyDocument=TRUST, Description="does work",
                           MaxSessionDuration=7200, Tags=[{"Key": "team", "Value": "mist"}],
                           PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")["Role"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/some/where/{name}"
    assert made["RoleId"].startswith("AROA") and len(made["RoleId"]) == 21
    role = iam.get_role(RoleName=name)["Role"]
    assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert (role["Description"], role["MaxSessionDuration"], role["Path"]) == ("does work", 7200, "/some/where/")
    assert role["Tags"] == [{"Key": "team", "Value": "mist"}]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    listed = iam.list_roles(PathPrefix="/some/")["Roles"]
    assert [row["RoleName"] for row in listed] == [name] and "Tags" not in listed[0]


def test_a_role_is_the_same_in_every_region_and_nobodys_elsewhere(server, iam, role, refused):
    far = client(server, "iam", region="eu-central-1")
    assert far.get_role(RoleName=role["RoleName"])["Role"]["RoleId"] == role["RoleId"]
    other = client(server, "iam", key="999999999999")
    assert refused(other.get_role, RoleName=role["RoleName"]).code == "NoSuchEntity"


def test_a_role_is_changed(iam, role):
    name = role["RoleName"]
    trust = TRUST.replace("lambda", "events")
    iam.update_role(RoleName=name, Description="new", MaxSessionDuration=3601)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
    now = iam.get_role(RoleName=name)["Role"]
    assert (now["Description"], now["MaxSessionDuration"]) == ("new", 3601)
    assert now["AssumeRolePolicyDocument"] == json.loads(trust)
    assert iam.update_role_description(RoleName=name, Description="newer")["Role"]["Description"] == "newer"
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=LOGS)
    iam.delete_role_permissions_boundary(RoleName=name)
    assert "PermissionsBoundary" not in iam.get_role(RoleName=name)["Role"]


def test_tags_are_set_listed_and_removed(iam, role):
    name = role["RoleName"]
    iam.tag_role(RoleName=name, Tags=[{"Key": str(n), "Value": "v"} for n in range(5)])
    iam.tag_role(RoleName=name, Tags=[{"Key": "0", "Value": "w"}])
    iam.untag_role(RoleName=name, TagKeys=["1"])
    first = iam.list_role_tags(RoleName=name, MaxItems=3)
    second = iam.list_role_tags(RoleName=name, MaxItems=3, Marker=first["Marker"])
    assert [(tag["Key"], tag["Value"]) for page in (first, second) for tag in page["Tags"]] == [
        ("0", "w"), ("2", "v"), ("3", "v"), ("4", "v")]
    assert (first["IsTruncated"], second["IsTruncated"]) == (True, False)


def test_what_there_is_not_is_named(iam, refused):
    expected = {
        iam.get_role: ("RoleName", "The role with name nothing cannot be found."),
        iam.get_user: ("UserName", "The user with name nothing cannot be found."),
        iam.get_group: ("GroupName", "The group with name nothing cannot be found."),
        iam.get_instance_profile: ("InstanceProfileName", "Instance Profile nothing cannot be found."),
    }
    for function, (member, message) in expected.items():
        refusal = refused(function, **{member: "nothing"})
        assert (refusal.code, refusal.status, refusal.message) == ("NoSuchEntity", 404, message)


def test_a_name_is_given_once(iam, role, refused):
    again = refused(iam.create_role, RoleName=role["RoleName"].upper(), AssumeRolePolicyDocument=TRUST)
    assert (again.code, again.status) == ("EntityAlreadyExists", 409)
    assert again.message == f"Role with name {role['RoleName'].upper()} already exists."


def test_bad_input_is_refused_in_iams_words(iam, name, refused):
    def create(**more):
        refusal = refused(iam.create_role, **{"RoleName": name, "AssumeRolePolicyDocument": TRUST, **more})
        return refusal.code, refusal.message

    assert create(RoleName="a b") == ("ValidationError", (
        "The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the "
        "following: +=,.@_-"))
    assert create(RoleName="x" * 65) == ("ValidationError", (
        "1 validation error detected: Value at 'roleName' failed to satisfy constraint: Member must have length less "
        "than or equal to 64"))
    assert create(MaxSessionDuration=1)[0] == "ValidationError"
    assert create(Path="nowhere")[0] == "ValidationError"
    assert create(Path="/aws-service-role/x/")[0] == "InvalidInput"
    assert create(Tags=[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]) == ("InvalidInput", (
        "Duplicate tag keys found. Please note that Tag keys are case insensitive."))
    assert create(PermissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/nothing")[0] == "NoSuchEntity"
    assert create(AssumeRolePolicyDocument="{") == ("MalformedPolicyDocument", "This policy contains invalid Json")
    assert create(AssumeRolePolicyDocument=POLICY) == ("MalformedPolicyDocument", "Has prohibited field Resource")
    assert create(AssumeRolePolicyDocument=TRUST.replace("}]}", "}]}" + " " * 3000).replace(
        "lambda.", "x" * 2100 + "."))[0] == "LimitExceeded"
    assert refused(iam.get_role, RoleName=name).code == "NoSuchEntity"


def test_a_role_goes_when_nothing_hangs_on_it(iam, role, refused):
    name = role["RoleName"]
    iam.attach_role_policy(RoleName=name, PolicyArn=LOGS)
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=POLICY)
    refusal = refused(iam.delete_role, RoleName=name)
    assert (refusal.code, refusal.message) == (
        "DeleteConflict", "Cannot delete entity, must detach all policies first.")
    iam.detach_role_policy(RoleName=name, PolicyArn=LOGS)
    assert refused(iam.delete_role, RoleName=name).message == "Cannot delete entity, must delete policies first."
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    iam.delete_role(RoleName=name)
    assert refused(iam.delete_role, RoleName=name).code == "NoSuchEntity"


def test_inline_policies_keep_their_text(iam, role, refused):
    name = role["RoleName"]
    for policy in "bca":
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=POLICY)
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["a", "b", "c"]
    assert iam.get_role_policy(RoleName=name, PolicyName="a")["PolicyDocument"] == json.loads(POLICY)
    refusal = refused(iam.get_role_policy, RoleName=name, PolicyName="d")
    assert refusal.message == "The role policy with name d cannot be found."
    refusal = refused(iam.put_role_policy, RoleName=name, PolicyName="d", PolicyDocument=TRUST)
    assert (refusal.code, refusal.message) == (
        "MalformedPolicyDocument", "Policy document should not specify a principal.")


def test_attached_policies_are_counted_and_listed_from_both_sides(iam, name, role, refused):
    policy = iam.create_policy(PolicyName=name, Path="/p/", PolicyDocument=POLICY)["Policy"]
    assert policy["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/p/{name}" and policy["PolicyId"].startswith("ANPA")
    for _ in range(2):
        iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=policy["Arn"])
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=LOGS)
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert {row["PolicyName"] for row in attached} == {name, "AWSLambdaBasicExecutionRole"}
    assert iam.get_policy(PolicyArn=policy["Arn"])["Policy"]["AttachmentCount"] == 1
    assert [row["RoleName"] for row in iam.list_entities_for_policy(PolicyArn=policy["Arn"])["PolicyRoles"]] == [
        role["RoleName"]]
    refusal = refused(iam.delete_policy, PolicyArn=policy["Arn"])
    assert (refusal.code, refusal.message) == ("DeleteConflict", "Cannot delete a policy attached to entities.")
    refusal = refused(iam.attach_role_policy, RoleName=role["RoleName"], PolicyArn=policy["Arn"] + "x")
    assert refusal.message == f"Policy {policy['Arn']}x does not exist or is not attachable."
    iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=policy["Arn"])
    refusal = refused(iam.detach_role_policy, RoleName=role["RoleName"], PolicyArn=policy["Arn"])
    assert refusal.message == f"Policy {policy['Arn']} was not found."
    iam.delete_policy(PolicyArn=policy["Arn"])


def test_ten_policies_are_attached_at_most(iam, role, refused):
    for number in range(10):
        iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=f"arn:aws:iam::aws:policy/P{number}")
    refusal = refused(iam.attach_role_policy, RoleName=role["RoleName"], PolicyArn=LOGS)
    assert (refusal.code, refusal.message) == ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10")


def test_a_policy_has_versions(iam, name, refused):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=POLICY, Description="reads")["Policy"]["Arn"]
    other = POLICY.replace("Get", "Put")
    assert iam.create_policy_version(PolicyArn=arn, PolicyDocument=other)["PolicyVersion"]["VersionId"] == "v2"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert version["Document"] == json.loads(other) and version["IsDefaultVersion"]
    for _ in range(3):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)
    assert refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=POLICY).code == "LimitExceeded"
    assert refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v2").code == "DeleteConflict"
    assert refused(iam.delete_policy, PolicyArn=arn).code == "DeleteConflict"
    assert refused(iam.get_policy_version, PolicyArn=arn, VersionId="v9").code == "NoSuchEntity"
    assert refused(iam.get_policy_version, PolicyArn=arn, VersionId="9").code == "ValidationError"
    versions = [row["VersionId"] for page in iam.get_paginator("list_policy_versions").paginate(
        PolicyArn=arn, PaginationConfig={"PageSize": 2}) for row in page["Versions"]]
    assert versions == ["v5", "v4", "v3", "v2", "v1"]
    for version in ("v1", "v3", "v4", "v5"):
        iam.delete_policy_version(PolicyArn=arn, VersionId=version)
    iam.delete_policy(PolicyArn=arn)
    assert refused(iam.get_policy, PolicyArn=arn).message == f"Policy {arn} was not found."


def test_policies_of_aws_are_read_where_brume_has_them(iam, refused):
    assert iam.get_policy(PolicyArn=LOGS)["Policy"]["PolicyName"] == "AWSLambdaBasicExecutionRole"
    document = iam.get_policy_version(PolicyArn=LOGS, VersionId="v1")["PolicyVersion"]["Document"]
    assert "logs:PutLogEvents" in document["Statement"][0]["Action"]
    refusal = refused(iam.get_policy, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert (refusal.code, refusal.status) == ("NotImplemented", 501)
    assert refused(iam.delete_policy, PolicyArn=LOGS).code == "AccessDenied"


def test_policies_are_listed_by_scope_in_pages(server, refused):
    iam = client(server, "iam", key="555555555555")
    for number in range(3):
        iam.create_policy(PolicyName=f"own-{number}", PolicyDocument=POLICY)

    def names(**more):
        pages = iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 2}, **more)
        return [row["PolicyName"] for page in pages for row in page["Policies"]]

    own, aws = names(Scope="Local"), names(Scope="AWS")
    assert own == ["own-0", "own-1", "own-2"] and "AdministratorAccess" in aws
    assert names() == own + aws
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="r", PolicyArn=LOGS)
    assert names(OnlyAttached=True) == ["AWSLambdaBasicExecutionRole"]
    assert refused(iam.list_policies, Marker="?").message == "Invalid Marker."


def test_users_groups_and_their_policies(iam, name, refused):
    user = iam.create_user(UserName=name, Path="/team/", Tags=[{"Key": "a", "Value": "b"}])["User"]
    assert user["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/{name}" and user["UserId"].startswith("AIDA")
    iam.create_group(GroupName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    assert [row["UserName"] for row in iam.get_group(GroupName=name)["Users"]] == [name]
    assert [row["GroupName"] for row in iam.list_groups_for_user(UserName=name)["Groups"]] == [name]
    assert refused(iam.delete_group, GroupName=name).code == "DeleteConflict"
    for kind in ("user", "group"):
        who = {f"{kind.title()}Name": name}
        getattr(iam, f"attach_{kind}_policy")(PolicyArn=LOGS, **who)
        getattr(iam, f"put_{kind}_policy")(PolicyName="p", PolicyDocument=POLICY, **who)
        assert getattr(iam, f"list_{kind}_policies")(**who)["PolicyNames"] == ["p"]
        assert getattr(iam, f"get_{kind}_policy")(PolicyName="p", **who)["PolicyDocument"] == json.loads(POLICY)
        assert len(getattr(iam, f"list_attached_{kind}_policies")(**who)["AttachedPolicies"]) == 1
        getattr(iam, f"detach_{kind}_policy")(PolicyArn=LOGS, **who)
        getattr(iam, f"delete_{kind}_policy")(PolicyName="p", **who)
    assert refused(iam.put_user_policy, UserName=name, PolicyName="p", PolicyDocument=POLICY.replace(
        "bucket", "x" * 2048)).code == "LimitExceeded"
    iam.update_user(UserName=name, NewPath="/other/")
    assert iam.get_user(UserName=name)["User"]["Path"] == "/other/"
    assert refused(iam.update_user, UserName=name, NewUserName="another").status == 501
    iam.remove_user_from_group(GroupName=name, UserName=name)
    iam.delete_group(GroupName=name)
    iam.delete_user(UserName=name)


def test_a_user_has_two_keys(iam, name, refused):
    iam.create_user(UserName=name)
    keys = [iam.create_access_key(UserName=name)["AccessKey"] for _ in range(2)]
    refusal = refused(iam.create_access_key, UserName=name)
    assert (refusal.code, refusal.message) == ("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
    iam.update_access_key(UserName=name, AccessKeyId=keys[0]["AccessKeyId"], Status="Inactive")
    status = {row["AccessKeyId"]: row["Status"] for row in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]}
    assert status == {keys[0]["AccessKeyId"]: "Inactive", keys[1]["AccessKeyId"]: "Active"}
    assert refused(iam.delete_user, UserName=name).message == "Cannot delete entity, must delete access keys first."
    for key in keys:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    assert refused(iam.delete_access_key, UserName=name, AccessKeyId=keys[0]["AccessKeyId"]).code == "NoSuchEntity"
    iam.delete_user(UserName=name)


def test_an_instance_profile_has_one_role(iam, role, refused):
    name = role["RoleName"]
    profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert profile["InstanceProfileId"].startswith("AIPA") and profile["Roles"] == []
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    assert refused(iam.add_role_to_instance_profile, InstanceProfileName=name, RoleName=name).code == "LimitExceeded"
    assert iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"][0]["RoleName"] == name
    assert len(iam.list_instance_profiles_for_role(RoleName=name)["InstanceProfiles"]) == 1
    assert refused(iam.delete_role, RoleName=name).message == (
        "Cannot delete entity, must remove roles from instance profile first.")
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=name)
    iam.delete_instance_profile(InstanceProfileName=name)


def test_a_service_linked_role_is_awss_own(iam, refused):
    role = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    name = role["RoleName"]
    assert role["Path"] == "/aws-service-role/ecs.amazonaws.com/"
    assert refused(iam.delete_role, RoleName=name).code == "UnmodifiableEntity"
    assert refused(iam.attach_role_policy, RoleName=name, PolicyArn=LOGS).code == "UnmodifiableEntity"
    assert refused(iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com").code == "InvalidInput"
    assert refused(iam.create_service_linked_role, AWSServiceName="x.amazonaws.com").status == 501
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refused(iam.get_service_linked_role_deletion_status, DeletionTaskId=task + "0").code == "NoSuchEntity"


def test_lists_come_in_pages(server):
    iam = client(server, "iam", key="444444444444")
    for number in range(7):
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=TRUST)
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 3}))
    assert [[row["RoleName"][-1] for row in page["Roles"]] for page in pages] == [
        ["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]


def test_what_brume_does_not_have_is_refused_by_name(iam, refused):
    refusal = refused(iam.list_mfa_devices)
    assert (refusal.code, refusal.status) == ("NotImplemented", 501) and "ListMFADevices" in refusal.message
    refusal = refused(iam.simulate_principal_policy, PolicySourceArn=LOGS, ActionNames=["s3:GetObject"])
    assert refusal.status == 501 and "SimulatePrincipalPolicy" in refusal.message


def test_a_role_survives_kill_9(start, name):
    first = start()
    client(first, "iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    first.kill()
    second = start(data=first.data)
    assert client(second, "iam").get_role(RoleName=name)["Role"]["RoleName"] == name
