"""The AWS SDKs in handlers: a client that is given neither endpoint nor credentials speaks to Brume as the function's role."""

import http.server
import json
import re
import threading

import pytest

from worker import ROOT


class Endpoint(http.server.BaseHTTPRequestHandler):
    """What stands in for the server: answers ListQueues in both protocols and keeps what was asked."""

    asked = []

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        Endpoint.asked.append(dict(self.headers))
        if "json" in self.headers["content-type"]:
            answer, kind = json.dumps({"QueueUrls": ["found"]}), "application/x-amz-json-1.0"
        else:
            answer = "<ListQueuesResponse><ListQueuesResult><QueueUrl>found</QueueUrl></ListQueuesResult></ListQueuesResponse>"
            kind = "text/xml"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    Endpoint.asked.clear()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("language, handler", [("python", "aws.list_queues"), ("node", "aws.handler")])
def test_a_client_that_is_told_nothing_calls_brume_as_the_functions_role(request, endpoint, language, handler):
    more = {"ahead": True} if language == "python" else {}
    # As from /var/runtime: by NODE_PATH, for `import`, too.
    worker = request.getfixturevalue(language)(environment={
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "ASIAROLE", "AWS_SESSION_TOKEN": "of-the-role",
        "NODE_PATH": str(ROOT / "tests/wire/node_modules")}, **more)
    started = worker.start(handler)
    assert started.kind == "READY", started.content
    answer = worker.invoke({}, timeout_ms=8000)
    assert answer.document == ["found"], answer.content
    headers = {name.lower(): value for name, value in Endpoint.asked[0].items()}
    assert re.match(r"AWS4-HMAC-SHA256 Credential=ASIAROLE/\d{8}/us-east-1/sqs/aws4_request", headers["authorization"])
    assert headers["x-amz-security-token"] == "of-the-role"
