"""Functions at their URLs, with real handlers: what a client of HTTP sends is an event, and what the handler gives is HTTP."""

import base64
import gzip
import http.client
import itertools
import json
import subprocess

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from brume import Server
from conftest import client
from functions import make, package

KEY, SECRET = "BRUMEROOTKEY00000001", "root/secret+with=signs"
numbers = itertools.count(1)

HANDLER = '''
import base64, json

def handler(event, context):
    path = event["rawPath"]
    if path == "/status":
        return {"statusCode": 418, "headers": {"X-Mine": "yes", "Content-Type": "text/plain"}, "cookies": ["a=1", "b=2"],
                "body": "short and stout"}
    if path == "/bytes":
        return {"statusCode": 200, "isBase64Encoded": True, "body": base64.b64encode(bytes(range(256))).decode(),
                "headers": {"content-type": "application/octet-stream"}}
    if path == "/object":
        return {"statusCode": 200, "body": {"not": "text"}}
    if path == "/plain":
        return "just text"
    if path == "/bad":
        return {"statusCode": "high"}
    if path == "/fail":
        raise ValueError("no")
    return event
'''


def open_to_all(functions, name, kind="NONE", **more):
    functions.add_permission(FunctionName=name, StatementId="use", Action="lambda:InvokeFunctionUrl", Principal="*",
                             FunctionUrlAuthType=kind, **more)
    allow_invoke(functions, name)


def allow_invoke(functions, name):
    """Debian's SDK does not know InvokedViaFunctionUrl: without that condition the statement allows more."""
    functions.add_permission(FunctionName=name, StatementId="invoke", Action="lambda:InvokeFunction", Principal="*")


def host_of(config):
    return config["FunctionUrl"].split("/")[2]


def new(functions, text=HANDLER, public=True, **more):
    """The host of a fresh function's URL, and the function's name."""
    name = f"url-{next(numbers)}"
    make(functions, name, Code={"ZipFile": package({"app.py": text})})
    config = functions.create_function_url_config(FunctionName=name, **{"AuthType": "NONE", **more})
    if public:
        open_to_all(functions, name)
    return host_of(config), name


@pytest.fixture(scope="module")
def host(functions):
    return new(functions)[0]


def ask(server, host, method="GET", path="/", body=None, **headers):
    return server.request(method, path, body, {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}})


def event_of(server, host, *arguments, **headers):
    status, _, body = ask(server, host, *arguments, **headers)
    assert status == 200, body
    return json.loads(body)


def test_a_request_is_the_event(server, host):
    event = event_of(server, host, "POST", "/a/b?x=1&x=2&y=%20z", b'{"n": 1}', content_type="application/json",
                     cookie="c=1; d=2", user_agent="tester")
    assert event["version"] == "2.0" and event["routeKey"] == event["requestContext"]["routeKey"] == "$default"
    assert event["rawPath"] == "/a/b" and event["rawQueryString"] == "x=1&x=2&y=%20z"
    assert event["queryStringParameters"] == {"x": "1,2", "y": " z"}
    assert event["cookies"] == ["c=1", "d=2"] and "cookie" not in event["headers"]
    assert event["headers"]["content-type"] == "application/json" and event["headers"]["host"] == host
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1" and event["headers"]["x-forwarded-proto"] == "http"
    assert event["body"] == '{"n": 1}' and event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert context["accountId"] == "anonymous" and context["apiId"] == context["domainPrefix"] == host.split(".")[0]
    assert context["domainName"] == host.split(":")[0] and context["stage"] == "$default"
    assert context["http"] == {"method": "POST", "path": "/a/b", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                               "userAgent": "tester"}
    assert "authorizer" not in context


def test_bytes_come_in_base64(server, host):
    event = event_of(server, host, "PUT", "/", gzip.compress(b"text"), content_encoding="gzip", content_type="text/plain")
    assert event["isBase64Encoded"] is True and gzip.decompress(base64.b64decode(event["body"])) == b"text"


def test_an_answer_is_what_the_handler_says(server, host):
    status, headers, body = ask(server, host, path="/status")
    assert (status, body) == (418, b"short and stout")
    assert headers["x-mine"] == "yes" and headers["content-type"] == "text/plain"
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/status", headers={"host": host})
    assert connection.getresponse().headers.get_all("set-cookie") == ["a=1", "b=2"]
    connection.close()
    status, headers, body = ask(server, host, path="/bytes")
    assert body == bytes(range(256)) and headers["content-type"] == "application/octet-stream"
    assert json.loads(ask(server, host, path="/object")[2]) == {"not": "text"}
    status, headers, body = ask(server, host, path="/plain")
    assert (status, body, headers["content-type"]) == (200, b'"just text"', "application/json")
    status, headers, body = ask(server, host, "HEAD", "/status")
    assert (status, body) == (418, b"")


