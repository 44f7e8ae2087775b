"""Fixtures of the wire tests. boto3 speaks the Query protocol to SQS (Debian's is of 2022); the tests that need the JSON
protocol are in *.test.mjs or send their bytes themselves."""

import itertools
import pathlib
import shutil
import tempfile

import boto3
import botocore.config
import pytest

from brume import Server

numbers = itertools.count(1)


def client(server, service="sqs", key="123456789012", secret="secret", region="us-east-1", **more):
    """An SDK client with no retries, so that a test sees the first answer."""
    config = botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False, read_timeout=40)
    if server.certificate is not None:
        more.setdefault("verify", server.certificate)
    return boto3.client(service, endpoint_url=server.url, region_name=region, aws_access_key_id=key,
                        aws_secret_access_key=secret, config=config, **more)


def short_folder():
    """A folder with a short name: a server's admin socket lies in its data directory, and the path of a socket has at
    most 107 bytes."""
    path = tempfile.mkdtemp(prefix="brume-")
    yield pathlib.Path(path)
    shutil.rmtree(path, ignore_errors=True)


folder = pytest.fixture(short_folder, name="folder")
module_folder = pytest.fixture(short_folder, name="module_folder", scope="module")


@pytest.fixture
def start(folder):
    """Starts servers with options of the test's own: start(*arguments, data=…, environment=…)."""
    servers = []

    def run(*arguments, data=None, **more):
        servers.append(Server(data or folder / f"data{len(servers)}", *arguments, **more))
        return servers[-1]

    yield run
    for server in servers:
        if server.process.poll() is None:
            server.terminate()


@pytest.fixture(scope="module")
def server(module_folder):
    """A server that the tests of one file share, with a platform clock that can be moved."""
    running = Server(module_folder / "data", "--virtual-clock")
    yield running
    assert running.terminate() == 0, running.errors()


@pytest.fixture(scope="module")
def sqs(server):
    return client(server)


@pytest.fixture(scope="module")
def functions(server):
    """A client of Lambda."""
    return client(server, "lambda")


@pytest.fixture
def new_name():
    """Names that no other test has."""
    return lambda: f"queue-{next(numbers)}"


@pytest.fixture
def queue(sqs, new_name):
    """The URL of a fresh queue."""
    return sqs.create_queue(QueueName=new_name())["QueueUrl"]


class Refusal:
    """What the service answered to a call that it refused."""

    def __init__(self, error):
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"].get("Message", "")
        self.type = error.response["Error"].get("Type")
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def refused(sqs):
    """Makes the call, which must be refused; gives the refusal."""

    def call(function, **arguments):
        with pytest.raises(sqs.exceptions.ClientError) as caught:
            function(**arguments)
        return Refusal(caught.value)

    return call
