"""rows.py: what is measured, a function a group; each gives rows of the table."""

import glob
import json
import os
import random
import shutil
import statistics
import subprocess
import time

import presign
from events import EventBench
from mappings import MappingBench
from processes import BRUME, LOAD, ROOT, Brume, Failure, Nginx, figures, h2load, wrk
from row import Row

MIB = 1024  # in KiB


class Bench(MappingBench, EventBench):
    """`top`: a directory on a disk (not in memory: syncs are part of what is measured)."""

    def __init__(self, top, quick):
        self.top = top
        self.runs = 1 if quick else 3
        self.seconds = 2 if quick else 5
        self.deep = 100000 if quick else 1000000
        self.parked = 2000 if quick else 10000
        self.busy = 120000 if quick else 300000  # messages that are being moved while two seconds are measured

    def data(self, name):
        path = os.path.join(self.top, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path, mode=0o700)
        return path

    # ---- Requests a second ----

    def sends(self):
        """SendMessage and SendMessageBatch by wrk, beside nginx's static answer to the same POST."""
        requests = os.path.join(self.top, "requests")
        plain, batched, static = [], [], []
        with Nginx(os.path.join(self.top, "nginx")) as nginx, Brume(self.data("sends")) as brume:
            brume.load("create", "bench", connections=1)
            for _ in range(self.runs):
                presign.presign_send(requests, brume.port, brume.url("bench"))
                static.append(wrk(nginx.port, requests, 64, self.seconds))
                plain.append(wrk(brume.port, requests, 64, self.seconds))
                presign.presign_batch(requests, brume.port, brume.url("bench"))
                batched.append(10 * wrk(brume.port, requests, 64, self.seconds))
        return [
            Row("SendMessage, 64 connections", "/s", ">=", 0.45, plain, static, "nginx static", by_ratio=True),
            Row("SendMessageBatch of 10, messages", "/s", ">=", 2.5, batched, plain, "SendMessage", by_ratio=True),
        ]

    def http2(self):
        """SendMessage by h2load: a hundred streams on one connection, beside HTTP/1.1 on 64 connections."""
        uris = os.path.join(self.top, "uris")
        one, four, many = [], [], []
        with Brume(self.data("http2")) as brume:
            brume.load("create", "bench", connections=1)
            for _ in range(self.runs):
                presign.presign_uris(uris, brume.port, brume.url("bench"))
                many.append(h2load(uris, self.seconds, "--h1", "-c64"))
                one.append(h2load(uris, self.seconds, "-c1", "-m100"))
                four.append(h2load(uris, self.seconds, "-c4", "-m25"))
        return [
            Row("SendMessage, HTTP/2, 100 streams", "/s", ">=", 1, one, many, "HTTP/1.1", by_ratio=True),
            Row("SendMessage, HTTP/2, 4 times 25", "/s", ">=", 1, four, many, "HTTP/1.1", by_ratio=True),
        ]

    def pipeline(self):
        """Send, receive, delete of one message through three requests; and one connection alone."""
        rates, alone, syncs = [], [], []
        slow = {"send": [], "receive": [], "delete": []}
        with Brume(self.data("pipeline")) as brume:
            brume.load("create", "bench", connections=1)
            brume.load("create", "alone", connections=1)
            for _ in range(self.runs):
                found = brume.load("pipeline", "bench", connections=64, seconds=self.seconds)
                rates.append(found["rate"])
                for name, values in slow.items():
                    values.append(found[f"{name}_p99"])
                syncs.append(fdatasync_ms(self.top))
                alone.append(brume.load("send", "alone", connections=1, seconds=2)["send_p50"])
        rows = [Row("send + receive + delete, messages", "/s", ">=", 12000, rates)]
        rows += [Row(f"  p99 of {name}", "ms", "<=", 10, values) for name, values in slow.items()]
        rows.append(Row("SendMessage p50, one connection", "ms", "<=", 0.5, alone, syncs, "fdatasync alone"))
        return rows

    def overload(self):
        """Batches from 64 connections, and from 4,000 that ask again at once whatever they are answered."""
        normal, accepted, slowest, refused = [], [], [], []
        send = {"batch": 10, "throttled": 1, "seconds": self.seconds}
        with Brume(self.data("overload")) as brume:
            brume.load("create", "bench", connections=1)
            for _ in range(self.runs):
                normal.append(brume.load("send", "bench", connections=64, **send)["rate"])
                found = brume.load("send", "bench", connections=4000, **send)
                accepted.append(found["rate"])
                slowest.append(found["send_p99"])
                turned_away = found.get("refused_count", 0)
                refused.append(100 * turned_away / (turned_away + found["send_count"]))
        return [
            Row("4,000 connections, messages accepted", "/s", ">=", 0.8, accepted, normal, "64 connections", by_ratio=True),
            Row("  p99 of what is accepted", "ms", "<=", 1000, slowest),
            Row("  refused", "%", "<=", None, refused),
        ]

    # ---- Groups of messages ----

    def ordered(self):
        """SendMessage to a FIFO queue, 100 groups in turn, beside the same to a standard one."""
        plain, fifo = [], []
        with Brume(self.data("ordered")) as brume:
            brume.load("create", "plain", connections=1)
            brume.load("create", "ordered.fifo", connections=1, fifo=1)
            for _ in range(self.runs):
                plain.append(brume.load("send", "plain", seconds=self.seconds)["rate"])
                fifo.append(brume.load("send", "ordered.fifo", seconds=self.seconds, groups=100, fifo=1)["rate"])
        return [Row("SendMessage, FIFO, 100 groups", "/s", ">=", 0.8, fifo, plain, "standard", by_ratio=True)]

    def fair(self):
        """Receives of one message from a queue whose messages are of 10 000 groups, beside one without groups."""
        count = max(self.deep // 25, 10000)
        plain, fair = [], []
        with Brume(self.data("fair")) as brume:
            for run in range(self.runs):
                for name, groups, rates in ((f"plain{run}", 0, plain), (f"fair{run}", 10000, fair)):
                    brume.load("create", name, connections=1)
                    brume.load("send", name, batch=10, count=count, groups=groups)
                    rates.append(self.receive_all(brume, name, count))
        return [Row("receive, fair, 10,000 groups", "/s", ">=", 0.7, fair, plain, "no groups", by_ratio=True)]

    # ---- Other ways to ask ----

    def tls(self):
        """SendMessage over TLS on connections that are kept, beside the same in the clear."""
        requests = os.path.join(self.top, "requests")
        keys = self.data("keys")
        subprocess.run([BRUME, "tls", "self-signed", "--directory", keys], stdout=subprocess.DEVNULL, check=True)
        options = ["--tls-cert", os.path.join(keys, "cert.pem"), "--tls-key", os.path.join(keys, "key.pem")]
        clear, secret = [], []
        with Brume(self.data("clear")) as open_brume, Brume(self.data("secret"), *options) as tls_brume:
            open_brume.load("create", "bench", connections=1)
            tls_brume.call("CreateQueue", tls=True, QueueName="bench")
            for _ in range(self.runs):
                presign.presign_send(requests, open_brume.port, open_brume.url("bench"))
                clear.append(wrk(open_brume.port, requests, 64, self.seconds))
                presign.presign_send(requests, tls_brume.port, tls_brume.url("bench"))
                secret.append(wrk(tls_brume.port, requests, 64, self.seconds, scheme="https"))
        return [Row("SendMessage, TLS, 64 connections", "/s", ">=", 0.8, secret, clear, "in the clear", by_ratio=True)]

    # ---- Deep queues, start, memory ----

    def deep_queue(self):
        """A deep queue against shallow ones, the memory that it costs, and starts on top of it."""
        data = self.data("deep")
        with Brume(data) as brume:
            idle = brume.memory_kib()[0]
            rates = self.receive_rates(brume)
            grown = (brume.memory_kib()[0] - idle) / MIB
        rows = [
            Row(f"receive from {self.deep:,} waiting", "/s", ">=", 0.8, rates[0], rates[1], "1,000 waiting", by_ratio=True),
            Row("  memory over idle", "MiB", "<=", 64, [grown]),
        ]
        rows.append(Row("start to ready, clean stop", "ms", "<=", 25, self.clean_starts(data), exec_ms(self.runs), "brume version"))
        rows.append(Row("start to ready, kill -9 under load", "ms", "<=", 300, self.hard_starts(data)))
        shutil.rmtree(data)
        return rows

    def receive_rates(self, brume):
        """([deep], [shallow]): equal numbers of receives, from one deep queue and from many of a thousand."""
        receives = 10000 if self.deep < 1000000 else 30000
        brume.load("create", "deep", connections=1)
        brume.load("send", "deep", batch=10, count=self.deep)
        deep, shallow = [], []
        for run in range(self.runs):
            queues = {"queues": receives // 1000}
            brume.load("create", f"shallow{run}", connections=1, **queues)
            brume.load("send", f"shallow{run}", batch=10, count=receives, **queues)
            shallow.append(self.receive_all(brume, f"shallow{run}", receives, **queues))
            deep.append(self.receive_all(brume, "deep", receives))
        return deep, shallow

    @staticmethod
    def receive_all(brume, queue, receives, **queues):
        found = brume.load("receive", queue, count=receives, **queues)
        if found["empty"] > receives / 100:
            raise Failure(f"{found['empty']:.0f} of {receives} receives gave nothing")
        return found["rate"]

    def clean_starts(self, data):
        times = []
        for _ in range(max(self.runs, 3)):
            with Brume(data) as brume:
                times.append(brume.ready_ms)
        return times

    def hard_starts(self, data):
        """Killed at another moment of the load each time, so with more or less log to read."""
        times = []
        for run in range(max(self.runs, 3)):
            brume = Brume(data)
            load = brume.start_load("send", "deep", batch=10, seconds=30, quiet=True)
            time.sleep(2 + random.Random(run).random() * 2)
            brume.close()
            load.wait(timeout=60)  # its connections are gone, so it ends
            load.stdout.close()
            with Brume(data) as again:
                times.append(again.ready_ms)
        return times

    # ---- Move tasks ----

    def move(self):
        """A task that moves a tenth of the deep queue's messages, alone; and one beside traffic on another queue."""
        moved, alone, beside = [], [], []
        with Brume(self.data("move")) as brume:
            brume.load("create", "bench", connections=1)
            for run in range(self.runs):
                task = self.start_move(brume, f"lone{run}", self.deep // 10)
                started = time.monotonic()
                while self.last_move(brume, task)["Status"] == "RUNNING":
                    time.sleep(0.005)
                moved.append(self.deep / 10 / (time.monotonic() - started))
                alone.append(brume.load("pipeline", "bench", connections=64, seconds=2)["rate"])
                task = self.start_move(brume, f"busy{run}", self.busy)
                beside.append(brume.load("pipeline", "bench", connections=64, seconds=2)["rate"])
                if self.last_move(brume, task)["Status"] != "RUNNING":
                    raise Failure("the messages were moved before the traffic ended")
                while self.last_move(brume, task)["Status"] == "RUNNING":
                    time.sleep(0.1)
        return [
            Row(f"move task, {self.deep // 10:,} messages", "/s", ">=", 20000, moved),
            Row("send + receive + delete beside one", "/s", ">=", 0.7, beside, alone, "without", by_ratio=True),
        ]

    @staticmethod
    def start_move(brume, name, count):
        """Fills a dead-letter queue, and starts to move its messages to another; gives the former's ARN."""
        arn = f"arn:aws:sqs:{presign.REGION}:000000000000:{name}"
        brume.load("create", name, connections=1)
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
        brume.call("CreateQueue", QueueName=f"{name}-source", Attributes={"RedrivePolicy": policy})
        brume.load("send", name, batch=10, count=count)
        brume.call("StartMessageMoveTask", SourceArn=arn, DestinationArn=f"{arn}-source")
        return arn

    @staticmethod
    def last_move(brume, arn):
        task = brume.call("ListMessageMoveTasks", SourceArn=arn)["Results"][0]
        if task["Status"] == "FAILED":
            raise Failure(f"the move failed: {task}")
        return task

    def idle(self):
        """Memory of a server that nobody has used yet."""
        anonymous, resident = [], []
        for _ in range(self.runs):
            with Brume(self.data("idle")) as brume:
                time.sleep(1)
                memory = brume.memory_kib()
                anonymous.append(memory[0] / MIB)
                resident.append(memory[1] / MIB)
        return [
            Row("idle, anonymous memory", "MiB", "<=", 8, anonymous),
            Row("idle, resident memory", "MiB", "<=", 24, resident),
        ]

    def polls(self):
        """Parked long polls cost no processor time: less than a hundredth of one second in each; and a message wakes
        its waiter at once."""
        ways = {"HTTP/1.1": {"connections": self.parked}, "HTTP/2": {"connections": self.parked // 100, "streams": 100}}
        rows = []
        with Brume(self.data("polls")) as brume:
            brume.load("create", "park", queues=1000)
            for way, options in ways.items():
                used = [self.parked_processor(brume, **options) for _ in range(self.runs)]
                rows.append(Row(f"{self.parked:,} parked polls, {way}", "s/s", "<=", 0.01, used))
            syncs, wakes = [], []
            for _ in range(self.runs):
                syncs.append(fdatasync_ms(self.top))
                found = brume.load("wake", "park", queues=1000, count=500, **ways["HTTP/2"])
                wakes.append(found["wake_p50"])
        rows.append(Row("  send to received, p50, HTTP/2", "ms", "<=", 1, wakes, syncs, "fdatasync alone"))
        return rows

    @staticmethod
    def parked_processor(brume, **options):
        load = brume.start_load("park", "park", queues=1000, seconds=7, **options)
        if load.stdout.readline().strip() != "parked":
            raise Failure("the long polls could not be parked")
        before = brume.cpu_seconds()
        time.sleep(5)
        used = (brume.cpu_seconds() - before) / 5
        left = figures(load.communicate(timeout=60)[0])
        if load.returncode != 0 or left["left_early"] > 0:
            raise Failure(f"long polls did not stay: {left}")
        return used

    # ---- The executable and its parts ----

    def size(self):
        stripped = os.path.join(self.top, "stripped")
        subprocess.run(["strip", "-o", stripped, BRUME], check=True)
        return [Row("executable, stripped", "MiB", "<=", 4, [os.path.getsize(stripped) / 1024 / 1024])]

    MICRO_TARGETS = {"json_decode_plain": ("ns", 600), "pattern_match_10": ("ns", 2000), "sigv4_verify": ("us", 2)}

    def micro(self):
        """The programs micro_*: each prints `name value unit`. Those without a target are shown for comparison."""
        rows = []
        for source in sorted(glob.glob(os.path.join(ROOT, "tests/bench/micro_*.c"))):
            program = os.path.join(ROOT, "build/tests/bench", os.path.basename(source)[:-2])
            values, units = {}, {}
            for _ in range(self.runs):
                output = subprocess.run([program], stdout=subprocess.PIPE, text=True, timeout=120, check=True).stdout
                for line in output.splitlines():
                    name, value, unit = line.split()
                    values.setdefault(name, []).append(float(value))
                    units[name] = unit
            for name, measured in values.items():
                if units[name] == "bytes":  # the size of an input, no figure
                    continue
                unit, target = self.MICRO_TARGETS.get(name, (units[name], None))
                if unit != units[name]:
                    raise Failure(f"{name} is given in {units[name]}, its target in {unit}")
                rows.append(Row(name, unit, "<=", target, measured))
        missing = set(self.MICRO_TARGETS) - {row.name for row in rows}
        if missing:
            raise Failure(f"no microbenchmark prints {', '.join(sorted(missing))}")
        return rows


def fdatasync_ms(top):
    """What the disk itself takes: the median of appending 512 bytes and waiting for them."""
    path = os.path.join(top, "fdatasync")
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(300):
            started = time.monotonic()
            file.write(bytes(512))
            os.fdatasync(file.fileno())
            times.append((time.monotonic() - started) * 1000)
    os.unlink(path)
    return statistics.median(times)


def exec_ms(runs):
    """What starting and ending the process takes without opening anything."""
    times = []
    for _ in range(max(runs, 3)):
        started = time.monotonic()
        subprocess.run([BRUME, "version"], stdout=subprocess.DEVNULL, check=True)
        times.append((time.monotonic() - started) * 1000)
    return times
