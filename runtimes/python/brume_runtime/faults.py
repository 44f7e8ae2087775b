"""Errors as AWS's runtime for Python words them, in answers and in logs (AWS Lambda developer guide, "Lambda function errors
in Python")."""

import datetime
import traceback

from brume_runtime.documents import encode

# The lines of a log event keep their indentation in log viewers that trim plain spaces.
NO_BREAK_SPACE = "\u00a0"


class Fault(Exception):
    """What the runtime itself finds wrong, with a type of its own ("Runtime.ImportModuleError")."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.trace = trace


def frames(error, own_files):
    """The stack of an error as text, a string a frame, without the bootstrap's own frames at its beginning."""
    found = traceback.extract_tb(error.__traceback__)
    while found and found[0].filename in own_files:
        del found[0]
    return traceback.format_list([(frame.filename, frame.lineno, frame.name, frame.line) for frame in found])


def document(error, request_id, own_files):
    """The error's document, as it goes to the caller."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace or []
    else:
        kind, trace = type(error).__name__, frames(error, own_files)
    return {"errorMessage": _message(error), "errorType": kind, "requestId": request_id, "stackTrace": trace}


def _message(error):
    try:
        return str(error)
    except Exception as other:  # a __str__ that fails is the handler's own
        return f"<unprintable {type(error).__name__}: {type(other).__name__}>"


def log_text(document):
    """The same for the log, in the text format."""
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}", "Traceback (most recent call last):"]
    for entry in document["stackTrace"]:
        for line in entry.splitlines():
            trimmed = line.lstrip(" ")
            lines.append(NO_BREAK_SPACE * (len(line) - len(trimmed)) + trimmed)
    return "\n".join(lines)


def log_json(document):
    """The same for the log, in the JSON format."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return encode({"timestamp": now, "level": "ERROR", **document})
