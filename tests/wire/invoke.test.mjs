// Invoke, streams of responses and function URLs through a current AWS SDK for JavaScript, with real Node.js handlers.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import * as lambda from '@aws-sdk/client-lambda';
import { startServer } from './server.mjs';
import { zip } from './zip.mjs';

const version = `nodejs${process.versions.node.split('.')[0]}.x`;
let server;
let client;

before(async () => {
  server = await startServer({ options: ['--runtime', `${version}=${process.execPath}`] });
  client = new lambda.LambdaClient({
    endpoint: server.url, region: 'eu-central-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'any' },
    maxAttempts: 1,
  });
  await create('plain', `export const handler = async (event, context) => ({ event, tenant: context.tenantId });`);
  await create('streaming', `export const handler = awslambda.streamifyResponse(async (event, stream) => {
    stream.setContentType('text/plain');
    for (let i = 0; i < (event.pieces ?? 3); i++) stream.write(event.size ? 'x'.repeat(event.size) : 'piece ' + i + '\\n');
    if (event.fail) throw new TypeError('broken');
    stream.end();
  });`);
  await create('headed', `export const handler = awslambda.streamifyResponse(async (event, stream) => {
    stream = awslambda.HttpResponseStream.from(stream, {
      statusCode: 207, headers: { 'X-Mine': 'yes', 'Content-Type': 'text/html' }, cookies: ['a=1', 'b=2'] });
    stream.write('<p>' + event.rawPath);
    stream.end('</p>');
  });`);
});

after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

const send = (name, input) => client.send(new lambda[`${name}Command`](input));

async function create(name, text, more = {}) {
  await send('CreateFunction', {
    FunctionName: name, Runtime: version, Handler: 'index.handler', Role: 'arn:aws:iam::123456789012:role/worker',
    Code: { ZipFile: zip('index.mjs', text) }, MemorySize: 256, Timeout: 30, ...more,
  });
  await lambda.waitUntilFunctionActiveV2({ client, maxWaitTime: 10, minDelay: 0.05, maxDelay: 0.1 }, { FunctionName: name });
}

const text = (bytes) => Buffer.from(bytes).toString();
const invoke = async (input) => {
  const answer = await send('Invoke', input);
  return { ...answer, payload: answer.Payload.length ? JSON.parse(text(answer.Payload)) : undefined };
};

test('a handler answers', async () => {
  const answer = await invoke({ FunctionName: 'plain', Payload: JSON.stringify({ a: [1, 'é'] }), LogType: 'Tail' });
  assert.deepEqual(answer.payload, { event: { a: [1, 'é'] } });
  assert.equal(answer.StatusCode, 200);
  assert.equal(answer.ExecutedVersion, '$LATEST');
  assert.equal(answer.FunctionError, undefined);
  assert.match(text(Buffer.from(answer.LogResult, 'base64')), /^START RequestId: .* Version: \$LATEST\n/);
});

test('what a streaming handler gives to a caller that takes it whole is whole', async () => {
  const answer = await send('Invoke', { FunctionName: 'streaming', Payload: '{}' });
  assert.equal(text(answer.Payload), 'piece 0\npiece 1\npiece 2\n');
});

async function stream(input) {
  const { EventStream, ...head } = await send('InvokeWithResponseStream', input);
  const result = { head, size: 0, chunks: [], complete: undefined };
  for await (const event of EventStream) {
    if (event.PayloadChunk) {
      result.size += event.PayloadChunk.Payload.length;
      if (result.size < 1000) result.chunks.push(text(event.PayloadChunk.Payload));
    } else {
      result.complete = event.InvokeComplete;
    }
  }
  return result;
}

test('a stream comes in pieces, and ends', async () => {
  const result = await stream({ FunctionName: 'streaming', Payload: '{}', LogType: 'Tail' });
  assert.equal(result.chunks.join(''), 'piece 0\npiece 1\npiece 2\n');
  assert.equal(result.head.ExecutedVersion, '$LATEST');
  assert.match(text(Buffer.from(result.complete.LogResult, 'base64')), /REPORT RequestId: /);
  assert.equal(result.complete.ErrorCode, undefined);
});

