"""functions.py: what is measured of functions, a function a group, as in rows.py."""

import concurrent.futures
import contextlib
import http.client
import io
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import zipfile

import boto3
import botocore.config

import presign
from processes import ROOT, Brume, Failure, stop_process, wrk
from row import Row

sys.path.insert(0, os.path.join(ROOT, "tests", "runtime"))
import worker  # noqa: E402

NODE = os.path.join(ROOT, "tests", "wire", "node_modules", ".bin", "node")
C_BOOTSTRAP = os.path.join(ROOT, "build", "tests", "runtime", "custom_c", "bootstrap")
PYTHON = "python3.11"
NODEJS = "nodejs22.x"
STREAM_BYTES = 100 * 1024 * 1024

PYTHON_HELLO = """
def handler(event, context):
    return {"hello": "world"}
"""
PYTHON_BOTO3 = """
import boto3
sqs = boto3.client("sqs")
def handler(event, context):
    return {"hello": sqs.meta.region_name}
"""
# When it ran, held long enough that no worker can serve two.
PYTHON_HELD = """
import time
def handler(event, context):
    started = time.time()
    time.sleep(event["hold"])
    return started
"""
LOG_LINES = 100_000  # a second
LOG_TURNS = 3  # of the two servers in the time of one run
LOG_LINE = "2026-11-25T10:00:00Z INFO order 4711 was taken, and costs 3.50 at the counter\n"
PYTHON_LOGGER = f"""
import os, time
def handler(event, context):
    block = {LOG_LINE!r}.encode() * {LOG_LINES // 100}
    started = time.monotonic()
    for turn in range(event["seconds"] * 100):
        for rest in [block]:
            while rest:
                rest = rest[os.write(1, rest):]
        time.sleep(max(0, started + (turn + 1) / 100 - time.monotonic()))
    return time.monotonic() - started
"""
NODE_HELLO = 'exports.handler = async () => ({ hello: "world" });\n'
NODE_STREAM = f"""
const {{ pipeline }} = require("node:stream/promises");
const {{ Readable }} = require("node:stream");
const piece = Buffer.alloc(1024 * 1024, "x");
exports.handler = awslambda.streamifyResponse(async (event, stream) => {{
    await pipeline(Readable.from((function* () {{ for (let i = 0; i < {STREAM_BYTES // (1024 * 1024)}; i++) yield piece; }})()), stream);
}});
"""
NODE_SERVER = """
const server = require("node:http").createServer((request, answer) => {
    answer.setHeader("Content-Type", "application/json");
    answer.end(JSON.stringify({ hello: "world" }));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""


def zipped(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            archive.writestr(entry, content)
    return data.getvalue()


class NodeServer:
    """Node's own server saying hello: what the language costs at least."""

    def __enter__(self):
        self.process = subprocess.Popen([os.path.realpath(NODE), "-e", NODE_SERVER], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        stop_process(self.process)
        self.process.stdout.close()


class Functions:
    """A server's functions, made and changed through the API."""

    def __init__(self, brume):
        self.brume = brume
        self.client = self.connect(brume)
        trust = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
        self.role = self.connect(brume, "iam").create_role(
            RoleName="bench", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

    @staticmethod
    def connect(brume, service="lambda"):
        config = botocore.config.Config(retries={"max_attempts": 0}, read_timeout=60, max_pool_connections=200)
        return boto3.client(service, config=config, endpoint_url=f"http://127.0.0.1:{brume.port}",
                            region_name=presign.REGION, aws_access_key_id=presign.KEY_ID,
                            aws_secret_access_key=presign.SECRET)

    def make(self, name, runtime, files, memory=128):
        self.client.create_function(FunctionName=name, Runtime=runtime, Handler="app.handler", Role=self.role,
                                    Code={"ZipFile": zipped(files)}, MemorySize=memory, Timeout=30)
        self.wait_settled(name)

    def invoke(self, name, event=None):
        answer = self.client.invoke(FunctionName=name, Payload=json.dumps(event))
        text = answer["Payload"].read()
        if "FunctionError" in answer:
            raise Failure(f"{name}: {text[:300]!r}")
        return json.loads(text)

    def url_host(self, name, **more):
        """Makes a URL for everybody; by a request of our own, since Debian's SDK does not know streams yet."""
        path = f"/2021-10-31/functions/{name}/url"
        status, body = exchange(self.brume.port, presign.Signer(self.brume.port, "lambda").rest(
            path, json.dumps({"AuthType": "NONE", **more}).encode()))
        if status != 201:
            raise Failure(f"{path}: {status} {body[:300]!r}")
        url = json.loads(body)["FunctionUrl"]
        self.client.add_permission(FunctionName=name, StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
                                   FunctionUrlAuthType="NONE")
        self.client.add_permission(FunctionName=name, StatementId="invoke", Action="lambda:InvokeFunction", Principal="*")
        return url.split("/")[2]

    def logged_bytes(self, name):
        """What is stored of a function's log."""
        groups = boto3.client("logs", endpoint_url=f"http://127.0.0.1:{self.brume.port}", region_name=presign.REGION,
                              aws_access_key_id=presign.KEY_ID, aws_secret_access_key=presign.SECRET)
        found = groups.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
        return sum(group["storedBytes"] for group in found)

    def renew(self, name, number):
        """A changed function has no warm workers."""
        self.client.update_function_configuration(FunctionName=name, Environment={"Variables": {"ROUND": str(number)}})
        self.wait_settled(name)

    def wait_settled(self, name):
        """A tenth of a second; the SDK's own waiters ask once in one or five."""
        deadline = time.monotonic() + 30
        while True:
            now = self.client.get_function_configuration(FunctionName=name)
            if now["State"] == "Active" and now["LastUpdateStatus"] == "Successful":
                return
            if time.monotonic() > deadline:
                raise Failure(f"{name}: {now['State']}, {now['LastUpdateStatus']}")
            time.sleep(0.02)


def exchange(port, request):
    """One request on a connection of its own: status and body."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def http_times(port, request, count):
    """Milliseconds of each of `count` requests, one after the other on one connection; each must be a success."""
    times = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(count + 100):
            started = time.perf_counter()
            connection.sendall(request)
            got = connection.recv(65536)
            taken = time.perf_counter() - started
            while b"\r\n\r\n" not in got or not whole(got):
                got += connection.recv(65536)
                taken = time.perf_counter() - started
            if not got.startswith(b"HTTP/1.1 200"):
                raise Failure(f"{got[:300]!r}")
            if number >= 100:
                times.append(taken * 1000)
    return times


def whole(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.split(b":")[1])
    return body.endswith(b"0\r\n\r\n")


def pair_times(command, task, handler, count):
    """The same of a bootstrap's bare socket pair: no server, no sandbox."""
    one = worker.Worker(command, task)
    try:
        if one.start(handler).kind != "READY":
            raise Failure(f"{command} did not start")
        times = []
        for number in range(count + 100):
            started = time.perf_counter()
            kind = one.invoke({}).kind
            taken = time.perf_counter() - started
            if kind != "RESPONSE":
                raise Failure(f"{command} answered {kind}")
            if number >= 100:
                times.append(taken * 1000)
        return times
    finally:
        one.close()


def worker_processes(brume):
    """The first processes of workers: those below the server that are number 1 of their own namespace."""
    parents, first = {}, set()
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/status", encoding="ascii", errors="replace") as file:
                fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        except (OSError, ValueError):
            continue
        parents[int(name)] = int(fields["PPid"])
        ids = fields.get("NSpid", "").split()
        if len(ids) > 1 and ids[-1] == "1":
            first.add(int(name))

    def is_below(process):
        while process > 1:
            process = parents.get(process, 0)
            if process == brume.process.pid:
                return True
        return False

    return [process for process in first if is_below(process)]


def private_kib(process):
    with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith(("Private_Clean", "Private_Dirty")))


class FunctionBench:
    """What Bench has of functions."""

    def functions(self):
        """Warm handlers by function URL and by the API, with signatures, beside Node's own server."""
        requests = os.path.join(self.top, "requests")
        native, url, python_url, signed = [], [], [], []
        with NodeServer() as node, Brume(self.data("functions")) as brume:
            functions = Functions(brume)
            functions.make("node", NODEJS, {"app.js": NODE_HELLO})
            functions.make("python", PYTHON, {"app.py": PYTHON_HELLO})
            hosts = {name: functions.url_host(name) for name in ("node", "python")}
            for _ in range(self.runs):
                presign.write_requests(requests, [f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{node.port}\r\n\r\n"])
                native.append(wrk(node.port, requests, 64, self.seconds))
                for name, rates in (("node", url), ("python", python_url)):
                    presign.write_requests(requests, [f"GET / HTTP/1.1\r\nHost: {hosts[name]}\r\n\r\n"])
                    wrk(brume.port, requests, 64, 1)  # as many workers as it will need
                    rates.append(wrk(brume.port, requests, 64, self.seconds))
                presign.presign_invoke(requests, brume.port, "node")
                signed.append(wrk(brume.port, requests, 64, self.seconds))
        return [
            Row("Node.js hello by URL, 64 connections", "/s", ">=", 0.7, url, native, "Node's http", by_ratio=True),
            Row("Node.js hello by signed API calls", "/s", ">=", 0.6, signed, native, "Node's http", by_ratio=True),
            Row("Python hello by URL", "/s", ">=", 1.0, python_url, url, "Node.js by URL", by_ratio=True),
        ]

    def warm(self):
        """One connection: what a warm invocation takes, beside the bootstrap's bare socket pair."""
        count = 1000 if self.runs == 1 else 5000
        rows = []
        hello = {"node": (NODEJS, {"app.js": NODE_HELLO}, [os.path.realpath(NODE), "runtimes/nodejs/bootstrap.mjs"], "app.js"),
                 "python": (PYTHON, {"app.py": PYTHON_HELLO}, ["/usr/bin/python3", "runtimes/python/bootstrap.py"], "app.py")}
        with Brume(self.data("warm")) as brume:
            functions = Functions(brume)
            for name, (runtime, files, command, file) in hello.items():
                functions.make(name, runtime, files)
                request = f"GET / HTTP/1.1\r\nHost: {functions.url_host(name)}\r\n\r\n".encode()
                task = self.data(f"task-{name}")
                with open(os.path.join(task, file), "w", encoding="ascii") as code:
                    code.write(files[file])
                command = [command[0], os.path.join(ROOT, command[1])]
                asked, bare = [], []
                for _ in range(self.runs):
                    bare.append(statistics.median(pair_times(command, task, "app.handler", count)))
                    asked.append(statistics.median(http_times(brume.port, request, count)))
                rows.append(Row(f"warm {name}, one connection, p50", "ms", "<=", None, asked, bare, "socket pair"))
                rows.append(Row("  added to the socket pair", "us", "<=", 150, [(a - b) * 1000 for a, b in zip(asked, bare)]))
        return rows

    def cold(self):
        """From the request to the answer of a function that has no worker, and a hundred of them at once."""
        count = 20 if self.runs == 1 else 100
        with open(C_BOOTSTRAP, "rb") as file:
            bootstrap = file.read()
        kinds = [("Python hello", PYTHON, {"app.py": PYTHON_HELLO}, 5, 20), ("Python with boto3", PYTHON, {"app.py": PYTHON_BOTO3}, 10, None),
                 ("Node.js hello", NODEJS, {"app.js": NODE_HELLO}, 10, None),
                 ("C custom runtime", "provided.al2023", {"bootstrap": bootstrap}, 4, None)]
        rows = []
        with Brume(self.data("cold")) as brume:
            functions = Functions(brume)
            for number, (title, runtime, files, median, slowest) in enumerate(kinds):
                name = f"cold{number}"
                functions.make(name, runtime, files, memory=512)
                functions.invoke(name)  # whatever is made once, such as a zygote
                times = []
                for turn in range(count):
                    functions.renew(name, turn)
                    time.sleep(0.1)  # while processes that were started ahead last
                    times += [self.timed_invoke(functions, name)]
                rows.append(Row(f"cold start, {title}, p50", "ms", "<=", median, [percentile(times, 0.5)]))
                rows.append(Row("  p99", "ms", "<=", slowest, [percentile(times, 0.99)]))
            rows.append(Row("100 cold starts at once", "s", "<=", 1.5, self.hundred(functions)))
        return rows

    @staticmethod
    def timed_invoke(functions, name):
        """By a request that was signed before."""
        request = presign.Signer(functions.brume.port, "lambda").invoke(name, b"{}")
        with socket.create_connection(("127.0.0.1", functions.brume.port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            started = time.perf_counter()
            connection.sendall(request)
            got = connection.recv(65536)
            taken = time.perf_counter() - started
        if not got.startswith(b"HTTP/1.1 200") or b"x-amz-function-error" in got.lower():
            raise Failure(f"{name}: {got[-200:]!r}")
        return taken * 1000

    def hundred(self, functions):
        functions.make("held", PYTHON, {"app.py": PYTHON_HELD}, memory=1769)
        functions.invoke("held", {"hold": 0})
        spans = []
        for turn in range(self.runs):
            functions.renew("held", turn)
            with concurrent.futures.ThreadPoolExecutor(100) as pool:
                began = time.time()
                started = list(pool.map(lambda _: functions.invoke("held", {"hold": 3}), range(100)))
            spans.append(max(started) - began)
        return spans

    def workers(self):
        """Memory of an idle Python worker that is its own; and an answer of 100 MB in pieces, with the server's memory."""
        count = 20
        rates, grown = [], []
        with Brume(self.data("workers")) as brume:
            functions = Functions(brume)
            functions.make("held", PYTHON, {"app.py": PYTHON_HELD}, memory=1769)
            with concurrent.futures.ThreadPoolExecutor(count) as pool:
                list(pool.map(lambda _: functions.invoke("held", {"hold": 1}), range(count)))
            found = worker_processes(brume)
            if len(found) < count:
                raise Failure(f"{len(found)} workers of {count} were found")
            private = [private_kib(process) / 1024 for process in found]
            functions.make("stream", NODEJS, {"app.js": NODE_STREAM}, memory=512)
            host = functions.url_host("stream", InvokeMode="RESPONSE_STREAM")
            self.read_stream(brume, host)
            before = brume.memory_kib()[0]
            for _ in range(self.runs):
                rates.append(self.read_stream(brume, host))
                grown.append(max(0, brume.memory_kib()[0] - before) / 1024)
        return [
            Row("idle Python worker, its own memory", "MiB", "<=", 6, private),
            Row("stream of 100 MB", "MB/s", ">=", 500, rates),
            Row("  memory of the server, over before", "MiB", "<=", 8, grown),
        ]

    def logs(self):
        """A function that logs a hundred thousand lines a second while another is invoked, beside the same with all lines
        dropped where they would be kept: what is asked is what keeping them costs, not what writing them does. The two
        servers take turns, several times, so that each pair has about the same of the machine."""
        kept, dropped, stored = [], [], []
        with self.logging("dropped", 0) as drops, self.logging("kept", 1 << 24) as keeps:
            for _ in range(self.runs * LOG_TURNS):
                dropped.append(self.rate_beside_logger(*drops)[0])
                rate, lines = self.rate_beside_logger(*keeps)
                kept.append(rate)
                stored.append(lines)
        return [
            Row("log lines kept, of 100,000 a second", "/s", ">=", 0.9 * LOG_LINES, stored),
            Row("  invocations meanwhile", "/s", ">=", 0.9, kept, dropped, "lines dropped", by_ratio=True),
        ]

    @contextlib.contextmanager
    def logging(self, name, pending_bytes):
        """A server that keeps so much of what is logged, with the two functions; its functions, and requests for one."""
        requests = os.path.join(self.top, f"requests-{name}")
        limits = [f"RUNTIME_LOG_PENDING_BYTES={pending_bytes}", "RUNTIME_LOG_EVENTS=0"]
        with Brume(self.data(f"logs-{name}"), *[word for limit in limits for word in ("--limit", limit)]) as brume:
            functions = Functions(brume)
            functions.make("hello", NODEJS, {"app.js": NODE_HELLO})
            functions.make("logger", PYTHON, {"app.py": PYTHON_LOGGER}, memory=512)
            functions.invoke("logger", {"seconds": 1})
            presign.write_requests(requests, [f"GET / HTTP/1.1\r\nHost: {functions.url_host('hello')}\r\n\r\n"])
            wrk(brume.port, requests, 16, 1)
            yield functions, requests

    def rate_beside_logger(self, functions, requests):
        """(invocations a second, lines kept a second)."""
        seconds = max(1, int(self.seconds) // LOG_TURNS)
        before = functions.logged_bytes("logger")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            taken = pool.submit(functions.invoke, "logger", {"seconds": seconds})
            rate = wrk(functions.brume.port, requests, 16, seconds)
        time.sleep(1)  # what waits is kept
        return rate, (functions.logged_bytes("logger") - before) / (len(LOG_LINE) + 26) / taken.result()

    @staticmethod
    def read_stream(brume, host):
        with socket.create_connection(("127.0.0.1", brume.port), timeout=60) as connection:
            started = time.perf_counter()
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            buffer, size, end = bytearray(1 << 20), 0, b""
            while not end.endswith(b"\r\n0\r\n\r\n"):
                got = connection.recv_into(buffer)
                if got == 0:
                    raise Failure("the stream was cut off")
                end = (end + buffer[max(0, got - 16):got])[-16:]
                size += got
        taken = time.perf_counter() - started
        if size < STREAM_BYTES:
            raise Failure(f"{size} bytes of {STREAM_BYTES} came")
        return STREAM_BYTES / 1e6 / taken
