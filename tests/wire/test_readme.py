"""README.md is true: its tour is run as it stands, and what it promises to print is printed."""

import os
import re
import socket
import subprocess

from brume import ENVIRONMENT, ROOT


def commands():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    return re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_tour_runs_as_it_stands(folder):
    blocks = commands()
    assert len(blocks) == 6, "the tour has six steps"
    # The tour's port may be taken where tests run side by side; its `build` is the checkout's.
    port = free_port()
    script = "set -eu\ntrap 'kill -9 $(jobs -p) 2>/dev/null || :' EXIT\n" + "echo '-- step'\n".join(["", *blocks])
    script = script.replace("http://127.0.0.1:4566", f"http://127.0.0.1:{port}")
    script = script.replace("brume start ", f"brume start --listen 127.0.0.1:{port} ").replace("$PWD/build", f"{ROOT}/build")
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = done.stdout.split("-- step\n")[1:]
    assert "listening on" in steps[0]
    assert re.search(r"^[0-9a-f-]{36}$", steps[1], re.M)
    assert "received one coffee" in steps[2] and "received one coffee" in steps[3]
    assert "brume_" in steps[4]
    assert os.path.getsize(folder / "tour.backup") > 0 and os.path.isdir(folder / "restored")
    assert "auth signed" in steps[5] and "AWS_ACCESS_KEY_ID=AKIA" in steps[5]


def test_every_page_that_the_readme_names_is_there():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        for page in re.findall(r"\]\(([^)]+)\)", file.read()):
            assert os.path.exists(os.path.join(ROOT, page)), page
