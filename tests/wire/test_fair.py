"""Fair queues through boto3 (Query protocol): what a tenant who floods a queue does to the others."""

import itertools
import threading


def send(sqs, queue, group, count, first=0):
    """Sends that many messages, `group-0` and so on, ten at a time."""
    for start in range(first, first + count, 10):
        sqs.send_message_batch(QueueUrl=queue, Entries=[
            {"Id": str(number), "MessageBody": f"{group}-{number}", "MessageGroupId": group}
            for number in range(start, min(start + 10, first + count))])


def receive(sqs, queue, count=10, **more):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=count, **more).get("Messages", [])


def groups(messages):
    return [message["Body"].split("-")[0] for message in messages]


def drain(sqs, queue):
    """Receives until the queue is empty; the groups in the order in which they came."""
    order = []
    while messages := receive(sqs, queue):
        order.extend(groups(messages))
    return order


def test_a_received_message_tells_its_group(sqs, queue):
    sqs.send_message(QueueUrl=queue, MessageBody="a", MessageGroupId="tenant")
    [message] = receive(sqs, queue, AttributeNames=["All"])
    assert message["Attributes"]["MessageGroupId"] == "tenant"
    assert "SequenceNumber" not in message["Attributes"] and "MessageDeduplicationId" not in message["Attributes"]


def test_one_group_is_processed_by_many_consumers_at_a_time(sqs, queue):
    send(sqs, queue, "tenant", 3)
    assert len(receive(sqs, queue, 1) + receive(sqs, queue, 1) + receive(sqs, queue, 1)) == 3


def test_quiet_tenants_do_not_wait_for_the_backlog_of_a_noisy_one(sqs, queue):
    send(sqs, queue, "noisy", 300)
    for _ in range(5):
        assert set(groups(receive(sqs, queue))) == {"noisy"}
    for number, tenant in itertools.product(range(4), "abcde"):
        send(sqs, queue, tenant, 1, first=number)
    order = drain(sqs, queue)
    assert len(order) == 270
    assert set(order[:20]) == set("abcde"), order[:20]
    assert order[20:] == ["noisy"] * 250


def test_a_tenant_who_floods_while_all_are_served_holds_nobody_up(sqs, queue):
    """Consumers that hold what they have, as slow ones do: in each round the quiet tenants' messages of that round come
    before any further one of the noisy tenant, whose backlog grows all the time."""
    send(sqs, queue, "noisy", 50)
    assert len(drain(sqs, queue)) == 50
    for round_number in range(10):
        send(sqs, queue, "noisy", 50, first=50 * (round_number + 1))
        for tenant in "abc":
            send(sqs, queue, tenant, 1, first=round_number)
        order = groups(receive(sqs, queue))
        assert sorted(order[:3]) == ["a", "b", "c"], (round_number, order)
        assert order[3:] == ["noisy"] * 7


def test_messages_without_a_group_are_each_a_tenant_of_their_own(sqs, queue):
    send(sqs, queue, "noisy", 80)
    for _ in range(4):
        receive(sqs, queue)
    for number in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=f"none-{number}")
    assert groups(receive(sqs, queue))[:5] == ["none"] * 5


def test_every_message_is_given_once_to_ten_consumers(sqs, queue):
    for tenant in ("big", "b", "c"):
        send(sqs, queue, tenant, 100 if tenant == "big" else 20)
    received, lock = [], threading.Lock()

    def consume():
        while messages := receive(sqs, queue, 3, WaitTimeSeconds=1):
            for message in messages:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            with lock:
                received.extend(message["Body"] for message in messages)

    consumers = [threading.Thread(target=consume) for _ in range(10)]
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join()
    assert len(received) == len(set(received)) == 140
