"""What a worker does while it waits for its function: all that a start and an event will ask of it, once, with nothing of
anybody's.

A worker is a fork. Whatever it does first copies the pages that it shares with the zygote, one fault after the other, and
that takes more time than the work itself; a worker that was started ahead has that behind it when it is given its function.
Nothing of it may be seen by a handler.

The SDK is left out: to make a client here, too, would halve the time of the first one in a handler, and double the memory of
every worker that needs none."""

import importlib.machinery
import importlib.util
import os

from brume_runtime import documents
from brume_runtime.context import LambdaContext

PATIENCE = 0.002  # seconds: one that is started for an invocation has its first frame by then

_SETTINGS = """{"handler": "app.handler", "environment": {"NAME": "value", "OTHER": "another \\u00e4 \\" value"},
"snapStart": false, "logFormat": "Text", "logLevel": "INFO", "numbers": [1, 2.5, -3e7, null, true]}"""
_HEAD = {"requestId": "", "functionArn": "", "deadlineMs": 0}
_MODULE = '''
"""Some of what handlers are written in."""
import os
import json as other
from time import time

LIMIT, NAMES = 10, {"one": 1, "two": [2.0, "2"]}

class Thing:
    def __init__(self, name, *rest, size=0):
        self.name, self.size = name, size + len(rest)

    def __str__(self):
        return f"{self.name}: {self.size}"

def handler(event, context):
    try:
        for number in range(LIMIT):
            thing = Thing("thing", number, size=number)
        with_rest = [str(thing) for name in sorted(NAMES) if name != "two"]
    except (KeyError, ValueError) as error:
        raise RuntimeError("never") from error
    return {"statusCode": 200, "body": other.dumps({"at": time(), "rest": with_rest, "event": event, "os": os.name})}
'''


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads that text instead of a file's, and keeps nothing."""

    def get_data(self, path):
        if path != self.path:
            raise OSError
        return _MODULE.encode()

    def path_stats(self, path):
        return {"mtime": 0, "size": len(_MODULE)}

    def set_data(self, path, data, **_more):
        pass


def rehearse():
    settings = documents.decode(_SETTINGS)
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(settings["environment"])
    os.environ.clear()
    os.environ.update(before)
    spec = importlib.util.spec_from_loader("app", _Loader("app", "/nowhere/app.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    documents.encode(module.handler(settings, LambdaContext(_HEAD, None)))
