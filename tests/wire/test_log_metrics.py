"""Metric filters, and what they find; resource policies."""

import json
import time

import pytest
from botocore.exceptions import ClientError
from conftest import client
from functions import make, package


@pytest.fixture(scope="module")
def logs(server):
    return client(server, "logs")


@pytest.fixture
def group(logs, new_name):
    name = f"/measured/{new_name()}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def put(logs, group, *texts, at=None):
    start = int(time.time() * 1000) if at is None else at
    logs.put_log_events(logGroupName=group, logStreamName="s",
                        logEvents=[{"timestamp": start + i, "message": text} for i, text in enumerate(texts)])


def make_filter(logs, group, pattern, value="1", name="f", metric="m", namespace="ns", **more):
    logs.put_metric_filter(logGroupName=group, filterName=name, filterPattern=pattern, metricTransformations=[
        {"metricName": metric, "metricNamespace": namespace, "metricValue": value, **more}])


def series(server, namespace):
    """What was found in the namespace: (metric, unit, dimensions) → (count, sum)."""
    found = {}
    for line in server.request("GET", "/_brume/metrics")[2].decode().splitlines():
        name, brace, rest = line.partition("{")
        if name not in ("brume_log_metric_count", "brume_log_metric_sum") or f'namespace="{namespace}"' not in rest:
            continue
        labels, _, value = rest.rpartition("} ")
        parts = dict(part.split('="', 1) for part in labels[:-1].split('",'))
        found.setdefault((parts["metric"], parts["unit"], parts["dimensions"]), {})[name.rsplit("_", 1)[1]] = float(value)
    return {key: (values["count"], values["sum"]) for key, values in found.items()}


def await_series(server, namespace, wanted, seconds=20):
    deadline = time.monotonic() + seconds
    while series(server, namespace) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    assert series(server, namespace) == wanted


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    assert refusal.value.response["Error"]["Code"] == code
    return refusal.value.response["Error"]["Message"]


def test_events_that_match_are_counted(server, logs, group, new_name):
    namespace = new_name()
    make_filter(logs, group, "ERROR", namespace=namespace, unit="Count")
    put(logs, group, "ERROR one", "fine", "ERROR two")
    await_series(server, namespace, {("m", "Count", ""): (2, 2)})
    put(logs, group, "ERROR three")
    await_series(server, namespace, {("m", "Count", ""): (3, 3)})


def test_the_value_and_dimensions_are_taken_from_json(server, logs, group, new_name):
    namespace = f"App \"{new_name()}"
    make_filter(logs, group, "{ $.ms > 0 }", "$.ms", namespace=namespace, dimensions={"Path": "$.path", "Of": "$.tags.of"})
    put(logs, group, *(json.dumps(event) for event in (
        {"ms": 1.5, "path": "/a", "tags": {"of": "x"}}, {"ms": 2.25, "path": "/a", "tags": {"of": "x"}},
        {"ms": 10, "path": "/b", "tags": {"of": "x"}},
        {"ms": 7, "path": "/c"},  # lacks a dimension
        {"ms": -1, "path": "/a", "tags": {"of": "x"}})))
    escaped = namespace.replace('"', '\\"')
    await_series(server, escaped, {("m", "None", "Path=/a,Of=x"): (2, 3.75), ("m", "None", "Path=/b,Of=x"): (1, 10)})


def test_the_value_is_taken_from_a_field_between_spaces(server, logs, group, new_name):
    namespace = new_name()
    make_filter(logs, group, "[ip, status, bytes]", "$bytes", namespace=namespace, dimensions={"Status": "$status"})
    put(logs, group, "10.0.0.1 200 100", "10.0.0.1 404 7", "10.0.0.2 200 50", "10.0.0.2 200 none", "two fields")
    await_series(server, namespace, {("m", "None", "Status=200"): (2, 150), ("m", "None", "Status=404"): (1, 7)})


