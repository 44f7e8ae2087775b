// HTTPS with a current AWS SDK for JavaScript, which trusts a certificate of our own as docs/tls.md says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { command, startServer } from './server.mjs';

// What an application does: nothing in it tells of the certificate.
const APPLICATION = `
  import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
  const sqs = new SQSClient({ endpoint: process.argv[1], region: 'us-east-1', maxAttempts: 1,
    credentials: { accessKeyId: '123456789012', secretAccessKey: 'secret' } });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'q' }));
  await Promise.all(Array.from({ length: 20 }, (_, number) =>
    sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: String(number) }))));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 }));
  console.log(QueueUrl, Messages.length);
`;

let folder;
let server;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'brume-'));
  await command('tls', 'self-signed', '--directory', folder);
  server = await startServer({ options: ['--tls-cert', `${folder}/cert.pem`, '--tls-key', `${folder}/key.pem`] });
});

after(async () => {
  assert.equal(await server.stop(), 0);
  fs.rmSync(folder, { recursive: true, force: true });
});

const run = (env) => promisify(execFile)(process.execPath, ['--input-type=module', '-e', APPLICATION, server.url],
  { cwd: import.meta.dirname, env: { ...process.env, ...env } });

test('NODE_EXTRA_CA_CERTS makes the SDK call over https', async () => {
  const { stdout } = await run({ NODE_EXTRA_CA_CERTS: `${folder}/cert.pem` });
  assert.equal(stdout, `${server.url}/123456789012/q 10\n`);
  assert.match(server.url, /^https:/);
});

test('without it the SDK refuses the server', () =>
  assert.rejects(run({}), (error) => /self-signed certificate|DEPTH_ZERO_SELF_SIGNED_CERT/.test(error.stderr)));
