"""What runs a Python handler in a worker: reads events from the channel (src/runtime/channel.h), calls the handler, writes what
it answers.

`prepare` is called once, in the zygote that workers are forked from; `serve` in each worker. Executed as a program it does
both. Runs on Python 3.9 and later."""

import atexit
import os
import sys
import threading
import time
import traceback

_HERE = os.path.dirname(os.path.abspath(__file__))
if _HERE not in sys.path:
    sys.path.insert(0, _HERE)

# pylint: disable=wrong-import-position
import snapshot_restore_py
from brume_runtime import channel as frames
from brume_runtime import documents, faults, handlers, logs, output, rehearsal, sdk
from brume_runtime.channel import Channel, Closed
from brume_runtime.context import LambdaContext

LAYERS = "/opt"

_OWN_FILES = {os.path.abspath(__file__)}


def prepare(library="/var/runtime"):
    """Imports what handlers import most, so that workers need not. `library`: the folder of the SDK that goes with this
    runtime. Leaves no thread behind and keeps nothing of the environment; hash seeds are the zygote's, which workers of one
    function do not tell from another's."""
    sdk.prepare(library)


def serve(take_copies=None):
    """Runs the worker that this process is, until the server closes the channel. Never returns.

    `take_copies` is called when a snapshot may be taken (SnapStart): it returns in each copy, whose channel is the same files
    then. None: the process itself goes on when FRAME_RESTORE comes."""
    code = 1
    try:
        Worker(Channel(), take_copies).run()
        code = 0
    except Closed:
        os._exit(0)  # nobody is left to hear what hooks would say
    except SystemExit as leaving:
        code = _exit_code(leaving)
    except BaseException:  # KeyboardInterrupt, and what handlers derive from BaseException: the process ends of it
        traceback.print_exc()
    _leave(code)


def _exit_code(leaving):
    """What the process ends with, by the rules of sys.exit."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)
    return 1


def _leave(code):
    """Ends the process as the interpreter does, threads waited for and hooks run, which a forked one would skip."""
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
    finally:
        for stream in (sys.stdout, sys.stderr):
            finish = getattr(stream, "finish", None) or stream.flush
            try:
                finish()
            except OSError:
                pass
        os._exit(code)


class Worker:
    """One execution environment: a handler, and the events that it is given."""

    def __init__(self, channel, take_copies=None):
        self.channel = channel
        self.take_copies = take_copies
        # Of the event that is handled; read by logging.
        self.request_id = None
        self.tenant_id = None
        self.handler = None
        self.is_json_log = False
        self._trace = None
        self._is_copied = False
        self.stdout = output.LogStream(channel, 1, "<stdout>")
        self.stderr = output.LogStream(channel, 2, "<stderr>")
        self.sink = output.LogSink(channel)

    def run(self):
        sdk.reseed()
        if not self.channel.has_frame(rehearsal.PATIENCE):
            rehearsal.rehearse()
        kind, content = self.channel.read()
        if kind != frames.INIT:
            raise Closed
        settings = documents.decode(content)
        self._set_up(settings)
        self._load(settings["handler"])
        if settings.get("snapStart"):
            self._wait_for_restore()
        self._finish_lines()
        self.channel.write(frames.READY, b"")
        while True:
            kind, content = self.channel.read()
            if kind != frames.INVOKE:
                raise Closed
            self._handle(content)

    # ---- Before the first event ----

    def _set_up(self, settings):
        os.environ.clear()
        os.environ.update(settings["environment"])
        time.tzset()
        self.channel.keep()
        os.register_at_fork(after_in_child=self._leave_channel)
        sys.stdout, sys.stderr = self.stdout, self.stderr
        sys.__stdout__, sys.__stderr__ = self.stdout, self.stderr
        self.is_json_log = settings.get("logFormat") == "JSON"
        logs.set_up(self.sink, self, settings.get("logFormat"), settings.get("logLevel"))
        root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
        folders = handlers.set_path(root, LAYERS)
        sdk.give_way(folders)
        if os.path.isdir(root):
            os.chdir(root)

    def _leave_channel(self):
        """In a process that the handler forked: what it prints goes through the pipes, and it answers no events."""
        if self._is_copied:
            return
        self.channel.leave()
        for stream in (self.stdout, self.stderr, self.sink):
            stream.leave_channel()

    def _load(self, handler):
        try:
            self.handler = handlers.load(handler)
        except Exception as error:
            self._fail_init(error)

    def _wait_for_restore(self):
        """SnapStart: the server copies this process where it waits, and each copy goes on from here."""
        self._run_hooks(snapshot_restore_py.get_before_snapshot())
        if self.take_copies is not None:
            self._refuse_threads()
        self._finish_lines()
        self.channel.write(frames.SNAPSHOT_READY, b"")
        if self.take_copies is not None:
            self._is_copied = True
            self.take_copies()
            self._is_copied = False
        kind, content = self.channel.read()
        if kind != frames.RESTORE:
            raise Closed
        os.environ.update(documents.decode(content)["environment"])
        sdk.reseed()
        self._run_hooks(snapshot_restore_py.get_after_restore())

    def _refuse_threads(self):
        """A copy has the thread that it is made by alone, and locks that another one held would stay locked."""
        count = len(os.listdir("/proc/self/task"))
        if count > 1:
            self._fail_init(
                RuntimeError(
                    f"SnapStart: {count} threads run when the snapshot is to be taken, and only one can be copied: "
                    "end the others in a hook of snapshot_restore_py.register_before_snapshot, and start them again in one of "
                    "register_after_restore"
                )
            )

    def _run_hooks(self, hooks):
        try:
            for function, arguments, named in hooks:
                function(*arguments, **named)
        except Exception as error:
            self._fail_init(error)

    def _fail_init(self, error):
        document = faults.document(error, "", _OWN_FILES | {handlers.__file__})
        self._log_error(document)
        self.channel.write(frames.INIT_ERROR, documents.encode(document).encode())
        sys.exit(1)

    # ---- Events ----

    def _handle(self, content):
        end = 4 + int.from_bytes(content[:4], "little")
        head = documents.decode(content[4:end])
        self.request_id = head["requestId"]
        self.tenant_id = head.get("tenantId")
        self._set_trace(head.get("trace"))
        try:
            answer = self._call(content[end:], head)
        except Exception as error:
            document = faults.document(error, self.request_id, _OWN_FILES)
            self._log_error(document)
            self.channel.write(frames.ERROR, documents.encode(document).encode("utf-8", "backslashreplace"))
        else:
            self._finish_lines()
            self.channel.write(frames.RESPONSE, answer)

    def _call(self, payload, head):
        try:
            event = documents.decode(payload)
        except ValueError as error:
            raise faults.Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None
        answer = self.handler(event, LambdaContext(head, self.sink))
        if isinstance(answer, bytes):
            return answer
        try:
            return documents.encode(answer).encode()
        except Exception as error:
            raise faults.Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None

    def _set_trace(self, trace):
        """The variable changes with each event (AWS Lambda developer guide, "Using Lambda environment variables")."""
        if trace != self._trace:
            self._trace = trace
            if trace is None:
                os.environ.pop("_X_AMZN_TRACE_ID", None)
            else:
                os.environ["_X_AMZN_TRACE_ID"] = trace

    def _log_error(self, document):
        self._finish_lines()
        self.sink.write(faults.log_json(document) if self.is_json_log else faults.log_text(document))

    def _finish_lines(self):
        self.stdout.finish()
        self.stderr.finish()


if __name__ == "__main__":
    prepare(*sys.argv[1:2])
    serve()
