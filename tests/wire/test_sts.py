"""STS through boto3, on a server that verifies signatures: who may take on a role, and what a session may call itself."""

import datetime
import itertools
import json

import pytest
from brume import Server, command
from conftest import client

ACCOUNT, OTHER = "123456789012", "210987654321"
numbers = itertools.count(1)


def new_key(server, account):
    printed = command("key", "create", "--account", account, "--data", server.data).stdout
    values = dict(line.split("=", 1) for line in printed.splitlines())
    return {"key": values["AWS_ACCESS_KEY_ID"], "secret": values["AWS_SECRET_ACCESS_KEY"]}


@pytest.fixture(scope="module")
def server(module_folder):
    running = Server(module_folder / "data", "--auth", "signed")
    for account in (ACCOUNT, OTHER):
        command("account", "create", "--id", account, "--name", "test", "--data", running.data)
    yield running
    assert running.terminate() == 0, running.errors()


@pytest.fixture(scope="module")
def root(server):
    return new_key(server, ACCOUNT)


@pytest.fixture(scope="module")
def iam(server, root):
    return client(server, "iam", **root)


@pytest.fixture(scope="module")
def sts(server, root):
    return client(server, "sts", **root)


def trust(principal, actions=("sts:AssumeRole",), **more):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": list(actions), **more}]})


@pytest.fixture
def new_role(iam):
    """Makes a role of that trust policy; gives its ARN."""

    def make(document=None, **more):
        name = f"role-{next(numbers)}"
        return iam.create_role(RoleName=name, AssumeRolePolicyDocument=document or trust({"AWS": ACCOUNT}),
                               **more)["Role"]

    return make


@pytest.fixture
def new_user(server, iam):
    """A user, and credentials that are its own."""

    def make():
        name = f"user-{next(numbers)}"
        user = iam.create_user(UserName=name)["User"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return user, {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}

    return make


def session(server, service, credentials, **more):
    return client(server, service, key=credentials["AccessKeyId"], secret=credentials["SecretAccessKey"],
                  aws_session_token=more.pop("token", credentials["SessionToken"]), **more)


def test_a_session_signs_calls_of_its_roles_account(server, sts, new_role):
    role = new_role()
    answer = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="one")
    credentials = answer["Credentials"]
    assert credentials["AccessKeyId"].startswith("ASIA")
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role['RoleId']}:one", "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role['RoleName']}/one"}
    assert "PackedPolicySize" not in answer
    left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=59) < left <= datetime.timedelta(hours=1)
    caller = session(server, "sts", credentials).get_caller_identity()
    assert (caller["Account"], caller["UserId"], caller["Arn"]) == (
        ACCOUNT, f"{role['RoleId']}:one", answer["AssumedRoleUser"]["Arn"])
    queue = session(server, "sqs", credentials).create_queue(QueueName="of-the-session")["QueueUrl"]
    assert queue.endswith(f"/{ACCOUNT}/of-the-session")


def test_a_presigned_url_of_a_session_works(server, sts, new_role):
    credentials = sts.assume_role(RoleArn=new_role()["Arn"], RoleSessionName="one")["Credentials"]
    url = session(server, "sqs", credentials).generate_presigned_url("list_queues", ExpiresIn=60, HttpMethod="GET")
    status, _, body = server.request("GET", url[len(server.url):])
    assert status == 200 and b"ListQueuesResponse" in body


