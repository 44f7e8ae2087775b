"""Dead-letter queues through boto3: policies and their errors, the move, and who names whom."""

import json

import pytest
from brume import command


def arn(sqs, url):
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def policy(target, receives=1):
    return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": receives})


@pytest.fixture
def pair(sqs, queue, new_name):
    """(source, dead-letter queue): after two receives a message goes from the one to the other."""
    source = sqs.create_queue(QueueName=new_name(), Attributes={
        "RedrivePolicy": policy(arn(sqs, queue), 2), "VisibilityTimeout": "0"})["QueueUrl"]
    return source, queue


def take(sqs, url, **more):
    return sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"], **more).get("Messages", [])


def counts(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(int(attributes[name]) for name in names)


def test_a_poison_message_reaches_the_dlq_after_max_receives(sqs, pair):
    source, letters = pair
    sent = sqs.send_message(QueueUrl=source, MessageBody="poison",
                            MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}})
    first, = take(sqs, source)
    second, = take(sqs, source)
    assert (first["Attributes"]["ApproximateReceiveCount"], second["Attributes"]["ApproximateReceiveCount"]) == ("1", "2")
    assert "DeadLetterQueueSourceArn" not in second["Attributes"]
    assert take(sqs, source) == []
    assert (counts(sqs, source), counts(sqs, letters)) == ((0, 0, 0), (1, 0, 0))
    letter, = take(sqs, letters)
    assert (letter["MessageId"], letter["Body"]) == (sent["MessageId"], "poison")
    assert letter["MessageAttributes"]["colour"]["StringValue"] == "red"
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn(sqs, source)
    assert letter["Attributes"]["ApproximateReceiveCount"] == "3"
    for name in ("SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"):
        assert letter["Attributes"][name] == first["Attributes"][name]
    assert (counts(sqs, source), counts(sqs, letters)) == ((0, 0, 0), (0, 1, 0))
    sqs.delete_message(QueueUrl=letters, ReceiptHandle=letter["ReceiptHandle"])
    assert counts(sqs, letters) == (0, 0, 0)


def test_other_messages_of_the_same_receive_are_given(sqs, pair):
    source, letters = pair
    sqs.send_message(QueueUrl=source, MessageBody="poison")
    for _ in range(2):
        assert len(take(sqs, source)) == 1
    sqs.send_message(QueueUrl=source, MessageBody="fine")
    assert [message["Body"] for message in take(sqs, source, MaxNumberOfMessages=10)] == ["fine"]
    assert [message["Body"] for message in take(sqs, letters)] == ["poison"]


def test_an_old_receipt_does_nothing_to_a_moved_message(sqs, pair):
    source, letters = pair
    sqs.send_message(QueueUrl=source, MessageBody="poison")
    take(sqs, source)
    message, = take(sqs, source)
    take(sqs, source)
    sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
    assert counts(sqs, letters) == (1, 0, 0)


def test_the_move_is_durable_when_it_is_seen(start, folder):
    from conftest import client
    server = start()
    sqs = client(server)
    letters = sqs.create_queue(QueueName="letters")["QueueUrl"]
    source = sqs.create_queue(QueueName="orders", Attributes={
        "RedrivePolicy": policy(arn(sqs, letters)), "VisibilityTimeout": "0"})["QueueUrl"]
    for number in range(20):
        sqs.send_message(QueueUrl=source, MessageBody=str(number))
    while take(sqs, source, MaxNumberOfMessages=10):
        pass
    server.kill()
    sqs = client(start(data=folder / "data0"))
    assert (counts(sqs, "orders"), counts(sqs, "letters")) == ((0, 0, 0), (20, 0, 0))


def test_a_redrive_policy_is_reported_as_it_was_set_and_removed_by_nothing(sqs, queue, new_name):
    text = '{ "maxReceiveCount" : "42", "deadLetterTargetArn":"%s"}' % arn(sqs, queue)
    name = new_name()
    source = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": text})["QueueUrl"]
    read = lambda: sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["All"])["Attributes"].get("RedrivePolicy")
    assert read() == text
    # The same in other words is the same.
    assert sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy(arn(sqs, queue), 42)})["QueueUrl"] == source
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"RedrivePolicy": ""})
    assert read() is None
    assert "queueUrls" not in sqs.list_dead_letter_source_queues(QueueUrl=queue) or \
        sqs.list_dead_letter_source_queues(QueueUrl=queue)["queueUrls"] == []


