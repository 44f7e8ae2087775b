"""processes.py: the programs of a benchmark, each started here and stopped by its id."""

import contextlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import presign

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BRUME = os.path.abspath(os.environ.get("BRUME_BINARY", os.path.join(ROOT, "build/brume")))
LOAD = os.path.join(ROOT, "build/tests/bench/load/load")
# Where `make test` has installed what the machine lacks of runtimes.
RUNTIMES = os.path.join(ROOT, "build", "runtimes")
READY_SECONDS = 60
# Both ends of ten thousand connections.
FILES = 65536

KEYS = {
    "BRUME_ACCESS_KEY_ID": presign.KEY_ID,
    "BRUME_SECRET_ACCESS_KEY": presign.SECRET,
    "AWS_ACCESS_KEY_ID": presign.KEY_ID,
    "AWS_SECRET_ACCESS_KEY": presign.SECRET,
}


class Failure(Exception):
    """Something that makes a figure meaningless."""


def stop_process(process, number=signal.SIGTERM, seconds=60):
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"{process.args[0]} did not stop") from None


class Brume:
    """A server that verifies signatures; `ready_ms` is the time from its start to the line that it is ready."""

    def __init__(self, data, *arguments, binary=BRUME):
        command = [binary, "start", "--data", data, "--listen", "127.0.0.1:0", "--auth", "signed", *arguments]
        started = time.monotonic()
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command,
            env={"BRUME_RUNTIMES": RUNTIMES, **os.environ, **KEYS},
            stdout=subprocess.PIPE,
            stderr=self.errors,
            stdin=subprocess.DEVNULL,
        )
        try:
            self.port = self.read_port()
        except Failure:
            self.close()
            raise
        self.ready_ms = (time.monotonic() - started) * 1000

    def read_port(self):
        output = b""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                piece = os.read(self.process.stdout.fileno(), 4096)
                output += piece
                found = re.search(rb"127\.0\.0\.1:(\d+)", output)
                if found:
                    return int(found.group(1))
                if not piece:
                    break
        self.errors.seek(0)
        raise Failure(f"brume did not start: {output!r} {self.errors.read()[-500:]!r}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            stop_process(self.process)
        finally:
            self.close()

    def close(self):
        """By SIGKILL, when it has not ended yet."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.errors.close()

    def url(self, queue):
        return f"http://127.0.0.1:{self.port}/000000000000/{queue}"

    def memory_kib(self):
        """(anonymous, resident)."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as file:
            text = file.read()
        return tuple(int(re.search(rf"^{name}: +(\d+) kB", text, re.MULTILINE).group(1)) for name in ("Anonymous", "Rss"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def call(self, operation, tls=False, **members):
        """One signed call; gives the answer's members."""
        with contextlib.ExitStack() as stack:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=60))
            if tls:  # the certificate is this server's own
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                connection = stack.enter_context(context.wrap_socket(connection))
            connection.sendall(presign.Signer(self.port).request(operation, members).encode())
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            body = answer.read()
        if answer.status != 200:
            raise Failure(f"{operation}: {answer.status} {body[:300]!r}")
        return json.loads(body or b"{}")

    def load(self, mode, queue, **options):
        """Runs the load generator to its end; gives its figures by name."""
        process = self.start_load(mode, queue, **options)
        output = process.communicate(timeout=600)[0]
        if process.returncode != 0:
            raise Failure(f"load {mode} failed")
        return figures(output)

    def start_load(self, mode, queue, quiet=False, **options):
        """`quiet`: it will be cut off, and need not say so."""
        command = [LOAD, mode, "--port", str(self.port), "--queue", queue]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        return subprocess.Popen(
            command,
            env={**os.environ, **KEYS},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            text=True,
        )


def figures(output):
    """`name value unit` lines as a dict."""
    found = {}
    for line in output.splitlines():
        parts = line.split()
        if len(parts) == 3:
            found[parts[0]] = float(parts[1])
    return found


NGINX_CONF = """
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            default_type application/x-amz-json-1.0;
            return 200 '{{"MD5OfMessageBody":"0123456789abcdef0123456789abcdef","MessageId":"0123456789abcdef"}}';
        }}
    }}
}}
"""


class Nginx:
    """nginx answering every request with a static 200: what one process costs at least."""

    def __init__(self, directory):
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.access(binary, os.X_OK):
            raise Failure("nginx is not installed: run tools/setup")
        os.makedirs(directory, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        path = os.path.join(directory, "nginx.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(NGINX_CONF.format(directory=directory, port=self.port))
        self.process = subprocess.Popen([binary, "-p", directory, "-c", path], stdin=subprocess.DEVNULL)
        self.await_listening()

    def await_listening(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        stop_process(self.process)
        raise Failure("nginx did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop_process(self.process)


def h2load(uris, seconds, *how):
    """Requests a second, each answered with success; `how`: the version, connections, streams."""
    command = ["h2load", "-t1", f"-D{seconds}", *how, "-i", uris]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds + 60, check=True)
    rate = re.search(r"^finished in .*, ([0-9.]+) req/s", done.stdout, re.MULTILINE)
    bad = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
    codes = re.search(r"(\d+) 3xx, (\d+) 4xx, (\d+) 5xx", done.stdout)
    if rate is None or bad.groups() != ("0",) * 3 or codes.groups() != ("0",) * 3:
        raise Failure(f"h2load: {done.stdout.strip()[-500:]}")
    return float(rate.group(1))


def wrk(port, requests, connections, seconds, scheme="http"):
    """Requests a second, each answered with success."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", os.path.join(HERE, "wrk.lua")]
    command.append(f"{scheme}://127.0.0.1:{port}/")
    done = subprocess.run(
        command,
        env={**os.environ, "BENCH_REQUESTS": requests},
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds + 60,
        check=True,
    )
    counts = dict(re.findall(r"^(refused|broken) (\d+)$", done.stdout, re.MULTILINE))
    rate = re.search(r"^Requests/sec: +([0-9.]+)", done.stdout, re.MULTILINE)
    if rate is None or counts != {"refused": "0", "broken": "0"}:
        raise Failure(f"wrk: {done.stdout.strip()[-300:]}")
    return float(rate.group(1))
