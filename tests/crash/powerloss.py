#!/usr/bin/python3
"""powerloss.py: makes a disk as a loss of power could have left it, from the journal that powerloss.c kept.

    powerloss.py apply --base BEFORE --journal FILE --data DIR --seed N

BEFORE is a copy of the directory from before the process started: all of it counts as durable. The operations of the
journal are replayed on it. First the whole of them, to see that the outcome is what now lies in DIR (so that nothing
was overlooked); then DIR is rewritten as the seed decides:

  data    what a file's last sync covers stays. Of what came later, a file keeps nothing, or a prefix torn at a sector
          (512 bytes), or each of its pages (4 KiB) in any state that it went through, in whatever order.
  names   a directory keeps what its last sync covers, and of the later changes a prefix: file systems keep the order of
          the changes in one directory. This is harsher than ext4, where the sync of a new file also keeps its name.

sync_file_range makes nothing durable. The shim's records are described there.
"""

import argparse
import os
import random
import shutil
import stat
import struct
import sys

OPEN, WRITE, TRUNCATE, FALLOCATE, SYNC, SYNC_ALL = 1, 2, 3, 4, 5, 6
RENAME, LINK, UNLINK, MKDIR, STDIO, REFUSED, UNKNOWN = 7, 8, 9, 10, 11, 12, 13

HEAD = struct.Struct("<IIqqIIII")
SECTOR = 512
PAGE = 4096

FALLOC_FL_KEEP_SIZE = 1
FALLOC_FL_PUNCH_HOLE = 2
FALLOC_FL_ZERO_RANGE = 16
FALLOC_KNOWN = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE


class NoVerdict(Exception):
    """The journal holds something that the model does not know, or does not explain what is on the disk."""


class File:
    """A file: what is durable, and the changes since, each (sequence, kind, offset, data or size)."""

    def __init__(self, content=b"", loose=False):
        self.durable = bytearray(content)
        self.pending = []
        self.loose = loose  # written by streams, which the shim does not see
        self.size = len(content)
        self.mode = 0o600

    def change(self, sequence, kind, offset, value):
        self.pending.append((sequence, kind, offset, value))
        if kind == WRITE:
            self.size = max(self.size, offset + len(value))
        elif kind == TRUNCATE:
            self.size = offset

    def sync(self, before):
        covered = [change for change in self.pending if change[0] < before]
        self.pending = [change for change in self.pending if change[0] >= before]
        for change in covered:
            apply_change(self.durable, change)

    def unsynced_bytes(self):
        return sum(len(value) for _, kind, _, value in self.pending if kind == WRITE)


def apply_change(content, change):
    """Applies one change to a bytearray."""
    _, kind, offset, value = change
    if kind == WRITE:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(value)] = value
    elif kind == TRUNCATE:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        del content[offset:]
    else:  # zeros over a range that exists
        end = min(len(content), offset + value)
        if offset < end:
            content[offset:end] = bytes(end - offset)


class Directory:
    """A directory: its entries now, those that are durable, and the changes since, each a list of (name, node)."""

    def __init__(self):
        self.entries = {}
        self.durable = {}
        self.pending = []
        self.mode = 0o700

    def change(self, sequence, changes, twin=None):
        """`twin` is the other directory of a rename: the two changes are kept or lost together."""
        self.pending.append((sequence, changes, twin))
        set_entries(self.entries, changes)

    def keep(self, count):
        """Makes the first `count` changes durable."""
        kept, self.pending = self.pending[:count], self.pending[count:]
        for sequence, changes, twin in kept:
            set_entries(self.durable, changes)
            if twin is not None:
                twin.sync(sequence + 1)

    def sync(self, before):
        self.keep(sum(1 for change in self.pending if change[0] < before))


def set_entries(entries, changes):
    for name, node in changes:
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


def load_directory(path):
    """The tree under `path`, all of it durable. Sockets are left out: they hold nothing."""
    directory = Directory()
    if path is None:
        return directory
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            node = load_directory(entry.path)
        elif entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                node = File(file.read())
        else:
            continue
        directory.entries[entry.name] = node
    directory.durable = dict(directory.entries)
    return directory


def read_journal(path):
    """The records, each (sequence, kind, handle, a, b, extra, path, other, data); one cut off at the end is dropped."""
    with open(path, "rb") as file:
        journal = file.read()
    position = sequence = 0
    while position + HEAD.size <= len(journal):
        kind, handle, a, b, extra, path_bytes, other_bytes, data_bytes = HEAD.unpack_from(journal, position)
        start = position + HEAD.size
        position = start + path_bytes + other_bytes + data_bytes
        if position > len(journal):
            break
        name = os.fsdecode(journal[start : start + path_bytes])
        other = os.fsdecode(journal[start + path_bytes : start + path_bytes + other_bytes])
        yield sequence, kind, handle, a, b, extra, name, other, journal[position - data_bytes : position]
        sequence += 1


