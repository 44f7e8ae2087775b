"""AddPermission and RemovePermission through boto3: the policy documents that they make."""

import json

import pytest


def policy(sqs, url):
    text = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {}).get("Policy")
    return text and json.loads(text)


def add(sqs, url, label="one", accounts=("111111111111",), actions=("ReceiveMessage",)):
    sqs.add_permission(QueueUrl=url, Label=label, AWSAccountIds=list(accounts), Actions=list(actions))


def statement(arn, label="one", principal="arn:aws:iam::111111111111:root", action="SQS:ReceiveMessage"):
    return {"Sid": label, "Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": arn}


@pytest.fixture
def arn(queue):
    return "arn:aws:sqs:us-east-1:123456789012:" + queue.rsplit("/", 1)[1]


def test_permissions_make_the_policy_that_aws_makes(sqs, queue, arn):
    add(sqs, queue)
    document = {"Version": "2008-10-17", "Id": f"{arn}/SQSDefaultPolicy", "Statement": [statement(arn)]}
    assert policy(sqs, queue) == document
    add(sqs, queue, "two", ["111111111111", "222222222222"], ["SendMessage", "*"])
    document["Statement"].append(statement(
        arn, "two", ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"], ["SQS:SendMessage", "SQS:*"]))
    assert policy(sqs, queue) == document
    sqs.remove_permission(QueueUrl=queue, Label="one")
    del document["Statement"][0]
    assert policy(sqs, queue) == document
    sqs.remove_permission(QueueUrl=queue, Label="two")
    assert policy(sqs, queue) is None


@pytest.mark.parametrize("single", [True, False])
def test_a_policy_that_was_set_is_extended_and_otherwise_left_alone(sqs, queue, arn, single):
    own = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": arn,
           "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    document = {"Version": "2012-10-17", "Statement": own if single else [own], "Id": "mine"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(document)})
    add(sqs, queue)
    document["Statement"] = [own, statement(arn)]
    assert policy(sqs, queue) == document
    sqs.remove_permission(QueueUrl=queue, Label="one")
    document["Statement"] = [own]
    assert policy(sqs, queue) == document


def test_labels_are_used_once(sqs, queue, refused):
    add(sqs, queue)
    refusal = refused(add, sqs=sqs, url=queue, accounts=["222222222222"])
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
    assert refusal.message == "Value one for parameter Label is invalid. Reason: Already exists."
    refusal = refused(sqs.remove_permission, QueueUrl=queue, Label="other")
    assert (refusal.code, refusal.status) == ("InvalidParameterValue", 400)
    assert refusal.message == "Value other for parameter Label is invalid. Reason: can't find label."


@pytest.mark.parametrize("arguments, code, message", [
    ({"label": "has space"}, "InvalidParameterValue", "Label"),
    ({"label": "l" * 81}, "InvalidParameterValue", "Label"),
    ({"accounts": ["nobody"]}, "InvalidParameterValue",
     "Value nobody for parameter PrincipalId is invalid. Reason: Unable to verify principal."),
    ({"accounts": []}, "MissingParameter", "AWSAccountId"),
    ({"actions": []}, "MissingParameter", "Action"),
    ({"actions": ["FlyToTheMoon"]}, "InvalidParameterValue",
     "Value SQS:FlyToTheMoon for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of "
     "valid actions."),
    ({"actions": ["CreateQueue"]}, "InvalidParameterValue",
     "Value SQS:CreateQueue for parameter ActionName is invalid. Reason: Only the queue owner is allowed to invoke this "
     "action."),
    ({"actions": ["SendMessage"] * 8}, "OverLimit", "8 Actions were found, maximum allowed is 7."),
])
def test_a_bad_permission_is_refused(sqs, queue, refused, arguments, code, message):
    refusal = refused(add, sqs=sqs, url=queue, **arguments)
    assert refusal.code == code and message in refusal.message
    assert policy(sqs, queue) is None


def test_a_policy_has_20_statements_at_most(sqs, queue, refused):
    for number in range(20):
        add(sqs, queue, f"label{number}")
    refusal = refused(add, sqs=sqs, url=queue, label="more")
    assert (refusal.code, refusal.status) == ("OverLimit", 403)
    assert len(policy(sqs, queue)["Statement"]) == 20


def test_a_policy_that_is_none_is_not_overwritten(sqs, queue, refused):
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": '["not a policy"]'})
    assert refused(add, sqs=sqs, url=queue).code == "InvalidParameterValue"
    assert policy(sqs, queue) == ["not a policy"]
