"""The life of a server: started, stopped, killed, started again; what it says when it cannot start; backup, restore, the
clock."""

import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
from brume import BINARY, ENVIRONMENT, DidNotStart, command
from conftest import client


def made_queue(server, name="q"):
    return client(server).create_queue(QueueName=name)["QueueUrl"].replace(server.url, "")


def receive_all(server, path, **more):
    """The bodies of all messages that can be received."""
    bodies, sqs = [], client(server)
    while messages := sqs.receive_message(QueueUrl=server.url + path, MaxNumberOfMessages=10, **more).get("Messages"):
        bodies += [message["Body"] for message in messages]
    return bodies


def refused_start(folder, *arguments, environment=None):
    """Starts a server that cannot start: (exit code, what it printed on stderr)."""
    done = subprocess.run([BINARY, "start", "--data", str(folder / "refused"), *map(str, arguments)], timeout=30,
                          env={**ENVIRONMENT, **(environment or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.stdout == ""
    return done.returncode, done.stderr


def assert_one_line(code, text, *words):
    """A clean failure: no signal, one line that names what was wrong."""
    assert 0 < code < 64, (code, text)
    assert len(text.strip().splitlines()) == 1, text
    for word in words:
        assert str(word) in text, text


def test_the_ready_line_tells_address_data_and_auth_mode(start):
    server = start()
    assert server.output == (
        f"brume {server.version} listening on {server.url}, data in {server.data}, auth open")
    assert command("version").stdout.split()[-1] == server.version


def test_a_server_is_ready_as_soon_as_it_says_so(start):
    server = start()
    assert server.request("GET", "/_brume/health")[0] == 200


def test_sigterm_ends_well_and_lets_a_running_request_finish(start):
    server = start()
    path = made_queue(server)
    answers = []

    def poll():
        answers.append(client(server).receive_message(QueueUrl=server.url + path, WaitTimeSeconds=20))

    waiting = threading.Thread(target=poll)
    waiting.start()
    time.sleep(0.5)
    started = time.monotonic()
    assert server.terminate() == 0, server.errors()
    waiting.join()
    assert time.monotonic() - started < 10
    # An answer, not a broken connection: poll() would have raised.
    assert len(answers) == 1


def test_sigint_ends_well_too(start):
    server = start()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == 0


def test_everything_is_there_after_a_stop_and_a_start(start):
    server = start()
    path = made_queue(server)
    for number in range(30):
        client(server).send_message(QueueUrl=server.url + path, MessageBody=str(number))
    assert server.terminate() == 0
    again = start(data=server.data)
    assert sorted(receive_all(again, path), key=int) == [str(number) for number in range(30)]


def test_everything_acknowledged_is_there_after_kill_9(start):
    server = start()
    path = made_queue(server)
    acknowledged, lock = [], threading.Lock()

    def send(worker):
        sqs = client(server)
        for number in range(10000):
            try:
                sqs.send_message(QueueUrl=server.url + path, MessageBody=f"{worker}-{number}")
            except Exception:  # the server is dead
                return
            with lock:
                acknowledged.append(f"{worker}-{number}")

    workers = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    while len(acknowledged) < 200:
        time.sleep(0.01)
    server.kill()
    for worker in workers:
        worker.join()
    again = start(data=server.data)
    received = receive_all(again, path)
    assert set(acknowledged) <= set(received)
    # One request of each client may have been under way.
    assert len(received) == len(set(received)) <= len(acknowledged) + 4


def test_receipt_handles_stay_valid_over_a_restart(start):
    server = start("--virtual-clock")
    path = made_queue(server)
    client(server).send_message(QueueUrl=server.url + path, MessageBody="held")
    [message] = client(server).receive_message(QueueUrl=server.url + path, VisibilityTimeout=600)["Messages"]
    assert server.terminate() == 0
    again = start("--virtual-clock", data=server.data)
    assert receive_all(again, path) == []
    client(again).delete_message(QueueUrl=again.url + path, ReceiptHandle=message["ReceiptHandle"])
    command("clock", "advance", "1h", "--data", again.data)
    assert receive_all(again, path) == []


def test_a_port_in_use_is_said_in_one_line(start, folder):
    server = start()
    assert_one_line(*refused_start(folder, "--listen", f"127.0.0.1:{server.port}"), server.port, "use")


def test_a_data_directory_in_use_is_said_in_one_line(start):
    server = start()
    with pytest.raises(DidNotStart) as caught:
        start(data=server.data)
    text = caught.value.errors
    assert_one_line(caught.value.code, text, server.data)
    assert server.request("GET", "/_brume/health")[0] == 200


def test_a_data_directory_that_cannot_be_made_is_said_in_one_line(folder):
    (folder / "file").write_text("not a directory")
    done = subprocess.run([BINARY, "start", "--data", str(folder / "file" / "data"), "--listen", "127.0.0.1:0"],
                          env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert_one_line(done.returncode, done.stderr, folder / "file")


@pytest.mark.parametrize("content", [b"listen", b"no-such-setting = 1\n", b"threads = many\n", b"\xff\xfe", b"auth = maybe\n"])
def test_a_configuration_that_makes_no_sense_is_said_in_one_line(folder, content):
    path = folder / "brume.conf"
    path.write_bytes(content)
    assert_one_line(*refused_start(folder, "--listen", "127.0.0.1:0", "--config", path), path)


def test_a_configuration_that_is_not_there_is_said_in_one_line(folder):
    path = folder / "none.conf"
    assert_one_line(*refused_start(folder, "--listen", "127.0.0.1:0", "--config", path), path)


def test_the_configuration_file_is_read_and_the_command_line_goes_before_it(start, folder):
    path = folder / "brume.conf"
    path.write_text("# ours\nauth = signed\nlisten = 127.0.0.1:1\n")
    server = start("--config", str(path))
    assert server.auth == "signed" and server.port != 1


@pytest.mark.parametrize("arguments", [["--lsten", "x"], ["--listen"], ["word"]])
def test_a_wrong_command_line_is_a_usage_error(folder, arguments):
    code, text = refused_start(folder, *arguments)
    assert code == 2 and "brume help start" in text


@pytest.mark.parametrize("option, value", [("--threads", "0"), ("--auth", "no"), ("--listen", "nowhere")])
def test_an_option_s_value_that_makes_no_sense_is_said_in_one_line(folder, option, value):
    assert_one_line(*refused_start(folder, option, value), option, value)


def test_another_address_than_loopback_needs_signatures_and_tls(folder):
    code, text = refused_start(folder, "--listen", "0.0.0.0:0")
    assert_one_line(code, text, "--insecure-listen")
    code, text = refused_start(folder, "--listen", "0.0.0.0:0", "--insecure-listen")
    assert_one_line(code, text, "signed")


def test_an_address_of_another_machine_is_said_in_one_line(folder):
    code, text = refused_start(folder, "--listen", "192.0.2.1:0", "--auth", "signed", "--insecure-listen")
    assert_one_line(code, text, "192.0.2.1:0 is no address of this machine")


def test_what_a_message_repeats_cannot_move_the_cursor(folder):
    config = folder / "hostile.conf"
    config.write_bytes(b"na\x1b[2Jme = 1\n")
    code, text = refused_start(folder, "--config", config)
    assert_one_line(code, text, "na?[2Jme")
    assert "\x1b" not in text


def test_help_names_every_command_and_its_options():
    text = command("help").stdout
    for name in ("start", "queues", "clock", "backup", "restore", "account", "key", "version"):
        assert re.search(rf"^\s+{name}\b", text, re.M), name
        assert command("help", name).stdout
    for option in ("--data", "--listen", "--auth", "--virtual-clock", "--threads", "--config"):
        assert option in command("help", "start").stdout
    assert command("fly", check=False).returncode == 2


def test_the_clock_moves_only_forward_and_only_when_it_may(start):
    server = start("--virtual-clock")
    before = command("clock", "now", "--data", server.data).stdout.strip()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", before)
    after = command("clock", "advance", "30d", "--data", server.data).stdout.strip()
    assert after > before
    command("clock", "set", "2099-01-01T00:00:00Z", "--data", server.data)
    assert command("clock", "now", "--data", server.data).stdout.startswith("2099-01-01T00:00:")
    back = command("clock", "set", "2030-01-01T00:00:00Z", "--data", server.data, check=False)
    assert_one_line(back.returncode, back.stderr)
    assert server.terminate() == 0
    again = start("--virtual-clock", data=server.data)
    assert command("clock", "now", "--data", again.data).stdout.startswith("2099-01-01T00:0"), "the offset is kept"

    real = start()
    moved = command("clock", "advance", "1s", "--data", real.data, check=False)
    assert_one_line(moved.returncode, moved.stderr, "--virtual-clock")


def test_a_moved_clock_does_not_matter_to_signatures(start):
    server = start("--virtual-clock", "--auth", "signed", environment={
        "BRUME_ACCESS_KEY_ID": "BRUMEROOTKEY00000001", "BRUME_SECRET_ACCESS_KEY": "secret"})
    command("clock", "advance", "365d", "--data", server.data)
    assert client(server, key="BRUMEROOTKEY00000001", secret="secret").list_queues()["ResponseMetadata"]


def test_commands_for_a_server_that_does_not_run_say_how_to_start_it(folder):
    done = command("clock", "now", "--data", folder, check=False)
    assert_one_line(done.returncode, done.stderr, "brume start")


def test_a_backup_taken_while_messages_come_is_restored_whole(start, folder):
    server = start("--virtual-clock")
    path = made_queue(server)
    sqs = client(server)
    for number in range(50):
        sqs.send_message(QueueUrl=server.url + path, MessageBody=str(number))
    stop = threading.Event()

    def go_on():
        mine, number = client(server), 50
        while not stop.is_set():
            mine.send_message(QueueUrl=server.url + path, MessageBody=str(number))
            number += 1

    sender = threading.Thread(target=go_on)
    sender.start()
    try:
        command("backup", folder / "a.backup", "--data", server.data)
    finally:
        stop.set()
        sender.join()
    command("restore", folder / "a.backup", "--data", folder / "restored")
    restored = start("--virtual-clock", data=folder / "restored")
    bodies = sorted(map(int, receive_all(restored, path)))
    # One state: everything from before the backup, and of what came during it a beginning.
    assert bodies == list(range(len(bodies))) and len(bodies) >= 50


def test_a_backup_to_a_pipe_goes_through_it_and_leaves_it(start, folder):
    server = start()
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        command("backup", pipe, "--data", server.data)
        whole = reader.communicate(timeout=20)[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (folder / "from-pipe").write_bytes(whole)
    command("restore", folder / "from-pipe", "--data", folder / "restored")


def test_a_backup_that_finds_no_room_fails_in_one_line(start):
    server = start()
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "backup", "-", "--data", server.data], stdout=full, stderr=subprocess.PIPE,
                              env=ENVIRONMENT, text=True, timeout=20, check=False)
    assert_one_line(done.returncode, done.stderr, "cannot write the standard output")


def test_two_backups_to_one_name_do_not_mix(start, folder):
    server = start()
    client(server).create_queue(QueueName="q")
    running = [subprocess.Popen([BINARY, "backup", folder / "same", "--data", server.data], stdout=subprocess.DEVNULL)
               for _ in range(4)]
    assert [process.wait(20) for process in running] == [0] * 4
    command("restore", folder / "same", "--data", folder / "restored")
    assert [path for path in folder.iterdir() if "partial" in path.name] == []


def test_a_directory_is_no_backup(folder):
    done = command("restore", folder, "--data", folder / "restored", check=False)
    assert done.returncode == 1 and "is a directory" in done.stderr


def test_a_backup_cut_off_or_changed_is_refused_and_nothing_of_it_is_served(start, folder):
    server = start()
    path = made_queue(server)
    client(server).send_message(QueueUrl=server.url + path, MessageBody="x" * 1000)
    command("backup", folder / "whole", "--data", server.data)
    whole = (folder / "whole").read_bytes()
    middle = len(whole) // 2
    for name, content in {"cut": whole[:-1], "changed": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1:],
                          "other": b"something else"}.items():
        (folder / name).write_bytes(content)
        done = command("restore", folder / name, "--data", folder / f"data-{name}", check=False)
        assert_one_line(done.returncode, done.stderr, "backup")
        try:
            assert "QueueUrls" not in client(start(data=folder / f"data-{name}")).list_queues()
        except DidNotStart as refusal:
            assert_one_line(refusal.code, refusal.errors, "restore")


def test_a_restore_never_goes_over_data_that_is_there(start, folder):
    server = start()
    made_queue(server)
    command("backup", folder / "b", "--data", server.data)
    assert server.terminate() == 0
    done = command("restore", folder / "b", "--data", server.data, check=False)
    assert_one_line(done.returncode, done.stderr, server.data)


def test_data_that_a_newer_version_wrote_is_refused_and_left_as_it_is(start):
    server = start()
    made_queue(server, "kept")
    assert server.terminate() == 0
    path = os.path.join(server.data, "format")
    with open(path, encoding="ascii") as file:
        ours = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write("99\n")
    with pytest.raises(DidNotStart) as caught:
        start(data=server.data)
    assert_one_line(caught.value.code, caught.value.errors, server.data, "newer")
    with open(path, "w", encoding="ascii") as file:
        file.write(ours)
    assert len(client(start(data=server.data)).list_queues()["QueueUrls"]) == 1


def test_the_data_directory_and_its_socket_are_the_owner_s_alone(start):
    server = start()
    assert os.stat(server.data).st_mode & 0o077 == 0
    assert os.stat(os.path.join(server.data, "admin.sock")).st_mode & 0o777 == 0o600


def test_a_client_that_leaves_a_long_poll_takes_no_message_with_it(start):
    server = start()
    path = made_queue(server)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        body = b"Action=ReceiveMessage&Version=2012-11-05&WaitTimeSeconds=20"
        connection.sendall(b"POST " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                           b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" % len(body) + body)
        time.sleep(0.3)
    time.sleep(0.3)
    client(server).send_message(QueueUrl=server.url + path, MessageBody="still here")
    assert receive_all(server, path) == ["still here"]
