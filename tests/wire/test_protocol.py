"""What is on the wire beneath the SDKs: shapes of answers and errors in both protocols, malformed input, CORS, health,
metrics."""

import json
import re
import socket
import xml.etree.ElementTree as ElementTree

import pytest

NAMESPACE = "{http://queue.amazonaws.com/doc/2012-11-05/}"


@pytest.fixture
def raw(server):
    """Sends bytes as they are; gives all that comes back until the server closes or is silent."""

    def send(content, seconds=5):
        with socket.create_connection(("127.0.0.1", server.port), seconds) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    return send


def test_a_json_answer_has_the_content_type_and_request_id_of_aws(server):
    status, headers, body = server.json("CreateQueue", b'{"QueueName":"json"}')
    assert status == 200 and headers["content-type"] == "application/x-amz-json-1.0"
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-amzn-requestid"])
    assert json.loads(body) == {"QueueUrl": f"{server.url}/000000000000/json"}


def test_an_operation_without_output_answers_an_empty_json_body(server):
    server.json("CreateQueue", b'{"QueueName":"empty"}')
    document = json.dumps({"QueueUrl": f"{server.url}/000000000000/empty", "Attributes": {"DelaySeconds": "1"}})
    status, _, body = server.json("SetQueueAttributes", document.encode())
    assert status == 200 and body in (b"", b"{}")


def test_a_query_answer_is_xml_in_the_namespace_of_the_service(server):
    status, headers, body = server.query("Action=CreateQueue&Version=2012-11-05&QueueName=xml")
    assert status == 200 and headers["content-type"].startswith("text/xml")
    root = ElementTree.fromstring(body)
    assert root.tag == f"{NAMESPACE}CreateQueueResponse"
    assert root.findtext(f"{NAMESPACE}CreateQueueResult/{NAMESPACE}QueueUrl") == f"{server.url}/000000000000/xml"
    request_id = root.findtext(f"{NAMESPACE}ResponseMetadata/{NAMESPACE}RequestId")
    assert request_id == headers["x-amzn-requestid"]


def test_a_query_may_be_a_get_with_the_parameters_in_the_url(server):
    status, _, body = server.request("GET", "/?Action=ListQueues&Version=2012-11-05&QueueNamePrefix=none-such")
    assert status == 200 and b"ListQueuesResponse" in body


def test_a_query_to_a_queue_s_own_url_is_about_that_queue(server):
    server.query("Action=CreateQueue&Version=2012-11-05&QueueName=own")
    status, _, body = server.query("Action=SendMessage&Version=2012-11-05&MessageBody=hi", path="/000000000000/own")
    assert status == 200 and b"<MD5OfMessageBody>49f68a5c8493ec2c0bf489821c21fc3b</MD5OfMessageBody>" in body


def test_an_error_in_json_names_the_shape_and_the_query_code(server):
    status, headers, body = server.json("GetQueueUrl", b'{"QueueName":"nowhere"}')
    answer = json.loads(body)
    assert status == 400
    assert answer["__type"] == "com.amazonaws.sqs#QueueDoesNotExist" and answer["message"]
    assert headers["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert headers["x-amzn-requestid"]


def test_an_error_in_xml_has_type_code_message_and_request_id(server):
    status, headers, body = server.query("Action=GetQueueUrl&Version=2012-11-05&QueueName=nowhere")
    root = ElementTree.fromstring(body)
    assert status == 400 and root.tag == f"{NAMESPACE}ErrorResponse"
    error = root.find(f"{NAMESPACE}Error")
    assert error.findtext(f"{NAMESPACE}Type") == "Sender"
    assert error.findtext(f"{NAMESPACE}Code") == "AWS.SimpleQueueService.NonExistentQueue"
    assert error.findtext(f"{NAMESPACE}Message")
    assert root.findtext(f"{NAMESPACE}RequestId") == headers["x-amzn-requestid"]


def test_xml_answers_escape_what_xml_cannot_hold(server):
    server.query("Action=CreateQueue&Version=2012-11-05&QueueName=escape")
    body = "a<b>&\"'\r\n]]>"
    url = f"{server.url}/000000000000/escape"
    server.json("SendMessage", json.dumps({"QueueUrl": url, "MessageBody": body}).encode())
    _, _, answer = server.query("Action=ReceiveMessage&Version=2012-11-05", path="/000000000000/escape")
    assert ElementTree.fromstring(answer).find(f".//{NAMESPACE}Body").text == body


@pytest.mark.parametrize("document", [
    b"{", b"[]", b'"x"', b"nul", b'{"QueueName":}', b'{"QueueName":"a"}x', b'{"QueueName":"\xff"}', b'{"QueueName":"a",}',
    b'{"QueueName":{"a":1}}', b'{"QueueName":7}', b'{"Attributes":' * 200])
def test_malformed_json_is_a_serialization_error(server, document):
    status, _, body = server.json("CreateQueue", document)
    assert status == 400
    assert json.loads(body)["__type"].split("#")[-1] == "SerializationException"


def test_an_operation_that_aws_has_not_is_unknown(server):
    status, _, body = server.json("FlyToTheMoon", b"{}")
    assert status == 400 and json.loads(body)["__type"].endswith("#UnknownOperationException")
    status, _, body = server.query("Action=FlyToTheMoon&Version=2012-11-05")
    assert status == 400 and b"<Code>InvalidAction</Code>" in body


@pytest.mark.parametrize("operation", ["AssumeRoot", "GetFederationToken"])
def test_an_operation_that_aws_has_and_brume_has_not_is_refused_by_name(server, operation):
    status, _, body = server.query(f"Action={operation}&Version=2011-06-15")
    assert status == 501 and b"<Code>NotImplemented</Code>" in body
    assert operation.encode() in body and b"sts" in body


def test_a_service_that_brume_has_not_is_refused_by_name(server):
    status, _, body = server.request("POST", "/", b"{}", {
        "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.ListTables"})
    assert status == 501 and b"NotImplemented" in body and b"DynamoDB" in body


def test_a_body_over_the_limit_is_refused_and_the_server_lives(server):
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\n"
                           b"X-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 1000000000\r\n\r\n")
        assert b" 413 " in connection.recv(65536).split(b"\r\n")[0]
    assert server.request("GET", "/_brume/health")[0] == 200


