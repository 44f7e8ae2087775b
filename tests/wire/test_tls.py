"""HTTPS: what is agreed on with real clients, what is refused, and a certificate that changes while clients are connected."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time

import pytest
from brume import BINARY, ENVIRONMENT, DidNotStart, command
from conftest import client, numbers, short_folder
from test_hostile import await_waiting, request, reset

made = pytest.fixture(short_folder, name="made", scope="module")


@pytest.fixture(scope="module")
def pair(made):
    """A folder with a self-signed certificate and its key."""
    command("tls", "self-signed", "--directory", made / "tls", "--name", "brume.test")
    return made / "tls"


@pytest.fixture
def own_pair(folder):
    """The same, for the test to change."""
    renew(folder / "own")
    return folder / "own"


def renew(path, name="old.test"):
    command("tls", "self-signed", "--directory", path, "--name", name, "--force")


@pytest.fixture
def secure(start, pair):
    """A server that speaks TLS, with options of the test's own."""
    return lambda *arguments, **more: start(*arguments, tls=pair, **more)


@pytest.fixture
def connect():
    """Open connections: of TLS, or bare; closed at the end."""
    with contextlib.ExitStack() as stack:
        def run(server, tls=True, highest=None, session=None, trust=None):
            bare = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 20))
            if not tls:
                return bare
            trust = trust or ssl.create_default_context(cafile=server.certificate)
            if highest is not None:
                trust.maximum_version = highest
            return stack.enter_context(trust.wrap_socket(bare, server_hostname="localhost", session=session))

        yield run


def hear(connection):
    """One answer that has a length: its status and body."""
    text = b""
    while b"\r\n\r\n" not in text:
        piece = connection.recv(65536)
        assert piece, text
        text += piece
    head, _, body = text.partition(b"\r\n\r\n")
    size = int(re.search(rb"content-length: (\d+)", head)[1])
    while len(body) < size:
        piece = connection.recv(65536)
        assert piece, (head, len(body))
        body += piece
    assert len(body) == size, "more came than was asked for"
    return int(head.split()[1]), body


def common_name(connection):
    return dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"]


