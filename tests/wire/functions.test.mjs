// Functions through a current AWS SDK for JavaScript: what Debian's boto3 does not know yet, and what it shares with it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as lambda from '@aws-sdk/client-lambda';
import { startServer } from './server.mjs';
import { zip } from './zip.mjs';

const role = 'arn:aws:iam::123456789012:role/worker';
let server;
let client;

before(async () => {
  server = await startServer();
  client = new lambda.LambdaClient({
    endpoint: server.url, region: 'eu-central-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
});

after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

const send = (name, input) => client.send(new lambda[`${name}Command`](input));

const create = (name, more = {}) => send('CreateFunction', {
  FunctionName: name, Runtime: 'nodejs22.x', Handler: 'index.handler', Role: role,
  Code: { ZipFile: zip('index.mjs', 'export const handler = async (event) => event;\n') }, ...more,
});

const active = (name) => lambda.waitUntilFunctionActiveV2(
  { client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName: name });
const updated = (name) => lambda.waitUntilFunctionUpdatedV2(
  { client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName: name });

const refused = (promise) => promise.then(() => assert.fail('it was not refused'), (reason) => reason);

test('a function is made, waited for, changed and deleted', async () => {
  const made = await create('whole');
  assert.equal(made.State, 'Pending');
  assert.deepEqual(made.SnapStart, { ApplyOn: 'None', OptimizationStatus: 'Off' });
  assert.deepEqual(made.LoggingConfig, { LogFormat: 'Text', LogGroup: '/aws/lambda/whole' });
  assert.match(made.RuntimeVersionConfig.RuntimeVersionArn, /^arn:aws:lambda:eu-central-1::runtime:[0-9a-f]{64}$/);
  assert.match(made.LastModified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
  await active('whole');
  await send('UpdateFunctionConfiguration', { FunctionName: 'whole', Timeout: 10 });
  await updated('whole');
  assert.equal((await send('GetFunctionConfiguration', { FunctionName: 'whole' })).Timeout, 10);
  assert.equal((await send('DeleteFunction', { FunctionName: 'whole' })).$metadata.httpStatusCode, 204);
  const error = await refused(send('GetFunction', { FunctionName: 'whole' }));
  assert.ok(error instanceof lambda.ResourceNotFoundException);
  assert.equal(error.Type, 'User');
  assert.equal(error.message, 'Function not found: arn:aws:lambda:eu-central-1:123456789012:function:whole');
});

test('a runtime is the one that there is', async () => {
  await create('managed');
  await active('managed');
  const FunctionName = 'managed';
  const told = await send('GetRuntimeManagementConfig', { FunctionName });
  assert.equal(told.UpdateRuntimeOn, 'Auto');
  assert.equal(told.RuntimeVersionArn, undefined);
  const { RuntimeVersionConfig } = await send('GetFunctionConfiguration', { FunctionName });
  const ours = RuntimeVersionConfig.RuntimeVersionArn;
  const error = await refused(send('PutRuntimeManagementConfig', {
    FunctionName, UpdateRuntimeOn: 'Manual', RuntimeVersionArn: `${ours.slice(0, -4)}0000`,
  }));
  assert.equal(error.name, 'InvalidParameterValueException');
  assert.ok(error.message.includes(ours));
  await send('PutRuntimeManagementConfig', { FunctionName, UpdateRuntimeOn: 'Manual', RuntimeVersionArn: ours });
  const manual = await send('GetRuntimeManagementConfig', { FunctionName });
  assert.deepEqual([manual.UpdateRuntimeOn, manual.RuntimeVersionArn], ['Manual', ours]);
  await send('PutRuntimeManagementConfig', { FunctionName, UpdateRuntimeOn: 'FunctionUpdate' });
  assert.equal((await send('GetRuntimeManagementConfig', { FunctionName })).UpdateRuntimeOn, 'FunctionUpdate');
  await send('CreateAlias', { FunctionName, Name: 'live', FunctionVersion: '$LATEST' });
  const alias = await refused(send('GetRuntimeManagementConfig', { FunctionName, Qualifier: 'live' }));
  assert.equal(alias.message, 'The provided function name arn:aws:lambda:eu-central-1:123456789012:function:managed:live '
    + 'is invalid. Aliases are not allowed.');
});

test('whether a function may call itself is kept', async () => {
  await create('loops');
  const FunctionName = 'loops';
  assert.equal((await send('GetFunctionRecursionConfig', { FunctionName })).RecursiveLoop, 'Terminate');
  await send('PutFunctionRecursionConfig', { FunctionName, RecursiveLoop: 'Allow' });
  assert.equal((await send('GetFunctionRecursionConfig', { FunctionName })).RecursiveLoop, 'Allow');
  const error = await refused(send('PutFunctionRecursionConfig', { FunctionName, RecursiveLoop: 'Perhaps' }));
  assert.match(error.message, /enum value set: \[Terminate, Allow\]$/);
});

test('levels of a log belong to its JSON form', async () => {
  await create('logs', { LoggingConfig: { LogFormat: 'JSON', ApplicationLogLevel: 'DEBUG', LogGroup: 'of/my-own' } });
  await active('logs');
  const told = await send('GetFunctionConfiguration', { FunctionName: 'logs' });
  assert.deepEqual(told.LoggingConfig, {
    LogFormat: 'JSON', ApplicationLogLevel: 'DEBUG', SystemLogLevel: 'INFO', LogGroup: 'of/my-own',
  });
  const error = await refused(send('UpdateFunctionConfiguration', {
    FunctionName: 'logs', LoggingConfig: { LogFormat: 'Text', SystemLogLevel: 'WARN' },
  }));
  assert.equal(error.name, 'InvalidParameterValueException');
  assert.equal(error.message, 'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your '
    + 'request or change the LogFormat to "Json" and try again.');
  await send('UpdateFunctionConfiguration', { FunctionName: 'logs', LoggingConfig: { LogFormat: 'Text' } });
  await updated('logs');
  const plain = await send('GetFunctionConfiguration', { FunctionName: 'logs' });
  assert.deepEqual(plain.LoggingConfig, { LogFormat: 'Text', LogGroup: 'of/my-own' });
});

test('a published version of a runtime that can be copied starts by a copy', async () => {
  const code = { ZipFile: zip('index.py', 'def handler(event, context):\n    return event\n') };
  await create('snap', { Runtime: 'python3.12', Code: code, SnapStart: { ApplyOn: 'PublishedVersions' } });
  await active('snap');
  const latest = await send('GetFunctionConfiguration', { FunctionName: 'snap' });
  assert.deepEqual(latest.SnapStart, { ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' });
  const version = await send('PublishVersion', { FunctionName: 'snap' });
  assert.equal(version.State, 'Pending');
  await lambda.waitUntilPublishedVersionActive(
    { client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName: 'snap', Qualifier: '1' });
  const published = await send('GetFunctionConfiguration', { FunctionName: 'snap', Qualifier: '1' });
  assert.deepEqual(published.SnapStart, { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' });
  const both = await refused(send('PutProvisionedConcurrencyConfig', {
    FunctionName: 'snap', Qualifier: '1', ProvisionedConcurrentExecutions: 1,
  }));
  assert.equal(both.message, 'Provisioned concurrency is not supported for functions with SnapStart.');
  const error = await refused(create('no-snap', { SnapStart: { ApplyOn: 'PublishedVersions' } }));
  assert.equal(error.message, 'nodejs22.x is not supported for SnapStart enabled functions.');
});

test('tenants may be kept apart', async () => {
  await create('tenants', { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } });
  const told = await send('GetFunctionConfiguration', { FunctionName: 'tenants' });
  assert.deepEqual(told.TenancyConfig, { TenantIsolationMode: 'PER_TENANT' });
});

test('what is newer than Brume is refused by its name', async () => {
  for (const more of [
    { DurableConfig: { ExecutionTimeout: 60 } }, { PublishTo: 'LATEST_PUBLISHED' },
    { CapacityProviderConfig: { LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: 'a' } } },
  ]) {
    const error = await refused(create('newer', more));
    assert.equal(error.$metadata.httpStatusCode, 501, JSON.stringify(more));
    assert.ok(error.message.includes(Object.keys(more)[0]), error.message);
  }
});

test('an alias shares its calls', async () => {
  await create('shared');
  await active('shared');
  await send('PublishVersion', { FunctionName: 'shared' });
  await send('UpdateFunctionConfiguration', { FunctionName: 'shared', Timeout: 11 });
  await updated('shared');
  await send('PublishVersion', { FunctionName: 'shared' });
  const RoutingConfig = { AdditionalVersionWeights: { 2: 0.1 } };
  const made = await send('CreateAlias', { FunctionName: 'shared', Name: 'live', FunctionVersion: '1', RoutingConfig });
  assert.deepEqual(made.RoutingConfig, RoutingConfig);
  assert.deepEqual((await send('GetAlias', { FunctionName: 'shared', Name: 'live' })).RoutingConfig, RoutingConfig);
});

test('the code can be fetched again', async () => {
  const ZipFile = zip('index.mjs', 'export const handler = async () => 1;\n');
  await create('fetched', { Code: { ZipFile } });
  const { Code } = await send('GetFunction', { FunctionName: 'fetched' });
  const answer = await fetch(Code.Location);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), ZipFile);
});