@pytest.mark.parametrize("head", [
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nName : value\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nName: a\r\n b\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n",
])
def test_malformed_and_ambiguous_http_is_refused_and_the_connection_closed(raw, server, head):
    answer = raw(head + b"GET /_brume/health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert re.match(rb"HTTP/1\.1 (400|501) ", answer)
    assert answer.count(b"HTTP/1.1 ") == 1, "what followed was taken for a request of its own"
    assert server.request("GET", "/_brume/health")[0] == 200


def test_a_head_over_the_limit_is_refused(raw):
    answer = raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 100000 + b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.1 431 ", answer)


def test_pipelined_requests_are_answered_in_order(raw):
    one = b"GET /_brume/health HTTP/1.1\r\nHost: x\r\n\r\n"
    other = b"GET /_brume/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = raw(one + one + other)
    assert answer.count(b"HTTP/1.1 200 ") == 3
    assert answer.index(b"brume_") > answer.rindex(b"HTTP/1.1 200 ")


def test_a_chunked_body_and_expect_continue_are_understood(server):
    body = b'{"QueueName":"chunked"}'
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close\r\n"
                           b"X-Amz-Target: AmazonSQS.CreateQueue\r\nTransfer-Encoding: chunked\r\n"
                           b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"5\r\n" + body[:5] + b"\r\n%x\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert b" 200 " in answer.split(b"\r\n")[0] and b"/000000000000/chunked" in answer


def test_browsers_may_call_from_any_page(server):
    status, headers, _ = server.request("OPTIONS", "/", headers={
        "origin": "http://localhost:3000", "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-amz-date,x-amz-target"})
    assert status in (200, 204)
    assert headers["access-control-allow-origin"] in ("*", "http://localhost:3000")
    assert "POST" in headers["access-control-allow-methods"]
    allowed = headers["access-control-allow-headers"].lower()
    assert allowed == "*" or all(name in allowed for name in ("authorization", "x-amz-date", "x-amz-target"))
    status, headers, _ = server.json("ListQueues", b"{}", {"origin": "http://localhost:3000"})
    assert status == 200 and headers["access-control-allow-origin"] in ("*", "http://localhost:3000")


def test_health_tells_that_the_server_is_ready(server):
    status, headers, body = server.request("GET", "/_brume/health")
    assert status == 200 and headers["content-type"].startswith("application/json")
    assert b"ready" in body


def test_metrics_are_in_the_text_format_of_prometheus_and_count(server):
    def value(pattern):
        status, headers, body = server.request("GET", "/_brume/metrics")
        assert status == 200 and headers["content-type"].startswith("text/plain")
        for line in body.decode().splitlines():
            assert re.fullmatch(r"(#.*|[a-zA-Z_:][\w:]*(\{.*\})? [-+0-9.eEinfINFnaN]+)?", line), line
        return sum(float(line.rsplit(" ", 1)[1]) for line in body.decode().splitlines() if re.match(pattern, line))

    before = value(r"brume_http_requests")
    server.json("ListQueues", b"{}")
    assert before > 0 and value(r"brume_http_requests") > before


def test_an_unknown_path_is_not_found(server):
    assert server.request("GET", "/_brume/nothing")[0] == 404
