"""The frames of src/runtime/channel.h, as a worker reads and writes them: plain blocking reads of one file and writes of
another, which is what a loop that takes one event at a time needs, and the fastest that Python has."""

import os
import select
import struct
import threading

INIT, INVOKE, RESTORE = 1, 2, 3
READY, INIT_ERROR, RESPONSE, ERROR = 16, 17, 18, 19
LOG, SNAPSHOT_READY = 24, 25

EVENTS_FILE, ANSWERS_FILE = 3, 4  # of every worker

_HEADER = struct.Struct("<B3xI")
_READ_SIZE = 65536
_JOIN_SIZE = 32768  # a frame up to this is copied behind its header, which costs less than a second system call


class Closed(Exception):
    """The server is gone, or wants no more of this worker."""


class Channel:
    def __init__(self):
        self._rest = b""
        self._events, self._answers = EVENTS_FILE, ANSWERS_FILE
        # Handlers' threads log while the main thread answers.
        self._lock = threading.Lock()

    def has_frame(self, seconds):
        """Whether one comes within that time, or the end."""
        return bool(select.select([self._events], [], [], seconds)[0])

    def read(self):
        """The next frame: its kind, and its content as bytes."""
        data = self._rest or os.read(self._events, _READ_SIZE)
        while len(data) < _HEADER.size:
            more = os.read(self._events, _READ_SIZE) if data else b""
            if not more:
                raise Closed
            data += more
        kind, size = _HEADER.unpack_from(data)
        end = _HEADER.size + size
        if len(data) < end:
            content = self._read_rest(data, size)
            self._rest = b""
            return kind, content
        self._rest = data[end:]
        return kind, data[_HEADER.size:end]

    def _read_rest(self, data, size):
        """A long frame's content, into one buffer of its size."""
        content = bytearray(size)
        have = len(data) - _HEADER.size
        content[:have] = data[_HEADER.size:]
        view = memoryview(content)
        while have < size:
            count = os.readv(self._events, [view[have:]])
            if count == 0:
                raise Closed
            have += count
        return bytes(content)

    def write(self, kind, content):
        """Sends a frame, whole; content is bytes. From any thread."""
        header = _HEADER.pack(kind, len(content))
        if len(content) <= _JOIN_SIZE:
            self.write_frames(header + content)
            return
        with self._lock:
            self._write_all(header)
            self._write_all(content)

    def write_frames(self, data):
        """Sends frames that were put together before."""
        with self._lock:
            self._write_all(data)

    def _write_all(self, data):
        count = os.write(self._answers, data)
        while count < len(data):
            data = memoryview(data)[count:]
            count = os.write(self._answers, data)

    def keep(self):
        """Programs that the handler executes do not get it."""
        os.set_inheritable(self._events, False)
        os.set_inheritable(self._answers, False)

    def leave(self):
        """In a process that the handler forked: the channel is its parent's. A thread that held the lock is not there."""
        os.close(self._events)
        os.close(self._answers)
        self._events = self._answers = -1
        self._lock = threading.Lock()


def frame(kind, content):
    return _HEADER.pack(kind, len(content)) + content
