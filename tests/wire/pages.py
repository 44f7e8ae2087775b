"""What the documentation's pages show is run as it stands. A block is told by the words behind its fence:

    ```sh                         run, in the page's one shell and folder, block after block
    ```python   ```javascript     run there, by the Python and the Node.js of the wire tests
    ```python app.py              written there, as that file
    ```yaml FILE, ```json FILE    written there, as that file, and must be valid
    ```go part of PATH            must stand so in that file of the repository, which other tests run
    ```sh not run: REASON         shown only

Other languages and blocks without a language are shown only; code in the languages of UNRUN must say why."""

import json
import os
import re
import socket
import subprocess

import yaml

from brume import BINARY, ENVIRONMENT, ROOT

NODE_MODULES = os.path.join(ROOT, "tests", "wire", "node_modules")
PORT = "127.0.0.1:4566"
INTERPRETERS = {"python": "/usr/bin/python3 -", "javascript": "node --input-type=module"}
VALID = {"yaml": yaml.safe_load, "json": json.loads}
UNRUN = {"go", "java", "rust", "csharp", "kotlin", "ruby", "php", "c"}


class Block:
    """One fenced block: its language, the file that it becomes, where else it stands, why it is not run."""

    def __init__(self, page, fence, text):
        self.page, self.text = page, text
        self.language, _, rest = fence.strip().partition(" ")
        rest = rest.strip()
        self.reason = rest[len("not run:"):].strip() if rest.startswith("not run:") else None
        self.part_of = rest[len("part of "):] if rest.startswith("part of ") else None
        self.file = rest if rest and self.reason is None and self.part_of is None else None

    def __repr__(self):
        return f"{self.page}: {self.language} block `{self.text.splitlines()[0] if self.text else ''}`"

    def check(self):
        """What holds without running it."""
        assert self.reason != "", f"{self!r} does not say why it is not run"
        if self.language in UNRUN:
            assert self.reason or self.part_of, f"{self!r} must say `part of FILE` or `not run: REASON`"
        if self.part_of:
            with open(os.path.join(ROOT, self.part_of), encoding="utf-8") as file:
                assert unindented(self.text) in unindented(file.read()), f"{self!r} does not stand so in {self.part_of}"
        if self.language in VALID:
            assert VALID[self.language](self.text) is not None, repr(self)

    def step(self):
        """The shell's words for it, or None."""
        if self.reason is not None or self.part_of:
            return None
        if self.file:
            folder = os.path.dirname(self.file)
            return (f"mkdir -p '{folder}'\n" if folder else "") + f"cat > '{self.file}' <<'END-OF-FILE'\n{self.text}END-OF-FILE\n"
        if self.language in INTERPRETERS:
            return f"{INTERPRETERS[self.language]} <<'END-OF-FILE'\n{self.text}END-OF-FILE\n"
        return self.text if self.language == "sh" else None


def unindented(text):
    return "\n".join(line.strip() for line in text.splitlines())


def names():
    """Every page, by its path in the repository."""
    return ["README.md", *sorted(f"docs/{name}" for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md"))]


def read(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def blocks(page):
    return [Block(page, fence, text) for fence, text in re.findall(r"^```([^\n]*)\n(.*?)^```$", read(page), re.M | re.S)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(folder, port):
    """A user's shell: `brume` is there, and a current Node.js; the port may be taken where tests run side by side."""
    path = f"{os.path.dirname(BINARY)}:{NODE_MODULES}/.bin:/usr/bin:{os.environ['PATH']}"
    return {**ENVIRONMENT, "PATH": path, "HOME": str(folder), "BRUME_LISTEN": f"127.0.0.1:{port}", "PYTHONDONTWRITEBYTECODE": "1"}


def run(page, folder, seconds=120):
    """Runs the page's blocks; gives what each block that is run printed, in their order."""
    port = free_port()
    steps = [step for step in (block.step() for block in blocks(page)) if step]
    script = "set -eu\ntrap 'kill -9 $(jobs -p) 2>/dev/null || :' EXIT\n" + "".join(f"echo '-- step'\n{step}" for step in steps)
    script = script.replace(PORT, f"127.0.0.1:{port}").replace("$PWD/build", os.path.dirname(BINARY))
    if not os.path.lexists(f"{folder}/node_modules"):
        os.symlink(NODE_MODULES, f"{folder}/node_modules")
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment(folder, port), stdin=subprocess.DEVNULL,
                          timeout=seconds, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"{page}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout.split("-- step\n")[1:]
