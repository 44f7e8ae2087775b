"""Tags of queues through boto3."""

import pytest
from brume import command


def tags(sqs, url):
    return sqs.list_queue_tags(QueueUrl=url).get("Tags")


def test_tags_are_merged_replaced_and_removed(sqs, new_name):
    url = sqs.create_queue(QueueName=new_name(), tags={"team": "one"})["QueueUrl"]
    assert tags(sqs, url) == {"team": "one"}
    sqs.tag_queue(QueueUrl=url, Tags={"stage": "test", "empty": "", "größe": "maß"})
    sqs.tag_queue(QueueUrl=url, Tags={"team": "two"})
    assert tags(sqs, url) == {"team": "two", "stage": "test", "empty": "", "größe": "maß"}
    sqs.untag_queue(QueueUrl=url, TagKeys=["team", "nobody", "größe"])
    assert tags(sqs, url) == {"stage": "test", "empty": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["stage", "empty"])
    assert tags(sqs, url) is None


def test_tags_do_not_count_as_a_change_of_the_queue(server, sqs, queue):
    read = lambda: sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    before = read()
    command("clock", "advance", "10s", "--data", server.data)
    sqs.tag_queue(QueueUrl=queue, Tags={"a": "b"})
    assert read() == before


def test_a_queue_has_50_tags_at_most(sqs, queue, refused):
    sqs.tag_queue(QueueUrl=queue, Tags={f"key{number}": "x" for number in range(50)})
    sqs.tag_queue(QueueUrl=queue, Tags={"key0": "y"})
    refusal = refused(sqs.tag_queue, QueueUrl=queue, Tags={"one": "more"})
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
    assert refusal.message.startswith("Too many tags added for queue")
    assert len(tags(sqs, queue)) == 50 and tags(sqs, queue)["key0"] == "y"


@pytest.mark.parametrize("key, value, reason", [
    ("", "x", "between 1 and 128"), ("k" * 129, "x", "between 1 and 128"), ("k", "v" * 257, "between 0 and 256"),
    ("aws:mine", "x", "reserved"), ("AWS:mine", "x", "reserved"), ("a;b", "x", "letters"), ("k", "a#b", "letters"),
])
def test_a_tag_out_of_the_rules_is_refused(sqs, queue, refused, new_name, key, value, reason):
    for refusal in (refused(sqs.tag_queue, QueueUrl=queue, Tags={key: value}),
                    refused(sqs.create_queue, QueueName=new_name(), tags={key: value})):
        assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
        assert reason in refusal.message


def test_the_longest_tag_is_taken(sqs, queue):
    sqs.tag_queue(QueueUrl=queue, Tags={"ü" * 128: "ß" * 256, "a b_.:/=+-@": "a b_.:/=+-@"})
    assert tags(sqs, queue) == {"ü" * 128: "ß" * 256, "a b_.:/=+-@": "a b_.:/=+-@"}


def test_a_request_without_tags_is_refused(sqs, queue, refused):
    assert refused(sqs.tag_queue, QueueUrl=queue, Tags={}).code == "MissingParameter"


def test_tags_of_a_queue_that_is_not_there_are_refused(server, sqs, refused):
    url = f"{server.url}/123456789012/nowhere"
    for refusal in (refused(sqs.tag_queue, QueueUrl=url, Tags={"a": "b"}),
                    refused(sqs.untag_queue, QueueUrl=url, TagKeys=["a"]), refused(sqs.list_queue_tags, QueueUrl=url)):
        assert refusal.code == "AWS.SimpleQueueService.NonExistentQueue"
