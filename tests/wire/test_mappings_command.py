"""`brume mappings`, and what the metrics tell of mappings."""

import json
import time
import urllib.request

from brume import command
from conftest import client
from functions import make, package

ACCOUNT = "123456789012"


def rows_of(server, *arguments):
    text = command("mappings", "--json", "--account", ACCOUNT, "--data", server.data, *arguments).stdout
    return {row["source"]: row for row in map(json.loads, text.splitlines())}


def test_mappings_are_shown_with_what_they_lag_behind(start, folder):
    server = start("--virtual-clock", data=folder / "data")
    functions, sqs = client(server, "lambda"), client(server)
    make(functions, "worker")
    for name in ("quick", "slow"):
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        functions.create_event_source_mapping(FunctionName="worker", Enabled=name == "quick",
                                              EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    command("clock", "advance", "90s", "--data", server.data)
    uuid = rows_of(server)["quick"]["uuid"]
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:{uuid}"
    functions.tag_resource(Resource=arn, Tags={"brume:circuit-breaker": "threshold=5 recovery=60"})
    rows = rows_of(server)
    assert rows["slow"].pop("lag_ms") >= 90000
    assert rows["slow"].pop("uuid") and rows["quick"].pop("uuid") == uuid
    assert rows == {
        "quick": {"region": "us-east-1", "source": "quick", "function": "worker", "state": "enabled", "breaker": "closed"},
        "slow": {"region": "us-east-1", "source": "slow", "function": "worker", "state": "disabled"},
    }
    table = command("mappings", "--account", ACCOUNT, "--data", server.data).stdout.splitlines()
    titles = ["UUID", "REGION", "SOURCE", "FUNCTION", "STATE", "BREAKER", "LAG", "PROBLEM"]
    assert table[0].split() == titles and len(table) == 3
    assert rows_of(server, "--region", "eu-west-1") == {}


def test_metrics_count_batches_and_records(start, folder):
    server = start(data=folder / "data")
    functions, sqs = client(server, "lambda"), client(server)
    make(functions, "worker")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    functions.create_event_source_mapping(FunctionName="worker", EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs")
    sqs.send_message(QueueUrl=url, MessageBody="x")
    deadline = time.monotonic() + 20
    while True:
        with urllib.request.urlopen(f"{server.url}/_brume/metrics") as answer:
            lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
        if lines["brume_mapping_records_total"] == "1":
            break
        assert time.monotonic() < deadline, lines
        time.sleep(0.02)
    assert (lines["brume_mapping_pollers"], lines["brume_mapping_batches_total"]) == ("1", "1")
    assert lines["brume_mapping_batch_failures_total"] == lines["brume_mapping_record_failures_total"] == "0"


def test_an_open_breaker_is_seen_in_metrics_and_among_functions(start, folder):
    server = start("--virtual-clock", data=folder / "data")
    functions, sqs = client(server, "lambda"), client(server)
    failing = "def handler(event, context):\n    raise ValueError('no')\n"
    make(functions, "worker", Code={"ZipFile": package({"app.py": failing})})
    make(functions, "other")
    uuids = {}
    for name in ("guarded", "plain"):
        sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "5"})
        uuids[name] = functions.create_event_source_mapping(
            FunctionName="worker", EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")["UUID"]
    functions.tag_resource(Resource=f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:{uuids['guarded']}",
                           Tags={"brume:circuit-breaker": "threshold=1 recovery=60"})
    state = f'brume_mapping_breaker_state{{account="{ACCOUNT}",region="us-east-1",function="worker",source="guarded",uuid="{uuids["guarded"]}"}}'
    assert server.metric(state) == 0
    assert shown(server) == {"worker": "closed", "other": None}

    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="guarded")["QueueUrl"], MessageBody="x")
    deadline = time.monotonic() + 20
    while server.metric(state) != 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert shown(server) == {"worker": "open", "other": None}
    command("clock", "advance", "30s", "--data", server.data)
    lag = state.replace("breaker_state", "lag_seconds")
    assert server.metric(lag) >= 30
    assert server.metric(lag.replace("guarded", "plain", 1).replace(uuids["guarded"], uuids["plain"])) == 0


def shown(server):
    text = command("functions", "--json", "--account", ACCOUNT, "--data", server.data).stdout
    return {row["name"]: row.get("breaker") for row in map(json.loads, text.splitlines())}
