"""Hooks around snapshots, under the name by which AWS's own library is imported (AWS Lambda developer guide, "Lambda SnapStart
runtime hooks for Python"): those before a snapshot run in the reverse order of their registration, those after a restore
in its order."""

_before_snapshot = []
_after_restore = []


def register_before_snapshot(function, *arguments, **named):
    _before_snapshot.insert(0, (function, arguments, named))
    return function


def register_after_restore(function, *arguments, **named):
    _after_restore.append((function, arguments, named))
    return function


def get_before_snapshot():
    return _before_snapshot


def get_after_restore():
    return _after_restore
