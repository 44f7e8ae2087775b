"""Queues through boto3 (Query protocol): made, found, listed, changed, deleted."""

import re

import pytest
from brume import command
from conftest import client

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_a_new_queue_has_the_url_of_its_account_and_name(server, sqs, new_name):
    name = new_name()
    answer = sqs.create_queue(QueueName=name)
    assert answer["QueueUrl"] == f"{server.url}/123456789012/{name}"
    assert re.fullmatch(UUID, answer["ResponseMetadata"]["RequestId"])


def test_creating_a_queue_again_with_the_same_attributes_gives_the_same_url(sqs, new_name):
    name = new_name()
    first = sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "3"})["QueueUrl"]
    assert sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "3"})["QueueUrl"] == first
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == first


def test_creating_a_queue_again_with_other_attributes_is_refused(sqs, new_name, refused):
    name = new_name()
    sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "3"})
    refusal = refused(sqs.create_queue, QueueName=name, Attributes={"DelaySeconds": "4"})
    assert (refusal.code, refusal.status) == ("QueueAlreadyExists", 400)
    assert "DelaySeconds" in refusal.message


@pytest.mark.parametrize("name", ["", "has space", "a" * 81, "dot.ted", "slash/ed", "ü"])
def test_a_queue_name_that_aws_refuses_is_refused(sqs, refused, name):
    refusal = refused(sqs.create_queue, QueueName=name)
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)


def test_a_queue_name_of_80_characters_is_taken(sqs):
    assert sqs.create_queue(QueueName="n" * 80)["QueueUrl"].endswith("/" + "n" * 80)


@pytest.mark.parametrize("attribute, value", [
    ("DelaySeconds", "901"), ("DelaySeconds", "-1"), ("DelaySeconds", "soon"), ("VisibilityTimeout", "43201"),
    ("MessageRetentionPeriod", "59"), ("MessageRetentionPeriod", "1209601"), ("MaximumMessageSize", "1023"),
    ("MaximumMessageSize", "1048577"), ("ReceiveMessageWaitTimeSeconds", "21"),
])
def test_an_attribute_out_of_its_range_is_refused_by_name(sqs, new_name, refused, attribute, value):
    refusal = refused(sqs.create_queue, QueueName=new_name(), Attributes={attribute: value})
    assert (refusal.code, refusal.status) == ("InvalidAttributeValue", 400)
    assert attribute in refusal.message


def test_an_unknown_attribute_is_refused(sqs, new_name, refused):
    refusal = refused(sqs.create_queue, QueueName=new_name(), Attributes={"Colour": "red"})
    assert (refusal.code, refusal.status) == ("InvalidAttributeName", 400)


def test_a_queue_is_found_by_its_name(sqs, new_name):
    name = new_name()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    assert sqs.get_queue_url(QueueName=name)["QueueUrl"] == url


def test_a_queue_that_is_not_there_is_named_as_aws_names_it(server, sqs, refused):
    refusal = refused(sqs.get_queue_url, QueueName="nowhere")
    assert (refusal.code, refusal.status) == ("AWS.SimpleQueueService.NonExistentQueue", 400)
    refusal = refused(sqs.send_message, QueueUrl=f"{server.url}/123456789012/nowhere", MessageBody="x")
    assert (refusal.code, refusal.status) == ("AWS.SimpleQueueService.NonExistentQueue", 400)


def test_queues_are_listed_by_prefix_in_pages(server):
    sqs = client(server, key="210987654321")
    made = [sqs.create_queue(QueueName=f"{prefix}-{number}")["QueueUrl"] for prefix in "ab" for number in range(5)]
    assert sorted(sqs.list_queues()["QueueUrls"]) == sorted(made)
    assert sorted(sqs.list_queues(QueueNamePrefix="b-")["QueueUrls"]) == sorted(made[5:])
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="c")
    seen, token, pages = [], None, 0
    while token is not None or pages == 0:
        page = sqs.list_queues(QueueNamePrefix="a-", MaxResults=2, **({"NextToken": token} if token else {}))
        assert 1 <= len(page["QueueUrls"]) <= 2
        seen, token, pages = seen + page["QueueUrls"], page.get("NextToken"), pages + 1
    assert sorted(seen) == sorted(made[:5]) and pages == 3


