// Sends a message with the SDK of the runtime, and tells by what.
import { createRequire } from "node:module";
import { GetQueueUrlCommand, SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const sqs = new SQSClient({});
const sts = new STSClient({});
const sdk = createRequire(import.meta.url)("@aws-sdk/client-sqs/package.json").version;

export async function handler({ queue, body }) {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
  const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body }));
  const { Arn } = await sts.send(new GetCallerIdentityCommand({}));
  return { version: process.version, sdk, who: Arn, message: sent.MessageId };
}
