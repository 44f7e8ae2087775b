"""`brume queues`: what an operator sees of the queues of a running server."""

import json

from brume import command
from conftest import client


def table(server, *arguments):
    """The printed rows as dictionaries, by their titles; the columns stand where the titles do."""
    lines = command("queues", "--data", server.data, *arguments).stdout.splitlines()
    titles = ["NAME", "REGION", "TYPE", "VISIBLE", "IN FLIGHT", "DELAYED", "OLDEST", "DEAD LETTERS"]
    assert [title for title in titles if title in lines[0]] == titles
    rows = []
    for line in lines[1:]:
        # No name and no number has two spaces in it.
        rows.append(dict(zip(titles, (cell.strip() for cell in line.split("  ") if cell.strip()))))
    return rows


def rows_of(server, *arguments):
    return [json.loads(line) for line in command("queues", "--json", "--data", server.data, *arguments).stdout.splitlines()]


def test_queues_are_shown_with_what_is_in_them(server):
    sqs = client(server, key="000000000000")
    arn = "arn:aws:sqs:us-east-1:000000000000:letters"
    letters = sqs.create_queue(QueueName="letters")["QueueUrl"]
    orders = sqs.create_queue(QueueName="orders", Attributes={
        "VisibilityTimeout": "3600", "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})})["QueueUrl"]
    client(server, key="000000000000", region="eu-west-1").create_queue(QueueName="far")
    client(server, key="111122223333").create_queue(QueueName="others")
    for _ in range(4):
        sqs.send_message(QueueUrl=orders, MessageBody="x")
    sqs.send_message(QueueUrl=orders, MessageBody="x", DelaySeconds=900)
    sqs.send_message(QueueUrl=letters, MessageBody="x")
    sqs.receive_message(QueueUrl=orders)
    command("clock", "advance", "90s", "--data", server.data)
    rows = table(server)
    assert [(row["NAME"], row["REGION"]) for row in rows] == [
        ("far", "eu-west-1"), ("letters", "us-east-1"), ("orders", "us-east-1")]
    far, _, last = rows
    assert (far["TYPE"], far["VISIBLE"], far["OLDEST"], far["DEAD LETTERS"]) == ("standard", "0", "-", "-")
    assert (last["VISIBLE"], last["IN FLIGHT"], last["DELAYED"]) == ("3", "1", "1")
    assert last["OLDEST"].startswith("1m3") and last["DEAD LETTERS"] == "letters (1)"
    row = rows_of(server, "--region", "us-east-1")[1]
    assert 90000 <= row.pop("oldest_ms") < 120000
    assert row == {"name": "orders", "region": "us-east-1", "type": "standard", "visible": 3, "in_flight": 1, "delayed": 1,
                   "dead_letter_queue": "letters", "dead_letters": 1}
    assert [row["name"] for row in rows_of(server, "--account", "111122223333")] == ["others"]
    sqs.delete_queue(QueueUrl=letters)
    assert table(server)[-1]["DEAD LETTERS"] == "letters (does not exist)"


def test_many_queues_and_long_names_are_shown_in_order(server):
    sqs = client(server, key="222233334444")
    names = sorted([f"{number:03}" for number in range(230)] + ["n" * 80])
    for name in names:
        sqs.create_queue(QueueName=name)
    assert [row["NAME"] for row in table(server, "--account", "222233334444")] == names
    assert [row["name"] for row in rows_of(server, "--account", "222233334444")] == names
    lines = command("queues", "--data", server.data, "--account", "222233334444").stdout.splitlines()
    assert len({line.index("us-east-1") for line in lines[1:]} | {lines[0].index("REGION")}) == 1


def test_an_account_without_queues_has_an_empty_table(server):
    assert table(server, "--account", "999999999999") == []
    assert rows_of(server, "--account", "999999999999", "--region", "eu-west-1") == []


def test_what_cannot_be_shown_is_said(server, folder):
    bad = command("queues", "--data", server.data, "--account", "me", check=False)
    assert bad.returncode == 1 and "12 digits" in bad.stderr
    none = command("queues", "--data", folder / "none", check=False)
    assert none.returncode == 1 and none.stderr.startswith("brume: ") and "server" in none.stderr
    assert command("queues", "now", check=False).returncode == 2
