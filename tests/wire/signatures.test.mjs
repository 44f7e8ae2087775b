// A server that verifies, through a current AWS SDK for JavaScript (JSON protocol). The SDK names errors of SQS by their
// Query codes (header x-amzn-query-error).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateQueueCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { startServer } from './server.mjs';

const KEY = 'BRUMEROOTKEY00000001';
const SECRET = 'root/secret+with=signs';
let server;

const clientOf = (Client, accessKeyId, secretAccessKey, more = {}) => new Client({
  endpoint: server.url, region: 'eu-central-1', credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1, ...more,
});

// The SDK corrects its clock by the server's Date header when it is refused: with one attempt it only takes note.
const refused = async (client, command, name, status) => {
  const error = await client.send(command).then(() => assert.fail('was not refused'), (reason) => reason);
  client.destroy();
  assert.equal(error.name, name, error.message);
  assert.equal(error.$metadata.httpStatusCode, status);
};

before(async () => {
  server = await startServer({
    options: ['--auth', 'signed'], env: { BRUME_ACCESS_KEY_ID: KEY, BRUME_SECRET_ACCESS_KEY: SECRET },
  });
});

after(async () => assert.equal(await server.stop(), 0));

test('the root key is let in and belongs to account 000000000000', async () => {
  const sqs = clientOf(SQSClient, KEY, SECRET);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'signed' }));
  assert.equal(QueueUrl, `${server.url}/000000000000/signed`);
  const sts = clientOf(STSClient, KEY, SECRET);
  assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, '000000000000');
  sqs.destroy();
  sts.destroy();
});

test('a wrong secret is refused', () =>
  refused(clientOf(SQSClient, KEY, 'wrong'), new ListQueuesCommand({}), 'SignatureDoesNotMatch', 403));

test('an unknown key is refused', () =>
  refused(clientOf(SQSClient, 'AKIANOBODYHASTHISKEY', SECRET), new ListQueuesCommand({}), 'InvalidClientTokenId', 403));

test('a signature of an hour ago is refused', () =>
  refused(clientOf(SQSClient, KEY, SECRET, { systemClockOffset: -3600000 }), new ListQueuesCommand({}),
    'SignatureDoesNotMatch', 403));
