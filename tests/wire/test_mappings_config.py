"""The API of event source mappings: through the SDK for Python. What Debian's does not know, mappings.test.mjs has."""

import itertools

import pytest
from conftest import client
from functions import make

ACCOUNT = "123456789012"
numbers = itertools.count(1)


class Setting:
    def __init__(self, server):
        self.functions, self.sqs = client(server, "lambda"), client(server, "sqs")
        self.name = f"set-{next(numbers)}"
        self.queue = self.make_queue(self.name)
        make(self.functions, self.name)

    def make_queue(self, name, **attributes):
        self.sqs.create_queue(QueueName=name, Attributes=attributes)
        return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"

    def create(self, **more):
        arguments = {"FunctionName": self.name, "EventSourceArn": self.queue, "Enabled": False, **more}
        return self.functions.create_event_source_mapping(**arguments)

    def settle(self, uuid):
        while True:
            now = self.functions.get_event_source_mapping(UUID=uuid)
            if now["State"] in ("Enabled", "Disabled"):
                return now


@pytest.fixture
def setting(server):
    return Setting(server)


def test_a_mapping_is_described_as_it_was_made(setting):
    made = setting.create(BatchSize=50, MaximumBatchingWindowInSeconds=5,
                          FunctionResponseTypes=["ReportBatchItemFailures"])
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    assert made.pop("LastModified")
    uuid = made.pop("UUID")
    assert made == {
        "EventSourceArn": setting.queue, "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{setting.name}",
        "BatchSize": 50, "MaximumBatchingWindowInSeconds": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"], "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    assert setting.settle(uuid)["State"] == "Disabled"


def test_an_update_changes_what_it_names_and_takes_back_what_is_empty(setting):
    made = setting.create(FunctionResponseTypes=["ReportBatchItemFailures"],
                          FilterCriteria={"Filters": [{"Pattern": '{"body":["a"]}'}]})
    setting.settle(made["UUID"])
    changed = setting.functions.update_event_source_mapping(UUID=made["UUID"], BatchSize=3)
    assert (changed["State"], changed["BatchSize"]) == ("Updating", 3)
    assert changed["FunctionResponseTypes"] == ["ReportBatchItemFailures"] and changed["FilterCriteria"]
    setting.settle(made["UUID"])
    changed = setting.functions.update_event_source_mapping(
        UUID=made["UUID"], FunctionResponseTypes=[], FilterCriteria={"Filters": []})
    assert "FilterCriteria" not in changed
    assert changed["FunctionResponseTypes"] == []


def test_a_mapping_that_settles_is_not_changed(setting, refused):
    made = setting.create()
    busy = refused(setting.functions.update_event_source_mapping, UUID=made["UUID"], BatchSize=1)
    assert busy.code == "ResourceInUseException"
    setting.functions.delete_event_source_mapping(UUID=made["UUID"])
    busy = refused(setting.functions.delete_event_source_mapping, UUID=made["UUID"])
    assert (busy.code, busy.message) == ("ResourceInUseException",
                                         "Cannot delete the event source mapping because it is in use.")


def test_a_function_has_one_mapping_of_a_queue(setting, refused):
    made = setting.create()
    twice = refused(setting.create)
    assert twice.code == "ResourceConflictException"
    assert twice.message == (
        f'An event source mapping with SQS arn (" {setting.queue} ") and function (" {setting.name} ") already exists. '
        f'Please update or delete the existing mapping with UUID {made["UUID"]}')
    setting.functions.delete_event_source_mapping(UUID=made["UUID"])
    assert setting.create()["UUID"] != made["UUID"]


@pytest.mark.parametrize(("settings", "message"), [
    ({"BatchSize": 11}, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"),
    ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
    ({"MaximumRetryAttempts": 1}, "Unsupported MaximumRetryAttempts parameter for given event source mapping type."),
    ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:other"}}},
     "Unsupported DestinationConfig parameter for given event source mapping type."),
    ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": "a"}'}]}}, "Invalid filter pattern definition."),
    ({"FunctionName": "nobody"}, "Function does not exist"),
    ({"EventSourceArn": "arn:aws:s3:::bucket"}, "Unrecognized event source."),
    ({"EventSourceArn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:nothing-of-the-kind"},
     "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: "
     "The specified queue does not exist."),
])
def test_what_cannot_be_is_refused_as_aws_does(setting, refused, settings, message):
    got = refused(setting.create, **settings)
    assert (got.code, got.message) == ("InvalidParameterValueException", message)


def test_a_queue_hides_its_messages_as_long_as_the_function_may_take(setting, refused):
    queue = setting.make_queue(setting.name + "-short", VisibilityTimeout="2")
    got = refused(setting.create, EventSourceArn=queue)
    assert got.message == "Queue visibility timeout: 2 seconds is less than Function timeout: 3 seconds"


def test_fifo_queues_have_neither_windows_nor_large_batches(setting, refused):
    queue = setting.make_queue(setting.name + ".fifo", FifoQueue="true")
    got = refused(setting.create, EventSourceArn=queue, MaximumBatchingWindowInSeconds=1)
    assert got.message == "Batching window is not supported for FIFO queues"
    assert refused(setting.create, EventSourceArn=queue, BatchSize=11).code == "InvalidParameterValueException"
    assert setting.create(EventSourceArn=queue)["BatchSize"] == 10


@pytest.mark.parametrize(("source", "kind"), [
    ("arn:aws:kinesis:us-east-1:123456789012:stream/s", "Kinesis streams"),
    ("arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-01-01T00:00:00.000", "DynamoDB streams"),
    ("arn:aws:kafka:us-east-1:123456789012:cluster/c/1", "Amazon MSK clusters"),
])
def test_sources_that_brume_does_not_read_are_refused_by_name(setting, refused, source, kind):
    got = refused(setting.create, EventSourceArn=source, StartingPosition="LATEST")
    assert got.status == 501 and kind in got.message
    assert "startingPosition" in refused(setting.create, EventSourceArn=source).message


def test_lists_are_of_a_function_or_a_source(setting):
    others = [setting.make_queue(f"{setting.name}-{n}") for n in range(3)]
    made = {setting.create(EventSourceArn=queue)["UUID"] for queue in [setting.queue, *others]}
    listed, marker = set(), {}
    while True:
        page = setting.functions.list_event_source_mappings(FunctionName=setting.name, MaxItems=3, **marker)
        listed |= {mapping["UUID"] for mapping in page["EventSourceMappings"]}
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert listed == made
    (one,) = setting.functions.list_event_source_mappings(EventSourceArn=others[1])["EventSourceMappings"]
    assert one["EventSourceArn"] == others[1]
    assert setting.functions.list_event_source_mappings(FunctionName="nobody")["EventSourceMappings"] == []


def test_another_account_has_no_such_mapping(setting, server, refused):
    made = setting.create()
    other = client(server, "lambda", key="210987654321")
    assert refused(other.get_event_source_mapping, UUID=made["UUID"]).code == "ResourceNotFoundException"
