"""selftest.py: the power-loss shim and its model are held to what they promise, with programs (probe.c) that
write with and without a sync, and with RocksDB itself (rocksdb_probe.c).

Each scenario is run once, then a disk is made for each of many seeds: every one must be allowed, and each of the
outcomes that a scenario can have must be seen. tests/crash/run runs them first: a shim that overlooks something would
let every server pass."""

import os
import shutil
import subprocess
import tempfile

import build
import powerloss

BLOCK = 8192
SEEDS = 60


def content(letters):
    return b"".join(letter.encode() * BLOCK for letter in letters)


def outcomes(name, sync_us=200000):
    """The disks that 60 losses of power made of a scenario, each a dict of relative path → content."""
    found = []
    with tempfile.TemporaryDirectory() as top:
        data, journal, work = (os.path.join(top, part) for part in ("data", "journal", "work"))
        os.mkdir(data)
        slow = name in ("during_sync", "before_sync_returns")
        environment = build.shim_environment(data, journal, sync_us if slow else 0)
        done = subprocess.run([build.probe(), name], cwd=data, env=environment, timeout=60, stderr=subprocess.DEVNULL)
        if done.returncode != -9:
            raise AssertionError(f"the probe ended with {done.returncode}")
        for seed in range(SEEDS):
            shutil.copytree(data, work)
            unsynced, dropped, _ = powerloss.apply(None, journal, work, seed)
            assert 0 <= dropped <= unsynced
            found.append((read_tree(work), unsynced, dropped))
            shutil.rmtree(work)
    return found


def read_tree(top):
    tree = {}
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                tree[os.path.relpath(path, top)] = file.read()
    return tree


def exactly(name, *expected):
    """Every disk is one of `expected`, and each of them is seen."""
    seen = [tree for tree, _, _ in outcomes(name)]
    for tree in seen:
        assert tree in expected, f"a disk with {sorted((path, len(data)) for path, data in tree.items())}"
    for tree in expected:
        assert tree in seen, f"never a disk with {sorted(tree)}"


def torn(name, path, before, after):
    """Every sector is the old or the new one (or was never written); untouched, and mixed disks are seen."""
    mixed = untouched = False
    for tree, unsynced, dropped in outcomes(name):
        data = tree.get(path, b"")
        assert unsynced == BLOCK and dropped > 0 or data == after
        for start in range(0, len(data), powerloss.SECTOR):
            sector = data[start : start + powerloss.SECTOR]
            end = start + len(sector)
            assert sector in (before[start:end], after[start:end], bytes(len(sector))), f"a strange sector at {start}"
        untouched = untouched or data == before
        mixed = mixed or data not in (before, after)
    assert untouched and mixed


def no_verdict(name):
    try:
        outcomes(name)
    except powerloss.NoVerdict:
        return
    raise AssertionError("it went unnoticed")


def always_kept_then_torn(name):
    for tree, _, _ in outcomes(name):
        data = tree["file"]
        assert data[:BLOCK] == content("a"), "what the sync covered is lost"
    assert any(tree["file"] == content("a") for tree, _, _ in outcomes(name)), "the later write is never lost"


OLD, NEW = {"old": content("o")}, {"old": content("n")}
TESTS = {
    "no_sync": lambda name: torn(name, "file", b"", content("a")),
    "synced": lambda name: exactly(name, {"file": content("a")}),
    "name_not_synced": lambda name: exactly(name, {}, {"file": content("a")}),
    "overwrite": lambda name: torn(name, "old", content("o"), content("n")),
    "overwrite_sync_range": lambda name: torn(name, "old", content("o"), content("n")),
    "truncate_on_open": lambda name: exactly(name, OLD, {"old": b""}),
    "replace": lambda name: exactly(name, OLD, {**OLD, "new": content("n")}, NEW),
    "replace_synced": lambda name: exactly(name, NEW),
    "unlinked": lambda name: exactly(name, OLD, {}),
    "linked": lambda name: exactly(name, {**OLD, "second": content("o")}, {"second": content("o")}),
    "moved": lambda name: exactly(name, OLD, {"below/new": content("o")}),
    "moved_synced": lambda name: exactly(name, {"below/new": content("o")}),
    "every_way": lambda name: exactly(name, {"file": content("abcdef")}),
    "during_sync": always_kept_then_torn,
    "before_sync_returns": lambda name: torn(name, "file", b"", content("a")),
    "synchronous": lambda name: exactly(name, {"file": content("a")}),
    "mapped": no_verdict,
    "copied": lambda name: exactly(name, {**OLD, "file": b""}),
    "past_the_shim": no_verdict,
}


def rocksdb_round(top, seed, mode):
    """One life of RocksDB under the shim; gives (acknowledged, found after the loss of power, dropped bytes)."""
    data, journal = os.path.join(top, f"data{seed}"), os.path.join(top, f"journal{seed}")
    os.mkdir(data)
    program = [build.rocksdb_probe(), data]
    process = subprocess.Popen(
        [*program, mode], env=build.shim_environment(data, journal, 2000), stdout=subprocess.PIPE, text=True
    )
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged >= 300 + 37 * seed:
            process.kill()
    process.wait(timeout=60)
    _, dropped, _ = powerloss.apply(None, journal, data, seed)
    found = int(subprocess.run([*program, "count"], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout)
    return acknowledged, found, dropped


def rocksdb_keeps_what_it_synced(_):
    with tempfile.TemporaryDirectory() as top:
        total = 0
        for seed in range(6):
            acknowledged, found, dropped = rocksdb_round(top, seed, "sync")
            assert found >= acknowledged, f"seed {seed}: {acknowledged} acknowledged, {found} found"
            total += dropped
        assert total > 0, "no round dropped anything"


def rocksdb_without_sync_is_caught(_):
    with tempfile.TemporaryDirectory() as top:
        acknowledged, found, dropped = rocksdb_round(top, 1, "nosync")
        assert dropped > 0 and found < acknowledged, f"{acknowledged} acknowledged, {found} found, {dropped} dropped"


TESTS["rocksdb_keeps_what_it_synced"] = rocksdb_keeps_what_it_synced
TESTS["rocksdb_without_sync_is_caught"] = rocksdb_without_sync_is_caught


def run(report, wanted=""):
    """Runs those whose name begins with `wanted`; `report(good, name, text)` is told of each."""
    for name, test in TESTS.items():
        if not f"powerloss_{name}".startswith(wanted):
            continue
        try:
            test(name)
            report(True, f"powerloss_{name}", "")
        except (AssertionError, powerloss.NoVerdict, subprocess.SubprocessError, OSError) as problem:
            report(False, f"powerloss_{name}", str(problem))
