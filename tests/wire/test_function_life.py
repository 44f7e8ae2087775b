"""Servers with functions: stopped, killed, and with the processes below them killed; and what functions log."""

import json
import os
import signal
import socket
import threading
import time

import botocore.exceptions
import pytest
from conftest import client
from functions import make, package, wait_settled

# Says where it is over a socket of the host's, so that nothing has to be guessed about when.
REPORTER = '''
import socket

def handler(event, context):
    with socket.create_connection(("127.0.0.1", event["port"])) as line:
        line.sendall(b"here")
        line.recv(4)
    return "done"
'''
PLAIN = "import os\ndef handler(event, context):\n    print('said', event)\n    return os.getpid()\n"
REACHES = '''
import socket

def handler(event, context):
    try:
        socket.create_connection(("127.0.0.1", event["port"]), 5).close()
    except OSError:
        return False
    return True
'''
PATIENCE = 30


def descendants(process):
    """All processes below one, by id."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                    parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                pass  # it ended meanwhile
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def wait_until(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(process):
    try:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Running:
    """An invocation that has reached its handler, and goes on when it is let."""

    def __init__(self, server, name):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE)
            payload = json.dumps({"port": listener.getsockname()[1]})
            self.result = None
            self.thread = threading.Thread(target=self._invoke, args=(server, name, payload))
            self.thread.start()
            self.line, _ = listener.accept()
            self.line.settimeout(PATIENCE)
            assert self.line.recv(4) == b"here"

    def _invoke(self, server, name, payload):
        try:
            self.result = client(server, "lambda").invoke(FunctionName=name, Payload=payload)["Payload"].read()
        except Exception as error:  # for whoever asks
            self.result = error

    def go_on(self):
        self.line.sendall(b"go")
        self.line.close()
        self.thread.join(PATIENCE)
        return self.result


def test_a_stop_lets_a_running_invocation_end(start):
    server = start("--log-level", "info")
    make(client(server, "lambda"), "reporter", Code={"ZipFile": package({"app.py": REPORTER})}, Timeout=60)
    running = Running(server, "reporter")
    server.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "event=stopping" in server.errors())
    assert running.go_on() == b'"done"'
    assert server.process.wait(PATIENCE) == 0


def test_kill_9_of_the_server_leaves_no_process_of_a_function(start):
    server = start()
    functions = client(server, "lambda")
    make(functions, "reporter", Code={"ZipFile": package({"app.py": REPORTER})}, Timeout=60)
    make(functions, "plain", Code={"ZipFile": package({"app.py": PLAIN})})
    functions.invoke(FunctionName="plain", Payload=b"1")
    running = Running(server, "reporter")
    below = descendants(server.process.pid)
    assert len(below) >= 4  # the keeper, the spawner, a zygote, two workers
    server.process.kill()
    server.process.wait()
    running.thread.join(PATIENCE)
    wait_until(lambda: not any(is_alive(process) for process in below))


def test_functions_go_on_when_what_starts_them_is_killed(start):
    server = start()
    functions = client(server, "lambda")
    make(functions, "plain", Code={"ZipFile": package({"app.py": PLAIN})})
    for _ in range(3):
        assert "FunctionError" not in functions.invoke(FunctionName="plain", Payload=b"1")
        keeper = descendants(server.process.pid)[0]
        spawner = descendants(keeper)[0]
        os.kill(spawner, signal.SIGKILL)
        wait_until(lambda gone=spawner: not is_alive(gone))
    result = functions.invoke(FunctionName="plain", Payload=b"1")
    # One that had been given to a worker when that was killed says so; the next one runs.
    if "FunctionError" in result:
        result = functions.invoke(FunctionName="plain", Payload=b"1")
    assert "FunctionError" not in result


def children(process):
    """Those of all of its threads."""
    found = []
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/children", encoding="ascii") as file:
            found += [int(child) for child in file.read().split()]
    return found


def test_functions_go_on_under_load_when_the_keeper_is_killed(start):
    """What watches over the process that starts functions is killed, again and again: each invocation is answered once."""
    kills, clients = 4, 3
    server = start("--log-level", "info")
    make(client(server, "lambda"), "plain", Code={"ZipFile": package({"app.py": PLAIN})})
    asked, results, stopped = [], [], threading.Event()

    def invoke_until_stopped():
        functions = client(server, "lambda")
        while not stopped.is_set():
            asked.append(1)
            results.append(functions.invoke(FunctionName="plain", Payload=b"1"))

    threads = [threading.Thread(target=invoke_until_stopped) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(kills):
            answers = len(results)
            wait_until(lambda before=answers: len([one for one in results[before:] if "FunctionError" not in one]) > 10)
            keeper = children(server.process.pid)[0]
            below = descendants(keeper)
            os.kill(keeper, signal.SIGKILL)
            wait_until(lambda gone=below: not any(is_alive(process) for process in gone))
            wait_until(lambda gone=keeper: children(server.process.pid) not in ([], [gone]))
    finally:
        stopped.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    assert len(results) == len(asked) == server.metric("brume_function_invocations_total")
    lost = [json.loads(one["Payload"].read()) for one in results if "FunctionError" in one]
    # Only what a worker had when it was killed.
    assert len(lost) <= kills * clients and all(one["errorType"] == "Runtime.ExitError" for one in lost)
    assert "FunctionError" not in client(server, "lambda").invoke(FunctionName="plain", Payload=b"1")
    assert server.errors().count("event=spawner_lost") == kills


def test_functions_are_refused_with_the_reason_while_they_cannot_be_isolated_and_go_on_after(start, folder):
    """What a sandbox is made of is taken away, and the keeper killed: as a machine that is short of something."""
    server = start("--log-level", "info", data=folder / "short")
    functions = client(server, "lambda")
    make(functions, "plain", Code={"ZipFile": package({"app.py": PLAIN})})
    functions.invoke(FunctionName="plain", Payload=b"1")
    (folder / "short" / "bootstraps").rename(folder / "away")
    os.kill(children(server.process.pid)[0], signal.SIGKILL)
    wait_until(lambda: "event=spawner_refuses" in server.errors())
    with pytest.raises(botocore.exceptions.ClientError, match="cannot be isolated at the moment.*open the runtime directory"):
        functions.invoke(FunctionName="plain", Payload=b"1")
    (folder / "away").rename(folder / "short" / "bootstraps")

    def runs_again():
        try:
            return "FunctionError" not in functions.invoke(FunctionName="plain", Payload=b"1")
        except functions.exceptions.ServiceException:
            return False

    wait_until(runs_again)
    assert server.errors().count("event=spawner_refuses") == 1


def test_what_starts_functions_has_nothing_of_the_servers_environment(start):
    server = start(environment={"BRUME_SOMETHING_SECRET": "hidden"})
    keeper = children(server.process.pid)[0]
    for process in [server.process.pid, keeper, *children(keeper)]:
        with open(f"/proc/{process}/environ", "rb") as file:
            assert (b"hidden" in file.read()) == (process == server.process.pid)


def test_after_a_restart_functions_run_again(start, folder):
    server = start(data=folder / "again")
    make(client(server, "lambda"), "plain", Code={"ZipFile": package({"app.py": PLAIN})})
    client(server, "lambda").invoke(FunctionName="plain", Payload=b"1")
    server.kill()
    server = start(data=folder / "again")
    assert "FunctionError" not in client(server, "lambda").invoke(FunctionName="plain", Payload=b"1")


def test_what_functions_log_goes_where_it_is_told(start, folder):
    path = folder / "functions.log"
    server = start("--function-log", path)
    make(client(server, "lambda"), "plain", Code={"ZipFile": package({"app.py": PLAIN})})
    client(server, "lambda").invoke(FunctionName="plain", Payload=b'"something"')
    text = path.read_text()
    assert "plain[$LATEST] said something\n" in text
    assert text.index("START RequestId") < text.index("said something") < text.index("END RequestId") < text.index("REPORT ")


def test_invocations_are_counted(start):
    server = start()
    functions = client(server, "lambda")
    make(functions, "plain", Code={"ZipFile": package({"app.py": PLAIN})})
    make(functions, "other", Code={"ZipFile": package({"app.py": "def handler(event, context): raise ValueError"})})
    for _ in range(3):
        functions.invoke(FunctionName="plain", Payload=b"1")
    functions.invoke(FunctionName="other", Payload=b"1")
    functions.put_function_concurrency(FunctionName="other", ReservedConcurrentExecutions=0)
    with pytest.raises(botocore.exceptions.ClientError, match="TooManyRequestsException"):
        functions.invoke(FunctionName="other", Payload=b"1")
    plain, other = (f'{{account="123456789012",region="us-east-1",function="{name}"}}' for name in ("plain", "other"))
    assert server.metric("brume_function_workers") == 2
    assert server.metric("brume_function_invocations_total") == 4
    assert server.metric("brume_function_invocations_total" + plain) == 3
    assert server.metric("brume_function_cold_starts_total" + plain) == 1
    assert server.metric("brume_function_errors_total" + plain) == 0
    assert server.metric("brume_function_errors_total" + other) == 1
    assert server.metric("brume_function_throttles_total" + other) == 1
    assert server.metric("brume_function_concurrency") == 0
    assert server.metric("brume_function_duration_seconds_count" + plain) == 3
    assert server.metric("brume_function_init_seconds_count" + plain) == 1
    slow, all_of_them = (f'brume_function_duration_seconds_bucket{plain[:-1]},le="{bound}"}}' for bound in ("300", "+Inf"))
    assert server.metric(slow) == server.metric(all_of_them) == 3


def test_a_tag_gives_a_function_another_network(start):
    """Workers that were there before do not stay, provisioned ones neither."""
    server = start()
    functions = client(server, "lambda")
    make(functions, "tagged", Code={"ZipFile": package({"app.py": REACHES})}, Publish=True)
    arn = functions.get_function(FunctionName="tagged")["Configuration"]["FunctionArn"]
    one = {"FunctionName": "tagged", "Qualifier": "1"}
    functions.put_provisioned_concurrency_config(**one, ProvisionedConcurrentExecutions=1)

    def is_ready():
        return functions.get_provisioned_concurrency_config(**one)["Status"] == "READY"

    with socket.create_server(("127.0.0.1", 0)) as listener:
        def reached(**more):
            payload = json.dumps({"port": listener.getsockname()[1]})
            return json.loads(functions.invoke(FunctionName="tagged", Payload=payload, **more)["Payload"].read())

        for tags, reaches in (({}, True), ({"brume:network": "isolated"}, False), ({"brume:network": "host"}, True)):
            functions.untag_resource(Resource=arn, TagKeys=["brume:network"])
            if tags:
                functions.tag_resource(Resource=arn, Tags=tags)
            wait_until(is_ready)
            assert reached() is reaches and reached(Qualifier="1") is reaches
    wait_until(lambda: server.metric("brume_function_workers") == 2)


def test_new_code_takes_the_place_of_old(start):
    server = start()
    functions = client(server, "lambda")
    make(functions, "changing", Code={"ZipFile": package({"app.py": "def handler(event, context):\n    return 'old'\n"})})
    assert functions.invoke(FunctionName="changing")["Payload"].read() == b'"old"'
    functions.update_function_code(FunctionName="changing",
                                   ZipFile=package({"app.py": "def handler(event, context):\n    return 'new'\n"}))
    wait_settled(functions, "changing")
    assert functions.invoke(FunctionName="changing")["Payload"].read() == b'"new"'
    wait_until(lambda: server.metric("brume_function_workers") == 1)


def waiting_for_functions(server):
    """The command lines of what has been started ahead of any invocation."""
    found = set()
    for process in descendants(server.process.pid):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        found |= {os.path.basename(word.decode()) for word in words if b"/var/brume/" in word}
    return found


def test_after_a_restart_runtimes_of_stored_functions_are_ready_before_they_are_invoked(start, folder):
    server = start(data=folder / "ready")
    make(client(server, "lambda"), "python", Code={"ZipFile": package({"app.py": PLAIN})})
    make(client(server, "lambda"), "node", Runtime="nodejs22.x", Code={"ZipFile": package({"app.js": "exports.handler = () => 1;"})})
    assert server.terminate() == 0
    server = start(data=folder / "ready")
    wait_until(lambda: waiting_for_functions(server) == {"zygote.py", "bootstrap.mjs"})
    # Rows are of functions that were invoked, or have had a worker.
    assert b"\nbrume_function_invocations_total{" not in server.request("GET", "/_brume/metrics")[2]
