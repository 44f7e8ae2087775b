"""Functions for tests: deployed from files, and invoked."""

import base64
import json
import pathlib

from packages import make_zip

HERE = pathlib.Path(__file__).resolve().parent
HANDLERS = HERE / "handlers"
ROOT = HERE.parents[1]
C_BOOTSTRAP = ROOT / "build" / "tests" / "runtime" / "custom_c" / "bootstrap"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


def files_below(folder, prefix=""):
    """A folder's files, as `zipped` takes them."""
    folder = pathlib.Path(folder)
    return {f"{prefix}{path.relative_to(folder)}": path
            for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts}


def zipped(files):
    """A deployment package of texts, bytes, or files of this machine, by their names in it. Every file is executable."""
    return make_zip(files, mode=0o755, level=1)


class Answer:
    """An invocation's: its payload, the document of an error or None, its log's tail."""

    def __init__(self, response):
        text = response["Payload"].read()
        self.payload = json.loads(text) if text else None
        self.failed = "FunctionError" in response
        self.log = base64.b64decode(response.get("LogResult", "")).decode()
        self.request_id = response["ResponseMetadata"]["RequestId"]


class Function:
    def __init__(self, client, name):
        self.client, self.name = client, name

    def invoke(self, event=None):
        return Answer(self.client.invoke(FunctionName=self.name, Payload=json.dumps(event), LogType="Tail"))

    def ask(self, event=None):
        """The payload of an invocation that must not fail."""
        answer = self.invoke(event)
        assert not answer.failed, (answer.payload, answer.log)
        return answer.payload


class Deployer:
    """Deploys to one account of a server. `session(service)` gives a client."""

    def __init__(self, session):
        self.session, self.client = session, session("lambda")
        self.role = session("iam").create_role(RoleName="runner", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]

    def deploy(self, name, files, runtime, handler="app.handler", environment=None, **settings):
        self.client.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Role=self.role,
                                    Code={"ZipFile": zipped(files)}, Environment={"Variables": environment or {}},
                                    **{"Timeout": 10, "MemorySize": 256, **settings})
        self.client.get_waiter("function_active_v2").wait(FunctionName=name)
        return Function(self.client, name)
