"""CloudWatch Logs, through the SDK for Python and the AWS CLI."""

import http.client
import json
import os
import re
import subprocess
import time

import pytest
from botocore.eventstream import EventStreamBuffer
from brume import ROOT, Server, command
from botocore.exceptions import ClientError
from conftest import client
from functions import make, package, wait_settled


@pytest.fixture(scope="module")
def logs(server):
    return client(server, "logs")


@pytest.fixture
def group(logs, new_name):
    """The name of a fresh group with a stream "s"."""
    name = f"/test/{new_name()}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def now():
    return int(time.time() * 1000)


def put(logs, group, texts, stream="s", start=None):
    """Events a millisecond apart."""
    start = start or now() - 60_000
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
        {"timestamp": start + i, "message": text} for i, text in enumerate(texts)])


def refusal(function, **arguments):
    with pytest.raises(ClientError) as caught:
        function(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def messages(answer):
    return [event["message"] for event in answer["events"]]


def wait_for(read, what, seconds=20):
    """Asks until `what` is in the answer: events of functions are seen a moment after they are logged."""
    deadline = time.monotonic() + seconds
    while True:
        found = read()
        if what(found):
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def listed(section):
    """The operations that a list of docs/logs.md names."""
    with open(os.path.join(ROOT, "docs", "logs.md"), encoding="utf-8") as file:
        text = file.read()
    text = re.search(rf"## {section}\n(.*?)(\n## |\Z)", text, re.DOTALL)[1]
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)  # the first column, where there is a table
    return set(re.findall(r"`([A-Z]\w+)`", " ".join(cells) or text))


def test_the_documentation_lists_every_operation(logs):
    with open(os.path.join(ROOT, "api", "logs.smithy"), encoding="utf-8") as file:
        text = file.read()
    unsupported = set(re.search(r"unsupported: \[(.*?)\n    \]", text, re.DOTALL)[1].split())
    assert listed("Refused operations") == unsupported
    assert listed("Operations") == set(re.findall(r"^operation (\w+)", text, re.MULTILINE))
    assert set(logs.meta.service_model.operation_names) <= listed("Operations") | unsupported | {"GetLogGroupFields"}


def test_what_is_not_there_is_refused_by_name(logs):
    code, message = refusal(logs.start_query, logGroupName="g", startTime=0, endTime=1, queryString="fields @message")
    assert code == "NotImplemented" and "StartQuery" in message


def call(server, operation, **document):
    """A call with members that Debian's SDK does not know; (status, answer)."""
    status, _, body = server.request("POST", "/", json.dumps(document).encode(), {
        "content-type": "application/x-amz-json-1.1", "x-amz-target": f"Logs_20140328.{operation}",
        "authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/logs/aws4_request, "
                         "SignedHeaders=host, Signature=0"})
    return status, json.loads(body or b"{}")


def test_a_group_is_described_as_it_was_made(server, logs, new_name):
    name = f"/described/{new_name()}"
    assert call(server, "CreateLogGroup", logGroupName=name, tags={"a": "1"}, logGroupClass="INFREQUENT_ACCESS")[0] == 200
    logs.put_retention_policy(logGroupName=name, retentionInDays=7)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{name}"
    for identifiers in ([name], [arn]):
        [described] = call(server, "DescribeLogGroups", logGroupIdentifiers=identifiers)[1]["logGroups"]
        assert described.pop("creationTime") > 0
        assert described == {"logGroupName": name, "arn": arn + ":*", "logGroupArn": arn, "retentionInDays": 7,
                             "metricFilterCount": 0, "storedBytes": 0, "logGroupClass": "INFREQUENT_ACCESS",
                             "deletionProtectionEnabled": False}
    for pattern in (name[:24], f"^{name[:15]}", f"nothing|{name[-5:]}"):
        listed = call(server, "ListLogGroups", logGroupNamePattern=pattern, limit=1000)[1]["logGroups"]
        assert {"logGroupName": name, "logGroupArn": arn, "logGroupClass": "INFREQUENT_ACCESS"} in listed
    assert call(server, "ListLogGroups", logGroupNamePattern="^escribed/")[1]["logGroups"] == []
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]["arn"] == arn + ":*"
    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {"a": "1"}
    assert refusal(logs.create_log_group, logGroupName=name)[0] == "ResourceAlreadyExistsException"
    assert "[1, 3, 5," in refusal(logs.put_retention_policy, logGroupName=name, retentionInDays=2)[1]
    logs.delete_log_group(logGroupName=name)
    assert refusal(logs.describe_log_streams, logGroupName=name) == (
        "ResourceNotFoundException", "The specified log group does not exist.")


