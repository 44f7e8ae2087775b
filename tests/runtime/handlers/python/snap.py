"""SnapStart hooks: before a snapshot the last registered runs first, after a restore the first."""

import os
import random

from snapshot_restore_py import register_after_restore, register_before_snapshot

calls = ["import"]


@register_before_snapshot
def before_one():
    calls.append("before one")


register_before_snapshot(lambda name, more: calls.append(f"before {name}{more}"), "two", more="!")


@register_after_restore
def after_one():
    calls.append(f"after one {os.environ['AWS_LAMBDA_LOG_STREAM_NAME']}")


@register_after_restore
def after_two():
    calls.append("after two")


def handler(event, context):
    print("in the copy")
    return [calls, random.random()]