def test_a_token_of_another_session_or_of_nobody_is_refused(server, sts, new_role, refused):
    arn = new_role()["Arn"]
    one, two = (sts.assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"] for name in ("one", "two"))
    for token in (two["SessionToken"], "FwoGZXIvYXdzEA==", one["SessionToken"][:-4] + "AAA="):
        refusal = refused(session(server, "sts", one, token=token).get_caller_identity)
        assert (refusal.code, refusal.status) == ("InvalidClientTokenId", 403)
    refusal = refused(client(server, "sts", key=one["AccessKeyId"], secret=one["SecretAccessKey"]).get_caller_identity)
    assert refusal.code == "InvalidClientTokenId"
    wrong = {**one, "SecretAccessKey": two["SecretAccessKey"]}
    assert refused(session(server, "sts", wrong).get_caller_identity).code == "SignatureDoesNotMatch"


def test_a_session_outlives_kill_9(start):
    first = start("--auth", "signed")
    command("account", "create", "--id", ACCOUNT, "--name", "test", "--data", first.data)
    key = new_key(first, ACCOUNT)
    role = client(first, "iam", **key).create_role(
        RoleName="worker", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))["Role"]
    credentials = client(first, "sts", **key).assume_role(RoleArn=role["Arn"], RoleSessionName="one")["Credentials"]
    first.kill()
    second = start("--auth", "signed", data=first.data)
    assert session(second, "sts", credentials).get_caller_identity()["UserId"] == f"{role['RoleId']}:one"


def test_only_whom_the_trust_policy_names_takes_the_role(server, new_user, new_role, refused):
    (ann, ann_key), (_, bob_key) = new_user(), new_user()
    role = new_role(trust({"AWS": ann["Arn"]}))
    ann_sts, bob_sts = client(server, "sts", **ann_key), client(server, "sts", **bob_key)
    assert ann_sts.get_caller_identity()["Arn"] == ann["Arn"]
    assert ann_sts.get_caller_identity()["UserId"] == ann["UserId"]
    ann_sts.assume_role(RoleArn=role["Arn"], RoleSessionName="one")
    refusal = refused(bob_sts.assume_role, RoleArn=role["Arn"], RoleSessionName="one")
    assert (refusal.code, refusal.status) == ("AccessDenied", 403)
    assert refusal.message.endswith(f"is not authorized to perform: sts:AssumeRole on resource: {role['Arn']}")
    missing = role["Arn"] + "-not"
    refusal = refused(ann_sts.assume_role, RoleArn=missing, RoleSessionName="one")
    assert refusal.message == f"User: {ann['Arn']} is not authorized to perform: sts:AssumeRole on resource: {missing}"


def test_another_account_takes_a_role_that_trusts_it(server, new_role, refused):
    stranger = client(server, "sts", **new_key(server, OTHER))
    role = new_role(trust({"AWS": OTHER}, Condition={"StringEquals": {"sts:ExternalId": "agreed"}}))
    assert refused(stranger.assume_role, RoleArn=role["Arn"], RoleSessionName="one").code == "AccessDenied"
    answer = stranger.assume_role(RoleArn=role["Arn"], RoleSessionName="one", ExternalId="agreed")
    assert session(server, "sts", answer["Credentials"]).get_caller_identity()["Account"] == ACCOUNT
    closed = new_role()["Arn"]
    assert refused(stranger.assume_role, RoleArn=closed, RoleSessionName="one").code == "AccessDenied"


def test_a_session_takes_another_role_for_an_hour(server, sts, new_role, refused):
    first = new_role()
    second = new_role(trust({"AWS": first["Arn"]}), MaxSessionDuration=43200)
    credentials = sts.assume_role(RoleArn=first["Arn"], RoleSessionName="one")["Credentials"]
    chained = session(server, "sts", credentials)
    chained.assume_role(RoleArn=second["Arn"], RoleSessionName="two", DurationSeconds=3600)
    refusal = refused(chained.assume_role, RoleArn=second["Arn"], RoleSessionName="two", DurationSeconds=3601)
    assert refusal.code == "ValidationError" and "role chaining" in refusal.message


def test_a_duration_lies_within_the_roles(sts, new_role, refused):
    role = new_role(MaxSessionDuration=7200)
    sts.assume_role(RoleArn=role["Arn"], RoleSessionName="one", DurationSeconds=7200)
    refusal = refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="one", DurationSeconds=7201)
    assert (refusal.code, refusal.message) == (
        "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    for seconds in (899, 43201):
        assert refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="one",
                       DurationSeconds=seconds).code == "ValidationError"
    assert refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="a b").code == "ValidationError"
    assert refused(sts.assume_role, RoleArn="arn:aws:iam::1:user/nobody", RoleSessionName="one").code == "ValidationError"