def test_lists_of_groups_and_streams_come_in_pages(logs, new_name):
    prefix = f"/pages/{new_name()}/"
    names = [f"{prefix}{i:02}" for i in range(7)]
    for name in names:
        logs.create_log_group(logGroupName=name)
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix, PaginationConfig={"PageSize": 3})
    assert [[group["logGroupName"] for group in page["logGroups"]] for page in pages] == [names[:3], names[3:6], names[6:]]
    for i in range(5):
        logs.create_log_stream(logGroupName=names[0], logStreamName=f"s{i}")
        if i != 2:
            put(logs, names[0], ["x"], stream=f"s{i}", start=now() - 1000 * i)
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=names[0], orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 2})
    assert [stream["logStreamName"] for page in pages for stream in page["logStreams"]] == ["s0", "s1", "s3", "s4", "s2"]
    assert refusal(logs.describe_log_streams, logGroupName=names[0], nextToken="nothing")[0] == "InvalidParameterException"


def test_events_are_paged_both_ways(logs, group):
    texts = [f"event {i}" for i in range(10)]
    put(logs, group, texts)
    where = {"logGroupName": group, "logStreamName": "s", "limit": 4}
    first = logs.get_log_events(startFromHead=True, **where)
    assert messages(first) == texts[:4]
    second = logs.get_log_events(nextToken=first["nextForwardToken"], **where)
    assert messages(second) == texts[4:8]
    assert messages(logs.get_log_events(nextToken=second["nextBackwardToken"], **where)) == texts[:4]
    last = logs.get_log_events(nextToken=second["nextForwardToken"], **where)
    assert messages(last) == texts[8:]
    end = logs.get_log_events(nextToken=last["nextForwardToken"], **where)
    assert messages(end) == [] and end["nextForwardToken"] == last["nextForwardToken"]
    assert messages(logs.get_log_events(**where)) == texts[6:]
    put(logs, group, ["later"], start=now())
    assert messages(logs.get_log_events(nextToken=end["nextForwardToken"], **where)) == ["later"]
    for token in ("f/1/s", "x/" + "0" * 56 + "/s", "nonsense", "f/" + "9" * 56 + "/s"):
        assert refusal(logs.get_log_events, nextToken=token, **where) == (
            "InvalidParameterException", "The specified nextToken is invalid.")


def test_events_of_many_streams_are_filtered_in_order(logs, group):
    start = now() - 60_000
    for number, stream in enumerate(("a/1", "a/2", "b")):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        for i in range(3):
            put(logs, group, [f"{'ERROR' if i == 1 else 'fine'} {stream} {i}"], stream=stream, start=start + 10 * i + number)
    everything = logs.filter_log_events(logGroupName=group)
    assert [event["timestamp"] for event in everything["events"]] == sorted(start + 10 * i + n for i in range(3) for n in range(3))
    assert len({event["eventId"] for event in everything["events"]}) == 9 and everything["searchedLogStreams"] == []
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern="ERROR", PaginationConfig={"PageSize": 2})
    assert [event["message"] for page in pages for event in page["events"]] == ["ERROR a/1 1", "ERROR a/2 1", "ERROR b 1"]
    chosen = logs.filter_log_events(logGroupName=group, logStreamNamePrefix="a/", startTime=start + 10, endTime=start + 11)
    assert messages(chosen) == ["ERROR a/1 1", "ERROR a/2 1"]
    assert messages(logs.filter_log_events(logGroupName=group, logStreamNames=["b"], filterPattern="-ERROR")) == ["fine b 0", "fine b 2"]
    assert refusal(logs.filter_log_events, logGroupName=group, logStreamNames=["none"])[0] == "ResourceNotFoundException"
    assert "Invalid filter pattern" in refusal(logs.filter_log_events, logGroupName=group, filterPattern="{ $.a = ")[1]


