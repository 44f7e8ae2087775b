"""mappings.py: what is measured of event source mappings, as in rows.py."""

import json
import os
import socket
import time
import urllib.request

import presign
from functions import NODEJS, FunctionBench, Functions, percentile
from processes import Brume, Failure
from row import Row

NODE_COUNT = "exports.handler = async (event) => event.Records.length;\n"
# How long each message was under way, a hundred in a line of the log.
NODE_AGES = """
const ages = [];
exports.handler = async (event) => {
    const now = performance.timeOrigin + performance.now();
    for (const record of event.Records) ages.push(now - Number(record.attributes.SentTimestamp));
    if (ages.length >= 100) console.log('ages ' + JSON.stringify(ages.splice(0)));
};
"""


def metric(brume, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{brume.port}/_brume/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"brume_{name} "):
                return int(line.split()[1])
    raise Failure(f"there is no metric {name}")


def wait_metric(brume, name, value, seconds=60):
    deadline = time.monotonic() + seconds
    while (now := metric(brume, name)) < value:
        if time.monotonic() > deadline:
            raise Failure(f"{name} is {now}, not {value}")
        time.sleep(0.01)


def arn_of(queue):
    return f"arn:aws:sqs:{presign.REGION}:000000000000:{queue}"


class MappingBench(FunctionBench):
    def mappings(self):
        """Queue to Node.js function in batches of 10; send to processed at 1 000 a second; what 10 000 idle ones cost."""
        rates, middles, cpu, bytes_each = [], [], [], []
        for run in range(self.runs):
            rates.append(self.drain_rate(f"drain{run}"))
            middles.append(self.ages(f"ages{run}"))
        cost = self.idle_cost("idle-mappings")
        cpu.append(cost[0])
        bytes_each.append(cost[1])
        return [
            Row("queue to function, batches of 10", "/s", ">=", 8000, rates),
            Row("send to processed at 1,000/s, p50", "ms", "<=", 3, middles),
            Row(f"{self.parked:,} idle mappings, each", "bytes", "<=", 1024, bytes_each),
            Row("  their processor time", "%", "<=", 0.1, cpu),
        ]

    def drain_rate(self, name):
        count = max(self.deep // 10, 20000)
        with Brume(self.data(name)) as brume:
            functions = Functions(brume)
            functions.make("count", NODEJS, {"app.js": NODE_COUNT})
            brume.load("create", "full", connections=1)
            brume.load("send", "full", batch=10, count=count)
            functions.invoke("count", {"Records": []})
            functions.client.create_event_source_mapping(FunctionName="count", EventSourceArn=arn_of("full"))
            wait_metric(brume, "mapping_records_total", 1)
            before, started = metric(brume, "mapping_records_total"), time.monotonic()
            wait_metric(brume, "mapping_records_total", count)
            return (count - before) / (time.monotonic() - started)

    def ages(self, name):
        count = 1000 * self.seconds
        log = os.path.join(self.data(name + "-log"), "functions")
        with Brume(self.data(name), "--function-log", log) as brume:
            functions = Functions(brume)
            functions.make("age", NODEJS, {"app.js": NODE_AGES})
            brume.load("create", "quick", connections=1)
            functions.client.create_event_source_mapping(FunctionName="age", EventSourceArn=arn_of("quick"))
            wait_metric(brume, "mapping_pollers", 1)
            signer = presign.Signer(brume.port)
            requests = [signer.request("SendMessage", {"QueueUrl": brume.url("quick"), "MessageBody": f"{number}"}).encode()
                        for number in range(count)]
            self.send_paced(brume.port, requests, 1000)
            wait_metric(brume, "mapping_records_total", count)
        ages = []
        with open(log, encoding="utf-8") as file:
            for line in file:
                if "ages [" in line:
                    ages += json.loads(line[line.index("ages [") + 5:])
        if len(ages) < count / 2:
            raise Failure(f"only {len(ages)} of {count} messages told how old they were")
        return percentile(ages, 0.5)

    @staticmethod
    def send_paced(port, requests, rate):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            started = time.monotonic()
            for number, request in enumerate(requests):
                time.sleep(max(0, started + number / rate - time.monotonic()))
                connection.sendall(request)
                if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
                    raise Failure("a message was refused")

    def idle_cost(self, name):
        """(percent of a processor, bytes for each); against the same server with the mappings disabled."""
        count = self.parked
        path = self.data(name)
        with Brume(path) as brume:
            functions = Functions(brume)
            functions.make("count", NODEJS, {"app.js": NODE_COUNT})
            made = []
            for number in range(count):
                brume.call("CreateQueue", QueueName=f"idle{number}")
                made.append(functions.client.create_event_source_mapping(
                    FunctionName="count", EventSourceArn=arn_of(f"idle{number}"), Enabled=False)["UUID"])
        with Brume(path) as brume:
            time.sleep(2)
            before = brume.memory_kib()[0]
            client = Functions.connect(brume)
            for uuid in made:
                client.update_event_source_mapping(UUID=uuid, Enabled=True)
        with Brume(path) as brume:
            wait_metric(brume, "mapping_pollers", count)
            time.sleep(2)
            used, seconds = brume.cpu_seconds(), 5
            time.sleep(seconds)
            return (brume.cpu_seconds() - used) / seconds * 100, (brume.memory_kib()[0] - before) * 1024 / count