class Disk:
    """The directory, as its journal made it."""

    def __init__(self, base):
        self.root = load_directory(base)
        self.handles = {}
        self.synchronous = set()
        self.refused = []
        self.last = ""  # the names of the last record, for messages

    # ---- Replay ----

    def walk(self, path):
        """The directory that holds `path`, and its last name."""
        parts = path.split("/")
        directory = self.root
        for part in parts[:-1]:
            directory = directory.entries.get(part)
            if not isinstance(directory, Directory):
                raise NoVerdict(f"the journal names {path}, whose directory it never made")
        return directory, parts[-1]

    def replay(self, journal):
        for sequence, kind, handle, a, b, extra, path, other, data in read_journal(journal):
            if kind == OPEN:
                self.open(sequence, handle, a, path)
            elif kind in (WRITE, TRUNCATE, FALLOCATE):
                self.change_file(sequence, kind, handle, a, b, extra, path, data)
            elif kind == SYNC:
                self.handles[handle].sync(a)
            elif kind == SYNC_ALL:
                self.sync_all(self.root, a)
            elif kind == REFUSED:
                self.refused.append(path)
            elif kind == UNKNOWN:
                raise NoVerdict(f"not modelled: {path}")
            else:
                self.change_names(sequence, kind, path, other)

    def open(self, sequence, handle, flags, path):
        if path == "":
            self.handles[handle] = self.root
            return
        directory, name = self.walk(path)
        node = directory.entries.get(name)
        if node is None:
            if not flags & os.O_CREAT:
                raise NoVerdict(f"{path} was opened, and nothing in the journal made it")
            node = File()
            directory.change(sequence, [(name, node)])
        elif flags & os.O_TRUNC and flags & (os.O_WRONLY | os.O_RDWR):
            node.change(sequence, TRUNCATE, 0, None)
        self.handles[handle] = node
        if flags & (os.O_DSYNC | os.O_SYNC):
            self.synchronous.add(handle)

    def change_file(self, sequence, kind, handle, a, b, extra, path, data):
        if handle:
            node = self.handles[handle]
        else:
            directory, name = self.walk(path)
            node = directory.entries[name]
        if kind == WRITE:
            node.change(sequence, WRITE, a, data)
        elif kind == TRUNCATE:
            node.change(sequence, TRUNCATE, a, None)
        else:
            self.fallocate(node, sequence, extra, a, b)
        if handle in self.synchronous:
            node.sync(sequence + 1)

    @staticmethod
    def fallocate(node, sequence, mode, offset, size):
        if mode & ~FALLOC_KNOWN:
            raise NoVerdict(f"not modelled: fallocate with mode {mode}")
        if mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE):
            node.change(sequence, FALLOCATE, offset, size)
        if not mode & FALLOC_FL_KEEP_SIZE and offset + size > node.size:
            node.change(sequence, TRUNCATE, offset + size, None)

    def change_names(self, sequence, kind, path, other):
        directory, name = self.walk(path)
        if kind == MKDIR:
            directory.change(sequence, [(name, Directory())])
        elif kind == UNLINK:
            directory.change(sequence, [(name, None)])
        elif kind == STDIO:
            directory.change(sequence, [(name, File(loose=True))])
        elif kind == LINK:
            target, target_name = self.walk(other)
            target.change(sequence, [(target_name, directory.entries[name])])
        elif kind == RENAME:
            self.rename(sequence, directory, name, other)
        else:
            raise NoVerdict(f"a record of kind {kind}")

    def rename(self, sequence, directory, name, other):
        target, target_name = self.walk(other)
        node = directory.entries.get(name)
        if node is None:
            return  # a socket, say
        if directory is target:
            directory.change(sequence, [(name, None), (target_name, node)])
        else:
            directory.change(sequence, [(name, None)], twin=target)
            target.change(sequence, [(target_name, node)], twin=directory)

    def sync_all(self, node, before):
        node.sync(before)
        if isinstance(node, Directory):
            for child in list(node.entries.values()):
                self.sync_all(child, before)

    # ---- What the process left behind is what the journal says ----

    def compare(self, data):
        """Takes the modes over, without which no function could read its code: they are not in the journal, and count as
        durable. Raises NoVerdict when the directory is not what the journal makes of it, the last operation aside: the
        process may have been killed between an operation and its record."""
        differences = []
        compare_directory(self.root, data, "", differences)
        kinds = sorted(kind for kind, _ in differences)
        renamed = len(kinds) == 2 and kinds[0] == "missing" and kinds[1] in ("not explained", "other content")
        if len(kinds) > 1 and not renamed:
            shown = "; ".join(f"{name}: {kind}" for kind, name in differences[:5])
            raise NoVerdict("the journal does not explain the directory: " + shown)

    # ---- The loss of power ----

    def lose_power(self, seed):
        """Decides what is left; gives (unsynced bytes, dropped bytes, dropped names)."""
        chance = random.Random(seed)
        files, directories = {}, []
        collect(self.root, files, directories)
        unsynced = sum(file.unsynced_bytes() for file in files.values())
        names = 0
        for directory in directories:
            count = len(directory.pending)
            directory.keep(0 if chance.random() < 0.5 else chance.randint(0, count))
        for directory in directories:
            names += len(directory.pending)
            directory.entries = dict(directory.durable)
            directory.pending = []
        kept = 0
        biggest = max(files.values(), key=File.unsynced_bytes, default=None)
        for _, file in sorted(files.items()):
            kept += lose_file(file, chance, drop_all=file is biggest and chance.random() < 0.5)
        return unsynced, unsynced - kept, names

    def write(self, data):
        """Rewrites the directory."""
        for entry in os.scandir(data):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            else:
                os.unlink(entry.path)
        write_directory(self.root, data)


