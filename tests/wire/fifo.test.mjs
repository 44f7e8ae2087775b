// FIFO queues through a current AWS SDK for JavaScript, which speaks the JSON protocol.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateQueueCommand, DeleteMessageCommand, PurgeQueueCommand, ReceiveMessageCommand, SendMessageBatchCommand,
  SendMessageCommand, SQSClient,
} from '@aws-sdk/client-sqs';
import { startServer } from './server.mjs';

let server;
let sqs;
let number = 0;

before(async () => {
  server = await startServer();
  sqs = new SQSClient({
    endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
});

after(async () => {
  sqs.destroy();
  assert.equal(await server.stop(), 0);
});

const newFifo = async (attributes = {}) => (await sqs.send(new CreateQueueCommand({
  QueueName: `queue-${++number}.fifo`, Attributes: { FifoQueue: 'true', ...attributes },
}))).QueueUrl;
const receive = async (QueueUrl, more = {}) => (await sqs.send(new ReceiveMessageCommand({
  QueueUrl, MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['All'], ...more,
}))).Messages ?? [];
const bodies = (messages) => messages.map(({ Body }) => Body);

test('a batch keeps its order and its sequence numbers ascend', async () => {
  const QueueUrl = await newFifo();
  const { Successful } = await sqs.send(new SendMessageBatchCommand({
    QueueUrl,
    Entries: [...'abcdefghij'].map((Id) => ({ Id, MessageBody: Id, MessageGroupId: 'g', MessageDeduplicationId: Id })),
  }));
  const sequences = Successful.map(({ SequenceNumber }) => BigInt(SequenceNumber));
  assert.ok(sequences.every((sequence, i) => i === 0 || sequence > sequences[i - 1]));
  const messages = await receive(QueueUrl);
  assert.deepEqual(bodies(messages), [...'abcdefghij']);
  assert.deepEqual(messages.map(({ Attributes }) => BigInt(Attributes.SequenceNumber)), sequences);
  assert.deepEqual(messages.map(({ Attributes }) => Attributes.MessageDeduplicationId), [...'abcdefghij']);
});

test('a repeat is told what the first was told', async () => {
  const QueueUrl = await newFifo({ ContentBasedDeduplication: 'true' });
  const first = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageGroupId: 'g' }));
  const second = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageGroupId: 'h' }));
  assert.equal(second.MessageId, first.MessageId);
  assert.equal(second.SequenceNumber, first.SequenceNumber);
  assert.deepEqual(bodies(await receive(QueueUrl)), ['a']);
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageGroupId: 'g' }));
  assert.deepEqual(bodies(await receive(QueueUrl)), ['a']);
});

test('refusals have the names of the SDK', async () => {
  const QueueUrl = await newFifo();
  const name = (promise) => promise.then(() => 'none', (error) => error.name);
  assert.equal(await name(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' }))), 'MissingParameter');
  assert.equal(await name(sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageGroupId: 'g' }))),
    'InvalidParameterValue');
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageGroupId: 'g', MessageDeduplicationId: 'i' }));
  const [{ ReceiptHandle }] = await receive(QueueUrl, { VisibilityTimeout: 0 });
  assert.equal(await name(sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))), 'InvalidParameterValue');
});
