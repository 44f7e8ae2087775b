// Layers, policies, provisioned concurrency, URLs and tags of functions through a current AWS SDK for JavaScript: what
// Debian's boto3 does not know yet, and what it shares with it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as lambda from '@aws-sdk/client-lambda';
import { startServer } from './server.mjs';
import { zip } from './zip.mjs';

const account = '123456789012';
const region = 'eu-central-1';
const arn = (kind, name) => `arn:aws:lambda:${region}:${account}:${kind}:${name}`;
let server;
let client;

before(async () => {
  server = await startServer();
  client = new lambda.LambdaClient({
    endpoint: server.url, region, credentials: { accessKeyId: account, secretAccessKey: 'any' }, maxAttempts: 1,
  });
});

after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

const send = (name, input) => client.send(new lambda[`${name}Command`](input));

async function makeFunction(FunctionName) {
  await send('CreateFunction', {
    FunctionName, Runtime: 'nodejs22.x', Handler: 'app.handler', Role: `arn:aws:iam::${account}:role/worker`,
    Code: { ZipFile: zip('app.mjs', 'export const handler = async (event) => event;') },
  });
  await lambda.waitUntilFunctionActiveV2({ client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName });
}

test('a layer is published, listed by its runtime and laid under a function', async () => {
  const { LayerVersionArn, Content } = await send('PublishLayerVersion', {
    LayerName: 'tools', Content: { ZipFile: zip('nodejs/tool.mjs', 'export default 1;') }, CompatibleRuntimes: ['nodejs24.x'],
    CompatibleArchitectures: ['arm64', 'x86_64'],
  });
  assert.equal(LayerVersionArn, arn('layer', 'tools:1'));
  const { Layers } = await send('ListLayers', { CompatibleRuntime: 'nodejs24.x', CompatibleArchitecture: 'arm64' });
  assert.deepEqual(Layers.map((layer) => layer.LatestMatchingVersion.LayerVersionArn), [LayerVersionArn]);
  assert.equal((await fetch(Content.Location)).status, 200);
  await makeFunction('layered');
  const { Layers: used } = await send('UpdateFunctionConfiguration', { FunctionName: 'layered', Layers: [LayerVersionArn] });
  assert.deepEqual(used, [{ Arn: LayerVersionArn, CodeSize: Content.CodeSize }]);
});

test('a permission may be of calls through the URL alone', async () => {
  await makeFunction('shared');
  const { Statement } = await send('AddPermission', {
    FunctionName: 'shared', StatementId: 'url', Action: 'lambda:InvokeFunction', Principal: '*', InvokedViaFunctionUrl: true,
  });
  assert.equal(Statement, `{"Sid":"url","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Resource":"${
    arn('function', 'shared')}","Condition":{"Bool":{"lambda:InvokedViaFunctionUrl":"true"}}}`);
  const { Policy } = await send('GetPolicy', { FunctionName: 'shared' });
  assert.deepEqual(JSON.parse(Policy).Statement, [JSON.parse(Statement)]);
  await send('RemovePermission', { FunctionName: 'shared', StatementId: 'url' });
  await assert.rejects(send('GetPolicy', { FunctionName: 'shared' }), { name: 'ResourceNotFoundException' });
});

test('the mode of a URL is told where AWS tells it', async () => {
  await makeFunction('streamer');
  const input = { FunctionName: 'streamer', AuthType: 'NONE' };
  const made = await send('CreateFunctionUrlConfig', { ...input, InvokeMode: 'RESPONSE_STREAM' });
  assert.equal(made.InvokeMode, 'RESPONSE_STREAM');
  assert.equal(made.LastModifiedTime, undefined);
  const changed = await send('UpdateFunctionUrlConfig', { FunctionName: 'streamer', AuthType: 'AWS_IAM' });
  assert.equal(changed.InvokeMode, undefined);
  assert.equal((await send('GetFunctionUrlConfig', { FunctionName: 'streamer' })).InvokeMode, 'RESPONSE_STREAM');
  await send('UpdateFunctionUrlConfig', { FunctionName: 'streamer', InvokeMode: 'BUFFERED' });
  const { FunctionUrlConfigs } = await send('ListFunctionUrlConfigs', { FunctionName: 'streamer' });
  assert.deepEqual(FunctionUrlConfigs.map(({ InvokeMode, AuthType }) => [InvokeMode, AuthType]), [['BUFFERED', 'AWS_IAM']]);
  await assert.rejects(send('UpdateFunctionUrlConfig', { FunctionName: 'streamer', InvokeMode: 'FAST' }), {
    name: 'ValidationException',
    message: "1 validation error detected: Value 'FAST' at 'invokeMode' failed to satisfy constraint: Member must satisfy "
      + 'enum value set: [RESPONSE_STREAM, BUFFERED]',
  });
});

test('nothing is provisioned for what was not published, and nothing is there before it was asked for', async () => {
  await makeFunction('ready');
  await send('PublishVersion', { FunctionName: 'ready' });
  await assert.rejects(send('GetProvisionedConcurrencyConfig', { FunctionName: 'ready', Qualifier: '1' }), {
    name: 'ProvisionedConcurrencyConfigNotFoundException',
    message: 'No Provisioned Concurrency Config found for this function',
  });
  await assert.rejects(send('GetProvisionedConcurrencyConfig', { FunctionName: 'ready', Qualifier: '7' }), {
    name: 'ResourceNotFoundException',
  });
  const { ProvisionedConcurrencyConfigs } = await send('ListProvisionedConcurrencyConfigs', { FunctionName: 'ready' });
  assert.deepEqual(ProvisionedConcurrencyConfigs, []);
  await send('DeleteProvisionedConcurrencyConfig', { FunctionName: 'ready', Qualifier: '1' });
});

test('executions are reserved and tags are set', async () => {
  await makeFunction('kept');
  await send('PutFunctionConcurrency', { FunctionName: 'kept', ReservedConcurrentExecutions: 3 });
  await send('TagResource', { Resource: arn('function', 'kept'), Tags: { 'team name': 'mist é' } });
  const { Concurrency, Tags } = await send('GetFunction', { FunctionName: 'kept' });
  assert.deepEqual([Concurrency, Tags], [{ ReservedConcurrentExecutions: 3 }, { 'team name': 'mist é' }]);
  await send('UntagResource', { Resource: arn('function', 'kept'), TagKeys: ['team name'] });
  assert.deepEqual((await send('ListTags', { Resource: arn('function', 'kept') })).Tags, {});
});
