// Client libraries that nobody here wrote, with the work that they are made for: sqs-consumer and sqs-producer, which many
// Node.js services put between themselves and the SDK, run unmodified.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import {
  CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient,
} from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { Producer } from 'sqs-producer';
import { command, startServer } from './server.mjs';

let server;
let sqs;
let number = 0;

// A client of its own for each consumer: so it is in services, and so what one consumer calls can be watched.
const newClient = (url = server.url) => new SQSClient({
  endpoint: url, region: 'us-east-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'secret' }, maxAttempts: 1,
});

before(async () => {
  server = await startServer({ options: ['--virtual-clock'] });
  sqs = newClient();
});

after(async () => {
  sqs.destroy();
  assert.equal(await server.stop(), 0);
});

const advance = (duration) => command('clock', 'advance', duration, '--data', server.data);

const newQueue = async (Attributes, client = sqs) =>
  (await client.send(new CreateQueueCommand({ QueueName: `queue-${++number}`, Attributes }))).QueueUrl;

const send = (QueueUrl, MessageBody, more = {}) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));

// How many messages the queue holds: receivable, in flight, delayed.
const counts = async (QueueUrl, client = sqs) => {
  const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible', 'ApproximateNumberOfMessagesDelayed'];
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: names }));
  return names.map((name) => Number(Attributes[name]));
};

// A running consumer that keeps what went wrong in `errors`; the test's end stops it, its long poll with it.
const consume = (t, queueUrl, options, url) => {
  const client = newClient(url);
  const consumer = Consumer.create({
    queueUrl, sqs: client, messageSystemAttributeNames: ['ApproximateReceiveCount'], authenticationErrorTimeout: 50,
    pollingCompleteWaitTimeMs: 0, strictReturn: true, ...options,
  });
  consumer.errors = [];
  for (const name of ['error', 'processing_error', 'timeout_error']) {
    consumer.on(name, (error) => { if (error.cause?.name !== 'AbortError') consumer.errors.push(error); });
  }
  t.after(() => {
    consumer.stop({ abort: true });
    client.destroy();
  });
  consumer.start();
  return Object.assign(consumer, { client });
};

// Counts down: `arrived` resolves when `take` has been called for `wanted` different names.
const collector = (wanted) => {
  const { promise, resolve } = Promise.withResolvers();
  const times = new Map();
  const take = (name) => {
    times.set(name, (times.get(name) ?? 0) + 1);
    if (times.size >= wanted) resolve();
  };
  return { times, take, arrived: promise };
};

// Resolves when exactly so many long polls wait in the server.
const waitingPolls = async (wanted) => {
  for (;;) {
    const metrics = await (await fetch(`${server.url}/_brume/metrics`)).text();
    if (Number(/^brume_store_waiting (\d+)$/m.exec(metrics)[1]) === wanted) return;
  }
};

const received = (message) => Number(message.Attributes.ApproximateReceiveCount);

test('four consumers handle eight hundred messages: each once, none lost, none left', { timeout: 60_000 }, async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '600' });
  const ids = Array.from({ length: 800 }, (_, i) => `order-${i}`);
  const { times, take, arrived } = collector(ids.length);
  const one = async (message) => {
    assert.equal(message.MessageAttributes.shop.StringValue, 'süd');
    take(message.Body);
    return message;
  };
  const several = async (messages) => Promise.all(messages.map(one));
  const more = { batchSize: 10, messageAttributeNames: ['All'] };
  const consumers = [
    consume(t, queueUrl, { ...more, handleMessageBatch: several }), consume(t, queueUrl, { ...more, handleMessageBatch: several }),
    consume(t, queueUrl, { ...more, handleMessage: one }), consume(t, queueUrl, { ...more, batchSize: 1, handleMessage: one }),
  ];
  let processed = 0;
  const finished = new Promise((resolve) => {
    for (const consumer of consumers) consumer.on('message_processed', () => { if (++processed === ids.length) resolve(); });
  });
  const producer = Producer.create({ queueUrl, sqs });
  const sent = await producer.send(ids.map((id) => ({
    id, body: id, messageAttributes: { shop: { DataType: 'String', StringValue: 'süd' } },
  })));
  assert.equal(sent.length, ids.length);
  await Promise.all([arrived, finished]);
  assert.deepEqual([...times.keys()].sort(), ids.toSorted());
  // Nobody failed and no visibility timeout has passed: so nothing may have come twice.
  assert.ok([...times.values()].every((count) => count === 1));
  assert.deepEqual(await counts(queueUrl), [0, 0, 0]);
  assert.equal(await producer.queueSize(), 0);
  for (const consumer of consumers) assert.deepEqual(consumer.errors, []);
});

