"""`brume function watch`: what is saved in a folder is what the function runs."""

import itertools
import json
import os
import pathlib
import re
import select
import shutil
import statistics
import subprocess
import time

import pytest
from brume import BINARY, ENVIRONMENT, command
from conftest import client
from functions import make, package

ACCOUNT = "123456789012"
PYTHON, NODEJS = "python3.11", "nodejs22.x"
numbers = itertools.count(1)
SOURCE = {
    PYTHON: ("app.py", "import uuid\nME = str(uuid.uuid4())\ndef handler(event, context):\n    return [{!r}, ME]\n"),
    NODEJS: ("app.js", "const ME = require('node:crypto').randomUUID();\nexports.handler = async () => [{!r}, ME];\n"),
}


@pytest.fixture(scope="module")
def functions(server):
    return client(server, "lambda")


class Watch:
    """A running `brume function watch`."""

    def __init__(self, server, name, folder):
        self.process = subprocess.Popen(
            [BINARY, "function", "watch", name, folder, "--data", server.data, "--account", ACCOUNT], env=ENVIRONMENT,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b""

    def line(self, wanted, seconds=15):
        """The next line with that in it."""
        stdout, end = self.process.stdout.fileno(), time.monotonic() + seconds
        while True:
            while b"\n" in self.rest:
                line, self.rest = self.rest.split(b"\n", 1)
                if re.search(wanted, line.decode()):
                    return line.decode()
            readable, _, _ = select.select([stdout], [], [], max(0, end - time.monotonic()))
            piece = os.read(stdout, 65536) if readable else b""
            assert piece, f"no line with {wanted}: {self.process.poll()} {self.rest}"
            self.rest += piece

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


@pytest.fixture
def watch(server, functions, folder):
    """Watches a folder with a function's source: watch(runtime) gives the running command; what it printed first is read."""
    running = []

    def run(runtime=PYTHON, files=None):
        name = f"watched-{next(numbers)}"
        file, source = SOURCE[runtime]
        source_folder = folder / "source"
        source_folder.mkdir()
        for path, text in (files or {file: source.format("first")}).items():
            (source_folder / path).parent.mkdir(parents=True, exist_ok=True)
            (source_folder / path).write_text(text)
        make(functions, name, Runtime=runtime, Handler="app.handler", MemorySize=256,
             Code={"ZipFile": package({file: source.format("deployed")})})
        watching = Watch(server, name, source_folder)
        running.append(watching)
        watching.line("ready")
        watching.name, watching.folder, watching.file = name, source_folder, source_folder / file
        watching.save = lambda text: watching.file.write_text(source.format(text))
        return watching

    yield run
    for watching in running:
        watching.stop()


def ask(functions, watching):
    result = functions.invoke(FunctionName=watching.name)
    answer = json.loads(result["Payload"].read())
    assert "FunctionError" not in result, answer
    return answer


@pytest.mark.parametrize("runtime", [PYTHON, NODEJS])
def test_the_first_invocation_after_a_save_runs_it(functions, watch, runtime):
    watching = watch(runtime)
    assert ask(functions, watching)[0] == "first"
    times = []
    for number in range(7):
        begun = time.monotonic()
        watching.save(f"number {number}")
        line = watching.line("ready")
        assert ask(functions, watching)[0] == f"number {number}"
        times.append(((time.monotonic() - begun) * 1000, int(re.search(r"(\d+) ms after", line).group(1))))
    print(f"{runtime}: save to answer {statistics.median(one for one, _ in times):.0f} ms, "
          f"to ready {statistics.median(other for _, other in times)} ms (medians of 7)")


def test_saves_that_follow_each_other_at_once_are_all_taken(functions, watch):
    watching = watch()
    for number in range(20):
        watching.save(f"number {number}")
        time.sleep(0.007 * (number % 4))  # the rhythm of a hand, and of a tool
    deadline = time.monotonic() + 10
    while ask(functions, watching)[0] != "number 19":
        assert time.monotonic() < deadline


def test_code_that_was_replaced_stays_for_as_long_as_a_handler_may_run(server, functions, watch):
    watching = watch()
    watching.save("replaced")
    watching.line("ready")
    watching.save("second")
    watching.line("ready")
    mine = [path for path in pathlib.Path(server.data, "functions", ACCOUNT).glob("*/code/app.py")
            if "'replaced'" in path.read_text(encoding="utf-8")]
    assert mine, "a worker that runs it, or that an invocation has just been given, needs it"
    command("clock", "advance", "17m", "--data", server.data)
    deadline = time.monotonic() + 10
    while any(path.exists() for path in mine):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert ask(functions, watching)[0] == "second"


def test_what_is_put_in_place_by_renaming_is_taken(functions, watch):
    watching = watch()
    temporary = watching.folder / ".app.py.swp"
    temporary.write_text(SOURCE[PYTHON][1].format("renamed"))
    os.rename(temporary, watching.file)
    watching.line("app.py: ready")
    assert ask(functions, watching)[0] == "renamed"


def test_several_files_saved_together_are_one_change(functions, watch):
    watching = watch(files={"app.py": "import part\ndef handler(event, context):\n    return [part.WORD]\n",
                            "part.py": "WORD = 'one'\n"})
    (watching.folder / "part.py").write_text("WORD = 'two'\nOTHER = 1\n")
    watching.file.write_text("import part\ndef handler(event, context):\n    return [part.WORD, part.OTHER]\n")
    deadline = time.monotonic() + 10
    while (result := functions.invoke(FunctionName=watching.name)["Payload"].read()) != b'["two", 1]':
        assert time.monotonic() < deadline


def test_files_in_new_folders_are_seen(functions, watch):
    watching = watch(files={"app.py": "def handler(event, context):\n    import deep.er.part\n    return deep.er.part.WORD\n"})
    (watching.folder / "deep" / "er").mkdir(parents=True)
    (watching.folder / "deep" / "er" / "part.py").write_text("WORD = 'below'\n")
    watching.line("deep/er/part.py: ready")
    assert ask(functions, watching) == "below"
    (watching.folder / "deep" / "er" / "part.py").write_text("WORD = 'again'\n")
    watching.line("deep/er/part.py: ready")
    assert ask(functions, watching) == "again"


def test_a_file_that_is_removed_is_gone(functions, watch):
    watching = watch(files={"app.py": "import os\ndef handler(event, context):\n    return os.path.exists('more.txt')\n",
                            "more.txt": "more"})
    assert ask(functions, watching) is True
    (watching.folder / "more.txt").unlink()
    watching.line("ready")
    assert ask(functions, watching) is False


def test_what_is_no_part_of_the_function_changes_nothing(functions, watch):
    watching = watch()
    before = ask(functions, watching)
    (watching.folder / ".git").mkdir()
    (watching.folder / ".git" / "index").write_text("not code")
    (watching.folder / "__pycache__").mkdir()
    (watching.folder / "app.py~").write_text("not code")
    watching.save("first")
    watching.line("ready, the same as before")
    assert ask(functions, watching) == before, "unchanged: the worker is the one that was there"
    names = functions.get_function(FunctionName=watching.name)["Configuration"]
    assert names["LastUpdateStatus"] == "Successful"


@pytest.mark.parametrize("runtime, text, where", [
    (PYTHON, "def handler(event, context):\n    return (\n", r"app\.py:2: '\(' was never closed"),
    (NODEJS, "exports.handler = async () => {\n    return 1 +;\n};\n", r"app\.js:2: Unexpected token ';'"),
    (NODEJS, "import x from 'y';\nexport const handler = () => {{;\n", r"app\.js:\d: "),
])
def test_an_error_of_syntax_is_shown_and_the_last_good_state_stays(functions, watch, runtime, text, where):
    watching = watch(runtime)
    before = ask(functions, watching)
    watching.file.write_text(text)
    line = watching.line(where)
    assert "the last good state stays" in line
    assert ask(functions, watching) == before
    watching.save("mended")
    watching.line("ready")
    assert ask(functions, watching)[0] == "mended"


def test_an_error_in_a_file_is_told_again_when_another_one_is_saved(functions, watch):
    watching = watch()
    watching.file.write_text("def (")
    watching.line(r"app\.py:1: ")
    (watching.folder / "other.py").write_text("WORD = 1\n")
    watching.line(r"app\.py:1: ")
    assert ask(functions, watching)[0] == "first"


def test_modules_and_scripts_of_node_are_both_taken(functions, watch):
    watching = watch(NODEJS, {"app.mjs": "export const handler = async () => 'a module';\n", "lib.cjs": "return;\n"})
    assert ask(functions, watching) == "a module"
    (watching.folder / "app.mjs").write_text("const word = await Promise.resolve('late');\nexport const handler = async () => word;\n")
    watching.line("app.mjs: ready")
    assert ask(functions, watching) == "late"


def test_other_functions_keep_their_workers(functions, watch):
    make(functions, "bystander", Code={"ZipFile": package({"app.py": SOURCE[PYTHON][1].format("still")})})
    bystander = json.loads(functions.invoke(FunctionName="bystander")["Payload"].read())
    watching = watch()
    watching.save("second")
    watching.line("ready")
    assert ask(functions, watching)[0] == "second"
    assert json.loads(functions.invoke(FunctionName="bystander")["Payload"].read()) == bystander


def test_a_folder_that_is_removed_ends_it(watch):
    watching = watch()
    shutil.rmtree(watching.folder)
    assert watching.process.wait(10) == 1
    assert b"is not there any more" in watching.process.stderr.read()


def test_what_cannot_be_watched_is_told(server, folder):
    done = command("function", "watch", "nobody", folder, "--data", server.data, check=False)
    assert done.returncode == 1 and "there is no function" in done.stderr
    done = command("function", "watch", "nobody", folder / "nowhere", "--data", server.data, check=False)
    assert done.returncode == 1 and "cannot be watched" in done.stderr
    done = command("function", "watch", "nobody", folder, "--data", folder / "no-data", check=False)
    assert done.returncode == 1 and "no server runs" in done.stderr
    done = command("function", "look", "nobody", folder, "--data", server.data, check=False)
    assert done.returncode == 2 and "knows watch" in done.stderr
