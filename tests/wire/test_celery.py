"""Celery, with kombu's SQS transport, runs unmodified: real workers against a server that verifies signatures. kombu
receives by presigned GET requests of the Query protocol over pycurl, and does all else through boto3."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import boto3
import pytest

from brume import ENVIRONMENT, Server, command
from conftest import short_folder

KEY, SECRET = "BRUMEROOTKEY00000001", "a-secret"
HERE = pathlib.Path(__file__).parent
VISIBILITY_SECONDS = 1800  # kombu's default


@pytest.fixture(scope="module")
def server(module_folder):
    running = Server(module_folder / "data", "--virtual-clock", "--auth", "signed",
                     environment={"BRUME_ACCESS_KEY_ID": KEY, "BRUME_SECRET_ACCESS_KEY": SECRET})
    yield running
    assert running.terminate() == 0, running.errors()


@pytest.fixture(scope="module")
def sqs(server):
    return boto3.client("sqs", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id=KEY,
                        aws_secret_access_key=SECRET)


def wait_until(holds, what, seconds=30):
    """Workers are other processes: what they do is seen only by looking."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited {seconds} s for: {what() if callable(what) else what}"
        time.sleep(0.02)


class Celery:
    """One Celery application with its own queue: its workers, its callers, and what its tasks have told."""

    def __init__(self, server, folder, queue, **options):
        self.server, self.queue, self.folder = server, queue, folder
        self.journal = folder / "journal"
        self.log = folder / "log"
        (folder / "results").mkdir()
        self.environment = {**ENVIRONMENT, "PYTHONPATH": str(HERE), "CELERY_TEST": repr({
            "broker": f"sqs://{KEY}:{SECRET}@127.0.0.1:{server.port}", "queue": queue, "options": options,
            "journal": str(self.journal), "results": str(folder / "results")})}
        self.workers = []

    def command(self, *words):
        return [sys.executable, "-m", "celery", "-A", "celery_app", *words]

    def worker(self, pool="solo", processes=1):
        """A running worker, ready to take tasks."""
        before = self.said().count(" ready.")
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                self.command("worker", "--pool", pool, "--concurrency", str(processes), "--loglevel", "INFO"),
                env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        self.workers.append(process)
        wait_until(lambda: process.poll() is not None or self.said().count(" ready.") > before, self.said)
        assert process.poll() is None, self.said()
        return process

    def run(self, *words):
        """A celery command, to its end."""
        done = subprocess.run(self.command(*words), env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def call(self, code):
        """Runs Python that calls tasks, in a process of its own as a web application is; gives what it prints as JSON."""
        done = subprocess.run([sys.executable, "-c", "import json, time\nfrom celery_app import *\n" + code],
                              env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout or "null")

    def said(self):
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def notes(self, name):
        """What the task `name` noted: a (process, attempt) for each time that it ran."""
        lines = self.journal.read_text("ascii").splitlines() if self.journal.exists() else []
        return [tuple(map(int, line.split()[1:])) for line in lines if line.split()[0] == name]

    def advance(self, seconds):
        command("clock", "advance", f"{seconds}s", "--data", self.server.data)

    def stop(self):
        for process in self.workers:
            if process.poll() is None:
                process.terminate()
        for process in self.workers:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()


@pytest.fixture
def celery(server):
    """Makes an application: celery(queue, **broker_transport_options)."""
    made = []

    def make(queue, **options):
        folder = short_folder()
        made.append((folder, Celery(server, next(folder), queue, **options)))
        return made[-1][1]

    yield make
    for folder, application in made:
        application.stop()
        next(folder, None)


@pytest.fixture(scope="module")
def shop(server):
    """An application with a worker of two processes that the tests of this file share."""
    folder = short_folder()
    application = Celery(server, next(folder), "shop.orders", visibility_timeout=VISIBILITY_SECONDS)
    application.worker("prefork", 2)
    yield application
    application.stop()
    next(folder, None)


def counts(sqs, queue):
    """Messages that are receivable, in flight, delayed."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return [int(attributes[name]) for name in names]


def answered(server, operation):
    """How many calls of the operation succeeded."""
    text = server.request("GET", "/_brume/metrics")[2].decode()
    found = re.search(rf'^brume_requests_total{{.*operation="{operation}",outcome="ok"}} (\d+)$', text, re.M)
    return int(found.group(1)) if found else 0


def test_three_hundred_tasks_are_done_and_none_is_left(shop, sqs):
    sums = shop.call("print(json.dumps([r.get(timeout=50) for r in [add.delay(i, i) for i in range(300)]]))")
    assert sums == [2 * i for i in range(300)]
    wait_until(lambda: counts(sqs, "shop-orders") == [0, 0, 0], lambda: counts(sqs, "shop-orders"))


def test_the_worker_creates_its_queue_as_the_options_say(shop, sqs):
    url = sqs.get_queue_url(QueueName="shop-orders")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "QueueArn"])["Attributes"]
    assert attributes == {"VisibilityTimeout": str(VISIBILITY_SECONDS),
                          "QueueArn": "arn:aws:sqs:us-east-1:000000000000:shop-orders"}


def test_a_task_is_retried_until_it_succeeds(shop):
    assert shop.call("print(json.dumps(succeed_at.delay('retried', 3).get(timeout=30)))") == 3
    assert [attempt for _, attempt in shop.notes("retried")] == [0, 1, 2, 3]


def test_a_countdown_runs_once_and_not_before_its_time(shop):
    called, ran = shop.call("called = time.time()\n"
                            "print(json.dumps([called, tell.apply_async(('later',), countdown=1.5).get(timeout=30)]))")
    assert ran - called >= 1.5
    assert len(shop.notes("later")) == 1


def test_what_a_worker_holds_for_later_comes_back_after_the_visibility_timeout(celery, sqs):
    """Celery keeps tasks with a countdown in the worker, unacknowledged, and warns of countdowns beyond the visibility
    timeout (Celery's page "Using Amazon SQS", Caveats): the queue delivers them again."""
    application = celery("held", visibility_timeout=VISIBILITY_SECONDS)
    worker = application.worker()
    task = application.call("print(json.dumps(tell.apply_async(('held',), countdown=3000).id))")
    received = f"Task celery_app.tell[{task}] received"
    wait_until(lambda: application.said().count(received) == 1, application.said)
    assert counts(sqs, "held") == [0, 1, 0]
    application.advance(VISIBILITY_SECONDS)
    wait_until(lambda: application.said().count(received) == 2, application.said)
    assert application.notes("held") == []
    # A worker that is asked to end gives back what it holds: visible at once.
    worker.terminate()
    assert worker.wait(30) == 0, application.said()
    assert counts(sqs, "held") == [1, 0, 0]
    application.run("purge", "-f")
    assert counts(sqs, "held") == [0, 0, 0]


def test_tasks_of_a_worker_that_was_killed_run_again(celery, sqs):
    application = celery("late", visibility_timeout=600)
    first = application.worker("prefork", 2)
    gate = application.folder / "gate"
    application.call(f"for i in range(2): hold.delay(f'late-{{i}}', {str(gate)!r})")
    names = ["late-0", "late-1"]
    wait_until(lambda: all(application.notes(name) for name in names), application.said)
    assert counts(sqs, "late") == [0, 2, 0]
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    gate.touch()
    second = application.worker()
    application.advance(600)
    wait_until(lambda: all(len(application.notes(name)) == 2 for name in names), application.said)
    wait_until(lambda: counts(sqs, "late") == [0, 0, 0], lambda: counts(sqs, "late"))
    assert all(application.notes(name)[1][0] == second.pid for name in names)


def test_predefined_queues_are_used_as_they_are_and_failures_back_off(celery, server, sqs):
    url = sqs.create_queue(QueueName="ours", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
    before = sqs.list_queues()["QueueUrls"]
    application = celery("ours", predefined_queues={"ours": {
        "url": url, "access_key_id": KEY, "secret_access_key": SECRET,
        "backoff_policy": {1: 300, 2: 900}, "backoff_tasks": ["celery_app.fail_until"]}})
    application.worker()
    gate = application.folder / "gate"
    backoffs = answered(server, "ChangeMessageVisibility")
    application.call(f"fail_until.delay('backoff', {str(gate)!r})")
    for failures, seconds in ((1, 300), (2, 900)):
        wait_until(lambda: answered(server, "ChangeMessageVisibility") == backoffs + failures, application.said)
        application.advance(seconds - 5)
        assert counts(sqs, "ours") == [0, 1, 0]
        if failures == 2:
            gate.touch()
        application.advance(5)
        wait_until(lambda: len(application.notes("backoff")) > failures, application.said)
    wait_until(lambda: counts(sqs, "ours") == [0, 0, 0], lambda: counts(sqs, "ours"))
    assert len(application.notes("backoff")) == 3
    with pytest.raises(AssertionError, match="must be defined in 'predefined_queues'"):
        application.call("tell.apply_async(('nowhere',), queue='other')")
    assert sqs.list_queues()["QueueUrls"] == before


def test_a_wrong_secret_is_refused_by_name(celery):
    application = celery("refused")
    application.environment["CELERY_TEST"] = application.environment["CELERY_TEST"].replace(f":{SECRET}@", ":wrong@")
    with pytest.raises(AssertionError, match="SignatureDoesNotMatch"):
        application.call("add.apply_async((1, 2), retry=False)")