test('what a handler throws on comes back after the visibility timeout', async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '3600' });
  const { promise: again, resolve } = Promise.withResolvers();
  const consumer = consume(t, queueUrl, {
    handleMessage: async (message) => {
      if (received(message) === 1) throw new Error('out of coffee');
      resolve(received(message));
      return message;
    },
  });
  await send(queueUrl, 'brew');
  await once(consumer, 'processing_error');
  assert.deepEqual(await counts(queueUrl), [0, 1, 0]);
  await waitingPolls(1);
  await advance('3600s');
  assert.equal(await again, 2);
  assert.deepEqual(consumer.errors.map((error) => error.message), ['Unexpected message handler failure: out of coffee']);
  consumer.stop();
});

test('a failed message comes back at once when the consumer gives it up', async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '3600' });
  const seen = [];
  const consumer = consume(t, queueUrl, {
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      seen.push(received(message));
      if (seen.length < 5) throw new Error('not yet');
      return message;
    },
  });
  await send(queueUrl, 'patience');
  await once(consumer, 'message_processed');
  assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  assert.deepEqual(await counts(queueUrl), [0, 0, 0]);
});

test('a failed message waits as long as the backoff says', async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '43200' });
  const consumer = consume(t, queueUrl, {
    terminateVisibilityTimeout: ([message]) => 600 * received(message),
    handleMessage: async (message) => {
      if (received(message) < 3) throw new Error('not yet');
      return message;
    },
  });
  // The visibility timeout is changed after the event of the failure: when it has been is what the client's calls tell.
  const changed = () => new Promise((resolve) => {
    consumer.client.middlewareStack.add((next, context) => async (args) => {
      const result = await next(args);
      if (context.commandName === 'ChangeMessageVisibilityCommand') resolve();
      return result;
    }, { step: 'initialize', name: 'watch', override: true });
  });
  const first = changed();
  await send(queueUrl, 'backoff');
  await first;
  await advance('590s');
  assert.deepEqual(await counts(queueUrl), [0, 1, 0]);
  const second = changed();
  await advance('10s');
  await second;
  await advance('1190s');
  assert.deepEqual(await counts(queueUrl), [0, 1, 0]);
  const processed = once(consumer, 'message_processed');
  await advance('10s');
  assert.equal(received((await processed)[0]), 3);
});

test('of a batch, what the handler does not acknowledge comes back', async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '300' });
  const bodies = Array.from({ length: 10 }, (_, i) => `part-${i}`);
  await Producer.create({ queueUrl, sqs }).send(bodies);
  const bad = new Set(['part-2', 'part-7']);
  const handled = collector(8);
  const redelivered = collector(2);
  const consumer = consume(t, queueUrl, {
    batchSize: 10,
    handleMessageBatch: async (messages) => messages.filter((message) => {
      if (received(message) > 1) redelivered.take(message.Body);
      else if (bad.has(message.Body)) return false;
      else handled.take(message.Body);
      return true;
    }),
  });
  await handled.arrived;
  await once(consumer, 'response_processed');
  assert.deepEqual(await counts(queueUrl), [0, 2, 0]);
  const gone = once(consumer, 'message_processed');
  await advance('300s');
  await redelivered.arrived;
  await gone;
  assert.deepEqual([...redelivered.times.keys()].sort(), [...bad]);
});

test('heartbeats keep a long task to its consumer', { timeout: 30_000 }, async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '40' });
  const { promise: done, resolve: finish } = Promise.withResolvers();
  const { promise: taken, resolve: take } = Promise.withResolvers();
  const worker = consume(t, queueUrl, {
    visibilityTimeout: 40, heartbeatInterval: 0.2,
    handleMessage: async (message) => {
      take();
      await done;
      return message;
    },
  });
  let beat;
  worker.client.middlewareStack.add((next, context) => async (args) => {
    const result = await next(args);
    if (context.commandName === 'ChangeMessageVisibilityCommand') beat?.();
    return result;
  }, { step: 'initialize', name: 'watch' });
  // Two: the first may have been on its way when we asked.
  const nextBeats = async () => {
    for (let i = 0; i < 2; i++) await new Promise((resolve) => { beat = resolve; });
  };
  await send(queueUrl, 'a long task');
  await taken;
  const thief = consume(t, queueUrl, { handleMessage: async () => assert.fail('it was somebody else’s') });
  for (let i = 0; i < 4; i++) {
    await nextBeats();
    await advance('30s'); // two minutes in all, thrice the visibility timeout
  }
  const processed = once(worker, 'message_processed');
  finish();
  await processed;
  assert.deepEqual([worker.errors, thief.errors], [[], []]);
  assert.deepEqual(await counts(queueUrl), [0, 0, 0]);
});

