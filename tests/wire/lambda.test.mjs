// Lambda, as far as it goes, through a current AWS SDK for JavaScript.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import * as lambda from '@aws-sdk/client-lambda';
import { startServer } from './server.mjs';

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

test("the account's settings are told", async () => {
  const { AccountLimit, AccountUsage, $metadata } = await client.send(new lambda.GetAccountSettingsCommand({}));
  assert.deepEqual(AccountLimit, {
    TotalCodeSize: 80530636800, CodeSizeUnzipped: 262144000, CodeSizeZipped: 52428800,
    ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 1000,
  });
  assert.deepEqual(AccountUsage, { TotalCodeSize: 0, FunctionCount: 0 });
  assert.match($metadata.requestId, /^[0-9a-f-]{36}$/);
});

// All labels that paths of Lambda have; commands send those that they know.
const labels = {
  FunctionName: 'arn:aws:lambda:eu-central-1:123456789012:function:f', Name: 'live', UUID: 'u', LayerName: 'layer',
  VersionNumber: 7, StatementId: 's', Resource: 'arn:aws:lambda:eu-central-1:123456789012:function:f', ResourceArn: 'r',
  CodeSigningConfigArn: 'c', CapacityProviderName: 'p', DurableExecutionArn: 'd', CallbackId: 'b', Arn: 'a',
};

// What the declaration lists as AWS's and not ours.
const declaration = readFileSync(new URL('../../api/lambda.smithy', import.meta.url), 'utf8');
const unsupported = new Set([.../unsupported: \[(.*?)\n {4}\]/s.exec(declaration)[1].matchAll(/\) (\w+)$/gm)]
  .map((match) => match[1]));

test('every other operation is refused by its name', async () => {
  const names = Object.keys(lambda).filter((name) => name.endsWith('Command') && name !== '$Command');
  assert.ok(names.length > 80);
  for (const name of names.filter((each) => unsupported.has(each.slice(0, -'Command'.length)))) {
    const error = await client.send(new lambda[name](labels)).then(() => assert.fail(name), (reason) => reason);
    assert.equal(error.name, 'NotImplemented', `${name}: ${error.message}`);
    assert.equal(error.message, `Brume does not implement Lambda ${name.slice(0, -'Command'.length)}.`);
    assert.equal(error.$metadata.httpStatusCode, 501);
  }
});
