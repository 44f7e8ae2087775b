"""boto3 in a worker: imported before it is forked, and led to Brume however old it is."""

import importlib
import os
import random
import sys

# Imported ahead, because handlers import them: the language's own, then the SDK's packages.
_LANGUAGE = ("json", "logging", "logging.handlers", "datetime", "decimal", "urllib.request", "urllib.parse", "uuid", "base64",
             "hashlib", "hmac", "re", "random", "time", "collections", "dataclasses", "enum", "functools", "itertools",
             "typing", "asyncio", "concurrent.futures", "contextlib", "io", "csv", "copy", "math", "string", "struct",
             "tempfile", "shutil", "subprocess", "traceback", "zlib", "gzip", "http.client", "ssl", "socket", "statistics")
_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")


def prepare(library):
    for name in _LANGUAGE:
        importlib.import_module(name)
    if library and library not in sys.path:
        sys.path.append(library)
    try:
        importlib.import_module("boto3")
    except ImportError:
        return  # a host without it: a handler that wants it says so


def give_way(folders):
    pass


def reseed():
    """Two workers of one parent, or two copies of one snapshot, must not draw the same numbers."""
    random.seed()