test('a handler that takes too long is given up, and its message comes back', async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '60' });
  const consumer = consume(t, queueUrl, {
    handleMessageTimeout: 50,
    handleMessage: (message) => (received(message) === 1 ? new Promise(() => {}) : Promise.resolve(message)),
  });
  const late = once(consumer, 'timeout_error');
  await send(queueUrl, 'slow');
  await late;
  const processed = once(consumer, 'message_processed');
  await advance('60s');
  assert.equal(received((await processed)[0]), 2);
});

test('a consumer that stops gracefully finishes what it has begun', async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '3600' });
  const { promise: begun, resolve: begin } = Promise.withResolvers();
  const { promise: released, resolve: release } = Promise.withResolvers();
  const consumer = consume(t, queueUrl, {
    pollingCompleteWaitTimeMs: 20_000,
    handleMessage: async (message) => {
      begin();
      await released;
      return message;
    },
  });
  await send(queueUrl, 'the last order');
  await begun;
  const waiting = once(consumer, 'waiting_for_polling_to_complete');
  const stopped = once(consumer, 'stopped');
  consumer.stop();
  await waiting;
  await send(queueUrl, 'for tomorrow');
  release();
  await stopped;
  assert.deepEqual(await counts(queueUrl), [1, 0, 0]);
  assert.deepEqual(consumer.errors, []);
});

test('a message is not lost to a long poll that was broken off', async (t) => {
  const queueUrl = await newQueue({ VisibilityTimeout: '3600' });
  for (let round = 0; round < 10; round++) {
    const left = consume(t, queueUrl, { handleMessage: async () => assert.fail('it has left') });
    await waitingPolls(1);
    left.stop({ abort: true });
    await send(queueUrl, `round ${round}`);
    const stays = consume(t, queueUrl, { handleMessage: async (message) => message });
    const [message] = await once(stays, 'message_processed');
    assert.equal(message.Body, `round ${round}`);
    stays.stop({ abort: true });
  }
});

test('a delayed message reaches a waiting consumer when it is due', async (t) => {
  const queueUrl = await newQueue();
  const consumer = consume(t, queueUrl, { handleMessage: async (message) => message });
  await Producer.create({ queueUrl, sqs }).send({ id: 'later', body: 'later', delaySeconds: 900 });
  assert.deepEqual(await counts(queueUrl), [0, 0, 1]);
  const processed = once(consumer, 'message_processed');
  await waitingPolls(1);
  await advance('15m');
  assert.equal((await processed)[0].Body, 'later');
});

test('the producer tells which messages the service has refused', async () => {
  const queueUrl = await newQueue();
  const producer = Producer.create({ queueUrl, sqs });
  const error = await producer.send([{ id: 'good', body: 'good' }, { id: 'bad', body: 'not \u0000 allowed' }])
    .then(() => assert.fail('was not refused'), (reason) => reason);
  assert.deepEqual(error.failedMessages, ['bad']);
  assert.deepEqual(await counts(queueUrl), [1, 0, 0]);
});

test('a consumer of a queue that is not there says so, and goes on when it is', async (t) => {
  const name = `queue-${++number}`;
  const queueUrl = `${server.url}/123456789012/${name}`;
  const consumer = consume(t, queueUrl, { handleMessage: async (message) => message });
  const [error] = await once(consumer, 'error');
  assert.equal(error.code, 'QueueDoesNotExist');
  assert.equal(error.statusCode, 400);
  await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const processed = once(consumer, 'message_processed');
  await send(queueUrl, 'at last');
  await processed;
});

test('kill -9 of the server loses no message of running consumers', { timeout: 60_000 }, async (t) => {
  let own = await startServer();
  const client = newClient(own.url);
  t.after(async () => {
    client.destroy();
    assert.equal(await own.stop(), 0);
  });
  // Unprocessed deliveries of the killed server are due again while the test runs.
  const queueUrl = await newQueue({ VisibilityTimeout: '2' }, client);
  const ids = Array.from({ length: 300 }, (_, i) => `order-${i}`);
  await Producer.create({ queueUrl, sqs: client }).send(ids);
  const half = collector(ids.length / 2);
  const all = collector(ids.length);
  const consumers = [1, 2, 3].map(() => consume(t, queueUrl, {
    batchSize: 10, waitTimeSeconds: 3, pollingWaitTimeMs: 5,
    handleMessage: async (message) => {
      half.take(message.Body);
      all.take(message.Body);
      return message;
    },
  }, own.url));
  await half.arrived;
  await own.kill();
  const broken = once(consumers[0], 'error');
  await broken;
  own = await startServer({ after: own });
  await all.arrived;
  assert.deepEqual([...all.times.keys()].sort(), ids.toSorted());
  // A delivery whose delete the kill has cut off comes once more; then nothing is left.
  while ((await counts(queueUrl, client)).some((count) => count > 0)) await once(consumers[0], 'empty');
});
