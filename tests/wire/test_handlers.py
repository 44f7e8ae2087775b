"""Real handlers, deployed and invoked through the SDK: what applications do inside of functions, and custom runtimes."""

import concurrent.futures
import functools
import http.server
import itertools
import json
import pathlib
import signal
import socketserver
import ssl
import threading
import time

import psycopg2
import pytest
from brume import command
from conftest import client
from deployment import C_BOOTSTRAP, HANDLERS, ROOT, Deployer, files_below
from postgres import Postgres

ACCOUNT = "123456789012"
KEY, SECRET = "BRUMEROOTKEY00000001", "root/secret+with=signs"
PYTHON, NODEJS, CUSTOM = "python3.11", "nodejs22.x", "provided.al2023"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def deployer(server):
    return Deployer(lambda service: client(server, service))


@pytest.fixture
def name():
    return f"function-{next(numbers)}"


@pytest.fixture
def deploy(deployer, name):
    """Deploys a function of this test's own name."""
    return lambda files, runtime, **more: deployer.deploy(name, files, runtime, **more)


# ---- Connections that outlive an event ----

@pytest.fixture(scope="module")
def postgres():
    running = Postgres()
    with psycopg2.connect(running.url) as connection, connection.cursor() as cursor:
        cursor.execute("create table visits (id serial primary key, who text)")
    connection.close()
    yield running
    running.stop()


def test_a_postgresql_connection_opened_outside_of_the_handler_is_used_again(deploy, postgres):
    library = pathlib.Path(psycopg2.__file__).parent
    files = {"app.py": HANDLERS / "visits.py", **files_below(library, "psycopg2/")}
    function = deploy(files, PYTHON, environment={"DATABASE": postgres.url})
    rows = [function.ask({"who": f"visitor {number}"}) for number in range(50)]
    assert [number for number, _ in rows] == list(range(1, 51))
    assert len({backend for _, backend in rows}) == 1
    with psycopg2.connect(postgres.url) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_stat_activity "
                       "where backend_type = 'client backend' and pid <> pg_backend_pid()")
        assert cursor.fetchone() == (1,)
    connection.close()


def test_each_worker_has_a_database_connection_of_its_own(deploy, postgres):
    library = pathlib.Path(psycopg2.__file__).parent
    files = {"app.py": HANDLERS / "visits.py", **files_below(library, "psycopg2/")}
    function = deploy(files, PYTHON, environment={"DATABASE": postgres.url})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda number: function.ask({"who": f"{number}"}), range(80)))
    assert len({number for number, _ in rows}) == 80
    assert 1 <= len({backend for _, backend in rows}) <= 8


class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.connections += 1
        for line in self.rfile:
            self.wfile.write(b"echo " + line)


@pytest.fixture
def echo():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads, server.connections = True, 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_socket_opened_outside_of_the_handler_stays_open(deploy, echo):
    function = deploy({"app.py": HANDLERS / "keeper.py"}, PYTHON, environment={"ECHO": "127.0.0.1:%d" % echo.server_address[1]})
    assert [function.ask(number) for number in range(100)] == [f"echo {number}" for number in range(100)]
    assert echo.connections == 1


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def do_GET(self):
        body = f"echo {self.path[1:]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.daemon_threads, server.connections = True, 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_an_agent_of_node_keeps_its_connection(deploy, pages):
    function = deploy({"app.cjs": HANDLERS / "keeper.cjs"}, NODEJS, environment={"ECHO": "127.0.0.1:%d" % pages.server_address[1]})
    assert [function.ask(number) for number in range(100)] == [f"echo {number}" for number in range(100)]
    assert pages.connections == 1


# ---- SDKs that are told nothing ----

