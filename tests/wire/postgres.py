"""A PostgreSQL for tests: a cluster of its own on a port of its own, stopped by its id."""

import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

BIN = max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[4]), default=None)


class Postgres:
    def __init__(self):
        assert BIN is not None, "postgresql is not installed: run tools/setup"
        self.folder = tempfile.mkdtemp(prefix="brume-pg-")
        as_user = []
        if os.getuid() == 0:  # which PostgreSQL refuses to run as
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            as_user = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
        data = os.path.join(self.folder, "data")
        subprocess.run([*as_user, f"{BIN}/initdb", "-D", data, "-U", "app", "-A", "trust", "--no-sync", "-E", "UTF8"], check=True,
                       cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"postgresql://app@127.0.0.1:{self.port}/postgres"
        self.process = subprocess.Popen(
            [*as_user, f"{BIN}/postgres", "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "fsync=off"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = []
        for line in self.process.stderr:
            said.append(line)
            if "ready to accept connections" in line:
                return
        raise AssertionError(f"PostgreSQL did not start: {''.join(said)}")

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # at once, whoever is connected
        self.process.communicate(timeout=30)
        shutil.rmtree(self.folder)
