// SQS through a current AWS SDK for JavaScript, which speaks the JSON protocol. The SDK checks the digest of every message
// that it sends or receives itself, so that a wrong one fails these tests.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ChangeMessageVisibilityBatchCommand, ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand,
  DeleteMessageCommand, DeleteQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, ListQueuesCommand,
  PurgeQueueCommand, QueueDeletedRecently, QueueDoesNotExist, QueueNameExists, ReceiptHandleIsInvalid,
  ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand, SetQueueAttributesCommand, SQSClient,
  paginateListQueues,
} from '@aws-sdk/client-sqs';
import { GetAccessKeyInfoCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { command, startServer } from './server.mjs';

let server;
let sqs;
let number = 0;

const clientOf = (Client, accessKeyId = '123456789012', more = {}) => new Client({
  endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey: 'secret' }, maxAttempts: 1, ...more,
});

before(async () => {
  server = await startServer({ options: ['--virtual-clock'] });
  sqs = clientOf(SQSClient);
});

after(async () => {
  sqs.destroy();
  assert.equal(await server.stop(), 0);
});

// Calls by name: call.SendMessage({ … }).
const commands = {
  ChangeMessageVisibilityBatchCommand, ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand,
  DeleteMessageCommand, DeleteQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, ListQueuesCommand,
  PurgeQueueCommand, ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand, SetQueueAttributesCommand,
};
const call = Object.fromEntries(Object.entries(commands).map(
  ([name, Command]) => [name.replace(/Command$/, ''), (input, client = sqs) => client.send(new Command(input))]));

const newName = () => `queue-${++number}`;
const newQueue = async (Attributes) => (await call.CreateQueue({ QueueName: newName(), Attributes })).QueueUrl;
const advance = (duration) => command('clock', 'advance', duration, '--data', server.data);

// The promise must be refused: with this name and HTTP status.
const refused = async (promise, name, status = 400) => {
  const error = await promise.then(() => assert.fail('was not refused'), (reason) => reason);
  assert.equal(error.name, name, error.message);
  assert.equal(error.$metadata.httpStatusCode, status);
  return error;
};

test('a message is sent, received and deleted', async () => {
  const QueueUrl = await newQueue();
  const sent = await call.SendMessage({ QueueUrl, MessageBody: 'hello, ünïcödé \u{1f32b}' });
  const { Messages: [message] } = await call.ReceiveMessage({ QueueUrl });
  assert.equal(message.Body, 'hello, ünïcödé \u{1f32b}');
  assert.equal(message.MessageId, sent.MessageId);
  await call.DeleteMessage({ QueueUrl, ReceiptHandle: message.ReceiptHandle });
  await advance('31s');
  assert.equal((await call.ReceiveMessage({ QueueUrl })).Messages, undefined);
});

test('a queue is created, found, listed and deleted', async () => {
  const QueueName = newName();
  const { QueueUrl } = await call.CreateQueue({ QueueName });
  assert.equal(QueueUrl, `${server.url}/123456789012/${QueueName}`);
  assert.equal((await call.GetQueueUrl({ QueueName })).QueueUrl, QueueUrl);
  assert.deepEqual((await call.ListQueues({ QueueNamePrefix: QueueName })).QueueUrls, [QueueUrl]);
  await call.DeleteQueue({ QueueUrl });
  await refused(call.GetQueueUrl({ QueueName }), 'QueueDoesNotExist');
});

test('queues are listed in pages', async () => {
  const client = clientOf(SQSClient, '111122223333');
  const made = [];
  for (let i = 0; i < 7; i++) made.push((await call.CreateQueue({ QueueName: `page-${i}` }, client)).QueueUrl);
  const seen = [];
  for await (const page of paginateListQueues({ client, pageSize: 3 }, {})) seen.push(...page.QueueUrls);
  assert.deepEqual(seen.sort(), made.sort());
  client.destroy();
});

test('errors arrive as the SDK’s own classes', async () => {
  const gone = `${server.url}/123456789012/nowhere`;
  const unknown = await refused(call.SendMessage({ QueueUrl: gone, MessageBody: 'x' }), 'QueueDoesNotExist');
  assert.ok(unknown instanceof QueueDoesNotExist);
  assert.ok(unknown.$metadata.requestId);
  const QueueName = newName();
  const { QueueUrl } = await call.CreateQueue({ QueueName, Attributes: { DelaySeconds: '1' } });
  const exists = await refused(call.CreateQueue({ QueueName, Attributes: { DelaySeconds: '2' } }), 'QueueNameExists');
  assert.ok(exists instanceof QueueNameExists);
  const invalid = await refused(call.DeleteMessage({ QueueUrl, ReceiptHandle: 'garbage' }), 'ReceiptHandleIsInvalid', 404);
  assert.ok(invalid instanceof ReceiptHandleIsInvalid);
  await call.DeleteQueue({ QueueUrl });
  const recently = await refused(call.CreateQueue({ QueueName }), 'QueueDeletedRecently');
  assert.ok(recently instanceof QueueDeletedRecently);
});