def open_files(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def await_event(condition, what):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


HEALTH = b"GET /_brume/health HTTP/1.1\r\nhost: localhost\r\n\r\n"


# ---- SDKs and tools ----

def test_an_sdk_calls_over_https_and_is_given_https_urls(secure):
    server = secure()
    assert server.url.startswith("https://127.0.0.1:") and server.output.split()[4] == server.url + ","
    server.url = f"https://localhost:{server.port}"
    sqs = client(server)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    assert url == f"{server.url}/123456789012/q"
    large = "x" * (1024 * 1024 - 10) + "y" * 10
    sqs.send_message(QueueUrl=url, MessageBody=large)
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == large

    def send():
        await_event(lambda: waiting_of(server) == 1, "nobody waits")
        client(server).send_message(QueueUrl=url, MessageBody="awaited")

    sender = threading.Thread(target=send)
    sender.start()
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    sender.join()
    assert message["Body"] == "awaited"


def waiting_of(server):
    _, _, body = server.request("GET", "/_brume/metrics")
    return int(re.search(rb"^brume_store_waiting (\d+)", body, re.M)[1])


def test_a_client_that_does_not_trust_the_certificate_does_not_call(secure):
    server = secure()
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        client(server, verify=True).list_queues()


def curl(server, *arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", server.certificate, *arguments,
                           f"https://localhost:{server.port}/_brume/health"], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_speaks_tls_1_2_and_1_3(secure, version):
    done = curl(secure(), f"--tlsv{version}", "--tls-max", version, "-w", "%{http_version}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.rsplit("\n", 1)[0])["ready"] is True


def test_older_versions_are_refused_with_an_alert(secure):
    done = curl(secure(), "--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")
    assert done.returncode == 35 and "alert protocol version" in done.stderr


def s_client(server, *arguments):
    """What openssl says was agreed on."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", server.certificate,
                           "-verify_return_error", *arguments], input=HEALTH, capture_output=True, timeout=20, check=False)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def test_openssl_agrees_on_what_the_documentation_says(secure):
    server = secure()
    said = s_client(server, "-alpn", "h2,http/1.1", "-verify_hostname", "brume.test")
    assert "New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256" in said and "Verify return code: 0 (ok)" in said
    assert re.search(r"^ALPN protocol: h2$", said, re.M)
    assert "Server Temp Key: X25519" in said and "Compression: NONE" in said
    said = s_client(server, "-tls1_2", "-alpn", "http/1.1")
    assert "New, TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256" in said and "ALPN protocol: http/1.1" in said
    assert "Secure Renegotiation IS supported" in said
    assert "no application protocol" in s_client(server, "-alpn", "smtp")
    assert "handshake failure" in s_client(server, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")


@pytest.mark.parametrize("way, version", [("--http2", "2"), ("--http1.1", "1.1")])
def test_curl_agrees_on_the_version_of_http_within_tls(secure, way, version):
    server = secure()
    done = subprocess.run(
        ["curl", "-s", "--cacert", server.certificate, way, "-w", "\n%{http_version} %{http_code}",
         "-H", "content-type: application/x-amz-json-1.0", "-H", "x-amz-target: AmazonSQS.CreateQueue",
         "-d", '{"QueueName": "over-http2"}', f"https://localhost:{server.port}/"],
        capture_output=True, text=True, timeout=30, check=True)
    body, _, told = done.stdout.rpartition("\n")
    assert told == f"{version} 200" and json.loads(body)["QueueUrl"].startswith("https://localhost:")


def test_a_load_over_http2_within_tls_is_answered_whole(secure):
    server = secure()
    done = subprocess.run(["h2load", "-n", "2000", "-c", "4", "-m", "50", f"https://127.0.0.1:{server.port}/_brume/health"],
                          capture_output=True, text=True, timeout=60, check=True)
    assert "Application protocol: h2" in done.stdout
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in done.stdout


def test_renegotiation_is_refused(secure):
    server = secure()
    with subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-CAfile",
                           server.certificate], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        process.stdin.write(b"R\n")
        process.stdin.flush()
        assert b"no renegotiation" in process.communicate(timeout=20)[0]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(secure, connect, version):
    server = secure()
    trust = ssl.create_default_context(cafile=server.certificate)
    first = connect(server, highest=version, trust=trust)
    first.sendall(HEALTH)
    assert hear(first)[0] == 200
    session = first.session
    assert not first.session_reused and session.has_ticket
    assert connect(server, highest=version, trust=trust, session=session).session_reused


# ---- Clients that do not behave ----

def test_cleartext_is_told_that_the_port_speaks_tls(secure, connect):
    server = secure()
    connection = connect(server, tls=False)
    connection.sendall(HEALTH)
    status, body = hear(connection)
    assert status == 400 and b"this port speaks TLS" in body
    assert connection.recv(1) == b""


def test_a_handshake_that_never_ends_is_cut(secure, connect):
    server = secure("--limit", "NET_HEADER_TIMEOUT_MS=300")
    silent, half = connect(server, tls=False), connect(server, tls=False)
    half.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
    started = time.monotonic()
    assert silent.recv(1) == b""
    with contextlib.suppress(ConnectionResetError):
        assert half.recv(1) == b""
    assert time.monotonic() - started < 5


def test_half_a_handshake_and_then_garbage_is_refused_with_an_alert(secure, connect):
    server = secure()
    trust = ssl.create_default_context()
    trust.maximum_version = ssl.TLSVersion.TLSv1_2  # whose alerts can be read here
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        trust.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    connection = connect(server, tls=False)
    connection.sendall(outgoing.read())
    assert connection.recv(65536)[0] == 22, "the server's half"
    connection.sendall(b"garbage" * 20)
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    assert answer[-7:-1] == b"\x15\x03\x03\x00\x02\x02", "a fatal alert at the end"
    assert server.request("GET", "/_brume/health")[0] == 200
    assert server.errors() == ""


def test_many_half_open_handshakes_are_bounded_and_keep_nobody_out_for_long(secure, connect):
    server = secure("--limit", "NET_CONNECTIONS=100", "--limit", "NET_HEADER_TIMEOUT_MS=1000")
    before = open_files(server)
    for _ in range(400):
        with contextlib.suppress(ConnectionError):
            connect(server, tls=False).sendall(b"\x16\x03\x01")
    assert open_files(server) <= before + 101
    await_event(lambda: open_files(server) <= before + 1, "they are still there")
    assert server.request("GET", "/_brume/health")[0] == 200


@pytest.mark.parametrize("leave", [reset, socket.socket.close], ids=["reset", "close"])
def test_a_client_that_leaves_within_a_body_takes_nothing_with_it(secure, connect, leave):
    server = secure()
    server.json("CreateQueue", b'{"QueueName":"q"}')
    before = open_files(server)
    for _ in range(5):
        connection = connect(server)
        connection.sendall(request("SendMessage", {"QueueUrl": "q", "MessageBody": "x" * 100000})[:-20000])
        leave(connection)
    await_event(lambda: open_files(server) <= before, "connections are left")
    assert json.loads(server.json("ReceiveMessage", b'{"QueueUrl":"q"}')[2]) == {}
    assert server.errors() == ""


def test_a_message_goes_past_pollers_that_have_left(secure, connect):
    server = secure()
    server.json("CreateQueue", b'{"QueueName":"q"}')
    poll = request("ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 20})
    leavers = [connect(server) for _ in range(3)]
    for number, leaver in enumerate(leavers):
        leaver.sendall(poll)
        await_waiting(server, number + 1)
    stayer = connect(server)
    stayer.sendall(poll)
    await_waiting(server, 4)
    reset(leavers[0])
    leavers[1].close()
    # A goodbye of TLS, with the connection left open.
    leavers[2].settimeout(0)
    with contextlib.suppress(ssl.SSLWantReadError):
        leavers[2].unwrap()
    await_waiting(server, 1)
    server.json("SendMessage", b'{"QueueUrl":"q","MessageBody":"for the last"}')
    assert b"for the last" in hear(stayer)[1]


def test_requests_may_come_one_behind_the_other(secure, connect):
    server = secure()
    server.json("CreateQueue", b'{"QueueName":"q"}')
    connection = connect(server)
    sends = [request("SendMessage", {"QueueUrl": "q", "MessageBody": str(number)}) for number in range(20)]
    connection.sendall(b"".join(sends))
    text = b""
    while text.count(b"MD5OfMessageBody") < 20:
        piece = connection.recv(65536)
        assert piece, text
        text += piece
    assert text.count(b"HTTP/1.1 200 OK") == 20


# ---- A certificate changes ----

def reload(server):
    server.process.send_signal(signal.SIGHUP)


def test_sighup_swaps_the_certificate_while_an_old_connection_goes_on(start, own_pair, connect):
    server = start("--log-level", "info", tls=own_pair)
    old = connect(server)
    old.sendall(HEALTH)
    assert hear(old)[0] == 200 and common_name(old) == "old.test"
    renew(own_pair, "new.test")
    reload(server)
    await_event(lambda: server.errors().count("event=tls_loaded") == 2, server.errors())
    assert common_name(connect(server)) == "new.test"
    old.sendall(HEALTH)
    assert hear(old)[0] == 200
    assert server.request("GET", "/_brume/health")[0] == 200


def test_a_broken_certificate_on_sighup_keeps_the_old_one_and_says_why(start, own_pair, connect):
    server = start(tls=own_pair)
    certificate = (own_pair / "cert.pem").read_bytes()
    trust = ssl.create_default_context(cafile=server.certificate)
    (own_pair / "cert.pem").write_bytes(certificate[:100])
    reload(server)
    await_event(lambda: "event=tls_kept" in server.errors(), "nothing is said")
    assert f"{own_pair}/cert.pem holds no certificate in PEM form" in server.errors()
    assert common_name(connect(server, trust=trust)) == "old.test"
    (own_pair / "cert.pem").write_bytes(certificate)
    reload(server)
    assert server.request("GET", "/_brume/health")[0] == 200


def test_sighup_without_tls_does_no_harm(start):
    server = start("--log-level", "info")
    reload(server)
    await_event(lambda: "event=reloaded" in server.errors(), "nothing is said")
    assert server.request("GET", "/_brume/health")[0] == 200


def test_a_server_whose_terminal_is_closed_stops(folder):
    ours, theirs = pty.openpty()

    def take_terminal():
        os.setsid()
        os.close(os.open(os.ttyname(0), os.O_RDWR))  # becomes the controlling one

    with subprocess.Popen([BINARY, "start", "--data", str(folder / "data"), "--listen", "127.0.0.1:0"], env=ENVIRONMENT,
                          stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          preexec_fn=take_terminal) as process:
        os.close(theirs)
        assert b"listening" in process.stdout.readline()
        os.close(ours)
        assert process.wait(20) == 0


# ---- Stopping ----

def test_sigterm_answers_what_was_asked_and_says_goodbye(secure, connect):
    server = secure()
    server.json("CreateQueue", b'{"QueueName":"q"}')
    idle, polling, unfinished = connect(server), connect(server), connect(server, tls=False)
    polling.sendall(request("ReceiveMessage", {"QueueUrl": "q", "WaitTimeSeconds": 20}))
    await_waiting(server, 1)
    started = time.monotonic()
    assert server.terminate() == 0
    assert time.monotonic() - started < 5
    assert hear(polling)[0] in (200, 503)
    # An end without close_notify would be an error here.
    for connection in (idle, polling):
        connection.context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        assert connection.recv(1) == b""
    assert unfinished.recv(1) == b""


# ---- Starting ----

def assert_refused(start, pair, *words, arguments=()):
    with pytest.raises(DidNotStart) as caught:
        start(*arguments, data=pair / f"refused-{next(numbers)}", tls=pair)
    text = caught.value.errors
    assert caught.value.code == 1 and len(text.strip().splitlines()) == 1, text
    for word in words:
        assert str(word) in text, text


def test_files_that_cannot_be_used_keep_the_server_from_starting(start, own_pair):
    key = (own_pair / "key.pem").read_bytes()
    (own_pair / "key.pem").unlink()
    assert_refused(start, own_pair, own_pair / "key.pem", "there is no such file")
    (own_pair / "key.pem").write_bytes(b"no key")
    assert_refused(start, own_pair, own_pair / "key.pem", "no private key in PEM form")
    renew(own_pair, "other.test")
    (own_pair / "key.pem").write_bytes(key)
    assert_refused(start, own_pair, own_pair / "key.pem", "not the key of the first certificate", own_pair / "cert.pem")
    (own_pair / "cert.pem").write_bytes(key)
    assert_refused(start, own_pair, own_pair / "cert.pem", "no certificate in PEM form")


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_certificate_and_key_go_together(start, pair, option):
    with pytest.raises(DidNotStart) as caught:
        start(option, str(pair / "cert.pem"))
    assert "--tls-cert and --tls-key go together" in caught.value.errors


def test_a_key_that_others_can_read_is_warned_of(start, own_pair):
    (own_pair / "key.pem").chmod(0o644)
    server = start(tls=own_pair)
    assert "level=warning" in server.errors() and f"{own_pair}/key.pem can be read" in server.errors()


def test_an_open_address_needs_tls_and_signatures(start, pair):
    assert_refused(start, pair, "--auth signed", arguments=("--listen", "0.0.0.0:0"))
    server = subprocess.Popen([BINARY, "start", "--data", str(pair / "data"), "--listen", "0.0.0.0:0", "--auth", "signed",
                               "--tls-cert", str(pair / "cert.pem"), "--tls-key", str(pair / "key.pem")],
                              env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert b"listening on https://0.0.0.0:" in server.stdout.readline()
    finally:
        server.terminate()
        assert server.wait(20) == 0
        server.stdout.close()
        server.stderr.close()


def test_settings_may_come_from_the_environment_and_a_file(start, pair, folder):
    server = start(environment={"BRUME_TLS_CERT": str(pair / "cert.pem"), "BRUME_TLS_KEY": str(pair / "key.pem")})
    assert server.url.startswith("https://")
    (folder / "brume.conf").write_text(f"tls-cert = {pair}/cert.pem\ntls-key = {pair}/key.pem\n")
    assert start("--config", str(folder / "brume.conf")).url.startswith("https://")


def test_administration_goes_on_without_tls(secure):
    server = secure("--virtual-clock")
    assert command("clock", "now", "--data", server.data).stdout
    assert stat.S_IMODE(os.stat(os.path.join(server.data, "admin.sock")).st_mode) == 0o600
