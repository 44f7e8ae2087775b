// Dead letters, move tasks, tags and permissions through a current AWS SDK for JavaScript (JSON protocol).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AddPermissionCommand, CancelMessageMoveTaskCommand, CreateQueueCommand, GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand, ListMessageMoveTasksCommand, ListQueueTagsCommand, OverLimit, ReceiveMessageCommand,
  RemovePermissionCommand, ResourceNotFoundException, SendMessageCommand, SetQueueAttributesCommand, SQSClient,
  StartMessageMoveTaskCommand, TagQueueCommand, UntagQueueCommand, paginateListDeadLetterSourceQueues,
} from '@aws-sdk/client-sqs';
import { command, startServer } from './server.mjs';

let server;
let sqs;
let number = 0;

before(async () => {
  server = await startServer({ options: ['--virtual-clock'] });
  sqs = new SQSClient({
    endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
});

after(async () => {
  sqs.destroy();
  assert.equal(await server.stop(), 0);
});

// Calls by name: call.SendMessage({ … }).
const commands = {
  AddPermissionCommand, CancelMessageMoveTaskCommand, CreateQueueCommand, GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand, ListMessageMoveTasksCommand, ListQueueTagsCommand, ReceiveMessageCommand,
  RemovePermissionCommand, SendMessageCommand, SetQueueAttributesCommand, StartMessageMoveTaskCommand, TagQueueCommand,
  UntagQueueCommand,
};
const call = Object.fromEntries(Object.entries(commands).map(
  ([name, Command]) => [name.replace(/Command$/, ''), (input) => sqs.send(new Command(input))]));

const arnOf = (url) => `arn:aws:sqs:us-east-1:123456789012:${url.split('/').pop()}`;
const newQueue = async (Attributes) => (await call.CreateQueue({ QueueName: `queue-${++number}`, Attributes })).QueueUrl;

// A dead-letter queue, and a queue whose messages go there after one receive.
async function newPair() {
  const letters = await newQueue();
  const source = await newQueue({
    VisibilityTimeout: '0', RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(letters), maxReceiveCount: 1 }),
  });
  return { letters, source };
}

async function makeLetter({ source }, MessageBody) {
  await call.SendMessage({ QueueUrl: source, MessageBody });
  await call.ReceiveMessage({ QueueUrl: source });
  assert.equal((await call.ReceiveMessage({ QueueUrl: source })).Messages, undefined);
}

// The promise must be refused; gives the error.
const refused = (promise) => promise.then(() => assert.fail('was not refused'), (error) => error);

test('a message that is received too often tells where it came from', async () => {
  const pair = await newPair();
  await makeLetter(pair, 'poison');
  const { Messages: [letter] } = await call.ReceiveMessage({
    QueueUrl: pair.letters, MessageSystemAttributeNames: ['DeadLetterQueueSourceArn', 'ApproximateReceiveCount'],
  });
  assert.equal(letter.Body, 'poison');
  assert.deepEqual(letter.Attributes, { DeadLetterQueueSourceArn: arnOf(pair.source), ApproximateReceiveCount: '2' });
});

test('a bad redrive policy has the code that SDKs of both protocols know', async () => {
  const error = await refused(newQueue({ RedrivePolicy: '{}' }));
  assert.equal(error.name, 'InvalidParameterValue');
  assert.equal(error.$metadata.httpStatusCode, 400);
});

test('the sources of a dead-letter queue are listed in pages', async () => {
  const { letters, source } = await newPair();
  const policy = JSON.stringify({ deadLetterTargetArn: arnOf(letters), maxReceiveCount: 1 });
  const made = [source, await newQueue({ RedrivePolicy: policy }), await newQueue({ RedrivePolicy: policy })];
  const seen = [];
  for await (const { queueUrls } of paginateListDeadLetterSourceQueues({ client: sqs, pageSize: 2 }, { QueueUrl: letters })) {
    assert.ok(queueUrls.length <= 2);
    seen.push(...queueUrls);
  }
  assert.deepEqual(seen.sort(), made.sort());
  assert.deepEqual((await call.ListDeadLetterSourceQueues({ QueueUrl: source })).queueUrls, []);
});

