"""lambda_client.py: the smallest client of functions, in mode `open`."""

import base64
import http.client
import io
import json
import zipfile

from client import ANSWER_SECONDS

ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/worker"
FUNCTIONS = "/2015-03-31/functions"
RUNTIME = "python3.11"


class Ended(Exception):
    """The server was killed under the call."""


class Caller:
    """One connection; not for several threads."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def close(self):
        self.connection.close()

    def call(self, method, path, document=None, headers=None):
        """(status, document); Ended."""
        try:
            self.connection.request(method, path, None if document is None else json.dumps(document),
                                    {"content-type": "application/json", **(headers or {})})
            answer = self.connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as problem:
            raise Ended(str(problem)) from problem
        return answer.status, json.loads(body) if body else {}

    def ask(self, method, path, document, status, headers=None):
        """The answer, which must have that status."""
        got, answer = self.call(method, path, document, headers)
        if got != status:
            raise AssertionError(f"{method} {path}: {got} {answer}")
        return answer

    def make_function(self, name, text, **more):
        self.ask("POST", FUNCTIONS, {"FunctionName": name, "Runtime": RUNTIME, "Handler": "app.handler", "Role": ROLE,
                                     "Code": {"ZipFile": zip_file({"app.py": text})}, **more}, 201)


def call(port, method, path, document=None):
    """(status, document) of one call on a connection of its own; Ended."""
    caller = Caller(port)
    try:
        return caller.call(method, path, document)
    finally:
        caller.close()


def package(files):
    """A zip of {path: text}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()


def zip_file(files):
    """The same as an API takes it."""
    return base64.b64encode(package(files)).decode()
