"""Where print and logging write to: frames of the channel.

Pipes would do as well, but a print that travels beside the answer can come after it, and would be the next event's then; on
the channel the order is that of the program. What subprocesses and libraries written in C print goes through the pipes of
standard output and error, line by line."""

import io
import os
import threading

from brume_runtime.channel import LOG, frame


class LogStream(io.TextIOBase):
    """sys.stdout and sys.stderr. A line is a log event, its end included, as on AWS; an empty one is none, and an unfinished
    one waits for its end, or the event's."""

    def __init__(self, channel, file, name):
        self._channel = channel
        self._file = file
        self._name = name
        self._lock = threading.Lock()
        self._started = ""
        self._inherited = False
        self._buffer = None

    # ---- What a text stream is asked for ----

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None
    line_buffering = True

    @property
    def name(self):
        return self._name

    @property
    def mode(self):
        return "w"

    @property
    def buffer(self):
        """For bytes: the pipe itself."""
        if self._buffer is None:
            self._buffer = io.FileIO(self._file, "w", closefd=False)
        return self._buffer

    def fileno(self):
        return self._file

    def writable(self):
        return True

    def reconfigure(self, **_):
        """Accepted, as programs call it for the sake of terminals; lines go out as they end, in UTF-8, whatever it says."""

    # ---- Writing ----

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._inherited:
            os.write(self._file, text.encode("utf-8", "backslashreplace"))
        elif "\n" not in text:
            with self._lock:
                self._started += text
        else:
            with self._lock:
                *lines, self._started = (self._started + text).split("\n")
            self._send([line + "\n" for line in lines if line])
        return len(text)

    def finish(self):
        """The event has ended, and with it its last line."""
        if self._started:
            with self._lock:
                line, self._started = self._started, ""
            self._send([line])

    def _send(self, lines):
        data = b"".join(frame(LOG, line.encode("utf-8", "backslashreplace")) for line in lines)
        if data:
            self._channel.write_frames(data)

    def leave_channel(self):
        """In a process that the handler forked: the channel is its parent's."""
        self._inherited = True
        self._lock = threading.Lock()
        self._started = ""


class LogSink:
    """Log events of several lines, whole: logging's records, and errors."""

    def __init__(self, channel):
        self._channel = channel
        self._inherited = False

    def write(self, text):
        data = text.encode("utf-8", "backslashreplace")
        if self._inherited:
            os.write(1, data if data.endswith(b"\n") else data + b"\n")
        else:
            self._channel.write(LOG, data)

    def leave_channel(self):
        self._inherited = True
