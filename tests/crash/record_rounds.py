"""record_rounds.py: a server is killed while functions get layers, concurrency, versions, aliases, policies and URLs: each
that was acknowledged is there as it was made, those of a function that was deleted are gone, a function of the same name can
have them anew, and when all are deleted nothing is left, beside the store or in it."""

import base64
import collections

from code_rounds import CodeRound, package_of
from lambda_client import ACCOUNT, FUNCTIONS, ROLE, RUNTIME, Ended, call

LAYER_CONTENT = base64.b64encode(package_of("of a layer")).decode()
RESERVED = 2

# How one is made, where it is read, and what must be read there.
Record = collections.namedtuple("Record", "method path document status place expected")


def layer_of(name):
    """Several functions share a layer's name, and have a version of it each."""
    return f"layer-{name.split('-')[1]}"


def records_of(name, layer_version):
    """What is made of each function, in this order."""
    function = f"{FUNCTIONS}/{name}"
    provisioned = f"/2019-09-30/functions/{name}/provisioned-concurrency?Qualifier=live"
    layer = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:{layer_of(name)}:{layer_version}"
    return {
        "layers": Record("PUT", f"{function}/configuration", {"Layers": [layer], "Description": f"has {name}"}, 200,
                         f"{function}/configuration",
                         lambda found: [one["Arn"] for one in found.get("Layers", [])] == [layer]
                         and found.get("Description") == f"has {name}"),
        "reserved": Record("PUT", f"/2017-10-31/functions/{name}/concurrency",
                           {"ReservedConcurrentExecutions": RESERVED}, 200,
                           f"/2019-09-30/functions/{name}/concurrency",
                           lambda found: found.get("ReservedConcurrentExecutions") == RESERVED),
        "version": Record("POST", f"{function}/versions", {"Description": f"first of {name}"}, 201,
                          f"{function}:1/configuration",
                          lambda found: found["Version"] == "1" and found.get("Description") == f"first of {name}"
                          and [one["Arn"] for one in found.get("Layers", [])] == [layer]),
        "alias": Record("POST", f"{function}/aliases",
                        {"Name": "live", "FunctionVersion": "1", "Description": f"alias of {name}"}, 201,
                        f"{function}/aliases/live",
                        lambda found: found["FunctionVersion"] == "1" and found.get("Description") == f"alias of {name}"),
        "policy": Record("POST", f"{function}/policy",
                         {"StatementId": f"bucket-{name}", "Action": "lambda:InvokeFunction",
                          "Principal": "s3.amazonaws.com"}, 201,
                         f"{function}/policy", lambda found: f'"bucket-{name}"' in found["Policy"]),
        "url": Record("POST", f"/2021-10-31/functions/{name}/url", {"AuthType": "AWS_IAM"}, 201,
                      f"/2021-10-31/functions/{name}/url",
                      lambda found: found["AuthType"] == "AWS_IAM" and "lambda-url" in found["FunctionUrl"]),
        "provisioned": Record("PUT", provisioned, {"ProvisionedConcurrentExecutions": 1}, 202, provisioned,
                              lambda found: found["RequestedProvisionedConcurrentExecutions"] == 1),
    }


class RecordRound(CodeRound):
    """`records`: a function's name: those that were acknowledged; None: its deletion was. `unsure`: names under whose last
    call the server died. `layers`: a function's name: the version of its layer."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.records, self.unsure, self.layers = {}, set(), {}

    def ask(self, server, method, path, document, status):
        got, answer = call(server.port, method, path, document)
        if got != status:
            self.ledger.violation(f"{method} {path}: {got} {answer}")
        self.ledger.acknowledged += 1
        return answer

    @staticmethod
    def await_settled(server, name):
        pending = True
        while pending:
            state = call(server.port, "GET", f"{FUNCTIONS}/{name}/configuration")[1]
            pending = state["State"] == "Pending" or state.get("LastUpdateStatus") == "InProgress"

    def work(self, server, prefix, seed, stop):
        number, name = 0, None
        code = base64.b64encode(package_of(f"records {seed}")).decode()
        try:
            while not stop.is_set():
                number += 1
                name = f"r-{prefix}-{number}"
                layer = self.ask(server, "POST", f"/2018-10-31/layers/{layer_of(name)}/versions",
                                 {"Content": {"ZipFile": LAYER_CONTENT}}, 201)
                self.layers[name] = layer.get("Version")
                self.ask(server, "POST", FUNCTIONS,
                         {"FunctionName": name, "Runtime": RUNTIME, "Handler": "index.handler", "Role": ROLE,
                          "Code": {"ZipFile": code}}, 201)
                self.records[name] = set()
                self.await_settled(server, name)
                for kind, record in records_of(name, self.layers[name]).items():
                    self.ask(server, record.method, record.path, record.document, record.status)
                    self.records[name].add(kind)
                    self.await_settled(server, name)
                if number % 2 == 0:
                    self.ask(server, "DELETE", f"{FUNCTIONS}/{name}", None, 204)
                    self.records[name] = None
        except Ended:
            self.unsure.add(name)

    # ---- What must hold afterwards ----

    def verify(self, final):
        with self.plain_server() as server:
            for name, kinds in self.records.items():
                self.verify_records(server, name, kinds)
            if final and not self.ledger.violations:
                self.verify_all_can_go(server)

    def verify_records(self, server, name, kinds):
        exists = call(server.port, "GET", f"{FUNCTIONS}/{name}")[0] == 200
        if exists != (kinds is not None) and name not in self.unsure:
            self.ledger.violation(f"{name} was acknowledged, and is {'there' if exists else 'lost'}")
        for kind, record in records_of(name, self.layers[name]).items():
            status, found = call(server.port, "GET", record.place)
            is_there = status == 200 and record.expected(found)
            if status == 200 and not exists:
                self.ledger.violation(f"{name} is not there, but its {kind} is")
            if exists and kinds is not None and kind in kinds and not is_there:
                self.ledger.violation(f"the {kind} of {name} was acknowledged, and is lost or other: {status} {found}")

    def verify_all_can_go(self, server):
        """Those, too, under which the server died. A killed deletion has left nothing that a later one does not find."""
        for name in set(self.records) | self.unsure:
            status, document = call(server.port, "DELETE", f"{FUNCTIONS}/{name}")
            if status not in (204, 404):
                self.ledger.violation(f"{name} cannot be deleted: {status} {document}")
        for layer in call(server.port, "GET", "/2018-10-31/layers")[1]["Layers"]:
            place = f"/2018-10-31/layers/{layer['LayerName']}/versions"
            for version in call(server.port, "GET", place)[1]["LayerVersions"]:
                self.ask(server, "DELETE", f"{place}/{version['Version']}", None, 204)
        usage = call(server.port, "GET", "/2016-08-19/account-settings")[1]
        expected = {"FunctionCount": 0, "TotalCodeSize": 0}
        if usage["AccountUsage"] != expected:
            self.ledger.violation(f"nothing is left, but the account counts {usage['AccountUsage']}")
        free = usage["AccountLimit"]["UnreservedConcurrentExecutions"]
        if free != usage["AccountLimit"]["ConcurrentExecutions"]:
            self.ledger.violation(f"nothing is left, but only {free} executions are unreserved")
        self.await_no_others()
        self.await_no_orphans(server)