test('a task moves letters back, and tells how it went', async () => {
  const pair = await newPair();
  for (let i = 0; i < 3; i++) await makeLetter(pair, `letter ${i}`);
  const { TaskHandle } = await call.StartMessageMoveTask({ SourceArn: arnOf(pair.letters), MaxNumberOfMessagesPerSecond: 1 });
  const running = (await call.ListMessageMoveTasks({ SourceArn: arnOf(pair.letters) })).Results[0];
  assert.equal(running.TaskHandle, TaskHandle);
  assert.equal(running.Status, 'RUNNING');
  await command('clock', 'advance', '10s', '--data', server.data);
  const [task] = (await call.ListMessageMoveTasks({ SourceArn: arnOf(pair.letters), MaxResults: 10 })).Results;
  assert.equal(typeof task.StartedTimestamp, 'number');
  delete task.StartedTimestamp;
  assert.deepEqual(task, {
    Status: 'COMPLETED', SourceArn: arnOf(pair.letters), MaxNumberOfMessagesPerSecond: 1, ApproximateNumberOfMessagesMoved: 3,
    ApproximateNumberOfMessagesToMove: 3,
  });
  await refused(call.CancelMessageMoveTask({ TaskHandle }));
});

test('a task that is cancelled says how many it moved', async () => {
  const pair = await newPair();
  for (let i = 0; i < 3; i++) await makeLetter(pair, `letter ${i}`);
  const { TaskHandle } = await call.StartMessageMoveTask({ SourceArn: arnOf(pair.letters), MaxNumberOfMessagesPerSecond: 1 });
  const { ApproximateNumberOfMessagesMoved } = await call.CancelMessageMoveTask({ TaskHandle });
  assert.ok(ApproximateNumberOfMessagesMoved < 3);
});

test('what is not there is a ResourceNotFoundException', async () => {
  const error = await refused(call.StartMessageMoveTask({ SourceArn: 'arn:aws:sqs:us-east-1:123456789012:nowhere' }));
  assert.ok(error instanceof ResourceNotFoundException);
  assert.equal(error.$metadata.httpStatusCode, 404);
  assert.match(error.message, /SourceArn/);
});

test('tags are set, listed and removed', async () => {
  const QueueUrl = await newQueue();
  assert.equal((await call.ListQueueTags({ QueueUrl })).Tags, undefined);
  await call.TagQueue({ QueueUrl, Tags: { team: 'one', stage: 'test' } });
  await call.UntagQueue({ QueueUrl, TagKeys: ['stage', 'nobody'] });
  assert.deepEqual((await call.ListQueueTags({ QueueUrl })).Tags, { team: 'one' });
});

test('permissions are statements of the policy', async () => {
  const QueueUrl = await newQueue();
  const add = (Label, Actions) => call.AddPermission({ QueueUrl, Label, AWSAccountIds: ['111111111111'], Actions });
  await add('one', ['SendMessage', 'ReceiveMessage']);
  const { Attributes: { Policy } } = await call.GetQueueAttributes({ QueueUrl, AttributeNames: ['Policy'] });
  assert.deepEqual(JSON.parse(Policy).Statement, [{
    Sid: 'one', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111111111111:root' },
    Action: ['SQS:SendMessage', 'SQS:ReceiveMessage'], Resource: arnOf(QueueUrl),
  }]);
  const error = await refused(add('two', Array(8).fill('SendMessage')));
  assert.ok(error instanceof OverLimit);
  await call.RemovePermission({ QueueUrl, Label: 'one' });
  assert.equal((await call.GetQueueAttributes({ QueueUrl, AttributeNames: ['Policy'] })).Attributes, undefined);
});
