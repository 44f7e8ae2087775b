"""The pages of docs/ are true: what they show is run as it stands (pages.py says how)."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
import yaml

import pages

with open(os.path.join(pages.ROOT, "src", "cli", "command.h"), encoding="utf-8") as header:
    VERSION = re.search(r'BRUME_VERSION "(.*)"', header.read()).group(1)


@pytest.mark.parametrize("page", pages.names())
def test_a_page_s_blocks_are_valid_or_say_why_not(page):
    for block in pages.blocks(page):
        block.check()


def test_develop_against_brume(folder):
    steps = pages.run("docs/develop.md", folder)
    printed = "".join(steps)
    assert "listening on" in steps[0]
    assert steps[2] == "123456789012\n"
    assert steps[3] == ""
    file, first, changed, travelled = steps[4:8]
    assert file == "" and first.splitlines()[0] == "Pending" and '{"greeting": "hello, you"}' in first
    assert '{"greeting": "good day, you"}' in changed and '{"greeting": "hi, you"}' in changed
    assert travelled.splitlines()[-1] == "later"
    assert "2 passed" in printed and re.search(r"pass 1\b", printed)


def test_all_other_pages_run_as_they_stand(folder):
    for page in pages.names():
        # Those have a test of their own, where more is asked of what they print.
        if page not in ("README.md", "docs/develop.md", "docs/ci.md") and any(block.step() for block in pages.blocks(page)):
            (folder / "page").mkdir()
            pages.run(page, folder / "page")
            shutil.rmtree(folder / "page")


# ---- docs/ci.md: the pipelines' own steps, run as the services that run pipelines would ----

APT_GET = """#!/bin/sh
# Nothing is installed in a test; what would be must be a package that is there.
[ "$1" = install ] || exit 0
shift
for word; do case "$word" in -*) ;; *) dpkg-query -W "$word" > /dev/null || exit 1 ;; esac; done
"""


@pytest.fixture
def runner(folder):
    """A machine that runs pipelines: a checkout with an application and the files of the page, and where its bundle is kept."""
    checkout, tools, bundle = folder / "checkout", folder / "tools", folder / "brume-0.1.0-linux-x"
    for path in (checkout, tools, folder / "temp", bundle / "bin"):
        path.mkdir(parents=True)
    for page in ("docs/develop.md", "docs/ci.md"):
        for block in pages.blocks(page):
            if block.file:
                (checkout / block.file).parent.mkdir(parents=True, exist_ok=True)
                (checkout / block.file).write_text(block.text, encoding="utf-8")
    for name, text in (("apt-get", APT_GET), ("sudo", '#!/bin/sh\nexec "$@"\n')):
        (tools / name).write_text(text, encoding="ascii")
        (tools / name).chmod(0o755)
    shutil.copy(pages.BINARY, bundle / "bin" / "brume")
    archive = f"{folder}/brume-{VERSION}-linux-{os.uname().machine}.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", folder, bundle.name], check=True)
    return Runner(folder, checkout)


class Runner:
    def __init__(self, folder, checkout):
        self.folder, self.checkout = folder, checkout
        port = pages.free_port()
        # Without the build's own `brume`: it must be found where the pipeline has installed it.
        self.environment = {**pages.ENVIRONMENT, "PATH": f"{folder}/tools:/usr/bin:/bin", "HOME": str(folder / "home"),
                            "BRUME_LISTEN": f"127.0.0.1:{port}", "PYTHONDONTWRITEBYTECODE": "1"}
        self.placeholders = {"https://artefacts.example.com/brume": f"file://{folder}", pages.PORT: f"127.0.0.1:{port}"}
        (folder / "home").mkdir()

    def filled(self, text):
        for placeholder, value in self.placeholders.items():
            text = text.replace(placeholder, value)
        return text

    def set(self, variables):
        self.environment.update({name: self.filled(str(value)) for name, value in variables.items()})

    def shell(self, script):
        """One shell, as the services start it: it ends at the first command that fails."""
        with open(self.folder / "output", "w+", encoding="utf-8") as output:
            done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=self.checkout,
                                  env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=120)
            output.seek(0)
            text = output.read()
        assert done.returncode == 0, f"{script}\n{text}"
        return text

    def ended(self, pid_file):
        """Whether the server that the pipeline started has ended; it is no child of ours."""
        pid = int(pid_file.read_text())
        for _ in range(1000):
            if not os.path.exists(f"/proc/{pid}"):
                return True
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        return False


def pipeline(name):
    [block] = [block for block in pages.blocks("docs/ci.md") if block.file == name]
    return yaml.safe_load(block.text)


def test_the_steps_of_the_pipeline_for_github_run(runner):
    job = pipeline(".github/workflows/test.yml")["jobs"]["test"]
    path = runner.folder / "path"
    path.touch()
    runner.set({**job["env"], "GITHUB_PATH": path, "RUNNER_TEMP": runner.folder / "temp"})
    printed = ""
    try:
        for step in job["steps"]:
            if "run" in step:
                printed += runner.shell(step["run"])
                added = path.read_text().split()
                runner.set({"PATH": ":".join([*added, runner.environment["PATH"]])})
    finally:
        ended = runner.ended(runner.folder / "temp" / "brume.pid")
    assert ended
    assert "2 passed" in printed and "received is anybody there?" in printed
    assert (runner.checkout / "result.xml").exists()
    assert "listening on" in (runner.folder / "temp" / "brume.log").read_text()


def test_the_scripts_of_the_pipeline_for_gitlab_run(runner):
    job = pipeline(".gitlab-ci.yml")["test"]
    runner.set(job["variables"])
    try:
        printed = runner.shell("\n".join([*job["before_script"], *job["script"]]))
        runner.shell("\n".join(job["after_script"]))
    finally:
        ended = runner.ended(runner.checkout / "brume.pid")
    assert ended
    assert "2 passed" in printed and "received is anybody there?" in printed
    assert "listening on" in (runner.checkout / "brume.log").read_text()


def test_the_container_starts_the_program_with_options_that_it_takes(start):
    [block] = [block for block in pages.blocks("docs/ci.md") if block.file == "Containerfile"]
    [line] = re.findall(r"^ENTRYPOINT (.*)$", block.text, re.M)
    program, command, data, _, listen, address, *options = json.loads(line)
    assert (program, command, data, listen, address) == ("/brume", "start", "--data", "--listen", "0.0.0.0:4566")
    assert start(*options, environment={"BRUME_ACCESS_KEY_ID": "key", "BRUME_SECRET_ACCESS_KEY": "secret"}).auth == "signed"
