"""build.py: the programs of the crash tests and fixtures, compiled when their sources are newer."""

import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(ROOT, "build", "crash")
FLAGS = "-std=gnu17 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wconversion -Wshadow -Werror".split()


def compiled(name, source, *more):
    target = os.path.join(OUT, name)
    path = os.path.join(HERE, source)
    if not os.path.exists(target) or os.path.getmtime(target) < os.path.getmtime(path):
        os.makedirs(OUT, exist_ok=True)
        unfinished = f"{target}.{os.getpid()}"
        command = [os.environ.get("CC", "cc"), *FLAGS, path, "-o", unfinished, *more, "-pthread", "-ldl"]
        subprocess.run(command, check=True)
        os.rename(unfinished, target)
    return target


def clock():
    return compiled("clock.so", "../fixtures/clock.c", "-shared", "-fPIC")


def shim():
    return compiled("powerloss.so", "powerloss.c", "-shared", "-fPIC")


def probe():
    return compiled("probe", "probe.c")


def rocksdb_probe():
    return compiled("rocksdb_probe", "rocksdb_probe.c", "-lrocksdb")


def shim_environment(data, journal, sync_us):
    """The environment of a process whose writes to `data` are kept in `journal`."""
    return {
        **os.environ,
        "LD_PRELOAD": shim(),
        "BRUME_POWERLOSS_DIR": data,
        "BRUME_POWERLOSS_JOURNAL": journal,
        "BRUME_POWERLOSS_SYNC_US": str(sync_us),
    }