def collect(directory, files, directories):
    """Every file (in the order in which it is met) and directory, by its durable or present name."""
    directories.append(directory)
    for entries in (directory.entries, directory.durable):
        for _, node in sorted(entries.items(), key=lambda entry: entry[0]):
            if isinstance(node, Directory):
                if node not in directories:
                    collect(node, files, directories)
            elif all(node is not file for file in files.values()):
                files[len(files)] = node


def lose_file(file, chance, drop_all):
    """Leaves in `file.durable` what the loss of power left of it; gives the unsynced bytes that it kept."""
    changes, file.pending = file.pending, []
    if not changes:
        return 0
    way = 0 if drop_all else chance.random()
    if way < 0.4:
        return 0
    if way < 0.7:
        return keep_prefix(file, changes, chance)
    return keep_pages(file, changes, chance)


def keep_prefix(file, changes, chance):
    whole = chance.randint(0, len(changes) - 1)
    kept = 0
    for change in changes[:whole]:
        apply_change(file.durable, change)
        kept += len(change[3]) if change[1] == WRITE else 0
    sequence, kind, offset, value = changes[whole]
    if kind == WRITE and len(value) > 0:
        torn = (offset + chance.randint(0, len(value))) // SECTOR * SECTOR
        if torn > offset:
            apply_change(file.durable, (sequence, kind, offset, value[: torn - offset]))
            kept += torn - offset
    return kept


def keep_pages(file, changes, chance):
    """Every page is in one of the states that it went through; so is the size."""
    states = {}
    for index, (_, kind, offset, value) in enumerate(changes):
        if kind == WRITE:
            for page in range(offset // PAGE, (offset + max(len(value), 1) - 1) // PAGE + 1):
                states.setdefault(page, []).append(index)
    limit = {page: chance.choice([-1, *indexes]) for page, indexes in states.items()}
    kept = 0
    for index, (sequence, kind, offset, value) in enumerate(changes):
        if kind != WRITE:
            if chance.random() < 0.5:
                apply_change(file.durable, (sequence, kind, offset, value))
            continue
        position = 0
        while position < len(value):
            page = (offset + position) // PAGE
            size = min(len(value) - position, (page + 1) * PAGE - offset - position)
            if index <= limit[page]:
                apply_change(file.durable, (sequence, WRITE, offset + position, value[position : position + size]))
                kept += size
            position += size
    return kept


def compare_directory(directory, path, prefix, differences):
    present = {}
    for entry in os.scandir(path):
        mode = entry.stat(follow_symlinks=False).st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            present[entry.name] = entry
    for name in sorted(set(present) | set(directory.entries)):
        node, entry = directory.entries.get(name), present.get(name)
        if node is None or entry is None:
            loose = isinstance(node, File) and node.loose
            kind = "missing" if entry is None else "not explained"
            differences.extend([] if loose else [(kind, prefix + name)])
        elif isinstance(node, Directory):
            node.mode = stat.S_IMODE(entry.stat().st_mode)
            compare_directory(node, entry.path, prefix + name + "/", differences)
        elif not node.loose:
            node.mode = stat.S_IMODE(entry.stat().st_mode)
            compare_file(node, entry.path, prefix + name, differences)


def compare_file(file, path, name, differences):
    content = bytearray(file.durable)
    for change in file.pending:
        apply_change(content, change)
    with open(path, "rb") as present:
        if present.read() != content:
            differences.append(("other content", name))


def write_directory(directory, path):
    for name, node in directory.entries.items():
        target = os.path.join(path, name)
        if isinstance(node, Directory):
            os.mkdir(target, 0o700)
            write_directory(node, target)
            os.chmod(target, node.mode)
        elif not node.loose:
            with open(target, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(node.durable)
            os.chmod(target, node.mode)


def apply(base, journal, data, seed):
    """Rewrites `data`; gives (unsynced bytes, dropped bytes, dropped names). NoVerdict: nothing was changed."""
    disk = Disk(base)
    disk.replay(journal)
    disk.compare(data)
    outcome = disk.lose_power(seed)
    disk.write(data)
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["apply"])
    parser.add_argument("--base", help="the directory before the process started (default: empty)")
    parser.add_argument("--journal", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    try:
        unsynced, dropped, names = apply(arguments.base, arguments.journal, arguments.data, arguments.seed)
    except NoVerdict as problem:
        print(f"powerloss: {problem}", file=sys.stderr)
        return 1
    print(f"unsynced={unsynced} dropped={dropped} names={names}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
