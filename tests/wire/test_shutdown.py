"""Stopping while work is on its way: what was begun is answered or refused, and the server ends well."""

import os
import threading

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from conftest import client as connect
from packages import function_arguments, make_zip

UPLOADS = 6
SIZE = 3 << 20


def large_package(number):
    """A package that takes its time: bytes that do not compress, in many files."""
    files = {f"data/{index}.bin": os.urandom(SIZE // 64) for index in range(64)}
    return make_zip({"index.py": f"def handler(event, context):\n    return {number}\n", **files})


@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_upload_in_flight_when_the_server_is_told_to_stop_is_answered_or_refused(start, after):
    """`after`: how many uploads are answered when the signal comes; the others are on their way."""
    server = start()
    packages = [large_package(number) for number in range(UPLOADS)]
    answered, refused, some = [], [], threading.Semaphore(0)
    clients = [connect(server, "lambda") for _ in range(UPLOADS)]

    def upload(number):
        try:
            clients[number].create_function(**function_arguments(f"upload-{number}", packages[number]))
            answered.append(f"upload-{number}")
        except (BotoCoreError, ClientError) as problem:
            refused.append(problem)
        some.release()

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(UPLOADS)]
    for thread in threads:
        thread.start()
    for _ in range(after):
        some.acquire()
    assert server.terminate() == 0, server.errors()
    for thread in threads:
        thread.join()
    assert len(answered) + len(refused) == UPLOADS
    names = {one["FunctionName"] for one in connect(start(data=server.data), "lambda").list_functions()["Functions"]}
    assert set(answered) <= names
