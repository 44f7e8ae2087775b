"""A server that verifies: signatures by header and by presigned URL, keys, accounts, dates."""

import contextlib
import datetime
import json

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from brume import Server, command
from conftest import client

ROOT_KEY, ROOT_SECRET = "BRUMEROOTKEY00000001", "root/secret+with=signs"


@pytest.fixture(scope="module")
def server(module_folder):
    running = Server(module_folder / "data", "--auth", "signed", environment={
        "BRUME_ACCESS_KEY_ID": ROOT_KEY, "BRUME_SECRET_ACCESS_KEY": ROOT_SECRET})
    yield running
    assert running.terminate() == 0, running.errors()


@pytest.fixture(scope="module")
def sqs(server):
    return client(server, key=ROOT_KEY, secret=ROOT_SECRET)


@contextlib.contextmanager
def signing_at(when):
    """The SDK's signer takes this time for now."""

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return when

    real, botocore.auth.datetime.datetime = botocore.auth.datetime.datetime, Frozen
    try:
        yield
    finally:
        botocore.auth.datetime.datetime = real


def signed_headers(server, body, when, secret=ROOT_SECRET):
    """The headers of a CreateQueue call that was signed at another time than now."""
    request = botocore.awsrequest.AWSRequest("POST", server.url + "/", data=body, headers={
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.CreateQueue"})

    with signing_at(when):
        credentials = botocore.credentials.Credentials(ROOT_KEY, secret)
        botocore.auth.SigV4Auth(credentials, "sqs", "us-east-1").add_auth(request)
    return dict(request.headers)


def new_key(server, account):
    """An access key of the account, made by the operator: (id, secret)."""
    printed = command("key", "create", "--account", account, "--data", server.data).stdout
    values = dict(line.split("=", 1) for line in printed.splitlines())
    return values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"]


def test_the_ready_line_says_that_signatures_are_verified(server):
    assert server.auth == "signed"


def test_a_right_signature_is_let_in(server, sqs):
    assert sqs.create_queue(QueueName="signed")["QueueUrl"] == f"{server.url}/000000000000/signed"
    sqs.send_message(QueueUrl=f"{server.url}/000000000000/signed", MessageBody="a b/c?d=e&f é")
    assert sqs.receive_message(QueueUrl=f"{server.url}/000000000000/signed")["Messages"][0]["Body"] == "a b/c?d=e&f é"


def test_a_wrong_secret_is_refused(server, refused):
    refusal = refused(client(server, key=ROOT_KEY, secret="wrong").list_queues)
    assert (refusal.code, refusal.status) == ("SignatureDoesNotMatch", 403)


def test_an_unknown_key_is_refused(server, refused):
    refusal = refused(client(server, key="AKIANOBODYHASTHISKEY").list_queues)
    assert (refusal.code, refusal.status) == ("InvalidClientTokenId", 403)


def test_a_request_without_a_signature_is_refused_in_both_protocols(server):
    status, _, body = server.query("Action=ListQueues&Version=2012-11-05")
    assert status == 403 and b"MissingAuthenticationToken" in body
    status, _, body = server.json("ListQueues", b"{}")
    assert status in (400, 403) and json.loads(body)["__type"].split("#")[-1].startswith("MissingAuthenticationToken")


def test_a_changed_body_is_refused(server):
    headers = signed_headers(server, b'{"QueueName":"one"}', datetime.datetime.utcnow())
    status, _, body = server.request("POST", "/", b'{"QueueName":"two"}', headers)
    assert status in (400, 403)
    assert json.loads(body)["__type"].split("#")[-1] in ("InvalidSignatureException", "SignatureDoesNotMatch")


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_signature_more_than_15_minutes_off_is_refused(server, minutes):
    when = datetime.datetime.utcnow() + datetime.timedelta(minutes=minutes)
    body = b'{"QueueName":"late"}'
    status, _, answer = server.request("POST", "/", body, signed_headers(server, body, when))
    assert status in (400, 403)
    assert json.loads(answer)["__type"].split("#")[-1] in ("InvalidSignatureException", "SignatureDoesNotMatch")
    assert "ignature" in json.loads(answer)["message"]


def test_a_signature_less_than_15_minutes_old_is_taken(server):
    when = datetime.datetime.utcnow() - datetime.timedelta(minutes=14)
    body = b'{"QueueName":"soon"}'
    assert server.request("POST", "/", body, signed_headers(server, body, when))[0] == 200


def test_a_presigned_url_works_until_it_expires(server, sqs):
    url = sqs.generate_presigned_url("list_queues", Params={"QueueNamePrefix": "x"}, ExpiresIn=60, HttpMethod="GET")
    path = url[len(server.url):]
    status, _, body = server.request("GET", path)
    assert status == 200 and b"ListQueuesResponse" in body
    status, _, body = server.request("GET", path.replace("QueueNamePrefix=x", "QueueNamePrefix=y"))
    assert status == 403 and b"SignatureDoesNotMatch" in body

    with signing_at(datetime.datetime.utcnow() - datetime.timedelta(seconds=61)):
        url = sqs.generate_presigned_url("list_queues", Params={"QueueNamePrefix": "x"}, ExpiresIn=60, HttpMethod="GET")
    status, _, body = server.request("GET", url[len(server.url):])
    assert status in (400, 403) and b"xpired" in body


def test_a_garbled_authorization_header_is_refused(server):
    for value in ("Basic eDp5", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00"):
        status, _, _ = server.json("ListQueues", b"{}", {"authorization": value, "x-amz-date": "20260101T000000Z"})
        assert status in (400, 403)


def test_an_operator_gives_an_account_keys_and_takes_them_away(server, refused):
    def admin(*arguments):
        return command(*arguments, "--data", server.data).stdout

    admin("account", "create", "--id", "123456789012", "--name", "shop")
    assert "123456789012" in admin("account", "list")
    key, secret = new_key(server, "123456789012")
    assert key in admin("key", "list", "--account", "123456789012")
    assert secret not in admin("key", "list", "--account", "123456789012")

    mine = client(server, key=key, secret=secret)
    assert mine.create_queue(QueueName="mine")["QueueUrl"] == f"{server.url}/123456789012/mine"
    assert client(server, "sts", key=key, secret=secret).get_caller_identity()["Account"] == "123456789012"
    assert client(server, "sts", key=key, secret=secret).get_access_key_info(AccessKeyId=key)["Account"] == "123456789012"

    admin("key", "revoke", key)
    assert refused(mine.list_queues).code == "InvalidClientTokenId"


def test_a_limit_of_one_account_holds_for_it_alone_and_at_once(server, sqs, refused):
    command("account", "create", "--id", "777777777777", "--data", server.data)
    key, secret = new_key(server, "777777777777")
    limited = client(server, key=key, secret=secret)
    entries = [{"Id": name, "MessageBody": name} for name in ("a", "b", "c")]
    url = limited.create_queue(QueueName="limited")["QueueUrl"]
    assert len(limited.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 3
    command("account", "limit", "SQS_BATCH_ENTRIES", "2", "--id", "777777777777", "--data", server.data)
    refusal = refused(limited.send_message_batch, QueueUrl=url, Entries=entries)
    assert refusal.code == "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
    other = sqs.create_queue(QueueName="not-limited")["QueueUrl"]
    assert len(sqs.send_message_batch(QueueUrl=other, Entries=entries)["Successful"]) == 3
    command("account", "limit", "SQS_BATCH_ENTRIES", "default", "--id", "777777777777", "--data", server.data)
    assert len(limited.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == 3


def test_the_root_key_s_account_is_told_to_whoever_asks(server):
    command("account", "create", "--id", "888888888888", "--data", server.data)
    key, secret = new_key(server, "888888888888")
    sts = client(server, "sts", key=key, secret=secret)
    assert sts.get_access_key_info(AccessKeyId=ROOT_KEY)["Account"] == "000000000000"


def test_a_queue_of_another_account_is_out_of_reach(server, sqs, refused):
    command("account", "create", "--id", "999999999999", "--data", server.data)
    key, secret = new_key(server, "999999999999")
    other = client(server, key=key, secret=secret)
    url = sqs.create_queue(QueueName="private")["QueueUrl"]
    refusal = refused(other.send_message, QueueUrl=url, MessageBody="x")
    assert refusal.status in (400, 403)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_secrets_never_reach_the_log(server, sqs):
    sqs.list_queues()
    assert ROOT_SECRET not in server.errors()