def test_a_page_of_more_than_1000_queues_is_refused(sqs, refused):
    assert refused(sqs.list_queues, MaxResults=1001).status == 400


def test_each_account_and_region_has_its_own_queues(server, new_name):
    name = new_name()
    one, other, abroad = client(server, key="111111111111"), client(server, key="222222222222"), \
        client(server, key="111111111111", region="eu-west-1")
    one.create_queue(QueueName=name)
    assert "QueueUrls" not in other.list_queues(QueueNamePrefix=name)
    assert "QueueUrls" not in abroad.list_queues(QueueNamePrefix=name)
    with pytest.raises(one.exceptions.QueueDoesNotExist):
        other.get_queue_url(QueueName=name)
    with pytest.raises(one.exceptions.QueueDoesNotExist):
        abroad.get_queue_url(QueueName=name)


def test_all_attributes_of_a_new_queue_have_their_documented_defaults(sqs, new_name):
    name = new_name()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    created = attributes.pop("CreatedTimestamp")
    assert re.fullmatch(r"\d{10}", created) and attributes.pop("LastModifiedTimestamp") == created
    assert attributes == {
        "QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{name}",
        "ApproximateNumberOfMessages": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ApproximateNumberOfMessagesDelayed": "0",
        "VisibilityTimeout": "30",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "DelaySeconds": "0",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }


def test_only_the_attributes_asked_for_are_given(sqs, queue):
    answer = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["DelaySeconds", "QueueArn"])
    assert set(answer["Attributes"]) == {"DelaySeconds", "QueueArn"}
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)


def test_asking_for_an_unknown_attribute_is_refused(sqs, queue, refused):
    refusal = refused(sqs.get_queue_attributes, QueueUrl=queue, AttributeNames=["Colour"])
    assert (refusal.code, refusal.status) == ("InvalidAttributeName", 400)


def test_changed_attributes_are_kept_and_the_others_stay(sqs, queue):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "7", "DelaySeconds": "2"})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "5"})
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("7", "5")


def test_the_counts_tell_visible_delayed_and_in_flight_messages_apart(sqs, queue):
    for _ in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody="now")
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=600)
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    counts = [attributes["ApproximateNumberOfMessages" + kind] for kind in ("", "NotVisible", "Delayed")]
    assert counts == ["2", "1", "1"]


def test_a_deleted_queue_is_gone_and_its_name_rests_for_60_seconds(server, sqs, new_name, refused):
    name = new_name()
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="lost")
    sqs.delete_queue(QueueUrl=url)
    assert refused(sqs.receive_message, QueueUrl=url).code == "AWS.SimpleQueueService.NonExistentQueue"
    assert refused(sqs.create_queue, QueueName=name).code == "AWS.SimpleQueueService.QueueDeletedRecently"
    command("clock", "advance", "61s", "--data", server.data)
    assert sqs.create_queue(QueueName=name)["QueueUrl"] == url
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_deleting_a_queue_that_is_not_there_is_refused(server, sqs, refused):
    refusal = refused(sqs.delete_queue, QueueUrl=f"{server.url}/123456789012/nowhere")
    assert refusal.code == "AWS.SimpleQueueService.NonExistentQueue"


def test_a_purged_queue_is_empty_and_may_be_purged_again_after_60_seconds(server, sqs, queue, refused):
    for _ in range(2):
        sqs.send_message(QueueUrl=queue, MessageBody="x")
    sqs.receive_message(QueueUrl=queue, VisibilityTimeout=1)
    sqs.send_message(QueueUrl=queue, MessageBody="x", DelaySeconds=5)
    sqs.purge_queue(QueueUrl=queue)
    refusal = refused(sqs.purge_queue, QueueUrl=queue)
    assert (refusal.code, refusal.status) == ("AWS.SimpleQueueService.PurgeQueueInProgress", 403)
    command("clock", "advance", "61s", "--data", server.data)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.purge_queue(QueueUrl=queue)


def test_sts_tells_who_is_calling(server):
    identity = client(server, "sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:iam::123456789012:")
    assert client(server, "sts", key="AKIAEXAMPLE").get_caller_identity()["Account"] == "000000000000"
