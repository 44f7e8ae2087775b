"""Libraries that handlers are written with run unmodified: Powertools for AWS Lambda and Middy, the AWS SDKs."""

import json

import pytest

from worker import HANDLERS, HERE, REQUEST_ID

MODULES = HERE / "node_modules"


@pytest.fixture
def toolbox(node, tmp_path):
    """The handlers with their node_modules beside them, as they are packaged."""
    (tmp_path / "toolbox.mjs").write_text((HANDLERS / "nodejs" / "toolbox.mjs").read_text())
    (tmp_path / "node_modules").symlink_to(MODULES)

    def start(name):
        worker = node(task=tmp_path)
        answer = worker.start(f"toolbox.{name}")
        assert answer.kind == "READY", answer.content
        return worker

    return start


def event(body):
    return {"headers": {"content-type": "application/json"}, "body": body, "requestContext": {}}


def test_powertools_and_middy_log_measure_and_parse(toolbox):
    worker = toolbox("order")
    answer = worker.invoke(event('{"item": "coffee"}'))
    assert answer.document == {"statusCode": 200, "body": "coffee", "traced": False}
    logs = [json.loads(log) for log in answer.logs]
    line = next(log for log in logs if log.get("message") == "ordering")
    assert (line["item"], line["function_request_id"], line["service"], line["cold_start"]) == ("coffee", REQUEST_ID, "shop", True)
    metric = next(log for log in logs if "_aws" in log)
    assert (metric["ordered"], metric["service"]) == (1, "orders")
    again = [json.loads(log) for log in worker.invoke(event('{"item": "tea"}')).logs]
    assert next(log for log in again if log.get("message") == "ordering")["cold_start"] is False


def test_middy_turns_errors_into_answers(toolbox):
    answer = toolbox("order").invoke(event("{"))
    assert (answer.kind, answer.document["statusCode"]) == ("RESPONSE", 422)


def test_powertools_reports_the_records_that_failed(toolbox):
    records = [{"messageId": str(n), "eventSource": "aws:sqs", "body": body, "receiptHandle": "r", "attributes": {},
                "messageAttributes": {}, "md5OfBody": "", "eventSourceARN": "", "awsRegion": "us-east-1"}
               for n, body in enumerate(["good", "bad", "good"])]
    assert toolbox("records").invoke({"Records": records}).document == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_middy_streams_http_answers(toolbox):
    answer = toolbox("streamed").invoke({}, streamed=True)
    assert answer.kind == "STREAM_END"
    assert answer.start["prelude"]["statusCode"] == 201 and answer.start["prelude"]["headers"]["content-type"] == "text/plain"
    assert b"".join(answer.pieces) == b"streamed by Middy"
