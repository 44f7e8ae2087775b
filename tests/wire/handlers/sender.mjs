// Sends a message with clients that are told nothing of where or who: all of it comes from the environment.
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const sqs = new SQSClient();
const sts = new STSClient();

export const handler = async (event) => {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: event.queue }));
  const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: event.body }));
  const { Arn } = await sts.send(new GetCallerIdentityCommand());
  return { message: sent.MessageId, who: Arn };
};