def test_what_fails_is_a_bad_gateway(server, host):
    assert ask(server, host, path="/fail")[::2] == (502, b"Internal Server Error")
    assert ask(server, host, path="/bad")[::2] == (502, b'{"message":"Internal Server Error"}')


ECHO = "import json\n\ndef handler(event, context):\n    return json.loads(event['body'])\n"


@pytest.fixture(scope="module")
def echo(functions):
    return new(functions, ECHO)[0]


def answered(server, echo, **answer):
    return ask(server, echo, "POST", body=json.dumps({"statusCode": 200, **answer}), content_type="application/json")


@pytest.mark.parametrize("answer", [
    {"headers": {"x": "a\r\nset-cookie: evil=1"}}, {"headers": {"x": "a\nb"}}, {"headers": {"x": "a\0b"}},
    {"headers": {"x": "a\x7fb"}}, {"headers": {"x\r\ny": "a"}}, {"headers": {"x:y": "a"}}, {"headers": {":status": "500"}},
    {"headers": {"": "a"}}, {"headers": {"content-type": "text/html\r\nx: y"}}, {"headers": ["x"]},
    {"headers": {str(number): "x" for number in range(300)}}, {"headers": {"x": "y" * 61440}},
    {"headers": {"x": "y" * 20000}, "cookies": ["z" * 21000, "z" * 21000]}, {"cookies": ["a=1\r\nx: y"]}, {"cookies": "a=1"},
    {"statusCode": "200\r\nx: y"}, {"statusCode": 101}, {"statusCode": 999}, {"statusCode": None},
    {"isBase64Encoded": True, "body": "!"},
], ids=lambda answer: str(answer)[:60])
def test_a_handler_writes_no_head_of_its_own(server, echo, answer):
    status, headers, body = answered(server, echo, **answer)
    assert (status, body) == (502, b'{"message":"Internal Server Error"}')
    assert "set-cookie" not in headers and "x" not in headers


def test_a_large_head_is_answered_over_either_protocol(server, echo):
    """As large as LAMBDA_URL_HEAD_BYTES lets it be, with "content-type" and 32 bytes for each of both fields."""
    value = "y" * (61440 - len("x") - 32 - len("content-type") - len("text/plain") - 32)
    answer = {"headers": {"x": value, "content-type": "text/plain"}, "body": "here"}
    status, headers, body = answered(server, echo, **answer)
    assert (status, headers["x"], body) == (200, value, b"here")
    command = ["curl", "-s", "--http2-prior-knowledge", "-D", "-", "-H", f"host: {echo}", "-H", "content-type: application/json",
               "--data-binary", json.dumps({"statusCode": 200, **answer}), server.url]
    given = subprocess.run(command, capture_output=True, timeout=30, check=True).stdout
    assert given.startswith(b"HTTP/2 200") and f"x: {value}\r\n".encode() in given and given.endswith(b"here")


@pytest.mark.parametrize("port", ["abc", "80x", "-1", "+80", "65536", "80:80", " 80"])
def test_a_port_that_is_no_number_is_refused(server, host, port):
    status, _, body = ask(server, f"{host.split(':')[0]}:{port}")
    assert status == 400, body


def test_a_port_is_told_as_it_was_named(server, host):
    name = host.split(":")[0]
    assert event_of(server, f"{name}:8443")["headers"]["x-forwarded-port"] == "8443"
    assert event_of(server, f"{name}:")["headers"]["x-forwarded-port"] == "80"
    assert event_of(server, name)["headers"]["x-forwarded-port"] == "80"


def test_a_handler_does_not_say_which_request_it_was(server, echo):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    answer = {"statusCode": 200, "headers": {"X-Amzn-RequestId": "forged", "x-amzn-trace-id": "forged", "x-mine": "yes"}}
    connection.request("POST", "/", json.dumps(answer), {"host": echo, "content-type": "application/json"})
    fields = connection.getresponse().getheaders()
    connection.close()
    names = [name for name, _ in fields]
    assert names.count("x-amzn-requestid") == names.count("x-amzn-trace-id") == 1 and ("x-mine", "yes") in fields
    assert "forged" not in [value for _, value in fields]


def test_an_unknown_url_is_not_found(server):
    for host in ("a" * 32 + ".lambda-url.us-east-1.localhost", "x.lambda-url.us-east-1.anything.test"):
        assert ask(server, host)[::2] == (404, b'{"Message":null}')


def test_paths_below_brume_are_the_function_s(server, host):
    assert event_of(server, host, "GET", "/_brume/health")["rawPath"] == "/_brume/health"


