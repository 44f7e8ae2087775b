"""What is made from the tables of commands and options: the page on configuration, the example of a file, the manual page,
completion for shells."""

import json
import os
import re
import shutil
import subprocess

import pytest
from brume import ENVIRONMENT, ROOT, command

EXAMPLE = command("help", "start", "--format", "config").stdout
COMMANDS = re.findall(r"^  (\w+) ", command("help").stdout.split("Commands:")[1], re.M)


def options(name):
    return re.findall(r"^  --([\w-]+)", command("help", name).stdout, re.M)


# ---- Configuration ----

def test_the_page_on_configuration_is_what_the_program_says():
    with open(os.path.join(ROOT, "docs", "configuration.md"), encoding="utf-8") as file:
        assert file.read() == command("help", "start", "--format", "markdown").stdout, "run `make docs`"


def test_the_page_on_configuration_has_every_option_and_every_limit():
    page = command("help", "start", "--format", "markdown").stdout
    for option in options("start"):
        assert f"| `--{option}" in page
    limits = re.findall(r"^  ([A-Z]+_\w+) +\d+ ", command("help", "start").stdout, re.M)
    assert len(limits) > 20
    for limit in limits:
        assert f"| `{limit}` |" in page


def test_the_example_as_it_stands_changes_nothing(start, folder):
    (folder / "brume.conf").write_text(EXAMPLE)
    server = start("--config", str(folder / "brume.conf"))
    assert server.auth == "open" and server.request("GET", "/_brume/health")[0] == 200


def test_the_example_has_every_option_and_every_value_in_it_is_read(folder):
    samples = {"DIR": str(folder / "data"), "N": "2", "ORIGIN": "http://console.example", "FILE": str(folder / "file"),
               "host|isolated": "isolated", "HOST:PORT": "10.0.0.5:5432", "NAME=PATH": "nodejs22.x=/opt/node/bin/node"}
    settings = dict(re.findall(r"^#([\w.-]+) = (.*)$", EXAMPLE, re.M))
    assert set(options("start")) - set(settings) == {"limit", "config"}
    lines = [f"{name} = {samples.get(value, value)}" for name, value in settings.items()]
    assert not [line for line in lines if re.search(r"= [A-Z]+$", line)], "every placeholder has a sample"

    def judged(text):
        (folder / "brume.conf").write_text(text)
        rows = json.loads(command("doctor", "--json", "--config", folder / "brume.conf", check=False).stdout)
        return next(row["verdict"] for row in rows if row["check"] == "configuration")

    assert judged("\n".join(lines) + "\n") == "OK"
    assert judged("\n".join([*lines, "no-such-setting = 1"]) + "\n") == "FAIL"


def test_a_form_that_a_page_does_not_have_is_a_usage_error():
    for words in [("help", "--format", "pdf"), ("help", "--format", "markdown"), ("help", "clock", "--format", "man"),
                  ("completion", "tcsh"), ("completion",)]:
        done = command(*words, check=False)
        assert done.returncode == 2 and "brume help" in done.stderr and done.stdout == ""


# ---- The manual page ----

def test_the_manual_page_has_every_command_and_option():
    page = command("help", "--format", "man").stdout.replace("\\-", "-")
    for name in COMMANDS:
        assert f'.SS "brume {name}' in page
        for option in options(name):
            assert f"\n\\fB--{option}\\fR" in page


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_manual_page_is_clean():
    page = command("help", "--format", "man").stdout
    done = subprocess.run(["mandoc", "-T", "lint"], input=page, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


# ---- Completion ----

@pytest.fixture
def complete(folder):
    """complete("start --au"): what bash offers for the last word."""
    (folder / "brume.bash").write_text(command("completion", "bash").stdout)

    def run(line):
        words = ["brume", *line.split(" ")]
        script = ('source ./brume.bash; [ "$(complete -p brume)" = "complete -F _brume brume" ] || exit 9; COMP_WORDS=("$@"); '
                  'COMP_CWORD=$(($# - 1)); _brume; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "-uc", script, "bash", *words], cwd=folder, env=ENVIRONMENT, timeout=30,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return sorted(filter(None, done.stdout.split("\n")))

    return run


def test_bash_completes_commands_words_options_and_values(complete):
    assert complete("") == sorted(COMMANDS)
    assert complete("re") == ["restore"]
    assert complete("clock ") == ["advance", "now", "set"]
    assert complete("clock advance ") == []
    assert complete("account li") == ["limit", "limits", "list"]
    assert complete("help ba") == ["backup"]
    assert complete("start --auth ") == ["open", "signed"]
    assert complete("start --log-level w") == ["warning"]
    assert complete("start --limit SQS_IN") == ["SQS_IN_FLIGHT="]
    for name in COMMANDS:
        assert complete(f"{name} --") == sorted(["--help", *(f"--{option}" for option in options(name))])


def test_bash_completes_names_on_the_disk(complete, folder):
    (folder / "with space").mkdir()
    (folder / "with file").touch()
    assert complete("start --data with") == ["with space"]
    assert complete("start --config with") == ["with file", "with space"]
    assert complete("restore with") == ["with file", "with space"]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_commands_options_and_values(folder):
    (folder / "brume.fish").write_text(command("completion", "fish").stdout)

    def run(line):
        done = subprocess.run(["fish", "--no-config", "-c", "source ./brume.fish; complete -C $argv[1]", line], cwd=folder,
                              env={**ENVIRONMENT, "HOME": str(folder)}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return sorted(offer.split("\t")[0] for offer in done.stdout.splitlines())

    assert run("brume ") == sorted(COMMANDS)
    assert run("brume clock ") == ["advance", "now", "set"]
    assert run("brume start --auth ") == ["open", "signed"]
    assert "--virtual-clock" in run("brume start --")


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_takes_its_completion(folder):
    (folder / "_brume").write_text(command("completion", "zsh").stdout)
    # compinit finds the function by its first line; completing itself needs a terminal.
    script = "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; print $_comps[brume]; zsh -n ./_brume"
    done = subprocess.run(["zsh", "-f", "-c", script], cwd=folder, env={**ENVIRONMENT, "HOME": str(folder)}, timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "_brume\n", "")
