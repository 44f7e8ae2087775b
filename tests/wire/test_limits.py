"""Limits as clients meet them: rates of an account and of a connection."""

import http.client
import time

import boto3
import botocore.config
import pytest
from brume import command
from conftest import client

SLOW = "123456789012"
OTHER = "210987654321"


def limit(server, name, value, account=SLOW):
    command("account", "limit", name, value, "--data", server.data, "--id", account)


@pytest.fixture
def slow(start):
    """A server on which one account may make one request a second, three at once."""
    server = start()
    for account in (SLOW, OTHER):
        command("account", "create", "--data", server.data, "--id", account)
    limit(server, "ACCOUNT_REQUEST_RATE", 1)
    limit(server, "ACCOUNT_REQUEST_BURST", 3)
    return server


def outcomes(function, count):
    """The error codes of so many calls, None where there is none, with the statuses."""
    found = []
    for _ in range(count):
        try:
            found.append((None, function()["ResponseMetadata"]["HTTPStatusCode"]))
        except Exception as error:
            found.append((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]))
    return found


def test_an_account_over_its_rate_gets_the_throttling_error_of_the_service(slow):
    assert outcomes(client(slow).list_queues, 3) == [(None, 200)] * 3
    # Time passes meanwhile: one more may have been let through.
    refused = outcomes(client(slow).list_queues, 6)
    assert refused.count(("RequestThrottled", 403)) >= 4
    assert set(refused) <= {("RequestThrottled", 403), (None, 200)}
    assert ("Throttling", 400) in outcomes(client(slow, "sts").get_caller_identity, 3)
    assert slow.metric('brume_throttled_total{reason="account"}') >= 5


def test_the_throttling_error_says_what_the_rate_is(slow):
    for _ in range(4):
        status, _, body = slow.json("ListQueues", b"{}", {"authorization": f"AWS4-HMAC-SHA256 Credential={SLOW}/"
                                    "20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"})
    assert status == 403
    assert b'"__type":"com.amazonaws.sqs#RequestThrottled"' in body and b"1 requests a second" in body


def test_other_accounts_are_not_slowed(slow):
    outcomes(client(slow).list_queues, 4)
    assert outcomes(client(slow, key=OTHER).list_queues, 50) == [(None, 200)] * 50


def test_an_sdk_that_retries_gets_through(slow):
    limit(slow, "ACCOUNT_REQUEST_RATE", 5)
    limit(slow, "ACCOUNT_REQUEST_BURST", 1)
    config = botocore.config.Config(retries={"mode": "standard", "max_attempts": 10})
    sqs = boto3.client("sqs", endpoint_url=slow.url, region_name="us-east-1", aws_access_key_id=SLOW,
                       aws_secret_access_key="secret", config=config)
    answers = [sqs.list_queues() for _ in range(6)]
    assert sum(answer["ResponseMetadata"]["RetryAttempts"] for answer in answers) > 0


def test_a_rate_may_be_set_and_taken_back_while_the_server_runs(slow):
    limit(slow, "ACCOUNT_REQUEST_RATE", "default")
    assert outcomes(client(slow).list_queues, 50) == [(None, 200)] * 50


def test_the_rate_of_an_account_is_exact_over_all_connections(start):
    """Six connections ask as fast as they can, on four loops."""
    server = start("--threads", "4", "--limit", "ACCOUNT_REQUEST_RATE=200", "--limit", "ACCOUNT_REQUEST_BURST=20")
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=10) for _ in range(6)]
    began, passed = time.monotonic(), 0
    while time.monotonic() < began + 3:
        for connection in connections:
            connection.request("POST", "/", b"{}", {"content-type": "application/x-amz-json-1.0",
                                                   "x-amz-target": "AmazonSQS.ListQueues"})
        for connection in connections:
            answer = connection.getresponse()
            answer.read()
            passed += answer.status == 200
    took = time.monotonic() - began
    for connection in connections:
        connection.close()
    # Lower bounds are loose: a busy machine may not have asked often enough.
    assert 200 * took * 0.7 < passed <= 20 + 200 * took + 1


def test_a_connection_over_its_rate_is_refused_and_others_are_not(start):
    server = start("--limit", "NET_REQUEST_RATE=1", "--limit", "NET_REQUEST_BURST=2")
    query = {"content-type": "application/x-www-form-urlencoded"}

    def statuses(connection, count):
        found = []
        for _ in range(count):
            connection.request("POST", "/", "Action=ListQueues&Version=2012-11-05", query)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200 or b"<Code>RequestThrottled</Code>" in body
            found.append(answer.status)
        return found

    first, second = (http.client.HTTPConnection("127.0.0.1", server.port, timeout=10) for _ in range(2))
    assert statuses(first, 5)[:3] == [200, 200, 403]
    assert statuses(second, 2) == [200, 200]
    first.close()
    second.close()
    assert server.metric('brume_throttled_total{reason="connection"}') >= 1