@pytest.mark.parametrize("runtime, file", [(PYTHON, "sender.py"), (NODEJS, "sender.mjs")])
def test_an_sdk_inside_a_function_reaches_this_server_as_the_role(server, deploy, name, runtime, file):
    sqs = client(server)
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    function = deploy({f"app.{file.split('.')[1]}": HANDLERS / file}, runtime)
    said = function.ask({"queue": name, "body": "from inside"})
    assert said["who"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/runner/{name}"
    message, = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert (message["MessageId"], message["Body"]) == (said["message"], "from inside")


@pytest.mark.parametrize("runtime, file", [(PYTHON, "prefixed.py"), (NODEJS, "prefixed.mjs")])
def test_an_operation_with_a_host_prefix_reaches_this_server(deploy, runtime, file):
    function = deploy({f"app.{file.split('.')[1]}": HANDLERS / file}, runtime)
    assert function.ask({}) == [
        "Brume does not implement the service AWSStepFunctions (operation StartSyncExecution)."] * 3


@pytest.mark.parametrize("runtime, file", [(PYTHON, "sender.py"), (NODEJS, "sender.mjs")])
def test_a_role_s_credentials_sign_where_signatures_are_verified(start, runtime, file):
    server = start("--auth", "signed", environment={"BRUME_ACCESS_KEY_ID": KEY, "BRUME_SECRET_ACCESS_KEY": SECRET})
    deployer = Deployer(lambda service: client(server, service, key=KEY, secret=SECRET))
    queue = client(server, key=KEY, secret=SECRET).create_queue(QueueName="orders")["QueueUrl"]
    function = deployer.deploy("sender", {f"app.{file.split('.')[1]}": HANDLERS / file}, runtime)
    said = function.ask({"queue": "orders", "body": "signed"})
    assert said["who"].endswith(":assumed-role/runner/sender")
    message, = client(server, key=KEY, secret=SECRET).receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert message["Body"] == "signed"


# ---- Powertools and Middy ----

@pytest.fixture(scope="module")
def shop(deployer):
    """Their packages as npm installs them, in one deployment package."""
    files = {"app.mjs": HANDLERS / "shop.mjs", **files_below(ROOT / "tests" / "runtime" / "node_modules", "node_modules/")}
    assert "node_modules/@middy/core/package.json" in files, "run tools/setup"
    deploy = functools.partial(deployer.deploy, files=files, runtime=NODEJS, MemorySize=512)
    return {handler: deploy(f"shop-{handler}", handler=f"app.{handler}") for handler in ("handler", "batch")}


def lines_of(log):
    """The log events that are JSON."""
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def test_powertools_and_middy_run_unmodified(shop):
    request = {"headers": {"Content-Type": "application/json"}, "body": json.dumps({"item": "tea"})}
    for first in (True, False):
        answer = shop["handler"].invoke(request)
        assert answer.payload["statusCode"] == 200, (answer.payload, answer.log)
        assert json.loads(answer.payload["body"]) == {"item": "tea", "price": 3, "function": "shop-handler"}
        logged, = [line for line in lines_of(answer.log) if line.get("message") == "an order"]
        assert (logged["item"], logged["service"], logged["level"]) == ("tea", "orders", "INFO")
        assert (logged["function_request_id"], logged["function_name"]) == (answer.request_id, "shop-handler")
        assert (logged["cold_start"], int(logged["function_memory_size"])) == (first, 512)
        measured, = [line for line in lines_of(answer.log) if "_aws" in line]
        assert measured["orders"] == 1 and measured["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "shop"


def test_middy_answers_errors_as_http(shop):
    answer = shop["handler"].invoke({"headers": {"Content-Type": "application/json"}, "body": "{no"})
    assert answer.payload["statusCode"] == 422, (answer.payload, answer.log)
    assert answer.payload["body"] == "Invalid or malformed JSON was provided"


def test_powertools_takes_a_batch_apart(shop):
    records = [{"messageId": str(number), "body": body, "eventSource": "aws:sqs"} for number, body in enumerate(["good", "bad", "good"])]
    assert shop["batch"].ask({"Records": records}) == {"batchItemFailures": [{"itemIdentifier": "1"}]}


# ---- Processes ----

def test_a_function_runs_other_programs_and_threads(deploy):
    function = deploy({"app.py": HANDLERS / "processes.py"}, PYTHON, environment={"GREETING": "hello"})
    first = function.invoke(["one", "two", "three", "four"])
    assert first.payload["words"] == ["ONE", "TWO", "THREE", "FOUR"] and first.payload["status"] == 3, first.log
    assert "from hello shell" in first.log
    # None is left behind.
    assert function.ask(["a"] * 40)["processes"] <= first.payload["processes"]


# ---- Custom runtimes ----

def test_a_custom_runtime_in_c_keeps_its_state(deploy, name):
    function = deploy({"bootstrap": C_BOOTSTRAP}, CUSTOM, handler="any", environment={"GREETING": "hello"})
    for count in range(1, 51):
        assert function.ask({"a": "wörld"}) == {"event": {"a": "wörld"}, "count": count}
    assert function.ask("environment") == (
        "PWD=/var/task _HANDLER=any LAMBDA_TASK_ROOT=/var/task AWS_REGION=us-east-1 GREETING=hello")


def test_a_custom_runtime_in_a_shell_script_with_curl(deploy):
    function = deploy({"bootstrap": HANDLERS / "bootstrap.sh", "function.sh": HANDLERS / "function.sh"}, CUSTOM,
                      handler="function.handler")
    for event in ({"a": 1}, [1, 2], "x"):
        answer = function.invoke(event)
        assert answer.payload == {"echo": event}, answer.log
        assert "seen " in answer.log


def test_a_custom_runtime_reports_an_error(deploy):
    function = deploy({"bootstrap": C_BOOTSTRAP}, CUSTOM, handler="any")
    answer = function.invoke("fail")
    assert answer.failed and answer.payload == {"errorMessage": "as you wish", "errorType": "Bootstrap.Failed"}
    assert function.ask(1) == {"event": 1, "count": 1}


@pytest.mark.parametrize("wish, how", [("exit", "exit status 3"), ("crash", "signal: segmentation fault")])
def test_how_a_custom_runtime_ended_is_told(deploy, wish, how):
    function = deploy({"bootstrap": C_BOOTSTRAP}, CUSTOM, handler="any")
    answer = function.invoke(wish)
    assert answer.failed and answer.payload == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {answer.request_id} Error: Runtime exited with error: {how}"}
    assert function.ask(1) == {"event": 1, "count": 1}


@pytest.mark.parametrize("files, why", [
    ({"other": "#!/bin/sh\n"}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
    ({"bootstrap": "no program"}, "fork/exec /var/task/bootstrap: exec format error")])
def test_a_function_without_a_program_is_told_so(deploy, files, why):
    function = deploy(files, CUSTOM, handler="any")
    answer = function.invoke(1)
    assert answer.failed and answer.payload == {
        "errorType": "Runtime.InvalidEntrypoint", "errorMessage": f"RequestId: {answer.request_id} Error: {why}"}


def test_a_custom_runtime_streams(deploy, name, deployer):
    function = deploy({"bootstrap": C_BOOTSTRAP}, CUSTOM, handler="any")
    whole = "".join(f"piece {number}\n" for number in range(100))
    answer = deployer.client.invoke(FunctionName=name, Payload='"stream"')
    assert answer["Payload"].read().decode() == whole
    assert function.ask(1)["count"] == 1


def test_the_next_event_of_a_runtime_that_ended_behind_its_answer_is_run_by_another(deploy):
    """As AWS's library for Go ends after a panic."""
    function = deploy({"bootstrap": HANDLERS / "leaves.py"}, CUSTOM, handler="any")
    for _ in range(20):
        answer = function.invoke("leave")
        assert answer.failed and answer.payload == {"errorType": "Panic"}, answer.payload
        assert function.ask("stay") == "stayed"


# ---- HTTPS ----

@pytest.mark.parametrize("runtime, file", [(PYTHON, "sender.py"), (NODEJS, "sender.mjs")])
def test_an_sdk_inside_a_function_trusts_the_server_s_own_certificate(start, folder, runtime, file):
    """One that nobody else has signed; and after a new one, with a function that starts then."""
    command("tls", "self-signed", "--directory", folder / "tls")
    server = start(tls=folder / "tls")
    deployer = Deployer(functools.partial(client, server))
    for number in range(2):
        if number == 1:
            command("tls", "self-signed", "--directory", folder / "tls", "--force")
            server.process.send_signal(signal.SIGHUP)
            await_certificate(server)
            deployer.client = client(server, "lambda")
        function = deployer.deploy(
            f"sender-{number}", {f"app.{file.split('.')[1]}": HANDLERS / file}, runtime)
        queue = client(server).create_queue(QueueName=f"orders-{number}")["QueueUrl"]
        said = function.ask({"queue": f"orders-{number}", "body": "over TLS"})
        message, = client(server).receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        assert (message["MessageId"], message["Body"]) == (said["message"], "over TLS")


def await_certificate(server):
    """Until the server uses the certificate that is there now."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return server.request("GET", "/_brume/health")
        except ssl.SSLError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


TRUST_HANDLER = """
import os, ssl, subprocess
def handler(event, context):
    trust = ssl.create_default_context()
    path = os.environ["SSL_CERT_FILE"]
    health = os.environ["AWS_ENDPOINT_URL"] + "/_brume/health"
    curl = subprocess.run(["curl", "-sS", "-o", "/dev/null", health], capture_output=True, text=True)
    return {"authorities": len(trust.get_ca_certs()), "key": "PRIVATE" in open(path).read(), "curl": curl.stderr,
            "named": {name: os.environ.get(name) for name in ("AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")}}
"""


def test_functions_trust_the_system_s_authorities_as_well_and_see_no_key(start, folder):
    command("tls", "self-signed", "--directory", folder / "tls")
    both = folder / "tls" / "cert.pem"
    both.write_text(both.read_text() + (folder / "tls" / "key.pem").read_text())
    server = start(tls=folder / "tls")
    deployer = Deployer(functools.partial(client, server))
    said = deployer.deploy("trust", {"app.py": TRUST_HANDLER}, PYTHON,
                           environment={"NODE_EXTRA_CA_CERTS": "/var/task/own.pem"}).ask({})
    assert said["authorities"] >= len(ssl.create_default_context().get_ca_certs()) and not said["key"]
    assert said["curl"] == ""
    assert said["named"] == {"AWS_CA_BUNDLE": "/var/brume/trust.pem", "NODE_EXTRA_CA_CERTS": "/var/task/own.pem"}
