"""`brume doctor`: what it finds on a good machine, and on machines that are made worse one thing at a time."""

import json
import os
import resource
import shutil
import socket
import subprocess

import pytest
from brume import BINARY, ENVIRONMENT, ROOT, command

CHECKS = ["program", "libraries", "Python", "Node.js", "kernel", "user namespaces", "cgroups", "seccomp", "Landlock",
          "memfd", "pidfd", "open files", "processes", "memory", "clock", "service manager", "data directory", "in use",
          "data format", "file system", "disk space", "disk sync", "configuration", "address"]

# Whoever runs the tests may have slow programs on the path, which choose a version when they are called.
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture(scope="module")
def shim(module_folder):
    path = module_folder / "shim.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", path, f"{ROOT}/tests/wire/shim.c"], check=True,
                   stdin=subprocess.DEVNULL)
    return str(path)


@pytest.fixture
def examine(folder, shim):
    """examine(*arguments): ({check: (verdict, what it says)}, exit code), on a data directory of the test's own. The disk is
    a good one unless the environment says otherwise, so that no test waits for that of this machine."""
    good = {"LD_PRELOAD": shim, "SHIM_SYNC_US": "200", "PATH": SYSTEM_PATH}

    def run(*arguments, prefix=(), environment=None, data=None, **more):
        done = subprocess.run([*prefix, BINARY, "doctor", "--json", "--data", str(data or folder / "data"), *map(str, arguments)],
                              env={**ENVIRONMENT, **good, "BRUME_LISTEN": f"127.0.0.1:{free_port()}", **(environment or {})}, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)
        assert done.stderr == "", done.stderr
        rows = json.loads(done.stdout)
        assert [row["check"] for row in rows] == CHECKS
        assert done.returncode == (1 if any(row["verdict"] == "FAIL" for row in rows) else 0)
        assert all(row["verdict"] == "OK" or row["advice"] for row in rows), "whatever is wrong comes with advice"
        return {row["check"]: (row["verdict"], row["found"] + "; " + row.get("advice", "")) for row in rows}, done.returncode

    return run


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def assert_verdict(row, verdict, *words):
    assert row[0] == verdict, row
    for word in words:
        assert str(word) in row[1], row


# ---- A good machine ----

def test_a_machine_that_runs_these_tests_fails_no_check(examine):
    rows, code = examine(environment={"LD_PRELOAD": ""})
    assert code == 0, rows
    assert_verdict(rows["program"], "OK", command("version").stdout.strip())
    assert_verdict(rows["libraries"], "OK", "libuv 1.", "OpenSSL 3.", "llhttp ", "nghttp2 1.", "expat_2.")
    assert_verdict(rows["data format"], "OK", "no data yet")
    assert_verdict(rows["disk sync"], rows["disk sync"][0], " ms in the median")


def test_the_table_for_people_says_what_the_json_says(folder, examine):
    rows, _ = examine()
    done = command("doctor", "--data", folder / "data", check=False, environment={"PATH": SYSTEM_PATH})
    for name in CHECKS:
        assert any(line[6:].startswith(name + " ") and line[:4].strip() in ("OK", "WARN", "FAIL")
                   for line in done.stdout.splitlines()), name
    assert rows["kernel"][1].split(";")[0] in done.stdout


def test_it_changes_nothing(examine, folder, start):
    examine()
    assert not os.path.exists(folder / "data")
    server = start()
    before = sorted(os.listdir(server.data))
    examine(data=server.data)
    assert sorted(os.listdir(server.data)) == before


def test_a_running_server_is_no_failure_and_its_health_is_told(examine, start):
    server = start()
    rows, code = examine("--listen", f"127.0.0.1:{server.port}", data=server.data)
    assert code == 0
    assert_verdict(rows["in use"], "OK", f"process {server.process.pid}")
    assert_verdict(rows["address"], "OK", f"brume {server.version} runs there and is ready")
    assert_verdict(rows["data format"], "OK", "known")
    # Its limits are those of the server, not of whoever asks.
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (3000, 3000))
    rows, _ = examine("--listen", f"127.0.0.1:{server.port}", data=server.data)
    assert_verdict(rows["open files"], "WARN", f"at most 3000, for process {server.process.pid}")
    server.kill()
    rows, _ = examine("--listen", f"127.0.0.1:{server.port}", data=server.data)
    assert_verdict(rows["in use"], "OK", "no")
    assert_verdict(rows["address"], "OK", "is free")


# ---- Worse ones ----

@pytest.mark.parametrize("answers", [False, True])
def test_something_else_at_the_address_is_a_failure(examine, answers):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        if answers:
            answer = subprocess.Popen(["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "0"],
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**ENVIRONMENT, "PYTHONUNBUFFERED": "1"})
            port = int(answer.stdout.readline().split()[5])
        try:
            rows, code = examine("--listen", f"127.0.0.1:{port}")
        finally:
            if answers:
                answer.kill()
                answer.wait()
                answer.stdout.close()
    assert code == 1
    assert_verdict(rows["address"], "FAIL", port, "not by a brume", "--listen")


def test_an_address_that_is_none_or_of_another_machine_is_a_failure(examine):
    assert_verdict(examine("--listen", "192.0.2.1:4566")[0]["address"], "FAIL", "192.0.2.1")
    rows, code = examine("--listen", "example.com:4566")
    assert code == 1
    assert_verdict(rows["configuration"], "FAIL", "example.com")


