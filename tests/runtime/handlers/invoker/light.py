"""Handlers that need nothing."""

import time


def hello(event, context):
    return event


def warm_up(event, context):
    return event


def hold(event, context):
    time.sleep(event["seconds"])
    return event
