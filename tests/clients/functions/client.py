"""Functions written with AWS's libraries for Go and Rust, deployed and invoked with a current SDK for Python.

    client.py NAME=BOOTSTRAP...

The endpoint and the credentials stand in the environment, and the SDK reads them itself."""

import base64
import io
import json
import os
import stat
import sys
import urllib.request
import zipfile

import boto3

STREAMED = b"piece\n" * 100000


def zipped(path):
    """A deployment package: the program as `bootstrap`, executable."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = (stat.S_IFREG | 0o755) << 16
        with open(path, "rb") as file:
            archive.writestr(entry, file.read(), zipfile.ZIP_DEFLATED)
    return data.getvalue()


def make_role(iam):
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    return iam.create_role(RoleName="runner", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]


class Function:
    def __init__(self, client, name, path, role):
        self.client, self.name = client, name
        client.create_function(FunctionName=name, Runtime="provided.al2023", Handler="bootstrap", Role=role,
                               Code={"ZipFile": zipped(path)}, Timeout=10, MemorySize=256)
        client.get_waiter("function_active_v2").wait(FunctionName=name)

    def invoke(self, **event):
        answer = self.client.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(answer["LogResult"]).decode()
        return answer, json.loads(answer["Payload"].read()), log


def check_answers(function):
    for count in range(1, 21):
        answer, said, log = function.invoke(name="wörld")
        assert "FunctionError" not in answer, said
        assert said["hello"] == "wörld" and said["count"] == count, said
        assert said["function"] == function.name and int(said["memory"]) == 256 and said["deadline"], said
        assert said["arn"].endswith(f":function:{function.name}"), said
        assert said["request"] == answer["ResponseMetadata"]["RequestId"], said
        assert "greeting" in log and f"RequestId: {said['request']}" in log, log


def check_failures(function):
    answer, said, _ = function.invoke(wish="fail")
    assert answer["FunctionError"] == "Unhandled" and said["errorMessage"] == "as you wish", said
    answer, said, _ = function.invoke(wish="panic")
    assert answer["FunctionError"] == "Unhandled" and "as you wish" in said["errorMessage"], said
    answer, said, _ = function.invoke(wish="exit")
    assert answer["FunctionError"] == "Unhandled" and said["errorType"] == "Runtime.ExitError", said
    assert said["errorMessage"].endswith("Error: Runtime exited with error: exit status 4"), said
    _, said, _ = function.invoke(name="again")
    assert said["count"] == 1, "a new worker has begun"


def check_stream(function):
    """By the API, and by the function's URL, whose name need not be one that the machine resolves."""
    answer = function.client.invoke_with_response_stream(FunctionName=function.name, Payload=b'{"wish":"stream"}')
    events = list(answer["EventStream"])
    assert "ErrorCode" not in events[-1]["InvokeComplete"], events[-1]
    got = b"".join(event["PayloadChunk"]["Payload"] for event in events[:-1])
    assert got.endswith(STREAMED), got[:200]


def check_url(function):
    """The same event reaches it as the body of a request, which these handlers do not read: they greet nobody."""
    client = function.client
    url = client.create_function_url_config(FunctionName=function.name, AuthType="NONE")["FunctionUrl"]
    client.add_permission(FunctionName=function.name, StatementId="url", Action="lambda:InvokeFunctionUrl", Principal="*",
                          FunctionUrlAuthType="NONE")
    client.add_permission(FunctionName=function.name, StatementId="invoke", Action="lambda:InvokeFunction", Principal="*",
                          InvokedViaFunctionUrl=True)
    host = url.split("/")[2]
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + "/", headers={"Host": host})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200 and "count" in json.load(answer)


def main():
    client, role = boto3.client("lambda"), make_role(boto3.client("iam"))
    for argument in sys.argv[1:]:
        name, path = argument.split("=")
        function = Function(client, name, path, role)
        check_answers(function)
        check_failures(function)
        check_stream(function)
        check_url(function)
    print(f"boto3 {boto3.__version__}: {', '.join(argument.split('=')[0] for argument in sys.argv[1:])}")


if __name__ == "__main__":
    main()
