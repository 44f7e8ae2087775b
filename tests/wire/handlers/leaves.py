#!/usr/bin/python3
"""A custom runtime that reports an error, and ends."""
import http.client
import os
import sys

PATH = "/2018-06-01/runtime/invocation/"
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", PATH + "next")
    answer = api.getresponse()
    event, id = answer.read(), answer.headers["Lambda-Runtime-Aws-Request-Id"]
    if event == b'"leave"':
        api.request("POST", f"{PATH}{id}/error", b'{"errorType":"Panic"}')
        api.getresponse().read()
        sys.exit(1)
    api.request("POST", f"{PATH}{id}/response", b'"stayed"')
    api.getresponse().read()
