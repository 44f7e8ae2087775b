"""docs/operate.md is true: its commands are run as they stand, and what it tells of metrics, events and a full disk holds."""

import json
import os
import re
import subprocess
from urllib.parse import quote

from brume import ENVIRONMENT, ROOT
from test_readme import free_port

with open(os.path.join(ROOT, "docs", "operate.md"), encoding="utf-8") as page:
    PAGE = page.read()


def rows(heading):
    """The first cells of the table below a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.M)


def test_the_commands_run_as_they_stand(folder):
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.M | re.S)
    assert len(blocks) == 10
    port = free_port()
    script = "set -eu\ntrap 'kill -9 $(jobs -p) 2>/dev/null || :' EXIT\n" + "echo '-- step'\n".join(["", *blocks])
    script = script.replace("127.0.0.1:4566", f"127.0.0.1:{port}")
    environment = {**ENVIRONMENT, "PATH": f"{ROOT}/build:{os.environ['PATH']}", "BRUME_LISTEN": ""}
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = done.stdout.split("-- step\n")[1:]
    assert "disk sync" in steps[0] and json.loads((folder / "doctor.json").read_text())
    assert "auth signed" in steps[2]
    assert "123456789012" in steps[3]
    assert "SQS_IN_FLIGHT" in steps[8] and "5000" in steps[8]
    assert len(os.listdir(folder / "backups")) == 1 and os.path.isdir(folder / "restored" / "db")
    log = [json.loads(line) for name in ("brume.log.1", "brume.log") for line in open(folder / name, encoding="utf-8")]
    assert {entry["event"] for entry in log} == {"administration", "reloaded", "stopping"}


def test_every_metric_is_told_of_and_no_other(start):
    metrics = start().request("GET", "/_brume/metrics")[2].decode()
    assert sorted(re.findall(r"^# TYPE (\w+)", metrics, re.M)) == sorted(rows("Health and metrics"))


def test_every_event_of_the_log_is_told_of_and_no_other():
    events = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "src")):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                text = file.read()
            if name.endswith(".c"):
                events |= set(re.findall(r'\bLOG\([^;"]*?\b(?:ERROR|WARNING|INFO|DEBUG),\s*"([^"]+)"', text))
                events |= set(re.findall(r'\b(?:log_line\(&server->log|print_line\(log)\b[^;"]*"([^"]+)"', text))
    assert events == set(rows("Logs"))


def test_on_a_disk_that_is_nearly_full_only_what_frees_space_goes_on(start, folder):
    server = start()
    send, receive, count, purge = (f"Action={action}&Version=2012-11-05".encode() for action in (
        "SendMessage&MessageBody=x", "ReceiveMessage", "GetQueueAttributes&AttributeName.1=All", "PurgeQueue"))
    path = "/000000000000/q"
    assert server.query(b"Action=CreateQueue&QueueName=q&Version=2012-11-05")[0] == 200
    assert server.query(send, path)[0] == 200 and server.query(send, path)[0] == 200
    handle = re.search(r"<ReceiptHandle>(.*?)</ReceiptHandle>", server.query(receive, path)[2].decode()).group(1)
    assert server.terminate() == 0
    # A reserve that reaches a little into what is free stands for a disk that has been filled.
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    full = start("--limit", f"STORE_RESERVE_BYTES={free * 5 // 4}", data=server.data)

    for refused in (send, receive):
        status, _, body = full.query(refused, path)
        assert status == 503 and b"<Code>ServiceUnavailable</Code>" in body
    assert full.query(b"Action=DeleteMessage&Version=2012-11-05&ReceiptHandle=" + quote(handle, safe="").encode(), path)[0] == 200
    assert b"<Value>1</Value>" in full.query(count, path)[2]
    assert full.query(purge, path)[0] == 200
    assert full.request("GET", "/_brume/health")[0] == 200
    assert "\nbrume_store_full 1\n" in full.request("GET", "/_brume/metrics")[2].decode()