def test_the_default_is_the_value_of_a_minute_without_a_match(server, logs, group, new_name):
    namespace = new_name()
    minute = int(time.time()) // 60 * 60000
    make_filter(logs, group, "ERROR", namespace=namespace, defaultValue=0.5)
    put(logs, group, "fine", at=minute - 120000)
    put(logs, group, "fine too", at=minute - 119000)
    await_series(server, namespace, {("m", "None", ""): (1, 0.5)})
    put(logs, group, "ERROR", at=minute - 60000)
    put(logs, group, "fine", at=minute - 59000)
    await_series(server, namespace, {("m", "None", ""): (2, 1.5)})


def test_what_functions_log_is_measured(server, logs, new_name):
    name, namespace = new_name(), new_name()
    functions = client(server, "lambda")
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    make_filter(logs, f"/aws/lambda/{name}", "{ $.spent = * }", "$.spent", namespace=namespace)
    make(functions, name, Code={"ZipFile": package({"app.py": "import json\ndef handler(event, context): print(json.dumps({'spent': 4}))"})})
    functions.invoke(FunctionName=name)
    await_series(server, namespace, {("m", "None", ""): (1, 4)})


def test_filters_are_described_by_group_prefix_metric_and_page(logs, group, new_name):
    metric, other = new_name(), f"/measured/{new_name()}"
    logs.create_log_group(logGroupName=other)
    for name in ("b1", "a2", "a1"):
        make_filter(logs, group, "x", name=name, metric=metric, unit="Bytes/Second")
    make_filter(logs, other, "{ $.n = 1 }", "$.n", name="a3", metric=metric, dimensions={"N": "$.n"})

    def names(**query):
        pages = logs.get_paginator("describe_metric_filters").paginate(**query, PaginationConfig={"PageSize": 1})
        return [filter_["filterName"] for page in pages for filter_ in page["metricFilters"]]

    assert names(logGroupName=group) == ["a1", "a2", "b1"]
    assert names(logGroupName=group, filterNamePrefix="a") == ["a1", "a2"]
    assert names(metricName=metric, metricNamespace="ns") == ["a1", "a2", "a3", "b1"]
    assert names(metricName=metric, metricNamespace="other") == []
    refused("InvalidParameterException", logs.describe_metric_filters, metricName=metric)
    refused("ResourceNotFoundException", logs.describe_metric_filters, logGroupName="/not/there")
    first = logs.describe_metric_filters(logGroupName=other)["metricFilters"][0]
    assert first["metricTransformations"] == [
        {"metricName": metric, "metricNamespace": "ns", "metricValue": "$.n", "dimensions": {"N": "$.n"}}]
    assert (first["logGroupName"], first["filterPattern"]) == (other, "{ $.n = 1 }")


def count_of(logs, group):
    return logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["metricFilterCount"]


def test_a_group_tells_how_many_filters_it_has_and_takes_them_with_it(logs, group, new_name):
    metric = new_name()
    make_filter(logs, group, "x", name="one", metric=metric)
    make_filter(logs, group, "y", name="one", metric=metric)
    make_filter(logs, group, "x", name="two", metric=metric)
    assert count_of(logs, group) == 2
    logs.delete_metric_filter(logGroupName=group, filterName="two")
    assert count_of(logs, group) == 1
    assert "metric filter" in refused("ResourceNotFoundException", logs.delete_metric_filter, logGroupName=group, filterName="two")
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_metric_filters(metricName=metric, metricNamespace="ns")["metricFilters"] == []
    logs.create_log_group(logGroupName=group)
    assert count_of(logs, group) == 0


def test_a_group_has_at_most_100_filters(logs, group):
    for i in range(100):
        make_filter(logs, group, "x", name=f"f{i}")
    assert refused("LimitExceededException", make_filter, logs=logs, group=group, pattern="x", name="more") == "Resource limit exceeded."
    make_filter(logs, group, "y", name="f7")  # a change of one is none more


