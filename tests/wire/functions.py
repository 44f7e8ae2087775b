"""Functions for wire tests: packages in memory, and functions that are there when a test begins."""

import time

from packages import HANDLER, make_zip

ROLE = "arn:aws:iam::123456789012:role/worker"


def package(files=None):
    """A zip of those files: {path: text}."""
    return make_zip(files or {"app.py": HANDLER})


def wait_settled(client, name, **more):
    """Until a change of the function has settled; its configuration."""
    deadline = time.monotonic() + 10
    while True:
        now = client.get_function_configuration(FunctionName=name, **more)
        if now["State"] == "Active" and now["LastUpdateStatus"] == "Successful":
            return now
        assert time.monotonic() < deadline, now
        time.sleep(0.02)


def make(client, name, **more):
    """A function that has settled; its configuration."""
    arguments = {"Runtime": "python3.11", "Handler": "app.handler", "Role": ROLE, "Code": {"ZipFile": package()}, **more}
    client.create_function(FunctionName=name, **arguments)
    return wait_settled(client, name)