test('constraint violations are refused in the words of SQS', async () => {
  const QueueUrl = await newQueue();
  await refused(call.CreateQueue({ QueueName: 'not good' }), 'InvalidParameterValue');
  await refused(call.CreateQueue({ QueueName: newName(), Attributes: { Colour: 'red' } }), 'InvalidAttributeName');
  await refused(call.SetQueueAttributes({ QueueUrl, Attributes: { DelaySeconds: '901' } }), 'InvalidAttributeValue');
  await refused(call.ReceiveMessage({ QueueUrl, MaxNumberOfMessages: 11 }), 'InvalidParameterValue');
  await refused(call.ReceiveMessage({ QueueUrl, WaitTimeSeconds: 21 }), 'InvalidParameterValue');
  await refused(call.SendMessage({ QueueUrl, MessageBody: 'x', DelaySeconds: 901 }), 'InvalidParameterValue');
  await refused(call.SendMessage({ QueueUrl, MessageBody: '\u0000' }), 'InvalidMessageContents');
});

test('attributes of queues are kept', async () => {
  const QueueUrl = await newQueue({ VisibilityTimeout: '11' });
  await call.SetQueueAttributes({ QueueUrl, Attributes: { DelaySeconds: '3' } });
  const { Attributes } = await call.GetQueueAttributes({ QueueUrl, AttributeNames: ['All'] });
  assert.equal(Attributes.VisibilityTimeout, '11');
  assert.equal(Attributes.DelaySeconds, '3');
  assert.match(Attributes.QueueArn, /^arn:aws:sqs:us-east-1:123456789012:queue-\d+$/);
});

test('message attributes of every type arrive as they were sent', async () => {
  const QueueUrl = await newQueue();
  const MessageAttributes = {
    text: { DataType: 'String', StringValue: 'Zoë <&> "' },
    number: { DataType: 'Number.int', StringValue: '42' },
    bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255, 16]) },
  };
  await call.SendMessage({ QueueUrl, MessageBody: 'b', MessageAttributes });
  const { Messages: [message] } = await call.ReceiveMessage({
    QueueUrl, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'],
  });
  assert.deepEqual({ ...message.MessageAttributes.text }, MessageAttributes.text);
  assert.deepEqual({ ...message.MessageAttributes.number }, MessageAttributes.number);
  assert.deepEqual([...message.MessageAttributes.bytes.BinaryValue], [0, 255, 16]);
  assert.equal(message.Attributes.ApproximateReceiveCount, '1');
  assert.match(message.Attributes.SentTimestamp, /^\d{13}$/);
});

test('a batch is sent, hidden, shown again and deleted; a bad entry fails alone', async () => {
  const QueueUrl = await newQueue();
  const sent = await call.SendMessageBatch({ QueueUrl, Entries: [
    ...Array.from({ length: 9 }, (_, i) => ({ Id: `e${i}`, MessageBody: `body ${i}` })),
    { Id: 'bad', MessageBody: 'x', DelaySeconds: 901 }] });
  assert.equal(sent.Successful.length, 9);
  assert.deepEqual(sent.Failed.map(({ Id, Code, SenderFault }) => ({ Id, Code, SenderFault })),
    [{ Id: 'bad', Code: 'InvalidParameterValue', SenderFault: true }]);
  const first = await call.ReceiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
  assert.equal(first.Messages.length, 9);
  const shown = await call.ChangeMessageVisibilityBatch({ QueueUrl, Entries: first.Messages.map(
    ({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: 0 })) });
  assert.equal(shown.Successful.length, 9);
  const again = await call.ReceiveMessage({ QueueUrl, MaxNumberOfMessages: 10 });
  const deleted = await call.DeleteMessageBatch({ QueueUrl, Entries: again.Messages.map(
    ({ ReceiptHandle }, i) => ({ Id: String(i), ReceiptHandle })) });
  assert.equal(deleted.Successful.length, 9);
  assert.equal(deleted.Failed, undefined);
});

test('batches that are wrong as a whole are refused', async () => {
  const QueueUrl = await newQueue();
  const entry = { Id: 'same', MessageBody: 'x' };
  const send = (Entries) => call.SendMessageBatch({ QueueUrl, Entries });
  await refused(send([]), 'EmptyBatchRequest');
  await refused(send([entry, entry]), 'BatchEntryIdsNotDistinct');
  await refused(send([{ ...entry, Id: 'a b' }]), 'InvalidBatchEntryId');
  await refused(send(Array.from({ length: 11 }, (_, i) => ({ ...entry, Id: `e${i}` }))), 'TooManyEntriesInBatchRequest');
  const big = 'm'.repeat(600000);
  await refused(send([{ Id: 'a', MessageBody: big }, { Id: 'b', MessageBody: big }]), 'BatchRequestTooLong');
});

