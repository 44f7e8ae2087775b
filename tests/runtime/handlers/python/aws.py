"""Clients of the SDK that are given no endpoint."""

import boto3


def handler(event, context):
    return {name: boto3.client(name).meta.endpoint_url for name in event}


def version(event, context):
    import dateutil

    return [boto3.__version__, boto3.__file__.split("/")[-2], dateutil.__file__.split("/")[-2]]


def list_queues(event, context):
    return boto3.client("sqs").list_queues().get("QueueUrls")


def region(event, context):
    client = boto3.client("sqs")
    return [client.meta.region_name, boto3.DEFAULT_SESSION.get_credentials().access_key]
