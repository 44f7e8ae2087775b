"""The root logger as AWS's runtime sets it up (AWS Lambda developer guide, "Log and monitor Python Lambda functions")."""

import json
import logging
import time

LEVELS = {"TRACE": logging.DEBUG, "DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING,
          "WARNING": logging.WARNING, "ERROR": logging.ERROR, "FATAL": logging.CRITICAL, "CRITICAL": logging.CRITICAL}

TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s\n"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S"

# What every record has; whatever else it has was given by `extra` and is written too.
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id", "tenant_id"}


class LambdaLoggerHandler(logging.Handler):
    def __init__(self, sink):
        super().__init__()
        self._sink = sink

    def emit(self, record):
        try:
            self._sink.write(self.format(record))
        except Exception:
            self.handleError(record)


class LambdaLoggerFilter(logging.Filter):
    """Gives records the event that they belong to. `current` is the loop's own, changed by it for each event."""

    def __init__(self, current):
        super().__init__()
        self._current = current

    def filter(self, record):
        record.aws_request_id = self._current.request_id
        record.tenant_id = self._current.tenant_id
        return True


class JsonFormatter(logging.Formatter):
    def format(self, record):
        milliseconds = int(record.created * 1000) % 1000
        document = {
            "timestamp": f"{time.strftime(TIME_FORMAT, time.gmtime(record.created))}.{milliseconds:03d}Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, error, trace = record.exc_info
            document["stackTrace"] = self.formatException((kind, error, trace)).split("\n")[1:-1]
            document["errorType"] = kind.__name__
            document["errorMessage"] = str(error)
            document["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
        document["requestId"] = record.aws_request_id
        if record.tenant_id is not None:
            document["tenantId"] = record.tenant_id
        document.update((name, value) for name, value in vars(record).items() if name not in _PLAIN)
        return json.dumps(document, ensure_ascii=False, default=str)


# Made ahead, with the module.
logging.Formatter.converter = time.gmtime
_FORMATTERS = {"JSON": JsonFormatter(), "Text": logging.Formatter(TEXT_FORMAT, TIME_FORMAT)}


def set_up(sink, current, log_format, level):
    """Gives the root logger its one handler. The level is AWS's "log level" of the JSON format; text logs begin at WARNING,
    as logging does."""
    handler = LambdaLoggerHandler(sink)
    handler.setFormatter(_FORMATTERS["JSON" if log_format == "JSON" else "Text"])
    handler.addFilter(LambdaLoggerFilter(current))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    wanted = LEVELS.get(level, logging.INFO) if log_format == "JSON" else logging.WARNING
    if root.level != wanted:  # to set it touches every logger, in pages that workers share
        root.setLevel(wanted)