test('visibility, delay and retention follow the platform clock', async () => {
  const QueueUrl = await newQueue({ MessageRetentionPeriod: '3600' });
  await call.SendMessage({ QueueUrl, MessageBody: 'b', DelaySeconds: 60 });
  assert.equal((await call.ReceiveMessage({ QueueUrl })).Messages, undefined);
  await advance('61s');
  const { Messages: [message] } = await call.ReceiveMessage({ QueueUrl, VisibilityTimeout: 100 });
  await call.ChangeMessageVisibility({ QueueUrl, ReceiptHandle: message.ReceiptHandle, VisibilityTimeout: 500 });
  await advance('101s');
  assert.equal((await call.ReceiveMessage({ QueueUrl })).Messages, undefined);
  await advance('400s');
  assert.equal((await call.ReceiveMessage({ QueueUrl, VisibilityTimeout: 0 })).Messages.length, 1);
  await advance('1h');
  assert.equal((await call.ReceiveMessage({ QueueUrl })).Messages, undefined);
});

test('a long poll is woken by a send', async () => {
  const QueueUrl = await newQueue();
  const started = Date.now();
  const poll = call.ReceiveMessage({ QueueUrl, WaitTimeSeconds: 20 });
  await new Promise((resolve) => { setTimeout(resolve, 300); });
  await call.SendMessage({ QueueUrl, MessageBody: 'wake' });
  assert.equal((await poll).Messages[0].Body, 'wake');
  assert.ok(Date.now() - started < 10000);
});

test('a client that gives up a long poll takes no message with it', async () => {
  const QueueUrl = await newQueue();
  const abort = new AbortController();
  const poll = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: abort.signal });
  setTimeout(() => abort.abort(), 300);
  await assert.rejects(poll, { name: 'AbortError' });
  await new Promise((resolve) => { setTimeout(resolve, 200); });
  await call.SendMessage({ QueueUrl, MessageBody: 'still here' });
  assert.equal((await call.ReceiveMessage({ QueueUrl })).Messages[0].Body, 'still here');
});

test('a purge empties the queue, and a second one has to wait', async () => {
  const QueueUrl = await newQueue();
  await call.SendMessage({ QueueUrl, MessageBody: 'x' });
  await call.PurgeQueue({ QueueUrl });
  await refused(call.PurgeQueue({ QueueUrl }), 'PurgeQueueInProgress', 403);
  await advance('61s');
  assert.equal((await call.ReceiveMessage({ QueueUrl })).Messages, undefined);
});

test('a large message of a megabyte goes through, one byte more does not', async () => {
  const QueueUrl = await newQueue();
  const MessageBody = 'm'.repeat(1048576);
  await call.SendMessage({ QueueUrl, MessageBody });
  assert.equal((await call.ReceiveMessage({ QueueUrl })).Messages[0].Body, MessageBody);
  await refused(call.SendMessage({ QueueUrl, MessageBody: `${MessageBody}m` }), 'InvalidParameterValue');
});

test('many clients at once lose nothing and get nothing twice', async () => {
  const QueueUrl = await newQueue();
  const bodies = Array.from({ length: 200 }, (_, i) => `body-${i}`);
  await Promise.all(bodies.map((MessageBody) => call.SendMessage({ QueueUrl, MessageBody })));
  const got = [];
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (;;) {
      const { Messages } = await call.ReceiveMessage({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 });
      if (!Messages) return;
      got.push(...Messages.map(({ Body }) => Body));
    }
  }));
  assert.deepEqual(got.sort(), bodies.sort());
});

test('STS tells who is calling, and of a key that is nobody’s that it is', async () => {
  const sts = clientOf(STSClient);
  const identity = await sts.send(new GetCallerIdentityCommand({}));
  assert.equal(identity.Account, '123456789012');
  assert.ok(identity.Arn.startsWith('arn:aws:iam::123456789012:'));
  const nobody = new GetAccessKeyInfoCommand({ AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' });
  await assert.rejects(sts.send(nobody), /AKIAIOSFODNN7EXAMPLE does not exist/);
  sts.destroy();
});

test('an account over its rate is throttled, which the SDK knows', async () => {
  const accessKeyId = '555555555555';
  await command('account', 'create', '--data', server.data, '--id', accessKeyId);
  for (const [name, value] of [['ACCOUNT_REQUEST_RATE', '4'], ['ACCOUNT_REQUEST_BURST', '2']])
    await command('account', 'limit', name, value, '--data', server.data, '--id', accessKeyId);
  const once = clientOf(SQSClient, accessKeyId);
  const asked = await Promise.allSettled([...Array(8)].map(() => call.ListQueues({}, once)));
  const errors = asked.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  assert(errors.length >= 4, `${errors.length} refused`);
  for (const error of errors) {
    assert.equal(error.name, 'RequestThrottled');
    assert.equal(error.$metadata.httpStatusCode, 403);
  }
  const patient = clientOf(SQSClient, accessKeyId, { maxAttempts: 10 });
  await Promise.all([...Array(6)].map(() => call.ListQueues({}, patient)));
  once.destroy();
  patient.destroy();
});
