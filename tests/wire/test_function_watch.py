"""`brume function watch`: a saved file is what the next invocation runs."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import threading
import time

import pytest
from brume import BINARY
from conftest import client
from functions import make, package, wait_settled

PATIENCE = 20
SAYS = "import os\ndef handler(event, context):\n    return [{!r}, os.getpid()]\n"


class Watch:
    """A running `brume function watch`, whose lines are waited for."""

    def __init__(self, server, name, folder):
        self.lines = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [BINARY, "function", "watch", name, str(folder), "--data", server.data, "--account", "123456789012"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def next(self, pattern):
        """The first line from here on in which the pattern is found; those before it are dropped."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                while self.lines:
                    line = self.lines.pop(0)
                    if re.search(pattern, line):
                        return line
                assert self.changed.wait(deadline - time.monotonic()), f"no line with {pattern}"

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)


@pytest.fixture
def watch():
    watches = []

    def start(*arguments):
        watches.append(Watch(*arguments))
        return watches[-1]

    yield start
    for one in watches:
        one.close()


def said(functions, name="greeter"):
    answer = functions.invoke(FunctionName=name, Payload=b"{}")
    return answer["Payload"].read().decode()


def test_a_saved_file_is_what_the_next_invocation_runs(start, watch, tmp_path):
    server = start()
    functions = client(server, "lambda")
    (tmp_path / "app.py").write_text(SAYS.format("first"))
    for name in ("greeter", "other"):
        make(functions, name, Code={"ZipFile": package({"app.py": SAYS.format("as it was")})})
    other = said(functions, "other")
    lines = watch(server, "greeter", tmp_path)
    lines.next("the folder in effect")
    assert '"first"' in said(functions)
    took_ms = []
    for number in range(5):
        saved = time.monotonic()
        (tmp_path / "app.py").write_text(SAYS.format(f"change {number}"))
        lines.next("app.py in effect")
        assert f'"change {number}"' in said(functions)
        took_ms.append((time.monotonic() - saved) * 1000)
    print(f"# saved to answered: median {statistics.median(took_ms):.0f} ms")
    assert said(functions, "other") == other, "a function that has not changed keeps its worker"


def test_other_ways_to_save_are_seen(start, watch, tmp_path):
    server = start()
    functions = client(server, "lambda")
    make(functions, "greeter", Code={"ZipFile": package({"app.py": SAYS.format("as it was")})})
    (tmp_path / "app.py").write_text("from lib.words import word\ndef handler(event, context):\n    return word\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "words.py").write_text("word = 'one'\n")
    lines = watch(server, "greeter", tmp_path)
    lines.next("the folder in effect")
    assert said(functions) == '"one"'
    # Written aside, and moved over it, as many editors do.
    (tmp_path / "lib" / "words.py~").write_text("word = 'two'\n")
    os.replace(tmp_path / "lib" / "words.py~", tmp_path / "lib" / "words.py")
    lines.next("lib/words.py in effect")
    assert said(functions) == '"two"'
    # In a folder that was not there.
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "deep.py").write_text("word = 'three'\n")
    lines.next("in effect")
    (tmp_path / "app.py").write_text("from new.deep import word\ndef handler(event, context):\n    return word\n")
    lines.next("app.py in effect")
    assert said(functions) == '"three"'
    (tmp_path / "new" / "deep.py").write_text("word = 'four'\n")
    lines.next("new/deep.py in effect")
    assert said(functions) == '"four"'
    shutil.rmtree(tmp_path / "lib")
    lines.next("lib.* in effect")
    assert said(functions) == '"four"'


@pytest.mark.parametrize(("runtime", "name", "right", "wrong", "problem"), [
    ("python3.11", "app.py", "def handler(event, context):\n    return 'right'\n",
     "def handler(event, context):\n    return 'wrong\n", r"app\.py, line 2: SyntaxError: unterminated string"),
    ("nodejs22.x", "app.js", "exports.handler = async () => 'right';\n",
     "exports.handler = async () => {\n  return 'wrong;\n};\n", r"app\.js, line 2: SyntaxError: Invalid or unexpected"),
])
def test_what_cannot_be_read_is_told_of_and_the_code_before_goes_on(start, watch, tmp_path, runtime, name, right, wrong,
                                                                    problem):
    server = start()
    functions = client(server, "lambda")
    make(functions, "greeter", Runtime=runtime, Code={"ZipFile": package({name: right})})
    (tmp_path / name).write_text(right)
    lines = watch(server, "greeter", tmp_path)
    lines.next("the folder in effect")
    (tmp_path / name).write_text(wrong)
    lines.next(problem)
    assert said(functions) == '"right"'
    (tmp_path / "other.txt").write_text("no code")
    lines.next(problem)  # still
    assert said(functions) == '"right"'
    (tmp_path / name).write_text(right.replace("right", "better"))
    lines.next(f"{name} in effect")
    assert said(functions) == '"better"'


def test_what_cannot_be_watched_is_refused(start, tmp_path):
    server = start()
    functions = client(server, "lambda")

    def refusal(*words):
        done = subprocess.run([BINARY, "function", *words, "--data", server.data, "--account", "123456789012"],
                              capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode != 0
        return done.stderr

    assert "there is no such function" in refusal("watch", "nobody", str(tmp_path))
    make(functions, "greeter", Code={"ZipFile": package({"app.py": SAYS.format("x")})})
    wait_settled(functions, "greeter")
    assert "cannot be watched" in refusal("watch", "greeter", str(tmp_path / "nowhere"))
    (tmp_path / "file").write_text("")
    assert "it is no folder" in refusal("watch", "greeter", str(tmp_path / "file"))
    assert "knows watch" in refusal("look", "greeter", str(tmp_path))
    assert "expected" in refusal("watch", "greeter")
