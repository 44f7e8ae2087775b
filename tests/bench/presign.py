"""presign.py: distinct signed requests for wrk (Signature Version 4; IAM user guide, "Create a signed AWS API request")."""

import datetime
import hashlib
import hmac
import json
import urllib.parse

KEY_ID = "AKIDBENCHBENCHBENCH1"
SECRET = "bench/secret/bench/secret/bench/secret00"
REGION = "us-east-1"
REQUESTS = 10000
HEADERS = "content-type;host;x-amz-date;x-amz-target"


def digest(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    """Signs requests to one port at one moment; good for five minutes, as the server's clock allows."""

    def __init__(self, port, service="sqs"):
        now = datetime.datetime.now(datetime.timezone.utc)
        self.port = port
        self.moment = now.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{now:%Y%m%d}/{REGION}/{service}/aws4_request"
        self.key = digest(("AWS4" + SECRET).encode(), f"{now:%Y%m%d}")
        for part in (REGION, service, "aws4_request"):
            self.key = digest(self.key, part)

    def request(self, operation, members):
        body = json.dumps(members, separators=(",", ":"))
        payload = hashlib.sha256(body.encode()).hexdigest()
        canonical = (
            f"POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:127.0.0.1:{self.port}\n"
            f"x-amz-date:{self.moment}\nx-amz-target:AmazonSQS.{operation}\n\n{HEADERS}\n{payload}"
        )
        to_sign = f"AWS4-HMAC-SHA256\n{self.moment}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self.key, to_sign.encode(), hashlib.sha256).hexdigest()
        return (
            f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Target: AmazonSQS.{operation}\r\nX-Amz-Date: {self.moment}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={KEY_ID}/{self.scope}, SignedHeaders={HEADERS}, "
            f"Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )

    def invoke(self, function, payload):
        """An invocation of a function; of a Signer for "lambda"."""
        return self.rest(f"/2015-03-31/functions/{function}/invocations", payload)

    def rest(self, path, payload):
        """A POST of a REST service."""
        canonical = (f"POST\n{path}\n\nhost:127.0.0.1:{self.port}\nx-amz-date:{self.moment}\n\nhost;x-amz-date\n"
                     f"{hashlib.sha256(payload).hexdigest()}")
        to_sign = f"AWS4-HMAC-SHA256\n{self.moment}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self.key, to_sign.encode(), hashlib.sha256).hexdigest()
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Amz-Date: {self.moment}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={KEY_ID}/{self.scope}, SignedHeaders=host;x-amz-date, "
            f"Signature={signature}\r\nContent-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload

    def event(self, function, payload):
        """The same that only accepts the event."""
        path, names = f"/2015-03-31/functions/{function}/invocations", "host;x-amz-date;x-amz-invocation-type"
        canonical = (f"POST\n{path}\n\nhost:127.0.0.1:{self.port}\nx-amz-date:{self.moment}\nx-amz-invocation-type:Event\n\n"
                     f"{names}\n{hashlib.sha256(payload).hexdigest()}")
        to_sign = f"AWS4-HMAC-SHA256\n{self.moment}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self.key, to_sign.encode(), hashlib.sha256).hexdigest()
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Amz-Date: {self.moment}\r\n"
            f"X-Amz-Invocation-Type: Event\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={KEY_ID}/{self.scope}, SignedHeaders={names}, "
            f"Signature={signature}\r\nContent-Length: {len(payload)}\r\n\r\n"
        ).encode() + payload

    def uri(self, parameters):
        """A request of the Query protocol as a GET whose signature stands in its address."""
        parameters = {
            **parameters, "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{KEY_ID}/{self.scope}",
            "X-Amz-Date": self.moment, "X-Amz-Expires": "600", "X-Amz-SignedHeaders": "host"}
        query = "&".join(f"{name}={urllib.parse.quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
        empty = hashlib.sha256(b"").hexdigest()
        canonical = f"GET\n/\n{query}\nhost:127.0.0.1:{self.port}\n\nhost\n{empty}"
        to_sign = f"AWS4-HMAC-SHA256\n{self.moment}\n{self.scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self.key, to_sign.encode(), hashlib.sha256).hexdigest()
        return f"http://127.0.0.1:{self.port}/?{query}&X-Amz-Signature={signature}"


def message(number):
    """300 bytes, different for each number."""
    start = f"message {number} "
    return start + "abcdefghijklmnopqrstuvwxyz"[number % 26] * (300 - len(start))


def write_requests(path, requests):
    """The file that wrk.lua reads: for each request its size, a line feed, and its bytes."""
    with open(path, "wb") as file:
        for request in requests:
            data = request.encode()
            file.write(f"{len(data)}\n".encode() + data)


def presign_send(path, port, queue_url, count=REQUESTS):
    signer = Signer(port)
    write_requests(
        path,
        (signer.request("SendMessage", {"QueueUrl": queue_url, "MessageBody": message(i)}) for i in range(count)),
    )


def presign_batch(path, port, queue_url, count=REQUESTS):
    signer = Signer(port)

    def entries(number):
        return [{"Id": str(i), "MessageBody": message(number * 10 + i)} for i in range(10)]

    write_requests(
        path,
        (signer.request("SendMessageBatch", {"QueueUrl": queue_url, "Entries": entries(i)}) for i in range(count)),
    )


def presign_invoke(path, port, function, count=REQUESTS):
    signer = Signer(port, "lambda")
    write_requests(path, (signer.invoke(function, json.dumps({"number": i}).encode()).decode() for i in range(count)))


def presign_event(path, port, function, count=REQUESTS):
    signer = Signer(port, "lambda")
    write_requests(path, (signer.event(function, json.dumps({"text": message(i)}).encode()).decode() for i in range(count)))


def presign_uris(path, port, queue_url, count=REQUESTS):
    """The file that h2load reads: SendMessage, an address a line."""
    signer = Signer(port)
    call = {"Action": "SendMessage", "Version": "2012-11-05", "QueueUrl": queue_url}
    with open(path, "w", encoding="ascii") as file:
        file.writelines(signer.uri({**call, "MessageBody": message(i)}) + "\n" for i in range(count))
