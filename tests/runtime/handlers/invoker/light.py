"""Handlers that need nothing."""


def hello(event, context):
    return event


def warm_up(event, context):
    return event
