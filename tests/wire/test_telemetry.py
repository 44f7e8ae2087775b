"""What extensions are told of by the Telemetry API (2022-07-01) and the Logs API (2020-08-15)."""

import json

import pytest
from conftest import client
from functions import make, package, wait_settled
from test_extensions import (CUSTOM, ECHO, NODEJS, PYTHON, ask, deploy, functions, layer, listener, log, server,  # fixtures
                             wait_for_end)

NEW = "/2022-07-01/telemetry"
OLD = "/2020-08-15/logs"
ALL = {"schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"], "buffering": {"timeoutMs": 25}}


def events_until(listener, wanted, seconds=15):
    """Events in the order in which they came, until one of that type."""
    events = []
    while not any(event["type"] == wanted for event in events):
        told = listener.next(seconds)
        events += told.get("batch", [])
    return events


def of_type(events, name):
    return [event for event in events if event["type"] == name]


@pytest.mark.parametrize("runtime", [PYTHON, NODEJS, CUSTOM])
def test_an_extension_is_told_of_the_life_of_a_function(functions, deploy, listener, runtime):
    name = deploy({"subscribe": [NEW, ALL]}, runtime=runtime)
    answer, error, tail = ask(functions, name)
    assert error is None, answer
    events = events_until(listener, "platform.report")
    # The runtime starts while the extension subscribes.
    unordered = ("function", "extension", "platform.telemetrySubscription")
    kinds = [event["type"] for event in events if event["type"] not in unordered]
    assert kinds == ["platform.initStart", "platform.extension", "platform.initRuntimeDone", "platform.initReport",
                     "platform.start", "platform.runtimeDone", "platform.report"]
    assert [event["record"] for event in of_type(events, "platform.telemetrySubscription")] == [
        {"name": "shipper", "state": "Subscribed", "types": ["platform", "function", "extension"]}]
    start, = of_type(events, "platform.start")
    report, = of_type(events, "platform.report")
    request_id = start["record"]["requestId"]
    assert request_id in tail and report["record"]["requestId"] == request_id
    assert report["record"]["status"] == "success"
    metrics = report["record"]["metrics"]
    assert metrics["memorySizeMB"] == 256 and 0 < metrics["maxMemoryUsedMB"] <= 256
    assert metrics["durationMs"] > 0 and metrics["initDurationMs"] > 0 and metrics["billedDurationMs"] > 0
    assert of_type(events, "platform.extension")[0]["record"] == {"name": "shipper", "state": "Registered",
                                                                  "events": ["INVOKE", "SHUTDOWN"]}
    line, = [event["record"] for event in of_type(events, "function")]
    assert line.endswith("handled")
    assert [event["record"] for event in of_type(events, "extension")] == ["shipper is ready"]
    order = [event["type"] for event in events]
    assert order.index("platform.start") < order.index("function") < order.index("platform.runtimeDone")


def test_a_subscription_has_the_types_that_it_asks_for_alone(functions, deploy, listener):
    name = deploy({"subscribe": [NEW, {**ALL, "types": ["function"]}]})
    ask(functions, name)
    ask(functions, name)
    seen = []
    while len(seen) < 2:
        seen += listener.next().get("batch", [])
    assert {event["type"] for event in seen} == {"function"}


def test_documents_stay_documents_where_the_function_logs_json(server, functions, deploy, listener):
    name = deploy({"subscribe": [NEW, {**ALL, "types": ["function"]}]}, runtime=NODEJS)
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/lambda/aws4_request, "
                               "SignedHeaders=host, Signature=0"}
    status, _, answer = server.request("PUT", f"/2015-03-31/functions/{name}/configuration",
                                       json.dumps({"LoggingConfig": {"LogFormat": "JSON"}}), signed)
    assert status == 200, answer
    wait_settled(functions, name)
    ask(functions, name)
    seen = []
    while not seen:
        seen += listener.next().get("batch", [])
    assert seen[0]["record"]["message"] == "handled"


def test_the_logs_api_has_its_own_events(functions, deploy, listener):
    name = deploy({"subscribe": [OLD, {"types": ["platform", "function"], "buffering": {"timeoutMs": 25}}]})
    ask(functions, name)
    events = events_until(listener, "platform.report")
    kinds = [event["type"] for event in events]
    assert kinds == ["platform.extension", "platform.logsSubscription", "platform.start", "function", "platform.runtimeDone",
                     "platform.end", "platform.report"]


