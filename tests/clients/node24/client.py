"""A function of a runtime that `brume runtime install` has fetched just now: its version, and its SDK, which calls the server
as the function's role.

    client.py HANDLER

The endpoint and the credentials stand in the environment."""

import io
import json
import os
import sys
import zipfile

import boto3

TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


def connect(service):
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"])


def main(path):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "app.mjs")
    role = connect("iam").create_role(RoleName="node24", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    functions, sqs = connect("lambda"), connect("sqs")
    queue = sqs.create_queue(QueueName="node24")["QueueUrl"]
    functions.create_function(FunctionName="node24", Runtime="nodejs24.x", Handler="app.handler", Role=role,
                              Code={"ZipFile": package.getvalue()}, Timeout=20)
    functions.get_waiter("function_active_v2").wait(FunctionName="node24")
    answer = functions.invoke(FunctionName="node24", Payload=json.dumps({"queue": "node24", "body": "from 24"}))
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    assert said["version"].startswith("v24."), said
    assert said["who"].endswith(":assumed-role/node24/node24"), said
    message, = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert (message["MessageId"], message["Body"]) == (said["message"], "from 24")
    functions.delete_function(FunctionName="node24")
    print(f"Node.js {said['version'][1:]}, aws-sdk-js {said['sdk']}")


if __name__ == "__main__":
    main(sys.argv[1])
