// SQS over HTTP/2 without TLS, through a current AWS SDK for JavaScript: many calls as streams of one connection.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateQueueCommand, DeleteMessageBatchCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient,
} from '@aws-sdk/client-sqs';
import { NodeHttp2Handler } from '@smithy/node-http-handler';
import { startServer } from './server.mjs';

let server;
let sqs;

before(async () => {
  server = await startServer();
  sqs = new SQSClient({
    endpoint: server.url, region: 'us-east-1', maxAttempts: 1, requestHandler: new NodeHttp2Handler(),
    credentials: { accessKeyId: '123456789012', secretAccessKey: 'secret' },
  });
});

after(async () => {
  sqs.destroy();
  assert.equal(await server.stop(), 0);
});

const createQueue = async (name) => (await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl;

async function connectionsAccepted() {
  const text = await (await fetch(`${server.url}/_brume/metrics`)).text();
  return Number(/^brume_http_accepted_total (\d+)$/m.exec(text)[1]);
}

test('many calls at a time share one connection', async () => {
  const QueueUrl = await createQueue('many');
  const accepted = await connectionsAccepted();
  const bodies = Array.from({ length: 200 }, (_, i) => `message ${i}`);
  await Promise.all(bodies.map((MessageBody) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))));
  const received = [];
  while (received.length < bodies.length) {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    received.push(...Messages.map(({ Body }) => Body));
    const Entries = Messages.map(({ ReceiptHandle }, i) => ({ Id: `${i}`, ReceiptHandle }));
    assert.equal((await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))).Failed, undefined);
  }
  assert.deepEqual(received.sort(), bodies.sort());
  assert.ok(await connectionsAccepted() <= accepted + 1, 'one at most, to ask for the metrics');
});

test('a large message goes there and back', async () => {
  const QueueUrl = await createQueue('large');
  const MessageBody = 'x'.repeat(1048576);
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  assert.equal(Messages[0].Body, MessageBody);
});

test('a long poll waits while other calls go on, and ends with the message', async () => {
  const QueueUrl = await createQueue('poll');
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await createQueue('meanwhile');
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'here' }));
  assert.equal((await poll).Messages[0].Body, 'here');
});

test('a long poll that is broken off takes no message', async () => {
  const QueueUrl = await createQueue('abandoned');
  const controller = new AbortController();
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: controller.signal });
  const waiting = async () => /^brume_store_waiting (\d+)$/m.exec(await (await fetch(`${server.url}/_brume/metrics`)).text())[1];
  while (await waiting() !== '1');
  controller.abort();
  await assert.rejects(poll, { name: 'AbortError' });
  while (await waiting() !== '0');
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'for the next' }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  assert.equal(Messages[0].Body, 'for the next');
});

test('signatures are verified: the host is the authority', async () => {
  const secret = { BRUME_ACCESS_KEY_ID: 'BRUMEROOTKEY00000001', BRUME_SECRET_ACCESS_KEY: 'a long secret' };
  const strict = await startServer({ options: ['--auth', 'signed'], env: secret });
  const clientOf = (secretAccessKey) => new SQSClient({
    endpoint: strict.url, region: 'us-east-1', maxAttempts: 1, requestHandler: new NodeHttp2Handler(),
    credentials: { accessKeyId: secret.BRUME_ACCESS_KEY_ID, secretAccessKey },
  });
  const right = clientOf(secret.BRUME_SECRET_ACCESS_KEY);
  const wrong = clientOf('another secret');
  try {
    assert.ok((await right.send(new CreateQueueCommand({ QueueName: 'signed' }))).QueueUrl);
    await assert.rejects(wrong.send(new CreateQueueCommand({ QueueName: 'signed' })), { name: 'SignatureDoesNotMatch' });
  } finally {
    right.destroy();
    wrong.destroy();
    await strict.stop();
  }
});
