// Asynchronous invocations through a current AWS SDK for JavaScript, with real Node.js handlers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as lambda from '@aws-sdk/client-lambda';
import * as sqs from '@aws-sdk/client-sqs';
import { command, startServer } from './server.mjs';
import { zip } from './zip.mjs';

const version = `nodejs${process.versions.node.split('.')[0]}.x`;
const queueArn = 'arn:aws:sqs:eu-central-1:123456789012:told';
let server;
let functions;
let queues;
let queue;

before(async () => {
  server = await startServer({ options: ['--virtual-clock', '--runtime', `${version}=${process.execPath}`] });
  const options = {
    endpoint: server.url, region: 'eu-central-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'any' },
    maxAttempts: 1,
  };
  functions = new lambda.LambdaClient(options);
  queues = new sqs.SQSClient(options);
  queue = (await queues.send(new sqs.CreateQueueCommand({ QueueName: 'told' }))).QueueUrl;
  await functions.send(new lambda.CreateFunctionCommand({
    FunctionName: 'worker', Runtime: version, Handler: 'index.handler', Role: 'arn:aws:iam::123456789012:role/worker',
    Code: { ZipFile: zip('index.mjs', `export const handler = async (event) => {
      if (event.fail) throw new TypeError('not this one');
      return { done: event };
    };`) },
  }));
  await lambda.waitUntilFunctionActiveV2({ client: functions, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 },
    { FunctionName: 'worker' });
});

after(async () => {
  functions.destroy();
  queues.destroy();
  assert.equal(await server.stop(), 0);
});

const accept = async (event) => {
  const answer = await functions.send(new lambda.InvokeCommand({
    FunctionName: 'worker', InvocationType: 'Event', Payload: JSON.stringify(event) }));
  assert.equal(answer.StatusCode, 202);
  return answer.$metadata.requestId;
};

const take = async () => {
  for (let i = 0; i < 4; i++) {
    const { Messages: [message] = [] } = await queues.send(new sqs.ReceiveMessageCommand({
      QueueUrl: queue, WaitTimeSeconds: 5 }));
    if (!message) continue;
    await queues.send(new sqs.DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle: message.ReceiptHandle }));
    return JSON.parse(message.Body);
  }
  throw new Error('nothing came');
};

test('an event that succeeds, and one that fails, is told of where it was asked for', async () => {
  const put = await functions.send(new lambda.PutFunctionEventInvokeConfigCommand({
    FunctionName: 'worker', MaximumRetryAttempts: 1,
    DestinationConfig: { OnSuccess: { Destination: queueArn }, OnFailure: { Destination: queueArn } } }));
  assert.equal(put.MaximumRetryAttempts, 1);
  assert.ok(put.LastModified instanceof Date);

  const good = await accept({ a: 1 });
  const success = await take();
  assert.equal(success.requestContext.requestId, good);
  assert.deepEqual(success.responsePayload, { done: { a: 1 } });

  const bad = await accept({ fail: true });
  const retried = async () => (await (await fetch(`${server.url}/_brume/metrics`)).text()).match(/events_retried_total (\d+)/)[1];
  for (const end = Date.now() + 20000; await retried() !== '1';) assert.ok(Date.now() < end);
  await command('clock', 'advance', '60s', '--data', server.data);
  const failure = await take();
  assert.equal(failure.requestContext.requestId, bad);
  assert.equal(failure.requestContext.condition, 'RetriesExhausted');
  assert.equal(failure.requestContext.approximateInvokeCount, 2);
  assert.equal(failure.responsePayload.errorType, 'TypeError');
});

test('the settings of every qualifier are listed in pages', async () => {
  const { Version } = await functions.send(new lambda.PublishVersionCommand({ FunctionName: 'worker' }));
  await functions.send(new lambda.PutFunctionEventInvokeConfigCommand({
    FunctionName: 'worker', Qualifier: Version, MaximumEventAgeInSeconds: 600 }));
  const seen = [];
  for await (const page of lambda.paginateListFunctionEventInvokeConfigs({ client: functions, pageSize: 1 },
    { FunctionName: 'worker' })) seen.push(...page.FunctionEventInvokeConfigs);
  assert.deepEqual(seen.map((row) => row.FunctionArn.split(':').at(-1)), ['$LATEST', Version]);
});
