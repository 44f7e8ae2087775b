"""witness.py: a server of the test's own, to which handlers tell what they have processed; it outlives every server of
Brume and knows in which order it was told."""

import json
import socketserver
import threading

# What a handler begins with: tell(list) returns when the witness has heard it.
TELL = """
import json, os, socket

def connect():
    return socket.create_connection(("127.0.0.1", int(os.environ["WITNESS"]))).makefile("rw")

line = connect()

def tell(words):
    line.write(json.dumps(words) + "\\n")
    line.flush()
    if line.readline() != "heard\\n":
        raise ConnectionError("the witness has gone")
"""


class Witness(socketserver.ThreadingTCPServer):
    """`heard`: all words, in the order in which they came."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        self.heard, self.lock = [], threading.Lock()
        super().__init__(("127.0.0.1", 0), Listener)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    @property
    def port(self):
        return self.server_address[1]

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Listener(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            for line in self.rfile:
                words = json.loads(line)
                with self.server.lock:
                    self.server.heard += words
                self.wfile.write(b"heard\n")
        except OSError:
            pass  # a worker was killed
