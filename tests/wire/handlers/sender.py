"""Sends a message with clients that are told nothing of where or who: all of it comes from the environment."""
import boto3

sqs = boto3.client("sqs")


def handler(event, context):
    url = sqs.get_queue_url(QueueName=event["queue"])["QueueUrl"]
    sent = sqs.send_message(QueueUrl=url, MessageBody=event["body"])
    return {"message": sent["MessageId"], "who": boto3.client("sts").get_caller_identity()["Arn"]}
