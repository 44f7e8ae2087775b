"""What the checks share: the tracked files, the exemptions, and how findings are reported."""

import os
import subprocess
import sys

ROOT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", ".."))


def files(*suffixes):
    """The repository's files that git tracks or would track, by name; only those with these endings, when any are given."""
    out = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout
    names = sorted({name for name in out.split("\0") if name})
    return [
        name for name in names
        if (not suffixes or name.endswith(suffixes)) and os.path.isfile(os.path.join(ROOT, name))
        and not os.path.islink(os.path.join(ROOT, name))
    ]


def lines(name):
    """The lines of a text file, without their ends; none for a binary file."""
    with open(os.path.join(ROOT, name), "rb") as file:
        content = file.read()
    if b"\0" in content:
        return []
    return content.decode("utf-8", "replace").splitlines()


class Report:
    """Findings of one check. A line `CHECK PLACE REASON…` in tools/check/exemptions excuses one place; an exemption that
    excuses nothing is a finding itself, so that the list stays true."""

    def __init__(self, check):
        self.check = check
        self.found = 0
        self.exempt = {}
        path = os.path.join(ROOT, "tools", "check", "exemptions")
        for line in open(path, encoding="utf-8") if os.path.exists(path) else ():
            fields = line.split(None, 2)
            if not fields or fields[0].startswith("#") or fields[0] != check:
                continue
            if len(fields) < 3:
                self._say(f"tools/check/exemptions: {line.strip()}: an exemption needs a reason")
            self.exempt[fields[1]] = False

    def _say(self, text):
        print(text)
        self.found += 1

    def finding(self, place, text, line=None):
        """`place` is a file, or FILE:FUNCTION: what an exemption names."""
        if place in self.exempt:
            self.exempt[place] = True
            return
        self._say(f"{place}{'' if line is None else f' (line {line})'}: {text}")

    def end(self):
        for place, used in self.exempt.items():
            if not used:
                self._say(f"tools/check/exemptions: {self.check} {place}: nothing there needs it any more")
        sys.exit(1 if self.found else 0)
