// CloudWatch Logs by the current SDK: pages, filters, and a live tail, whose answer is a stream of messages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand, DescribeLogGroupsCommand, FilterLogEventsCommand, GetLogEventsCommand,
  PutLogEventsCommand, StartLiveTailCommand, StartQueryCommand, paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import { startServer } from './server.mjs';

let server;
let logs;
const logGroupName = '/js/group';
const logStreamName = 'stream';

before(async () => {
  server = await startServer();
  logs = new CloudWatchLogsClient({
    endpoint: server.url, region: 'us-east-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'x' }, maxAttempts: 1,
    disableHostPrefix: true, // "streaming-127.0.0.1" is nobody's name
  });
  await logs.send(new CreateLogGroupCommand({ logGroupName, logGroupClass: 'STANDARD' }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
});

after(async () => {
  logs.destroy();
  assert.equal(await server.stop(), 0);
});

const put = (...texts) => {
  const at = Date.now();
  const logEvents = texts.map((message, i) => ({ timestamp: at - texts.length + i, message }));
  return logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
};

test('events are put, read and filtered', async () => {
  const answer = await put('one', 'two {"n": 1}', 'three');
  assert.equal(answer.rejectedLogEventsInfo, undefined);
  const read = await logs.send(new GetLogEventsCommand({ logGroupIdentifier: logGroupName, logStreamName, startFromHead: true }));
  assert.deepEqual(read.events.map((event) => event.message), ['one', 'two {"n": 1}', 'three']);
  const found = [];
  for await (const page of paginateFilterLogEvents({ client: logs, pageSize: 1 }, { logGroupName, filterPattern: '?one ?three' })) {
    found.push(...page.events.map((event) => event.message));
  }
  assert.deepEqual(found, ['one', 'three']);
  const backwards = await logs.send(new FilterLogEventsCommand({ logGroupName, startFromHead: false, limit: 2 }));
  assert.deepEqual(backwards.events.map((event) => event.message), ['three', 'two {"n": 1}']);
});

test('a group is found by its ARN', async () => {
  const { logGroups: [group] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupIdentifiers: [group.logGroupArn] }));
  assert.deepEqual(logGroups, [group]);
});

test('a live tail shows what comes', async () => {
  const { logGroups: [{ logGroupArn }] } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));
  const { responseStream } = await logs.send(new StartLiveTailCommand({ logGroupIdentifiers: [logGroupArn], logEventFilterPattern: 'live' }));
  let started = false;
  for await (const message of responseStream) {
    if (message.sessionStart) {
      started = true;
      await put('dead', 'live one', 'live two');
    } else if (message.sessionUpdate.sessionResults.length > 0) {
      assert.ok(started);
      assert.equal(message.sessionUpdate.sessionMetadata.sampled, false);
      assert.deepEqual(message.sessionUpdate.sessionResults.map((event) => event.message), ['live one', 'live two']);
      break; // which ends the session
    }
  }
});

test('Insights is refused by name', async () => {
  const query = new StartQueryCommand({ logGroupName, startTime: 0, endTime: 1, queryString: 'fields @message' });
  await assert.rejects(logs.send(query), (error) => error.name === 'NotImplemented' && error.message.includes('StartQuery'));
});