@pytest.mark.parametrize("pattern, value, more, text", [
    ("x", "1", {"dimensions": {"D": "$.d"}}, "The specified filter pattern does not support dimensions"),
    ("{ $.d = 1 }", "1", {"dimensions": {"D": "$.d"}, "defaultValue": 0},
     "Invalid metric transformation: dimensions and default value are mutually exclusive properties."),
    ("{ $.d = 1 }", "1", {"dimensions": {d: "$.d" for d in "abcd"}}, "at most 3 dimensions"),
    ("{ $.d = 1 }", "1", {"dimensions": {"D": "constant"}}, "no field"),
    ("x", "many", {}, "metricValue many"),
    ("x", "1e999", {}, "metricValue 1e999"),
    ("x", "$.n", {}, "metricValue $.n"),
    ("[a, b]", "$c", {}, "metricValue $c"),
    ("{ $.a = 1", "1", {}, "Invalid metric filter pattern"),
    ("x", "1", {"namespace": "AWS/Lambda"}, "reserved"),
])
def test_what_can_be_no_metric_is_refused(logs, group, pattern, value, more, text):
    assert text in refused("InvalidParameterException", make_filter, logs=logs, group=group, pattern=pattern, value=value, **more)
    assert count_of(logs, group) == 0


def test_series_are_bounded_and_what_is_dropped_is_counted(server, logs, group, new_name):
    namespace = new_name()
    before = server.metric("brume_log_metric_dropped_total")
    make_filter(logs, group, "{ $.id = * }", namespace=namespace, dimensions={"Id": "$.id"})
    put(logs, group, *(json.dumps({"id": f"{i}"}) for i in range(1500)))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and len(series(server, namespace)) + server.metric("brume_log_metric_dropped_total") - before < 1500:
        time.sleep(0.05)
    assert len(series(server, namespace)) <= 1000
    assert len(series(server, namespace)) + server.metric("brume_log_metric_dropped_total") - before == 1500


DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "route53.amazonaws.com"}, "Action": "logs:PutLogEvents", "Resource": "*"}]})


@pytest.fixture
def policies(server):
    """CloudWatch Logs in a region where no other test leaves resource policies."""
    logs = client(server, "logs", region="eu-north-1")
    yield logs
    for policy in logs.describe_resource_policies()["resourcePolicies"]:
        logs.delete_resource_policy(policyName=policy["policyName"])


def test_resource_policies_are_kept_up_to_ten(policies):
    for i in range(10):
        made = policies.put_resource_policy(policyName=f"p{i}", policyDocument=DOCUMENT)["resourcePolicy"]
        assert (made["policyName"], made["policyDocument"]) == (f"p{i}", DOCUMENT)
    assert refused("LimitExceededException", policies.put_resource_policy, policyName="more", policyDocument=DOCUMENT) == "Resource limit exceeded."
    policies.put_resource_policy(policyName="p3", policyDocument="{}")
    first = policies.describe_resource_policies(limit=4)
    rest = policies.describe_resource_policies(nextToken=first["nextToken"])
    assert [policy["policyName"] for policy in first["resourcePolicies"] + rest["resourcePolicies"]] == [f"p{i}" for i in range(10)]
    assert first["resourcePolicies"][3]["policyDocument"] == "{}" and "nextToken" not in rest
    policies.delete_resource_policy(policyName="p3")
    assert "p3" in refused("ResourceNotFoundException", policies.delete_resource_policy, policyName="p3")


def test_a_resource_policy_is_a_json_object_of_bounded_size(policies):
    refused("InvalidParameterException", policies.put_resource_policy, policyName="p", policyDocument="{")
    refused("InvalidParameterException", policies.put_resource_policy, policyName="p", policyDocument="[]")
    refused("InvalidParameterException", policies.put_resource_policy, policyName="p")
    refused("InvalidParameterException", policies.put_resource_policy, policyDocument=DOCUMENT)
    refused("LimitExceededException", policies.put_resource_policy, policyName="p", policyDocument=json.dumps({"a": "x" * 5120}))
    assert policies.describe_resource_policies()["resourcePolicies"] == []
