"""A Brume server for tests: started on a port of its own over a data directory of its own, stopped by its id."""

import http.client
import os
import re
import select
import signal
import ssl
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("BRUME_BINARY") or os.path.join(ROOT, "build", "brume")
READY = re.compile(r"^brume (\S+) listening on (https?://127\.0\.0\.1:(\d+)), data in (.+), auth (open|signed)$")

# Only what a test passes on: a server must not find credentials or settings of whoever runs the tests. What functions run
# on is what tools/test installs.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("BRUME_", "AWS_"))},
    "BRUME_RUNTIMES": os.environ.get("BRUME_RUNTIMES") or os.path.join(ROOT, "build", "runtimes"),
}


class DidNotStart(Exception):
    """The server ended, or said nothing, before it was ready."""

    def __init__(self, code, output, errors):
        super().__init__(f"exit code {code}; stdout: {output!r}; stderr: {errors!r}")
        self.code, self.output, self.errors = code, output, errors


class Server:
    """A running server. `url` is where it listens; `output` what it had printed when it was ready. `tls`: a folder with
    cert.pem and key.pem, as `brume tls self-signed` makes it; clients then need `certificate`."""

    def __init__(self, data, *arguments, environment=None, listen="127.0.0.1:0", seconds=20, tls=None):
        self.data = str(data)
        self.certificate = None
        if tls is not None:
            self.certificate = os.path.join(tls, "cert.pem")
            arguments = ("--tls-cert", self.certificate, "--tls-key", os.path.join(tls, "key.pem"), *arguments)
        self.errors_path = self.data.rstrip("/") + ".stderr"
        command = [BINARY, "start", "--data", self.data, "--listen", listen, *arguments]
        with open(self.errors_path, "ab") as errors:
            self.process = subprocess.Popen(command, env={**ENVIRONMENT, **(environment or {})}, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=errors)
        self.output = self._first_line(seconds)
        match = READY.match(self.output)
        if match is None:
            self.process.kill()
            raise DidNotStart(self.process.wait(), self.output, self.errors())
        self.version, self.url, self.auth = match.group(1), match.group(2), match.group(5)
        self.port = int(match.group(3))

    def _first_line(self, seconds):
        stdout, text, end = self.process.stdout.fileno(), b"", time.monotonic() + seconds
        while b"\n" not in text:
            readable, _, _ = select.select([stdout], [], [], max(0, end - time.monotonic()))
            piece = os.read(stdout, 4096) if readable else b""
            if not piece:
                if readable:
                    raise DidNotStart(self.process.wait(), text.decode(), self.errors())
                break
            text += piece
        return text.decode().split("\n")[0]

    def errors(self):
        """What the server has written to stderr."""
        with open(self.errors_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def terminate(self, seconds=20):
        """Stops the server as an operator does; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def request(self, method, path, body=None, headers=None):
        """One HTTP request as it stands, with nothing added by an SDK: (status, headers in lower case, body)."""
        if self.certificate is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        else:
            trust = ssl.create_default_context(cafile=self.certificate)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=trust)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def metric(self, name):
        """The value of a row of /_brume/metrics, by its name and labels; by its name alone: the sum of its rows, which is 0 of
        one that has none yet."""
        _, _, body = self.request("GET", "/_brume/metrics")
        rows = [line.rsplit(None, 1) for line in body.decode().splitlines() if not line.startswith("#")]
        values = [float(value) for label, value in rows if label == name or label.split("{")[0] == name]
        assert values or f"# TYPE {name} " in body.decode(), f"no row {name}"
        return sum(values)

    def json(self, operation, document, headers=None):
        """One SQS call in the JSON protocol, unsigned; `document` is the body's bytes."""
        return self.request("POST", "/", document, {
            "content-type": "application/x-amz-json-1.0", "x-amz-target": f"AmazonSQS.{operation}", **(headers or {})})

    def query(self, body, path="/", headers=None):
        """One SQS call in the Query protocol, unsigned."""
        return self.request("POST", path, body, {"content-type": "application/x-www-form-urlencoded", **(headers or {})})


def command(*arguments, environment=None, seconds=60, check=True):
    """Runs `brume ARGUMENTS…` to its end. `check`: it must end well."""
    done = subprocess.run([BINARY, *map(str, arguments)], env={**ENVIRONMENT, **(environment or {})}, timeout=seconds,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"brume {arguments}: {done.returncode}: {done.stdout}{done.stderr}"
    return done
