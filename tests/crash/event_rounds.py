"""event_rounds.py: a server is killed while events for functions come in by the hundred, run, and are told of: each one that
was acknowledged has been processed, or has failed and been told of, at least once."""

import base64
import http.client
import io
import json
import threading
import time
import zipfile

from client import Client, Gone, Server
from rounds import Round

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
QUEUE = "told"
THREADS = 4
SECONDS = 60
FUNCTIONS = {"quick": "def handler(event, context):\n    return event\n",
             "slow": "import time\n\ndef handler(event, context):\n    time.sleep(0.02)\n    return event\n",
             "failing": "def handler(event, context):\n    raise ValueError('no')\n"}


class Ended(Exception):
    """The server was killed under the call."""


class Caller:
    """One connection to Lambda, in mode `open`."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    def close(self):
        self.connection.close()

    def call(self, method, path, document, headers=None):
        try:
            self.connection.request(method, path, json.dumps(document), {"content-type": "application/json", **(headers or {})})
            answer = self.connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise Ended(str(problem)) from problem
        return answer.status, body


def package(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), text)
    return base64.b64encode(out.getvalue()).decode()


class EventRound(Round):
    """`acknowledged`: numbers of events that were answered with 202; `seen`: those of which the queue has told."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.acknowledged, self.seen, self.sent = set(), set(), 0
        self.lock = threading.Lock()

    def live(self, life):
        self.figures.lives += 1
        server = self.start()
        try:
            if not server.wait_ready():
                raise AssertionError(f"the server did not start: {server.complaint()}")
            if life == 0:
                self.make_functions(server)
            self.send_events(server)
        finally:
            server.close()

    def make_functions(self, server):
        queue = Client(server.port)
        queue.call("CreateQueue", QueueName=QUEUE)
        queue.close()
        target = {"Destination": f"arn:aws:sqs:us-east-1:{ACCOUNT}:{QUEUE}"}
        caller = Caller(server.port)
        for name, text in FUNCTIONS.items():
            for method, path, document, expected in (
                    ("POST", "/2015-03-31/functions", {
                        "FunctionName": name, "Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE,
                        "Code": {"ZipFile": package(text)}}, 201),
                    ("PUT", f"/2019-09-25/functions/{name}/event-invoke-config", {
                        "MaximumRetryAttempts": 0, "DestinationConfig": {"OnSuccess": target, "OnFailure": target}}, 200)):
                status, body = caller.call(method, path, document)
                if status != expected:
                    raise AssertionError(f"{method} {path}: {status} {body}")
        caller.close()
        server.advance("1s")  # until they are active

    def send_events(self, server):
        stop = threading.Event()
        threads = [threading.Thread(target=self.send, args=(server, stop)) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        time.sleep(self.chance.uniform(0.3, 1.2))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join()

    def send(self, server, stop):
        names = list(FUNCTIONS)
        caller = Caller(server.port)
        try:
            while not stop.is_set():
                with self.lock:
                    self.sent += 1
                    number = self.sent
                path = f"/2015-03-31/functions/{names[number % len(names)]}/invocations"
                status, body = caller.call("POST", path, {"number": number}, {"x-amz-invocation-type": "Event"})
                if status != 202:
                    self.ledger.violation(f"event {number}: {status} {body}")
                    return
                with self.lock:
                    self.acknowledged.add(number)
        except Ended:
            pass
        finally:
            caller.close()

    # ---- What must hold afterwards ----

    def verify(self, final):
        server = Server(self.plain, self.data)
        try:
            if not server.wait_ready():
                raise AssertionError(f"the server does not start again: {server.complaint()}")
            queue = Client(server.port)
            url = queue.call("GetQueueUrl", QueueName=QUEUE)["QueueUrl"]
            deadline = time.monotonic() + SECONDS
            while self.acknowledged - self.seen and time.monotonic() < deadline:
                self.take(queue, url)
            queue.close()
            missing = self.acknowledged - self.seen
            if missing:
                self.ledger.violation(f"{len(missing)} of {len(self.acknowledged)} events were acknowledged, and nobody was told "
                                      f"what became of them, as {sorted(missing)[:5]}")
            unknown = [number for number in self.seen if number > self.sent]
            if unknown:
                self.ledger.violation(f"nobody has sent {unknown[:5]}")
            self.ledger.acknowledged = len(self.acknowledged)
        except Gone as problem:
            raise AssertionError(f"the server went: {server.complaint()}") from problem
        finally:
            server.close()

    def take(self, queue, url):
        messages = queue.call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for message in messages:
            record = json.loads(message["Body"])
            number = record["requestPayload"]["number"]
            failing = record["requestContext"]["functionArn"].split(":")[6] == "failing"
            if record["requestContext"]["condition"] != ("RetriesExhausted" if failing else "Success"):
                self.ledger.violation(f"event {number} ended as {record['requestContext']}")
            self.seen.add(number)
        if messages:
            queue.call("DeleteMessageBatch", QueueUrl=url, Entries=[
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)])
