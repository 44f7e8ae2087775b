"""Backups hold the code of functions and layers: what a restored server runs is what was there at that moment."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest
from botocore.exceptions import ClientError

from brume import BINARY, ENVIRONMENT, command
from conftest import client as connect
from functions import ROLE, package, wait_settled

USES_LAYER = "import shared\n\ndef handler(event, context):\n    return shared.VALUE + {number}\n"


def make_layer(client, value):
    return client.publish_layer_version(
        LayerName="shared", CompatibleRuntimes=["python3.11"],
        Content={"ZipFile": package({"python/shared.py": f"VALUE = {value}\n"})})["LayerVersionArn"]


def make_function(client, name, number, layer):
    client.create_function(FunctionName=name, Runtime="python3.11", Handler="app.handler", Role=ROLE, Layers=[layer],
                           Code={"ZipFile": package({"app.py": USES_LAYER.format(number=number)})})
    wait_settled(client, name)


def invoke(client, name, **more):
    answer = client.invoke(FunctionName=name, **more)
    assert "FunctionError" not in answer, answer["Payload"].read()
    return json.loads(answer["Payload"].read())


def restore(backup, data):
    return command("restore", backup, "--data", data, check=False)


@pytest.fixture(name="saved")
def saved_fixture(start, folder):
    """A server with a function on a layer, and a backup of it."""
    server = start()
    client = connect(server, "lambda")
    make_function(client, "adder", 2, make_layer(client, 40))
    command("backup", folder / "saved", "--data", server.data)
    return server, client, folder / "saved"


def test_a_restored_function_runs_with_its_layer(start, folder, saved):
    assert invoke(connect(saved[0], "lambda"), "adder") == 42
    restore(saved[2], folder / "restored").check_returncode()
    assert invoke(connect(start(data=folder / "restored"), "lambda"), "adder") == 42


def test_backups_taken_under_load_hold_the_code_of_all_their_functions(start, folder):
    """While functions come, change, are run and go, and with them packages that nobody refers to any longer."""
    server = start()
    layer = make_layer(connect(server, "lambda"), 100)
    make_function(connect(server, "lambda"), "steady", 1, layer)
    ended, problems = threading.Event(), []
    clients = [connect(server, "lambda") for _ in range(3)]

    def change(client, number):
        try:
            round_number = 0
            while not ended.is_set():
                round_number += 1
                name = f"worker-{number}-{round_number % 3}"
                make_function(client, name, round_number, layer)
                client.update_function_code(
                    FunctionName=name, ZipFile=package({"app.py": USES_LAYER.format(number=round_number * 1000)}))
                if round_number % 3 == 0:
                    wait_settled(client, name)
                client.delete_function(FunctionName=name)
        except (ClientError, AssertionError) as problem:
            problems.append(problem)

    def run(client):
        while not ended.is_set():
            assert invoke(client, "steady") == 101

    threads = [threading.Thread(target=change, args=(clients[number], number)) for number in range(2)]
    threads.append(threading.Thread(target=run, args=(clients[2],)))
    for thread in threads:
        thread.start()
    for number in range(6):
        command("backup", folder / f"backup-{number}", "--data", server.data)
    ended.set()
    for thread in threads:
        thread.join()
    assert not problems, problems
    for number in range(6):
        data = folder / f"restored-{number}"
        done = restore(folder / f"backup-{number}", data)
        assert done.returncode == 0 and done.stderr == "", done.stderr
    again = start(data=folder / "restored-5")
    client = connect(again, "lambda")
    for function in client.list_functions()["Functions"]:
        assert invoke(client, function["FunctionName"]) >= 101
        wait_settled(client, function["FunctionName"])


def test_what_a_backup_kept_is_removed_when_it_has_ended(folder, saved):
    """A client that does not read holds a backup open; a function that goes meanwhile takes its code along afterwards."""
    server, client, _ = saved
    client.update_function_code(FunctionName="adder", ZipFile=package({"app.py": "", "large": os.urandom(8 << 20)}))
    wait_settled(client, "adder")
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen([BINARY, "backup", str(pipe), "--data", server.data], env=ENVIRONMENT):
        with open(pipe, "rb") as reader:
            assert reader.read(1) == b"B"
            client.delete_function(FunctionName="adder")
            (folder / "from-pipe").write_bytes(b"B" + reader.read())
    done = restore(folder / "from-pipe", folder / "restored")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    codes = folder / "data0" / "functions" / "123456789012"
    deadline = time.monotonic() + 10
    while len(os.listdir(codes)) != 1:  # the layer's
        assert time.monotonic() < deadline, os.listdir(codes)
        time.sleep(0.02)


def test_a_backup_cut_off_or_changed_anywhere_is_refused_and_another_takes_its_place(start, folder, saved):
    whole = saved[2].read_bytes()
    places = sorted({*range(0, len(whole), max(1, len(whole) // 16)), whole.rindex(b"PK"), len(whole) - 1})
    for place in places:
        for damaged in (whole[:place], whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1:]):
            (folder / "damaged").write_bytes(damaged)
            done = restore(folder / "damaged", folder / "restored")
            assert done.returncode != 0 and "backup" in done.stderr, (place, done)
    refused = command("start", "--data", folder / "restored", "--listen", "127.0.0.1:0", check=False)
    assert refused.returncode != 0 and "restore again" in refused.stderr
    restore(saved[2], folder / "restored").check_returncode()
    assert invoke(connect(start(data=folder / "restored"), "lambda"), "adder") == 42


def test_a_restore_killed_while_it_lays_out_code_is_not_served_and_may_be_done_again(start, folder, saved):
    """It is fed all but the end, so that it is in the midst of it when it is killed."""
    whole = saved[2].read_bytes()
    data = folder / "restored"
    with subprocess.Popen([BINARY, "restore", "-", "--data", str(data)], env=ENVIRONMENT,
                          stdin=subprocess.PIPE) as running:
        running.stdin.write(whole[:-40])
        running.stdin.flush()
        deadline = time.monotonic() + 10
        while not list(data.glob("functions/*/*/code/*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
    refused = command("start", "--data", data, "--listen", "127.0.0.1:0", check=False)
    assert refused.returncode != 0 and "restore again" in refused.stderr
    restore(saved[2], data).check_returncode()
    assert invoke(connect(start(data=data), "lambda"), "adder") == 42


def test_a_backup_of_a_server_whose_code_is_gone_fails_and_the_log_names_it(folder, saved):
    server = saved[0]
    gone = sorted((folder / "data0" / "functions" / "123456789012").iterdir())[0]
    shutil.rmtree(gone)
    done = command("backup", folder / "incomplete", "--data", server.data, check=False)
    assert done.returncode != 0 and not (folder / "incomplete").exists()
    assert "package_lost" in server.errors() and gone.name in server.errors()
