"""The AWS CLI, as people type it at a shell. Debian's is of 2022: it takes the endpoint as an option, and speaks the Query
protocol to SQS."""

import json
import subprocess

import pytest

from brume import ENVIRONMENT
from conftest import client

AWS = "/usr/bin/aws"


class Failure(Exception):
    """What the CLI printed when it ended badly."""


@pytest.fixture
def aws(server, folder):
    """Runs `aws WORDS…`; gives what it printed. Its caches and settings are the test's own."""

    def run(*words, account="123456789012", service="sqs"):
        environment = {**ENVIRONMENT, "HOME": str(folder), "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "secret",
                       "AWS_REGION": "us-east-1", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}
        done = subprocess.run([AWS, "--endpoint-url", server.url, service, *words], env=environment, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failure(done.stderr)
        return done.stdout

    return run


@pytest.fixture
def queue(aws, new_name):
    return aws("create-queue", "--queue-name", new_name(), "--query", "QueueUrl", "--output", "text").strip()


def attribute(aws, queue, name):
    return aws("get-queue-attributes", "--queue-url", queue, "--attribute-names", name,
               "--query", f"Attributes.{name}", "--output", "text").strip()


def test_a_message_is_sent_received_and_deleted(aws, queue):
    sent = aws("send-message", "--queue-url", queue, "--message-body", "ein Käffchen", "--query", "MessageId",
               "--output", "text", "--message-attributes", '{"shop": {"DataType": "String", "StringValue": "süd"}}').strip()
    received = json.loads(aws("receive-message", "--queue-url", queue, "--message-attribute-names", "All",
                              "--attribute-names", "All", "--wait-time-seconds", "1"))
    [message] = received["Messages"]
    assert (message["MessageId"], message["Body"]) == (sent, "ein Käffchen")
    assert message["MessageAttributes"] == {"shop": {"StringValue": "süd", "DataType": "String"}}
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert message["Attributes"]["SenderId"] == "123456789012"
    assert attribute(aws, queue, "ApproximateNumberOfMessagesNotVisible") == "1"
    assert aws("delete-message", "--queue-url", queue, "--receipt-handle", message["ReceiptHandle"]) == ""
    assert attribute(aws, queue, "ApproximateNumberOfMessagesNotVisible") == "0"
    assert aws("receive-message", "--queue-url", queue) == ""


def test_batches_tell_each_entry_s_fate(aws, queue):
    entries = [{"Id": str(i), "MessageBody": f"message {i}"} for i in range(9)] + [{"Id": "late", "MessageBody": "x",
                                                                                    "DelaySeconds": 901}]
    answer = json.loads(aws("send-message-batch", "--queue-url", queue, "--entries", json.dumps(entries)))
    assert len(answer["Successful"]) == 9
    assert [(failed["Id"], failed["Code"]) for failed in answer["Failed"]] == [("late", "InvalidParameterValue")]
    handles = aws("receive-message", "--queue-url", queue, "--max-number-of-messages", "10",
                  "--query", "Messages[].ReceiptHandle", "--output", "text").split()
    assert len(handles) == 9
    gone = aws("delete-message-batch", "--queue-url", queue, "--query", "Successful[].Id", "--output", "text",
               "--entries", json.dumps([{"Id": str(i), "ReceiptHandle": handle} for i, handle in enumerate(handles)]))
    assert sorted(gone.split()) == [str(i) for i in range(9)]


def test_attributes_are_set_and_read(aws, new_name):
    url = aws("create-queue", "--queue-name", new_name(), "--attributes", "VisibilityTimeout=77,DelaySeconds=5",
              "--query", "QueueUrl", "--output", "text").strip()
    aws("set-queue-attributes", "--queue-url", url, "--attributes", "DelaySeconds=0")
    answer = json.loads(aws("get-queue-attributes", "--queue-url", url, "--attribute-names", "VisibilityTimeout", "DelaySeconds"))
    assert answer == {"Attributes": {"VisibilityTimeout": "77", "DelaySeconds": "0"}}
    assert attribute(aws, url, "QueueArn") == f"arn:aws:sqs:us-east-1:123456789012:{url.rsplit('/', 1)[1]}"


def test_queues_are_listed_in_pages(aws, server):
    account = "210987654321"
    urls = [client(server, key=account).create_queue(QueueName=f"page-{i}")["QueueUrl"] for i in range(5)]
    # The CLI asks for page after page itself …
    assert sorted(json.loads(aws("list-queues", "--page-size", "2", account=account))["QueueUrls"]) == urls
    # … or stops after so many and gives a token of its own to go on with.
    first = json.loads(aws("list-queues", "--page-size", "2", "--max-items", "3", account=account))
    rest = json.loads(aws("list-queues", "--page-size", "2", "--starting-token", first["NextToken"], account=account))
    assert len(first["QueueUrls"]) == 3
    assert sorted(first["QueueUrls"] + rest["QueueUrls"]) == urls
    prefixed = aws("list-queues", "--queue-name-prefix", "page-4", "--query", "QueueUrls", "--output", "text", account=account)
    assert prefixed.strip() == urls[4]
    assert aws("list-queues", account="333344445555") == ""


def test_visibility_is_changed_and_queues_are_purged_and_deleted(aws, queue):
    aws("send-message", "--queue-url", queue, "--message-body", "x")
    handle = aws("receive-message", "--queue-url", queue, "--query", "Messages[0].ReceiptHandle", "--output", "text").strip()
    aws("change-message-visibility", "--queue-url", queue, "--receipt-handle", handle, "--visibility-timeout", "0")
    assert attribute(aws, queue, "ApproximateNumberOfMessages") == "1"
    aws("purge-queue", "--queue-url", queue)
    assert attribute(aws, queue, "ApproximateNumberOfMessages") == "0"
    aws("delete-queue", "--queue-url", queue)
    with pytest.raises(Failure, match=r"\(AWS\.SimpleQueueService\.NonExistentQueue\)"):
        aws("get-queue-url", "--queue-name", queue.rsplit("/", 1)[1])


def test_a_message_of_one_mebibyte_comes_from_a_file(aws, queue, folder):
    (folder / "body").write_text("m" * 1048576, encoding="ascii")
    aws("send-message", "--queue-url", queue, "--message-body", f"file://{folder}/body")
    body = aws("receive-message", "--queue-url", queue, "--query", "Messages[0].Body", "--output", "text")
    assert body == "m" * 1048576 + "\n"


def test_the_caller_is_the_account_that_its_key_names(aws):
    assert aws("get-caller-identity", "--query", "Account", "--output", "text", service="sts") == "123456789012\n"


def test_a_service_that_is_not_there_is_refused_by_name(aws):
    with pytest.raises(Failure, match=r"\(NotImplemented\).*GameLift"):
        aws("list-fleets", service="gamelift")