def test_lines_of_json_go_over_tcp(functions, deploy, listener):
    name = deploy({"subscribe": [NEW, ALL], "tcp": True})
    ask(functions, name)
    assert of_type(events_until(listener, "platform.report"), "function")[0]["record"] == "handled"


def test_a_batch_that_is_refused_is_sent_again(functions, deploy, listener):
    name = deploy({"subscribe": [NEW, ALL], "refuse": 3})
    ask(functions, name)
    events = events_until(listener, "platform.report")
    assert len(of_type(events, "platform.start")) == 1, "nothing is lost, and nothing told twice"


def test_an_extension_that_takes_nothing_costs_no_answer(functions, deploy, listener):
    name = deploy({"subscribe": [NEW, ALL], "stall": True})
    for _ in range(3):
        assert ask(functions, name)[1] is None


def test_the_error_of_a_handler_is_told(functions, deploy, listener):
    name = deploy({"subscribe": [NEW, ALL]})
    assert ask(functions, name, {"sleep": "no number"})[1] is not None
    events = events_until(listener, "platform.report")
    assert of_type(events, "platform.runtimeDone")[0]["record"]["status"] == "error"
    assert of_type(events, "platform.report")[0]["record"]["status"] == "error"


def test_a_timeout_is_told_before_the_shutdown(functions, deploy, listener):
    name = deploy({"subscribe": [NEW, {**ALL, "buffering": {"timeoutMs": 30000}}]}, Timeout=1)
    ask(functions, name, {"sleep": 10})
    events = events_until(listener, "platform.report")
    assert of_type(events, "platform.report")[0]["record"]["status"] == "timeout"
    assert wait_for_end(listener)["event"]["shutdownReason"] == "timeout"


@pytest.mark.parametrize("body, why", [
    ({"schemaVersion": "2019-01-01"}, "schemaVersion must be 2022-07-01, 2022-12-13 or 2025-01-29"),
    ({"types": []}, "types must be some of platform, function and extension"),
    ({"types": ["everything"]}, "types must be some of platform, function and extension"),
    ({"buffering": {"timeoutMs": 24}}, "timeoutMs must be from 25 to 30000"),
    ({"buffering": {"maxBytes": 1}}, "maxBytes must be from 262144 to 1048576"),
    ({"buffering": {"maxItems": 10001}}, "maxItems must be from 1000 to 10000"),
    ({"destination": {"protocol": "HTTP", "URI": "http://example.com:80"}},
     "URI must be http://sandbox.localdomain:PORT, with or without a path"),
    ({"destination": {"protocol": "UDP"}}, "protocol must be HTTP or TCP"),
    ({"types": "platform"}, "the body is not the JSON of a subscription"),
])
def test_a_subscription_out_of_bounds_is_refused(functions, deploy, listener, body, why):
    name = deploy({"subscribe": [NEW, {**ALL, **body}]})
    assert ask(functions, name)[1] is None
    listener.next()
    told = listener.next()
    assert (told["status"], told["subscribed"]) == (400, {"errorType": "ValidationError", "errorMessage": why})


def test_what_an_extension_does_not_take_in_time_is_dropped_and_told_of(functions, deploy, listener):
    name = deploy({"subscribe": [NEW, ALL], "refuse": 7})
    assert ask(functions, name, {"lines": 6000})[1] is None
    dropped = of_type(events_until(listener, "platform.logsDropped", 30), "platform.logsDropped")[0]["record"]
    assert dropped["droppedRecords"] > 0 and dropped["droppedBytes"] > 1000 * dropped["droppedRecords"]


def test_telemetry_stays_in_a_network_of_its_own(start, listener):
    running = start("--network", "isolated", "--reachable", listener.address)
    functions = client(running, "lambda")
    make(functions, "apart", Code={"ZipFile": package(ECHO[PYTHON][1])}, Layers=[layer(functions, "shipper")],
         Environment={"Variables": {"SHIPPER": json.dumps({"subscribe": [NEW, ALL]}), "TEST_SERVER": listener.address}})
    assert ask(functions, "apart")[1] is None
    assert of_type(events_until(listener, "platform.report"), "platform.start")


def test_the_name_of_the_sandbox_resolves_for_handlers(functions):
    code = "import socket\ndef handler(event, context):\n    return socket.gethostbyname('sandbox.localdomain')\n"
    make(functions, "resolver", Code={"ZipFile": package({"app.py": code})})
    assert json.loads(functions.invoke(FunctionName="resolver")["Payload"].read()) == "127.0.0.1"
