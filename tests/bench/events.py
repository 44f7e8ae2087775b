"""events.py: what is measured of events for functions, a function a group, as in rows.py."""

import os
import re
import time
import urllib.request

import presign
from functions import NODEJS, NODE_HELLO, Functions
from processes import Brume, Failure, Nginx, wrk
from row import Row

TIMEOUT = 120


class EventBench:
    def events(self):
        """Event invokes accepted by wrk, beside nginx's static answer to the same POST; and how fast they are processed."""
        requests = os.path.join(self.top, "requests")
        accepted, processed, static = [], [], []
        with Nginx(os.path.join(self.top, "nginx")) as nginx, Brume(self.data("events")) as brume:
            functions = Functions(brume)
            functions.make("hello", NODEJS, {"app.js": NODE_HELLO})
            functions.invoke("hello")
            for _ in range(self.runs):
                presign.presign_event(requests, brume.port, "hello")
                static.append(wrk(nginx.port, requests, 64, self.seconds))
                begun, done = time.monotonic(), self.succeeded(brume)
                accepted.append(wrk(brume.port, requests, 64, self.seconds))
                ended = self.await_all(brume)
                processed.append((self.succeeded(brume) - done) / (ended - begun))
        return [
            Row("event invoke accepted, 64 connections", "/s", ">=", 0.4, accepted, static, "nginx static", by_ratio=True),
            Row("  processed, Node.js hello", "/s", ">=", None, processed),
        ]

    def succeeded(self, brume):
        return self.metric(brume, "succeeded_total")

    def metric(self, brume, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{brume.port}/_brume/metrics", timeout=30) as answer:
            text = answer.read().decode()
        return int(re.search(rf"^brume_function_events_{name} (\d+)$", text, re.M).group(1))

    def await_all(self, brume):
        """When no event waits or runs any more."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            if self.metric(brume, "held") == 0:
                return time.monotonic()
            time.sleep(0.05)
        raise Failure(f"events are not processed within {TIMEOUT} s")