def test_tags_need_leave_and_transitive_ones_go_on(server, sts, new_role, refused):
    actions = ("sts:AssumeRole", "sts:TagSession")
    tags = [{"Key": "team", "Value": "mist"}]
    assert refused(sts.assume_role, RoleArn=new_role()["Arn"], RoleSessionName="one", Tags=tags).code == "AccessDenied"
    first = new_role(trust({"AWS": ACCOUNT}, actions))
    answer = sts.assume_role(RoleArn=first["Arn"], RoleSessionName="one", Tags=tags, TransitiveTagKeys=["team"])
    assert answer["PackedPolicySize"] >= 1
    second = new_role(trust({"AWS": first["Arn"]}, actions))
    chained = session(server, "sts", answer["Credentials"])
    refusal = refused(chained.assume_role, RoleArn=second["Arn"], RoleSessionName="two", Tags=tags)
    assert refusal.code == "InvalidParameterValue" and "transitive" in refusal.message
    chained.assume_role(RoleArn=second["Arn"], RoleSessionName="two", Tags=[{"Key": "other", "Value": "x"}])


def test_what_a_token_carries_is_bounded(sts, new_role, refused):
    role = new_role(trust({"AWS": ACCOUNT}, ("sts:AssumeRole", "sts:TagSession")))
    tags = [{"Key": f"key-{number}", "Value": "x" * 256} for number in range(50)]
    refusal = refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="one", Tags=tags)
    assert refusal.code == "PackedPolicyTooLarge" and refusal.message.endswith("of allotted space.")
    refusal = refused(sts.assume_role, RoleArn=role["Arn"], RoleSessionName="one", Policy="{")
    assert refusal.code == "MalformedPolicyDocument"


def test_an_inactive_key_signs_nothing_at_once(server, iam, new_user, refused):
    user, key = new_user()
    caller = client(server, "sts", **key)
    assert caller.get_caller_identity()["Arn"] == user["Arn"]
    iam.update_access_key(UserName=user["UserName"], AccessKeyId=key["key"], Status="Inactive")
    assert refused(caller.get_caller_identity).code == "InvalidClientTokenId"
    iam.update_access_key(UserName=user["UserName"], AccessKeyId=key["key"], Status="Active")
    assert caller.get_caller_identity()["Arn"] == user["Arn"]
    iam.update_user(UserName=user["UserName"], NewPath="/moved/")
    assert caller.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/moved/{user['UserName']}"
    assert client(server, "iam", **key).get_user()["User"]["UserName"] == user["UserName"]
    iam.delete_access_key(UserName=user["UserName"], AccessKeyId=key["key"])
    assert refused(caller.get_caller_identity).code == "InvalidClientTokenId"


def test_a_session_token_is_its_user_for_a_while(server, new_user, refused):
    user, key = new_user()
    credentials = client(server, "sts", **key).get_session_token(DurationSeconds=900)["Credentials"]
    mine = session(server, "sts", credentials)
    assert mine.get_caller_identity()["Arn"] == user["Arn"]
    assert refused(mine.get_session_token).code == "AccessDenied"


def test_what_brume_does_not_have_is_refused_by_name(sts, new_role, refused):
    for refusal in (refused(sts.get_federation_token, Name="somebody"),
                    refused(sts.decode_authorization_message, EncodedMessage="x"),
                    refused(sts.assume_role, RoleArn=new_role()["Arn"], RoleSessionName="one",
                            SerialNumber="arn:aws:iam::1:mfa/x", TokenCode="123456")):
        assert (refusal.code, refusal.status) == ("NotImplemented", 501)


def test_in_mode_open_a_session_is_who_it_took_on_to_be(start):
    open_server = start()
    role = client(open_server, "iam").create_role(
        RoleName="worker", AssumeRolePolicyDocument=trust({"Service": "lambda.amazonaws.com"}))["Role"]
    answer = client(open_server, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="one")
    caller = session(open_server, "sts", answer["Credentials"]).get_caller_identity()
    assert (caller["Account"], caller["Arn"]) == (ACCOUNT, answer["AssumedRoleUser"]["Arn"])
