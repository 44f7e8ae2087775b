"""record_rounds.py: a server is killed while functions get versions, aliases, policies, URLs and concurrency: each that was
acknowledged is there, those of a function that was deleted are gone, and a function of the same name can have them anew."""

import base64

from client import Server
from code_rounds import ROLE, CodeRound, Ended, call, package

# What is made of each function, in this order: method, path, document, status; then where it is read, and from whom.
RECORDS = {
    "version": ("POST", "/2015-03-31/functions/{}/versions", {}, 201, "/2015-03-31/functions/{}:1/configuration"),
    "alias": ("POST", "/2015-03-31/functions/{}/aliases", {"Name": "live", "FunctionVersion": "1"}, 201,
              "/2015-03-31/functions/{}/aliases/live"),
    "policy": ("POST", "/2015-03-31/functions/{}/policy",
               {"StatementId": "bucket", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}, 201,
               "/2015-03-31/functions/{}/policy"),
    "url": ("POST", "/2021-10-31/functions/{}/url", {"AuthType": "NONE"}, 201, "/2021-10-31/functions/{}/url"),
    "provisioned": ("PUT", "/2019-09-30/functions/{}/provisioned-concurrency?Qualifier=live",
                    {"ProvisionedConcurrentExecutions": 1}, 202,
                    "/2019-09-30/functions/{}/provisioned-concurrency?Qualifier=live"),
}


class RecordRound(CodeRound):
    """`records`: a function's name: those that were acknowledged; None: its deletion was. `unsure`: names under whose last
    call the server died."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.records, self.unsure = {}, set()

    def ask(self, server, method, path, document, status):
        got, answer = call(server.port, method, path, document)
        if got != status:
            self.ledger.violation(f"{method} {path}: {got} {answer}")
        self.ledger.acknowledged += 1

    def work(self, server, prefix, seed, stop):
        number, name = 0, None
        code = base64.b64encode(package(f"records {seed}")).decode()
        try:
            while not stop.is_set():
                number += 1
                name = f"r-{prefix}-{number}"
                self.ask(server, "POST", "/2015-03-31/functions",
                         {"FunctionName": name, "Runtime": "python3.11", "Handler": "index.handler", "Role": ROLE,
                          "Code": {"ZipFile": code}}, 201)
                self.records[name] = set()
                while call(server.port, "GET", f"/2015-03-31/functions/{name}/configuration")[1]["State"] == "Pending":
                    continue
                for kind, (method, path, document, status, _) in RECORDS.items():
                    self.ask(server, method, path.format(name), document, status)
                    self.records[name].add(kind)
                if number % 2 == 0:
                    self.ask(server, "DELETE", f"/2015-03-31/functions/{name}", None, 204)
                    self.records[name] = None
        except Ended:
            self.unsure.add(name)

    def verify(self, final):
        server = Server(self.plain, self.data)
        try:
            if not server.wait_ready():
                raise AssertionError(f"the server does not start again: {server.complaint()}")
            for name, kinds in self.records.items():
                self.verify_records(server, name, kinds)
        finally:
            server.close()

    def verify_records(self, server, name, kinds):
        exists = call(server.port, "GET", f"/2015-03-31/functions/{name}")[0] == 200
        if exists != (kinds is not None) and name not in self.unsure:
            self.ledger.violation(f"{name} was acknowledged, and is {'there' if exists else 'lost'}")
        for kind, (_, _, _, _, place) in RECORDS.items():
            found = call(server.port, "GET", place.format(name))[0] == 200
            if found and not exists:
                self.ledger.violation(f"{name} is not there, but its {kind} is")
            if exists and kinds is not None and kind in kinds and not found:
                self.ledger.violation(f"the {kind} of {name} was acknowledged, and is lost")
