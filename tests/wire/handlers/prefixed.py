"""Calls an operation whose SDK puts a prefix before the host's name; gives what it was answered."""

import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CLIENTS = [
    boto3.client("stepfunctions"),
    boto3.client("stepfunctions", endpoint_url=os.environ["AWS_ENDPOINT_URL"]),
    boto3.client("stepfunctions", config=Config(connect_timeout=3)),
]


def call(client):
    try:
        return client.start_sync_execution(stateMachineArn="arn:aws:states:us-east-1:123456789012:stateMachine:it")
    except ClientError as error:
        return error.response["Error"]["Message"]


def handler(_event, _context):
    return [call(client) for client in CLIENTS]