test('a stream that breaks says why at its end', async () => {
  const result = await stream({ FunctionName: 'streaming', Payload: '{"fail": true}' });
  assert.equal(result.complete.ErrorCode, 'Unhandled');
  assert.equal(JSON.parse(result.complete.ErrorDetails).errorType, 'TypeError');
});

test('a stream of 50 MB is whole', async () => {
  const result = await stream({ FunctionName: 'streaming', Payload: '{"pieces": 800, "size": 65536}' });
  assert.equal(result.size, 800 * 65536);
  assert.equal(result.complete.ErrorCode, undefined);
});

test('an answer that comes whole is one chunk', async () => {
  const result = await stream({ FunctionName: 'plain', Payload: '1' });
  assert.deepEqual(result.chunks, ['{"event":1}']);
});

test('the head of an HTTP answer is a part of the stream', async () => {
  const result = await stream({ FunctionName: 'headed', Payload: '{"rawPath": "/x"}' });
  const [prelude, body] = result.chunks.join('').split('\0'.repeat(8));
  assert.equal(JSON.parse(prelude).statusCode, 207);
  assert.equal(body, '<p>/x</p>');
});

test('tenants are kept apart, and asked for', async () => {
  await create('isolated', `let calls = 0;
    export const handler = async (event, context) => ({ tenant: context.tenantId, calls: ++calls });`,
  { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } });
  const asked = (TenantId) => invoke({ FunctionName: 'isolated', TenantId }).then((answer) => answer.payload);
  assert.deepEqual(await asked('blue'), { tenant: 'blue', calls: 1 });
  assert.deepEqual(await asked('blue'), { tenant: 'blue', calls: 2 });
  assert.deepEqual(await asked('green'), { tenant: 'green', calls: 1 });
  await assert.rejects(asked(undefined), { name: 'InvalidParameterValueException' });
  await assert.rejects(invoke({ FunctionName: 'plain', TenantId: 'blue' }), { name: 'InvalidParameterValueException' });
});

// ---- URLs ----

async function url(name, InvokeMode) {
  const { FunctionUrl } = await send('CreateFunctionUrlConfig', { FunctionName: name, AuthType: 'NONE', InvokeMode });
  await send('AddPermission', {
    FunctionName: name, StatementId: 'use', Action: 'lambda:InvokeFunctionUrl', Principal: '*', FunctionUrlAuthType: 'NONE',
  });
  await send('AddPermission', {
    FunctionName: name, StatementId: 'invoke', Action: 'lambda:InvokeFunction', Principal: '*', InvokedViaFunctionUrl: true,
  });
  return new URL(FunctionUrl);
}

// The name need not be known to the machine's resolver.
const get = (target, path) => new Promise((resolve, reject) => {
  http.get({ host: '127.0.0.1', port: target.port, path, headers: { host: target.host } }, (response) => {
    const chunks = [];
    response.on('data', (chunk) => chunks.push(chunk));
    response.on('end', () => resolve({ response, body: Buffer.concat(chunks).toString() }));
    response.on('error', reject);
  }).on('error', reject);
});

test('a URL in streaming mode answers as the handler writes', async () => {
  const { response, body } = await get(await url('headed', 'RESPONSE_STREAM'), '/some/path');
  assert.equal(response.statusCode, 207);
  assert.equal(response.headers['x-mine'], 'yes');
  assert.equal(response.headers['content-type'], 'text/html');
  assert.deepEqual(response.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(response.headers['transfer-encoding'], 'chunked');
  assert.equal(body, '<p>/some/path</p>');
});

test('a stream without a head has the content type that was set', async () => {
  const { response, body } = await get(await url('streaming', 'RESPONSE_STREAM'), '/');
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'text/plain');
  assert.equal(body, 'piece 0\npiece 1\npiece 2\n');
});

test('a URL in buffered mode makes HTTP of what the handler gives', async () => {
  const { response, body } = await get(await url('plain'), '/x?y=1');
  assert.equal(response.statusCode, 200);
  assert.equal(JSON.parse(body).event.rawPath, '/x');
});