def test_batches_are_held_to_their_bounds(logs, group):
    where = {"logGroupName": group, "logStreamName": "s"}
    at = now()
    assert "chronological" in refusal(logs.put_log_events, logEvents=[
        {"timestamp": at, "message": "b"}, {"timestamp": at - 1, "message": "a"}], **where)[1]
    assert "24 hours" in refusal(logs.put_log_events, logEvents=[
        {"timestamp": at - 25 * 3600_000, "message": "b"}, {"timestamp": at, "message": "a"}], **where)[1]
    assert "too large" in refusal(logs.put_log_events, logEvents=[
        {"timestamp": at, "message": "x" * 600_000}, {"timestamp": at, "message": "x" * 600_000}], **where)[1]
    assert refusal(logs.put_log_events, logEvents=[{"timestamp": at, "message": "x"}] * 10_001, **where)[0] == "InvalidParameterException"
    day = 24 * 3600_000
    answer = logs.put_log_events(logEvents=[
        {"timestamp": at - 15 * day, "message": "too old"}, {"timestamp": at, "message": "taken"},
        {"timestamp": at + 3 * 3600_000, "message": "too new"}], **where)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    assert messages(logs.get_log_events(**where)) == ["taken"]
    for start in (at - 60_000, at - 30_000):
        put(logs, group, ["y" * 70] * 10_000, start=start)
    assert len(messages(logs.get_log_events(**where))) == 10_000
    for start in (at - 90_000, at - 89_000):
        put(logs, group, ["z" * 600] * 1500, start=start)
    page = messages(logs.get_log_events(startFromHead=True, **where))
    assert len(page) == 1048576 // 626


def test_one_of_many_megabytes_is_found(logs, group):
    """A page that has looked far enough ends with a token, though it found nothing."""
    for i in range(12):
        put(logs, group, ["z" * 1000 + (" needle" if (i, j) == (9, 500) else "") for j in range(1000)], start=now() - 100_000 + 2000 * i)
    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern="needle"))
    assert sum(len(page["events"]) for page in pages) == 1
    assert len(pages) > 1
    stored = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["storedBytes"]
    assert stored == 12 * 1000 * (1000 + 26) + len(" needle")


def test_what_retention_has_passed_is_gone(start):
    server = start("--virtual-clock")
    logs = client(server, "logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    put(logs, "g", ["old"])
    logs.put_retention_policy(logGroupName="g", retentionInDays=1)
    assert messages(logs.filter_log_events(logGroupName="g")) == ["old"]
    command("clock", "advance", "25h", "--data", server.data)
    assert messages(logs.filter_log_events(logGroupName="g")) == []
    command("clock", "advance", "1h", "--data", server.data)
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 0
    answer = put(logs, "g", ["expired"])
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}