def test_a_configuration_that_start_would_refuse_is_a_failure(examine, folder):
    (folder / "brume.conf").write_text("listen = 127.0.0.1:0\nthreads = many\n")
    assert_verdict(examine("--config", folder / "brume.conf")[0]["configuration"], "FAIL", "brume.conf:2", "threads")


def test_a_data_directory_that_is_a_file_or_of_a_newer_version_is_a_failure(examine, folder):
    (folder / "file").write_text("")
    assert_verdict(examine(data=folder / "file")[0]["data directory"], "FAIL", "is a file")
    assert_verdict(examine(data=folder / "file" / "below")[0]["data directory"], "FAIL", "is a file")
    (folder / "newer").mkdir()
    (folder / "newer" / "format").write_text("999\n")
    assert_verdict(examine(data=folder / "newer")[0]["data format"], "FAIL", "newer brume", "999")
    (folder / "newer" / "format").write_text("rubbish")
    assert_verdict(examine(data=folder / "newer")[0]["data format"], "FAIL", "backup")


def test_a_data_directory_that_may_not_be_written_is_a_failure(examine, folder):
    (folder / "data").mkdir()
    os.chmod(folder / "data", 0o555)
    # Root may write anywhere, unless it gives that capability away.
    rows, code = examine(prefix=["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.getuid() == 0 else [])
    assert code == 1
    assert_verdict(rows["data directory"], "FAIL", "may not be written", "owner")
    assert_verdict(rows["disk sync"], "WARN", "cannot be measured")


def test_a_file_system_in_memory_is_warned_of(examine):
    filesystem = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True, text=True).stdout.strip()
    if filesystem != "tmpfs":
        pytest.skip("/dev/shm is no tmpfs here")
    rows, code = examine(data=f"/dev/shm/brume-none-{os.getpid()}")
    assert code == 0
    assert_verdict(rows["file system"], "WARN", "tmpfs", "gone")


def test_a_disk_without_more_than_the_reserve_is_a_failure(examine, folder):
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "brume.conf").write_text(f"limit.STORE_RESERVE_BYTES = {free * 2}\n")
    assert_verdict(examine("--config", folder / "brume.conf")[0]["disk space"], "FAIL", "make room")
    (folder / "brume.conf").write_text(f"limit.STORE_RESERVE_BYTES = {free * 3 // 4}\n")
    assert_verdict(examine("--config", folder / "brume.conf")[0]["disk space"], "WARN", "make room")


def test_syncs_that_are_slow_or_none_at_all_are_warned_of(examine):
    slow = examine(environment={"SHIM_SYNC_US": "6000"})[0]["disk sync"]
    assert_verdict(slow, "WARN", "faster disk")
    none = examine(environment={"SHIM_SYNC_US": "0"})[0]["disk sync"]
    assert_verdict(none, "WARN", "loss of power")


def test_a_clock_of_another_age_is_a_failure(examine):
    rows, code = examine(environment={"SHIM_YEARS": "40"})
    assert code == 1
    assert_verdict(rows["clock"], "FAIL", "set the clock")


def test_too_few_files_and_processes_are_warned_of(examine):
    def lower():
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        resource.setrlimit(resource.RLIMIT_NPROC, (100, 100))

    # Root has no bound on processes, but the limit is told all the same.
    rows, code = examine(preexec_fn=lower)
    assert code == 0
    assert_verdict(rows["open files"], "WARN", "at most 256", "NET_CONNECTIONS is 65536", "LimitNOFILE")
    assert_verdict(rows["processes"], "WARN", "at most 100")


def test_user_namespaces_that_are_refused_are_warned_of(examine):
    none_left = ["unshare", "-Ur", "sh", "-c", 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh"]
    if subprocess.run([*none_left, "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here to make them run out in")
    rows, code = examine(prefix=none_left)
    assert code == 0
    assert_verdict(rows["user namespaces"], "WARN", "refused", "max_user_namespaces", "Functions need it")


def test_runtimes_are_told_with_version_and_path(examine, folder):
    tools = folder / "bin"
    tools.mkdir()

    def tool(name, script):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        os.chmod(tools / name, 0o755)

    path = {"PATH": str(tools)}
    rows, code = examine(environment=path)
    assert code == 0
    assert_verdict(rows["Python"], "WARN", "none on the PATH", "functions in")
    assert_verdict(rows["Node.js"], "WARN", "none on the PATH", "functions in")
    tool("python3.11", "echo Python 3.11.2")
    tool("python3.12", "echo not that one; exit 127")
    tool("python3.13", f"exec {shutil.which('sleep')} 60")
    tool("node", "printf 'v22.1.0\\377\\033[2J\\n'")
    rows, _ = examine(environment=path)
    assert_verdict(rows["Python"], "OK", f"Python 3.11.2 ({tools}/python3.11)")
    assert "3.12" not in rows["Python"][1] and "not that one" not in rows["Python"][1] and "3.13" not in rows["Python"][1]
    assert_verdict(rows["Node.js"], "OK", "v22.1.0", f"{tools}/node")
    text = subprocess.run([BINARY, "doctor", "--data", str(folder / "data")], env={**ENVIRONMENT, **path}, timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True).stdout
    assert b"\x1b" not in text