def test_both_statements_are_needed(server, functions):
    host, name = new(functions, public=False)
    status, _, body = ask(server, host)
    assert status == 403 and json.loads(body)["Message"].startswith("Forbidden")
    functions.add_permission(FunctionName=name, StatementId="use", Action="lambda:InvokeFunctionUrl", Principal="*",
                             FunctionUrlAuthType="NONE")
    assert ask(server, host)[0] == 403
    allow_invoke(functions, name)
    assert ask(server, host)[0] == 200
    functions.remove_permission(FunctionName=name, StatementId="use")
    assert ask(server, host)[0] == 403


def test_a_url_goes_with_its_function(server, functions):
    host, name = new(functions)
    assert ask(server, host)[0] == 200
    functions.delete_function(FunctionName=name)
    assert ask(server, host)[0] == 404


def test_a_function_that_may_not_run_is_throttled(server, functions):
    host, name = new(functions)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert ask(server, host)[::2] == (429, b'{"Message":"Rate Exceeded."}')


def test_pages_are_let_in_as_the_settings_say(server, functions):
    host, _ = new(functions, Cors={"AllowOrigins": ["https://app.test"], "AllowMethods": ["PUT"], "AllowHeaders": ["x-a"],
                                   "ExposeHeaders": ["x-mine"], "MaxAge": 60})
    asked = {"access_control_request_method": "PUT", "access_control_request_headers": "x-a"}
    status, headers, body = ask(server, host, "OPTIONS", origin="https://app.test", **asked)
    assert (status, body) == (200, b"")
    assert headers["access-control-allow-origin"] == "https://app.test" and headers["access-control-allow-methods"] == "PUT"
    assert headers["access-control-allow-headers"] == "x-a" and headers["access-control-max-age"] == "60"
    _, headers, _ = ask(server, host, "OPTIONS", origin="https://evil.test", **asked)
    assert not [name for name in headers if name.startswith("access-control-")]
    _, headers, _ = ask(server, host, "GET", "/status", origin="https://app.test")
    assert headers["access-control-expose-headers"] == "x-mine"


def test_http2_is_the_same(server, host):
    done = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "-H", f"host: {host}", "-H", "content-type: text/plain", "-d", "hello",
         "-w", "\n%{http_version} %{http_code}", f"http://127.0.0.1:{server.port}/two?a=b"],
        capture_output=True, text=True, timeout=30, check=True)
    body, version = done.stdout.rsplit("\n", 1)
    assert version == "2 200"
    event = json.loads(body)
    assert event["body"] == "hello" and event["headers"]["host"] == host and event["rawPath"] == "/two"
    assert not [name for name in event["headers"] if name.startswith(":")]


def test_requests_are_counted(server, host):
    before = server.metric("brume_function_url_requests_total"), server.metric("brume_function_url_server_errors_total")
    ask(server, host)
    ask(server, host, path="/fail")
    after = server.metric("brume_function_url_requests_total"), server.metric("brume_function_url_server_errors_total")
    assert (after[0] - before[0], after[1] - before[1]) == (2, 1)


def signed(server, host, secret=SECRET, service="lambda"):
    request = botocore.awsrequest.AWSRequest("GET", f"http://{host}/who", headers={"host": host})
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(KEY, secret), service, "us-east-1").add_auth(request)
    return server.request("GET", "/who", None, dict(request.headers.items()))


def test_who_must_sign_is_verified(folder):
    running = Server(folder / "signed", "--auth", "signed", environment={
        "BRUME_ACCESS_KEY_ID": KEY, "BRUME_SECRET_ACCESS_KEY": SECRET})
    try:
        iam, functions = (client(running, service, key=KEY, secret=SECRET) for service in ("iam", "lambda"))
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        make(functions, "guarded", Code={"ZipFile": package({"app.py": HANDLER})}, Role=role)
        host = host_of(functions.create_function_url_config(FunctionName="guarded", AuthType="AWS_IAM"))
        status, _, body = ask(running, host)
        assert status == 403 and json.loads(body)["Message"].startswith("Forbidden")
        status, _, body = signed(running, host)
        assert status == 200, body
        context = json.loads(body)["requestContext"]
        assert context["accountId"] == "000000000000"
        assert context["authorizer"]["iam"] == {
            "accessKey": KEY, "accountId": "000000000000", "callerId": "000000000000", "cognitoIdentity": None,
            "principalOrgId": None, "userArn": "arn:aws:iam::000000000000:root", "userId": "000000000000"}
        assert signed(running, host, secret="wrong")[0] == 403
        assert signed(running, host, service="sqs")[0] == 403
    finally:
        assert running.terminate() == 0, running.errors()