def test_what_was_acknowledged_is_there_after_a_kill(folder):
    server = Server(folder / "data")
    logs = client(server, "logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    for i in range(50):
        put(logs, "g", [f"event {i}"], start=now())
    server.kill()
    again = Server(folder / "data")
    try:
        read = client(again, "logs").get_log_events(logGroupName="g", logStreamName="s")
        assert messages(read) == [f"event {i}" for i in range(50)]
    finally:
        assert again.terminate() == 0


def test_patterns_are_tried(logs):
    answer = logs.test_metric_filter(
        filterPattern="[ip, ..., status = 4*, bytes]",
        logEventMessages=["127.0.0.1 - frank [10/Oct/2000] \"GET /a HTTP/1.0\" 404 1534", "127.0.0.1 x 200 1"])
    assert answer["matches"] == [{
        "eventNumber": 1, "eventMessage": "127.0.0.1 - frank [10/Oct/2000] \"GET /a HTTP/1.0\" 404 1534",
        "extractedValues": {"$ip": "127.0.0.1", "$status": "404", "$bytes": "1534"}}]
    assert "Invalid metric filter pattern" in refusal(logs.test_metric_filter, filterPattern="[", logEventMessages=["x"])[1]


CODE = """
import os
def handler(event, context):
    print("hello", event["n"])
    print(os.environ["AWS_LAMBDA_LOG_STREAM_NAME"])
    return context.log_stream_name
"""


def invoke(functions, name, **event):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def test_what_a_function_logs_is_in_its_group(logs, functions, new_name):
    name = new_name()
    make(functions, name, Code={"ZipFile": package({"app.py": CODE})})
    stream = invoke(functions, name, n=1)
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    where = {"logGroupName": f"/aws/lambda/{name}", "logStreamName": stream}

    def read():
        try:
            return messages(logs.get_log_events(startFromHead=True, **where))
        except logs.exceptions.ResourceNotFoundException:
            return []

    lines = wait_for(read, lambda found: any(line.startswith("REPORT") for line in found))
    kinds = [line.split()[0] for line in lines]
    assert kinds == ["INIT_START", "START", "hello", stream, "END", "REPORT"]
    assert lines[2].rstrip() == "hello 1"


def test_a_function_logs_into_the_group_that_it_names(logs, functions, server, new_name):
    name = new_name()
    make(functions, name, Code={"ZipFile": package({"app.py": CODE})})
    status, _, body = server.request("PUT", f"/2015-03-31/functions/{name}/configuration", json.dumps(
        {"LoggingConfig": {"LogGroup": "/shared/group", "LogFormat": "JSON"}}).encode(), {
        "authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"})
    assert status == 200, body
    wait_settled(functions, name)
    invoke(functions, name, n=2)

    def read():
        try:
            return messages(logs.filter_log_events(logGroupName="/shared/group", filterPattern='{ $.type = "platform.*" }'))
        except logs.exceptions.ResourceNotFoundException:
            return []

    lines = wait_for(read, lambda found: any("platform.report" in line for line in found))
    assert [json.loads(line)["type"] for line in lines] == ["platform.initStart", "platform.start", "platform.report"]


def test_what_was_logged_last_is_there_after_a_stop(folder):
    server = Server(folder / "data")
    functions = client(server, "lambda")
    make(functions, "f", Code={"ZipFile": package({"app.py": CODE})})
    invoke(functions, "f", n=3)
    assert server.terminate() == 0, server.errors()
    again = Server(folder / "data")
    try:
        found = messages(client(again, "logs").filter_log_events(logGroupName="/aws/lambda/f"))
        assert any(line.startswith("hello 3") for line in found) and any(line.startswith("REPORT") for line in found)
    finally:
        assert again.terminate() == 0


FLOOD = """
import sys
def handler(event, context):
    for _ in range(event["lines"]):
        sys.stdout.write("x" * 200 + "\\n")
"""


def test_what_is_dropped_is_counted_and_told_of(start):
    server = start("--limit", "RUNTIME_LOG_PENDING_BYTES=65536", "--limit", "RUNTIME_LOG_EVENTS=0")
    functions, logs = client(server, "lambda"), client(server, "logs")
    make(functions, "f", Code={"ZipFile": package({"app.py": FLOOD})})
    assert functions.invoke(FunctionName="f", Payload=b'{"lines": 20000}')["StatusCode"] == 200

    def read():
        if not logs.describe_log_groups()["logGroups"]:
            return []
        return [message for page in logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/lambda/f", filterPattern='"log lines were dropped"') for message in messages(page)]

    assert wait_for(read, bool)
    assert server.metric("brume_function_log_dropped_total") > 1000


def aws(server, *words, **more):
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "123456789012", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1",
                   "AWS_PAGER": "", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    return subprocess.run(["/usr/bin/aws", "--endpoint-url", server.url, *words], env=environment, timeout=60, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, **more)


def test_the_aws_cli_tails_a_group(server, logs, group):
    put(logs, group, ["first", "second ERROR"])
    done = aws(server, "logs", "tail", group, "--format", "short")
    assert done.returncode == 0, done.stderr
    assert [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()] == ["first", "second ERROR"]
    done = aws(server, "logs", "tail", group, "--filter-pattern", "ERROR", "--format", "short")
    assert [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()] == ["second ERROR"]


class LiveTail:
    """A session, over a connection of its own: Debian's SDK does not know it yet."""

    def __init__(self, server, **document):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.connection.request("POST", "/", json.dumps(document).encode(), {
            "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.StartLiveTail",
            "authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/logs/aws4_request, "
                             "SignedHeaders=host, Signature=0"})
        self.answer = self.connection.getresponse()
        self.messages = EventStreamBuffer()

    def next(self):
        """The next message: (its type, its document)."""
        while True:
            for message in self.messages:
                return message.headers[":event-type"], json.loads(message.payload)
            piece = self.answer.read1(65536)
            assert piece, "the session has ended"
            self.messages.add_data(piece)

    def results(self):
        """Of the next update that has some."""
        while True:
            kind, document = self.next()
            assert kind == "sessionUpdate"
            if document["sessionResults"]:
                return document

    def close(self):
        self.connection.close()


def arn_of(group):
    return f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"


def test_a_live_tail_shows_what_comes(server, logs, group):
    put(logs, group, ["before"])
    tail = LiveTail(server, logGroupIdentifiers=[arn_of(group)], logEventFilterPattern="-debug")
    try:
        assert tail.answer.getheader("content-type") == "application/vnd.amazon.eventstream"
        assert tail.next() == ("initial-response", {})
        kind, started = tail.next()
        assert kind == "sessionStart" and started["logGroupIdentifiers"] == [arn_of(group)]
        kind, update = tail.next()
        assert (kind, update) == ("sessionUpdate", {"sessionResults": [], "sessionMetadata": {"sampled": False}})
        at = now()
        put(logs, group, ["one", "a debug line", "two"], start=at)
        found = tail.results()["sessionResults"]
        assert [event["message"] for event in found] == ["one", "two"]
        assert found[0]["timestamp"] == at and found[0]["ingestionTime"] >= at - 1000
        assert (found[0]["logStreamName"], found[0]["logGroupIdentifier"]) == ("s", f"123456789012:{group}")
        put(logs, group, [f"line {i}" for i in range(3000)], start=now() - 10_000)
        many = tail.results()
        assert len(many["sessionResults"]) == 500 and many["sessionMetadata"]["sampled"]
    finally:
        tail.close()


def test_a_live_tail_of_what_is_not_there_is_refused(server, group):
    assert call(server, "StartLiveTail", logGroupIdentifiers=[arn_of("none")])[1]["__type"].endswith("ResourceNotFoundException")
    assert call(server, "StartLiveTail", logGroupIdentifiers=[group])[1]["__type"].endswith("InvalidParameterException")


def test_a_server_stops_while_sessions_are_open(start):
    server = start()
    logs = client(server, "logs")
    logs.create_log_group(logGroupName="g")
    tails = [LiveTail(server, logGroupIdentifiers=[arn_of("g")]) for _ in range(20)]
    for tail in tails:
        assert tail.next()[0] == "initial-response"
    began = time.monotonic()
    assert server.terminate() == 0, server.errors()
    assert time.monotonic() - began < 8, "sessions held it up until they were cut off"
    for tail in tails:
        tail.close()
