// Event source mappings through a current AWS SDK for JavaScript, with a real Node.js handler.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as lambda from '@aws-sdk/client-lambda';
import * as sqs from '@aws-sdk/client-sqs';
import { startServer } from './server.mjs';
import { zip } from './zip.mjs';

const version = `nodejs${process.versions.node.split('.')[0]}.x`;
const region = 'eu-central-1';
const account = '123456789012';
let server;
let functions;
let queues;

before(async () => {
  server = await startServer({ options: ['--runtime', `${version}=${process.execPath}`] });
  const options = {
    endpoint: server.url, region, credentials: { accessKeyId: account, secretAccessKey: 'any' }, maxAttempts: 1,
  };
  functions = new lambda.LambdaClient(options);
  queues = new sqs.SQSClient(options);
  await send('CreateFunction', {
    FunctionName: 'worker', Runtime: version, Handler: 'app.handler', Role: `arn:aws:iam::${account}:role/r`,
    Code: { ZipFile: zip('app.mjs', `export const handler = async (event) => ({ batchItemFailures: event.Records
      .filter((record) => record.body.includes('bad')).map((record) => ({ itemIdentifier: record.messageId })) });`) },
  });
  await lambda.waitUntilFunctionActiveV2({ client: functions, maxWaitTime: 10 }, { FunctionName: 'worker' });
});

after(async () => {
  functions.destroy();
  queues.destroy();
  assert.equal(await server.stop(), 0);
});

const send = (name, input) => functions.send(new lambda[`${name}Command`](input));

async function makeQueue(name) {
  const { QueueUrl } = await queues.send(new sqs.CreateQueueCommand({
    QueueName: name, Attributes: { VisibilityTimeout: '30' } }));
  return { url: QueueUrl, arn: `arn:aws:sqs:${region}:${account}:${name}` };
}

async function count(url) {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'];
  const { Attributes } = await queues.send(new sqs.GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: names }));
  return names.map((name) => Number(Attributes[name]));
}

async function until(check) {
  for (const deadline = Date.now() + 20000; ;) {
    const found = await check();
    if (found) return found;
    assert.ok(Date.now() < deadline, 'it did not come to pass');
    await sleep(20);
  }
}

const settled = (UUID) => until(async () => {
  const mapping = await send('GetEventSourceMapping', { UUID });
  return ['Enabled', 'Disabled'].includes(mapping.State) && mapping;
});

test('a batch is given to a function, and what it reports comes back', async () => {
  const queue = await makeQueue('jobs');
  const { UUID } = await send('CreateEventSourceMapping', {
    FunctionName: 'worker', EventSourceArn: queue.arn, FunctionResponseTypes: ['ReportBatchItemFailures'] });
  assert.equal((await settled(UUID)).State, 'Enabled');
  await queues.send(new sqs.SendMessageBatchCommand({ QueueUrl: queue.url, Entries: [
    { Id: '1', MessageBody: 'good' }, { Id: '2', MessageBody: 'bad' }, { Id: '3', MessageBody: 'good' }] }));
  await until(async () => String(await count(queue.url)) === '0,1');
  assert.equal((await send('DeleteEventSourceMapping', { UUID })).State, 'Deleting');
  await until(() => send('GetEventSourceMapping', { UUID }).then(() => false, (error) => error.name === 'ResourceNotFoundException'));
});

test('scaling, tags and ARN are given back, and taken back', async () => {
  const queue = await makeQueue('scaled');
  const made = await send('CreateEventSourceMapping', {
    FunctionName: 'worker', EventSourceArn: queue.arn, Enabled: false, ScalingConfig: { MaximumConcurrency: 7 },
    Tags: { a: '1', b: '2' } });
  assert.deepEqual(made.ScalingConfig, { MaximumConcurrency: 7 });
  const arn = `arn:aws:lambda:${region}:${account}:event-source-mapping:${made.UUID}`;
  assert.equal(made.EventSourceMappingArn, arn);
  await settled(made.UUID);
  const changed = await send('UpdateEventSourceMapping', {
    UUID: made.UUID, ScalingConfig: {}, ProvisionedPollerConfig: { MinimumPollers: 3 } });
  assert.equal(changed.ScalingConfig, undefined);
  assert.deepEqual(changed.ProvisionedPollerConfig, { MinimumPollers: 3, MaximumPollers: 200 });
  await send('TagResource', { Resource: arn, Tags: { b: '3', c: '4' } });
  await send('UntagResource', { Resource: arn, TagKeys: ['a'] });
  assert.deepEqual((await send('ListTags', { Resource: arn })).Tags, { b: '3', c: '4' });
  const unknown = `${arn.slice(0, -36)}00000000-0000-4000-8000-000000000000`;
  await assert.rejects(send('ListTags', { Resource: unknown }), { name: 'ResourceNotFoundException' });
});

test('scaling and breakers that cannot be are refused', async () => {
  const queue = await makeQueue('refused');
  const create = (settings) => send('CreateEventSourceMapping', {
    FunctionName: 'worker', EventSourceArn: queue.arn, Enabled: false, ...settings });
  const refusal = (message) => ({ name: 'InvalidParameterValueException', message });
  await assert.rejects(create({ ScalingConfig: { MaximumConcurrency: 2 }, ProvisionedPollerConfig: { MinimumPollers: 2 } }),
    refusal('MaximumConcurrency and ProvisionedPollerConfig cannot be used together.'));
  await assert.rejects(create({ ProvisionedPollerConfig: { MinimumPollers: 9, MaximumPollers: 8 } }),
    refusal('MinimumPollers must be less than or equal to MaximumPollers.'));
  await assert.rejects(create({ Tags: { 'brume:circuit-breaker': 'yes' } }), refusal(/^The tag brume:circuit-breaker is /));
  await assert.rejects(create({ MetricsConfig: { Metrics: ['EventCount'] } }), (error) =>
    error.$metadata.httpStatusCode === 501 && error.message.includes('MetricsConfig'));
  const made = await create({ Tags: { 'brume:circuit-breaker': 'threshold=5 recovery=60' } });
  await assert.rejects(
    send('TagResource', { Resource: made.EventSourceMappingArn, Tags: { 'brume:circuit-breaker': 'threshold=0 recovery=1' } }),
    refusal(/^The tag brume:circuit-breaker is /));
});