@pytest.mark.parametrize("text, reason", [
    ("{", "Redrive policy is not a valid JSON map."),
    ("[]", "Redrive policy is not a valid JSON map."),
    ('{"maxReceiveCount":1}', "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
    ('{"deadLetterTargetArn":"ARN"}', "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
    ('{"deadLetterTargetArn":"ARN","maxReceiveCount":0}',
     "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive."),
    ('{"deadLetterTargetArn":"ARN","maxReceiveCount":"1001"}',
     "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive."),
    ('{"deadLetterTargetArn":"ARN","maxReceiveCount":1.5}',
     "Invalid value for maxReceiveCount: 1.5, valid values are from 1 to 1000 both inclusive."),
    ('{"deadLetterTargetArn":"ARN","maxReceiveCount":1,"colour":"red"}',
     "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]."),
    ('{"deadLetterTargetArn":"letters","maxReceiveCount":1}', "Invalid value for deadLetterTargetArn."),
    ('{"deadLetterTargetArn":"arn:aws:sns:us-east-1:123456789012:x","maxReceiveCount":1}',
     "Invalid value for deadLetterTargetArn."),
    ('{"deadLetterTargetArn":"ARNgone","maxReceiveCount":1}', "Dead letter target does not exist."),
    ('{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:999999999999:x","maxReceiveCount":1}',
     "Dead letter target owner should be same as the source."),
    ('{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:x","maxReceiveCount":1}',
     "Dead letter target must be in same region as the source."),
])
def test_a_bad_redrive_policy_is_refused_with_its_reason(sqs, queue, new_name, refused, text, reason):
    text = text.replace("ARN", arn(sqs, queue))
    for call in (lambda: refused(sqs.create_queue, QueueName=new_name(), Attributes={"RedrivePolicy": text}),
                 lambda: refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedrivePolicy": text})):
        refusal = call()
        assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
        assert refusal.message == f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"


@pytest.mark.parametrize("text, reason", [
    ("{", "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."),
    ("{}", "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."),
    ('{"redrivePermission":"some"}', "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."),
    ('{"redrivePermission":"byQueue"}', "The redrivePermission byQueue needs between 1 and 10 sourceQueueArns."),
    ('{"redrivePermission":"byQueue","sourceQueueArns":[]}',
     "The redrivePermission byQueue needs between 1 and 10 sourceQueueArns."),
    (json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:123456789012:q"] * 11}),
     "The redrivePermission byQueue needs between 1 and 10 sourceQueueArns."),
    ('{"redrivePermission":"denyAll","sourceQueueArns":["arn:aws:sqs:us-east-1:123456789012:q"]}',
     "sourceQueueArns can be given for the redrivePermission byQueue only."),
    ('{"redrivePermission":"byQueue","sourceQueueArns":["q"]}', "A value of sourceQueueArns is not the ARN of a queue."),
])
def test_a_bad_redrive_allow_policy_is_refused_with_its_reason(sqs, queue, refused, text, reason):
    refusal = refused(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"RedriveAllowPolicy": text})
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
    assert refusal.message == f"Value {text} for parameter RedriveAllowPolicy is invalid. Reason: {reason}"


def test_the_allow_policy_decides_who_may_name_the_queue(sqs, queue, new_name, refused):
    allow = lambda document: sqs.set_queue_attributes(
        QueueUrl=queue, Attributes={"RedriveAllowPolicy": document and json.dumps(document)})
    redrive = {"RedrivePolicy": policy(arn(sqs, queue))}
    listed = new_name()
    allow({"redrivePermission": "byQueue", "sourceQueueArns": [f"arn:aws:sqs:us-east-1:123456789012:{listed}"]})
    sqs.create_queue(QueueName=listed, Attributes=redrive)
    other = sqs.create_queue(QueueName=new_name())["QueueUrl"]
    refusal = refused(sqs.set_queue_attributes, QueueUrl=other, Attributes=redrive)
    assert refusal.code == "InvalidParameterValue" and "RedriveAllowPolicy" in refusal.message
    allow({"redrivePermission": "denyAll"})
    refused(sqs.set_queue_attributes, QueueUrl=other, Attributes=redrive)
    allow({"redrivePermission": "allowAll"})
    sqs.set_queue_attributes(QueueUrl=other, Attributes=redrive)
    allow("")
    assert "RedriveAllowPolicy" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]


def test_other_attributes_can_be_set_when_the_dlq_is_gone(sqs, pair):
    source, letters = pair
    sqs.delete_queue(QueueUrl=letters)
    sqs.set_queue_attributes(QueueUrl=source, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=source, MessageBody="x")
    for _ in range(5):
        assert len(take(sqs, source)) == 1


def test_the_sources_of_a_dlq_are_listed_in_pages(sqs, queue, new_name):
    redrive = {"RedrivePolicy": policy(arn(sqs, queue))}
    made = [sqs.create_queue(QueueName=new_name(), Attributes=redrive)["QueueUrl"] for _ in range(7)]
    assert sorted(sqs.list_dead_letter_source_queues(QueueUrl=queue)["queueUrls"]) == sorted(made)
    seen, token = [], None
    while token is not None or not seen:
        page = sqs.list_dead_letter_source_queues(QueueUrl=queue, MaxResults=3, **({"NextToken": token} if token else {}))
        assert len(page["queueUrls"]) <= 3
        seen += page["queueUrls"]
        token = page.get("NextToken")
    assert sorted(seen) == sorted(made)
    sqs.delete_queue(QueueUrl=made[0])
    assert sorted(sqs.list_dead_letter_source_queues(QueueUrl=queue)["queueUrls"]) == sorted(made[1:])


def test_a_long_poll_at_the_dlq_gets_what_is_moved(server, sqs, pair):
    import threading
    source, letters = pair
    sqs.send_message(QueueUrl=source, MessageBody="poison")
    got = []
    waiting = threading.Thread(target=lambda: got.extend(take(sqs, letters, WaitTimeSeconds=20)))
    waiting.start()
    for _ in range(3):
        take(sqs, source)
    waiting.join(20)
    assert [message["Body"] for message in got] == ["poison"]


def test_a_letter_expires_by_the_time_at_which_it_was_sent(server, sqs, new_name):
    letters = sqs.create_queue(QueueName=new_name(), Attributes={"MessageRetentionPeriod": "120"})["QueueUrl"]
    source = sqs.create_queue(QueueName=new_name(), Attributes={
        "RedrivePolicy": policy(arn(sqs, letters)), "VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=source, MessageBody="x")
    take(sqs, source)
    command("clock", "advance", "100s", "--data", server.data)
    take(sqs, source)
    assert counts(sqs, letters) == (1, 0, 0)
    command("clock", "advance", "21s", "--data", server.data)
    assert counts(sqs, letters) == (0, 0, 0)
