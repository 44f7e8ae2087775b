"""The log of a running server: where it goes, that it can be rotated, that every line of it can be read; and what the
service manager is told."""

import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import threading
import time

from brume import BINARY, ENVIRONMENT


def lines(path):
    with open(path, "rb") as file:
        content = file.read()
    assert content == b"" or content.endswith(b"\n"), "the last line is whole"
    return content.splitlines()


def wait_for(promise, what, seconds=20):
    end = time.monotonic() + seconds
    while not promise():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def events(path):
    return [json.loads(line)["event"] for line in lines(path)] if os.path.exists(path) else []


def test_the_log_goes_to_its_file_and_not_to_standard_error(start, folder):
    log = folder / "brume.log"
    server = start("--log-file", str(log), "--log-level", "info", "--log-format", "json")
    assert stat.S_IMODE(os.stat(log).st_mode) & 0o027 == 0, "others may not read it"
    assert server.terminate() == 0
    assert "stopping" in events(log)
    assert server.errors() == ""


def test_a_log_that_cannot_be_written_keeps_the_server_from_starting(folder):
    done = subprocess.run([BINARY, "start", "--data", str(folder / "data"), "--listen", "127.0.0.1:0", "--log-file",
                           str(folder / "none" / "brume.log")], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "none/brume.log" in done.stderr and "--log-file" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_sighup_opens_the_log_anew_and_no_line_is_lost(start, folder):
    log = folder / "brume.log"
    server = start("--log-file", str(log), "--log-level", "debug", "--log-format", "json", "--threads", "2")
    answered, rotations_done = [], threading.Event()

    def list_often():
        while not rotations_done.is_set():
            assert server.query(b"Action=ListQueues&Version=2012-11-05")[0] == 200
            answered.append(1)

    workers = [threading.Thread(target=list_often) for _ in range(4)]
    for worker in workers:
        worker.start()
    rotated = []
    for number in range(5):
        rotated.append(folder / f"brume.log.{number}")
        os.rename(log, rotated[-1])
        server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "reloaded" in events(log), "the log was opened anew")
    rotations_done.set()
    for worker in workers:
        worker.join()
    assert server.terminate() == 0
    every = [json.loads(line) for path in [*rotated, log] for line in lines(path)]
    dropped = sum(entry["lines"] for entry in every if entry["event"] == "log lines dropped")
    assert sum(entry["event"] == "request" for entry in every) + dropped == len(answered) > 0
    assert sum(entry["event"] == "reloaded" for entry in every) == 5


def test_a_log_that_cannot_be_opened_anew_goes_on_as_it_was(start, folder):
    (folder / "logs").mkdir()
    log = folder / "logs" / "brume.log"
    server = start("--log-file", str(log), "--log-level", "info", "--log-format", "json")
    os.rename(folder / "logs", folder / "moved")
    server.process.send_signal(signal.SIGHUP)
    moved = folder / "moved" / "brume.log"
    wait_for(lambda: "reloaded" in events(moved), "the reload was logged")
    assert "log_not_reopened" in events(moved)
    assert server.request("GET", "/_brume/health")[0] == 200


def test_every_line_of_a_json_log_is_json_whatever_clients_send(start, folder):
    log = folder / "brume.log"
    server = start("--log-file", str(log), "--log-level", "debug", "--log-format", "json", "--auth", "signed")
    hostile = ['"', "\\", '\\"},{"event":"forged"', "\u2028\u202e", "\x7f", "%0a%0d%00", "a" * 3000, "\xff\xfe"]
    for text in hostile:
        value = text.encode("latin-1", "replace").decode("latin-1")
        server.request("POST", "/", "{}", {"x-amz-target": f"AmazonSQS.{value}", "content-type": "application/x-amz-json-1.0",
                                           "authorization": f"AWS4-HMAC-SHA256 Credential={value}/20260101/{value}/sqs"})
        server.query(f"Action={value}&Version=2012-11-05".encode("latin-1"))
        server.request("GET", "/" + "".join(f"%{byte:02x}" for byte in text.encode()), headers={"host": "a", "user-agent": value})
    assert server.terminate() == 0
    entries = [json.loads(line) for line in lines(log)]
    assert sum(entry["event"] == "request" for entry in entries) >= len(hostile)
    assert {entry["event"] for entry in entries} <= {"request", "stopping"}
    assert all(set(entry) >= {"time", "level", "event"} for entry in entries)


def test_the_service_manager_is_told_of_readiness_reload_and_stop(start, folder):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(20)
    manager.bind(str(folder / "notify"))
    with manager:
        server = start(environment={"NOTIFY_SOCKET": str(folder / "notify")})
        assert manager.recv(256) == b"READY=1"
        assert server.request("GET", "/_brume/health")[0] == 200
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        server.process.send_signal(signal.SIGHUP)
        reloading = re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=(\d+)", manager.recv(256))
        assert before <= int(reloading.group(1)) / 1e6 <= time.clock_gettime(time.CLOCK_MONOTONIC)
        assert manager.recv(256) == b"READY=1"
        assert server.terminate() == 0
        assert manager.recv(256) == b"STOPPING=1"


def test_an_abstract_socket_of_the_manager_is_found_and_a_missing_one_does_no_harm(start, folder):
    name = f"brume-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(20)
        manager.bind(f"\0{name}")
        start(environment={"NOTIFY_SOCKET": f"@{name}"})
        assert manager.recv(256) == b"READY=1"
    server = start(environment={"NOTIFY_SOCKET": str(folder / "nobody")})
    assert server.terminate() == 0


def started_from_a_terminal(folder, prefix):
    """(process id, the terminal's other end) of a server whose output goes to files."""
    pid, terminal = pty.fork()
    if pid == 0:
        command = f'exec {prefix} "$@" >"$0" 2>&1'
        os.execve("/bin/sh", ["sh", "-c", command, str(folder / "output"), BINARY, "start", "--data", str(folder / "data"),
                              "--listen", "127.0.0.1:0", "--log-level", "info"], ENVIRONMENT)
    wait_for(lambda: os.path.exists(folder / "output") and "listening" in (folder / "output").read_text(), "the server is ready")
    return pid, terminal


def test_a_server_started_from_a_terminal_is_reloaded_while_it_has_it_and_ends_with_it(folder):
    pid, terminal = started_from_a_terminal(folder, "")
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: "event=reloaded" in (folder / "output").read_text(), "the server was reloaded")
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "event=stopping signal=SIGHUP" in (folder / "output").read_text()


def test_a_server_started_by_nohup_outlives_its_terminal(folder):
    pid, terminal = started_from_a_terminal(folder, "nohup")
    os.close(terminal)
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: "event=reloaded" in (folder / "output").read_text(), "the server was reloaded")
    os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
