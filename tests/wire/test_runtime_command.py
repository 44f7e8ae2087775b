"""`brume runtime`: what it finds, and what it installs. npm and pip are stood in for by programs of the test's own, since what
they fetch changes; the real ones install the runtimes that the other tests run on (tools/test)."""

import os
import platform
import subprocess
import sys

import pytest

from brume import BINARY

NPM = """#!/bin/sh
[ "$1" != --version ] || { echo 10.0.0; exit 0; }
echo "$@" >> "$LOG"
[ "$FAILS" != npm ] || { echo "npm ERR! network" >&2; exit 1; }
[ "$2" = --prefix ] || exit 9
program="$3/node_modules/node-linux-ARCH/bin"
mkdir -p "$program" "$3/node_modules/@aws-sdk/client-sqs"
printf '#!/bin/sh\\necho v%s.1.2\\n' "${VERSION:-22}" > "$program/node"
chmod 755 "$program/node"
"""
ARCH = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
PYTHON = "python%d.%d" % sys.version_info[:2]


@pytest.fixture
def runtime(folder):
    """Runs the command with a PATH that has npm alone: runtime(words…, environment) gives the process that has ended."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "npm").write_text(NPM.replace("ARCH", ARCH))
    (programs / "npm").chmod(0o755)

    def run(*words, **environment):
        environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(folder), "LOG": str(folder / "log"), **environment}
        return subprocess.run([BINARY, "runtime", *words], env=environment, capture_output=True, text=True, timeout=60)

    run.folder = folder
    return run


def test_the_list_says_what_is_there_what_is_missing_and_what_is_refused(runtime):
    done = runtime("list")
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in done.stdout.splitlines()}
    assert done.returncode == 0 and done.stderr == ""
    assert lines[PYTHON].startswith("ready /usr/bin/python3.")
    assert lines["nodejs16.x"] == "missing brume runtime install nodejs16.x (AWS deprecated it on 2024-06-12)"
    assert lines["provided.al2023"] == "ready the function brings it"
    assert lines["java21"] == "refused"


def test_node_and_its_sdk_are_put_where_the_server_looks(runtime):
    to = runtime.folder / "deep" / "runtimes"
    done = runtime("install", "nodejs22.x", "--to", str(to))
    assert (done.returncode, done.stdout) == (0, f"nodejs22.x: Node.js 22.1.2 and the AWS SDK for JavaScript, in {to}/nodejs22.x\n")
    assert os.access(to / "nodejs22.x/bin/node", os.X_OK)
    assert sorted(os.listdir(to / "nodejs22.x/lib/node_modules")) == ["@aws-sdk"]
    assert os.listdir(to) == ["nodejs22.x"]  # nothing is left over
    words = (runtime.folder / "log").read_text().split()
    assert f"node-linux-{ARCH}@22" in words and "@aws-sdk/client-sqs@3" in words and "@aws-sdk/lib-dynamodb@3" in words
    listed = runtime("list", BRUME_RUNTIMES=str(to)).stdout
    assert f"nodejs22.x       ready    {to}/nodejs22.x/bin/node, SDK in {to}/nodejs22.x/lib\n" in listed
    # Others must be able to read it: the server, and functions, may be other users.
    assert [oct(os.stat(path).st_mode & 0o005) for path in (to, to / "nodejs22.x", to / "nodejs22.x/lib")] == ["0o5"] * 3


def test_an_installation_replaces_the_one_before(runtime):
    to = runtime.folder / "runtimes"
    (to / "nodejs22.x" / "lib" / "old").mkdir(parents=True)
    assert runtime("install", "nodejs22.x", "--to", str(to)).returncode == 0
    assert os.listdir(to / "nodejs22.x/lib/node_modules") == ["@aws-sdk"] and os.listdir(to) == ["nodejs22.x"]
    assert not (to / "nodejs22.x/lib/old").exists()


@pytest.mark.parametrize("environment, message", [
    ({"FAILS": "npm"}, "npm could not fetch Node.js 22 and the AWS SDK; it says why above. Can it reach its registry? (npm ping)"),
    ({"VERSION": "20"}, "the Node.js that npm fetched does not run here, or is not version 22"),
    ({"PATH": "/nowhere"}, "npm is needed, and is not on the PATH: install it (Debian: apt-get install npm)"),
])
def test_what_fails_says_so_and_leaves_what_was_there(runtime, environment, message):
    to = runtime.folder / "runtimes"
    (to / "nodejs22.x" / "bin").mkdir(parents=True)
    (to / "nodejs22.x" / "bin" / "node").write_text("of before")
    done = runtime("install", "nodejs22.x", "--to", str(to), **environment)
    assert done.returncode == 1 and message in done.stderr
    assert (to / "nodejs22.x/bin/node").read_text() == "of before" and os.listdir(to) == ["nodejs22.x"]


def test_the_users_own_directory_is_taken_when_the_machines_cannot_be_written(runtime):
    """Root can write the machine's; so this says no more than where a user's lies."""
    if os.geteuid() == 0:
        run = ["/usr/bin/setpriv", "--reuid=65534", "--clear-groups", BINARY]
        os.chmod(runtime.folder, 0o777)
    else:
        run = [BINARY]
    done = subprocess.run([*run, "runtime", "install", "nodejs22.x"], capture_output=True, text=True, timeout=60, env={
        "PATH": f"{runtime.folder}/bin:/usr/bin:/bin", "HOME": str(runtime.folder), "LOG": str(runtime.folder / "log")})
    assert done.returncode == 0, done.stderr
    assert f"in {runtime.folder}/.local/share/brume-runtimes/nodejs22.x" in done.stdout


def test_python_is_the_hosts_with_the_boto3_that_it_has(runtime):
    """Its pip is told to find nothing, as it is without a network."""
    done = runtime("install", PYTHON, "--to", str(runtime.folder / "runtimes"), PIP_NO_INDEX="1")
    assert done.returncode == 0
    assert done.stdout == f"{PYTHON}: /usr/bin/{PYTHON}, and the boto3 that it has\n"
    assert not (runtime.folder / "runtimes" / PYTHON).exists()


def test_a_python_that_debian_has_not_is_refused_with_what_to_do(runtime):
    absent = next(f"python3.{minor}" for minor in range(8, 15) if not os.path.exists(f"/usr/bin/python3.{minor}"))
    apt = runtime.folder / "bin" / "apt-get"
    apt.write_text("#!/bin/sh\n[ \"$1\" = --version ] || { echo \"E: Unable to locate package $4\" >&2; exit 100; }\n")
    apt.chmod(0o755)
    done = runtime("install", absent, "--to", str(runtime.folder / "runtimes"))
    assert done.returncode == 1 and done.stdout == ""
    if os.geteuid() == 0:
        assert f"Unable to locate package {absent}" in done.stderr
        assert f"name it to the server: brume start --runtime {absent}=/path/to/python3" in done.stderr
    else:
        assert f"as root, run `apt-get install {absent}`, then this again" in done.stderr
    assert not (runtime.folder / "runtimes").exists()


@pytest.mark.parametrize("words, code, message", [
    (["install", "java21"], 1, "Brume does not run java21: package the function with its runtime"),
    (["install", "nodejs23.x"], 2, "there is no runtime 'nodejs23.x'; `brume runtime list` prints those that there are"),
    (["install"], 2, "which one? `brume runtime list` prints them"),
    (["remove", "nodejs22.x"], 2, "`brume runtime` knows list and install, not 'remove'"),
    (["list", "nodejs22.x"], 2, "list takes no name"),
])
def test_what_makes_no_sense_is_told(runtime, words, code, message):
    done = runtime(*words)
    assert done.returncode == code and message in done.stderr and done.stdout == ""


def test_a_custom_runtime_needs_nothing(runtime):
    assert runtime("install", "provided.al2023").stdout == "provided.al2023 needs nothing: functions bring their own `bootstrap`\n"
