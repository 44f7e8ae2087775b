"""The Celery application of test_celery.py: its worker and its callers load it. What it talks to stands in CELERY_TEST, a
Python dictionary; what its tasks did they write as lines `NAME PID ATTEMPT` into a journal, in the order in which it happened."""

import ast
import os
import time

import celery

settings = ast.literal_eval(os.environ["CELERY_TEST"])
app = celery.Celery("celery_app", broker=settings["broker"], backend="file://" + settings["results"])
app.conf.update(
    broker_transport_options={"region": "us-east-1", "is_secure": False, "wait_time_seconds": 2, **settings["options"]},
    task_default_queue=settings["queue"], worker_prefetch_multiplier=2, broker_connection_retry_on_startup=True)


def note(name, attempt):
    with open(settings["journal"], "a", encoding="ascii") as file:
        file.write(f"{name} {os.getpid()} {attempt}\n")


@app.task
def add(a, b):
    return a + b


@app.task(bind=True, max_retries=5)
def succeed_at(self, name, attempt):
    note(name, self.request.retries)
    if self.request.retries < attempt:
        raise self.retry(countdown=0)
    return self.request.retries


@app.task(bind=True)
def tell(self, name):
    note(name, self.request.retries)
    return time.time()


@app.task(bind=True, acks_late=True)
def hold(self, name, gate):
    """Goes on when the file `gate` is there."""
    note(name, self.request.retries)
    while not os.path.exists(gate):
        time.sleep(0.05)
    return os.getpid()


@app.task(bind=True, acks_late=True, acks_on_failure_or_timeout=False)
def fail_until(self, name, gate):
    note(name, self.request.retries)
    if not os.path.exists(gate):
        raise RuntimeError("not yet")
    return "done"
