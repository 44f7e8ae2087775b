#!/usr/bin/env python3
"""An external extension for tests: it registers, tells a server of the test's own what it is given, and does what the
function's variable SHIPPER says. Its file's name is its name."""

import http.client
import http.server
import json
import os
import socketserver
import sys
import threading
import time

NAME = os.path.basename(sys.argv[0])
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
PLAN = json.loads(os.environ.get("SHIPPER", "{}"))
connection = http.client.HTTPConnection(API)


def call(method, path, body=None, **fields):
    headers = {"Lambda-Extension-" + name.replace("_", "-"): value for name, value in fields.items()}
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def tell(**what):
    """To the test."""
    host = http.client.HTTPConnection(os.environ["TEST_SERVER"])
    host.request("POST", "/told", json.dumps({"from": NAME, **what}))
    host.getresponse().read()
    host.close()


class Batches(http.server.BaseHTTPRequestHandler):
    """Passes on what it is sent; refuses the first batches, as many as the plan says."""

    refused = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fails = Batches.refused < PLAN.get("refuse", 0)
        Batches.refused += fails
        if PLAN.get("stall"):
            time.sleep(3600)
        if not fails:
            tell(batch=json.loads(body), path=self.path)  # before it is taken: then the end may be told, and this process goes
        self.send_response(500 if fails else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, *_):
        pass


class Lines(socketserver.StreamRequestHandler):
    def handle(self):
        tell(batch=[json.loads(line) for line in self.rfile], path="tcp")


def listen():
    """A server for telemetry: the destination to subscribe with."""
    if PLAN.get("tcp"):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lines)
        destination = {"protocol": "TCP", "port": server.server_address[1]}
    else:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Batches)
        destination = {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{server.server_port}/batches"}
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return destination


def main():
    if PLAN.get("hang") == "register":
        time.sleep(3600)
    events = PLAN.get("events", ["INVOKE", "SHUTDOWN"])
    status, headers, body = call("POST", "/2020-01-01/extension/register", {"events": events}, Name=NAME,
                                 Accept_Feature="accountId")
    identifier = headers.get("Lambda-Extension-Identifier")
    tell(registered=json.loads(body), status=status, task_root="LAMBDA_TASK_ROOT" in os.environ)
    if "subscribe" in PLAN:
        path, body = PLAN["subscribe"]
        status, _, answer = call("PUT", path, {"destination": listen(), **body}, Identifier=identifier)
        tell(subscribed=json.loads(answer), status=status)
    if PLAN.get("fail") == "init":
        call("POST", "/2020-01-01/extension/init/error", {"errorMessage": "no", "errorType": "Ship.Init", "stackTrace": []},
             Identifier=identifier, Function_Error_Type="Ship.Init")
        time.sleep(3600)
    if PLAN.get("crash") == "init":
        sys.exit(3)
    if PLAN.get("hang") == "init":
        time.sleep(3600)
    print("shipper is ready", flush=True)
    while True:
        status, headers, body = call("GET", "/2020-01-01/extension/event/next", Identifier=identifier)
        event = json.loads(body)
        if event["eventType"] == "SHUTDOWN":
            tell(event=event, left_ms=event["deadlineMs"] - time.time() * 1000)
            return
        tell(event=event, left_ms=event["deadlineMs"] - time.time() * 1000)
        if PLAN.get("crash") == "invoke":
            os.kill(os.getpid(), 9)
        if PLAN.get("fail") == "exit":
            call("POST", "/2020-01-01/extension/exit/error", {"errorMessage": "no", "errorType": "Ship.Exit"},
                 Identifier=identifier, Function_Error_Type="Ship.Exit")
            time.sleep(3600)
        time.sleep(PLAN.get("work_s", 0))


main()
