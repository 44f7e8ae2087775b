// IAM and STS through a current AWS SDK for JavaScript, on a server that verifies signatures.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, GetRoleCommand, IAMClient, ListRolesCommand,
  paginateListRoles, PutRolePolicyCommand, GetRolePolicyCommand } from '@aws-sdk/client-iam';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { startServer } from './server.mjs';

const KEY = 'BRUMEROOTKEY00000001';
const SECRET = 'root/secret+with=signs';
const TRUST = (principal) => JSON.stringify({ Version: '2012-10-17', Statement: [
  { Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole' }] });
let server;
let iam;

const clientOf = (Client, credentials) => new Client({
  endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1,
});

before(async () => {
  server = await startServer({
    options: ['--auth', 'signed'], env: { BRUME_ACCESS_KEY_ID: KEY, BRUME_SECRET_ACCESS_KEY: SECRET },
  });
  iam = clientOf(IAMClient, { accessKeyId: KEY, secretAccessKey: SECRET });
});

after(async () => {
  iam.destroy();
  assert.equal(await server.stop(), 0);
});

test('documents are percent-encoded, and decode to what was put', async () => {
  const text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::a b/%é"}]}';
  await iam.send(new CreateRoleCommand({ RoleName: 'documents', AssumeRolePolicyDocument: TRUST({ AWS: '*' }) }));
  await iam.send(new PutRolePolicyCommand({ RoleName: 'documents', PolicyName: 'p', PolicyDocument: text }));
  const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'documents' }));
  assert.equal(decodeURIComponent(Role.AssumeRolePolicyDocument), TRUST({ AWS: '*' }));
  const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName: 'documents', PolicyName: 'p' }));
  assert.match(PolicyDocument, /^%7B%22Version%22%3A/);
  assert.equal(decodeURIComponent(PolicyDocument), text);
});

test('the paginator comes to an end', async () => {
  for (let i = 0; i < 5; i++)
    await iam.send(new CreateRoleCommand({
      RoleName: `page-${i}`, Path: '/pages/', AssumeRolePolicyDocument: TRUST({ AWS: '*' }),
    }));
  const names = [];
  for await (const page of paginateListRoles({ client: iam, pageSize: 2 }, { PathPrefix: '/pages/' }))
    names.push(...page.Roles.map((role) => role.RoleName));
  assert.deepEqual(names, ['page-0', 'page-1', 'page-2', 'page-3', 'page-4']);
});

test('what is missing is a NoSuchEntityException', async () => {
  const error = await iam.send(new GetRoleCommand({ RoleName: 'nothing' })).then(() => assert.fail(), (reason) => reason);
  assert.equal(error.name, 'NoSuchEntityException');
  assert.equal(error.$metadata.httpStatusCode, 404);
});

test('a user takes a role on, and the session signs calls in JSON and Query', async () => {
  const { User } = await iam.send(new CreateUserCommand({ UserName: 'ann' }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ann' }));
  const { Role } = await iam.send(new CreateRoleCommand({
    RoleName: 'worker', AssumeRolePolicyDocument: TRUST({ AWS: User.Arn }),
  }));
  const ann = clientOf(STSClient, { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey });
  const { Credentials } = await ann.send(new AssumeRoleCommand({ RoleArn: Role.Arn, RoleSessionName: 'one' }));
  const credentials = {
    accessKeyId: Credentials.AccessKeyId, secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
  };
  const sts = clientOf(STSClient, credentials);
  assert.equal((await sts.send(new GetCallerIdentityCommand({}))).UserId, `${Role.RoleId}:one`);
  const sqs = clientOf(SQSClient, credentials);
  await sqs.send(new ListQueuesCommand({}));
  const session = clientOf(IAMClient, credentials);
  assert.ok((await session.send(new ListRolesCommand({}))).Roles.length > 0);
  for (const client of [ann, sts, sqs, session]) client.destroy();
});
