// What runs a Node.js handler in a worker: reads events from the channel (src/runtime/channel.h), calls the handler, writes what
// it answers. Started as `node [options] bootstrap.mjs`, maybe long before there is a function: nothing of one is touched
// until FRAME_INIT.
import { Channel, Kind } from "./channel.mjs";
import { makeContext } from "./context.mjs";
import { Fault, errorDocument, errorLogText } from "./faults.mjs";
import { load } from "./loader.mjs";
import { patchConsole, replaceStandardStreams } from "./logs.mjs";
import { setModulePaths } from "./paths.mjs";
import { findPrefixedEndpoint } from "./prefix.mjs";
import { StreamedAnswer, installAwsLambda, isStreamed } from "./stream.mjs";

// How AWS's runtime leaves after an error that nobody caught, which nothing can be trusted after.
const EXIT_UNCAUGHT = 129;
const EXIT_UNHANDLED_REJECTION = 128;

// From Node.js 24 on handlers answer with promises alone.
const HAS_CALLBACKS = Number(process.versions.node.split(".")[0]) < 24;

const channel = new Channel();
const finishLines = replaceStandardStreams(channel);

// The event that is handled; its members are undefined between events.
const current = { requestId: undefined, tenantId: undefined };
let event = null; // its state, an Event
let handler;
let trace;

// ---- Before the first event ----

async function start() {
  const frame = channel.read();
  if (frame === null || frame.kind !== Kind.INIT) process.exit(0);
  const settings = JSON.parse(frame.content.toString());
  setEnvironment(settings.environment);
  patchConsole(channel, current, settings.logFormat, settings.logLevel);
  setModulePaths();
  findPrefixedEndpoint();
  installAwsLambda();
  process.on("uncaughtException", (error) => die("Uncaught Exception", error, EXIT_UNCAUGHT));
  process.on("unhandledRejection", (reason, promise) => {
    const error = new Fault("Runtime.UnhandledPromiseRejection", String(reason), { reason, promise });
    die("Unhandled Promise Rejection", error, EXIT_UNHANDLED_REJECTION);
  });
  process.on("beforeExit", () => event?.loopIsEmpty());
  process.on("exit", finishLines);
  const root = process.env.LAMBDA_TASK_ROOT ?? "/var/task";
  try {
    process.chdir(root);
    handler = checkSignature(await load(root, settings.handler));
  } catch (error) {
    return die("Uncaught Exception", error, 1);
  }
  finishLines();
  channel.write(Kind.READY, "");
  next();
}

function checkSignature(found) {
  if (HAS_CALLBACKS || isStreamed(found) || found.length < 3) return found;
  throw new Fault(
    "Runtime.CallbackHandlerDeprecated",
    "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify " +
      "this function to use a supported handler signature to use Node.js 24 or later. For more information see " +
      "https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
  );
}

function setEnvironment(environment) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
}

// An error that nobody has caught: the event's answer, or why there will be none; then the end.
function die(title, error, code) {
  finishLines();
  console.error(title, errorLogText(error));
  const document = JSON.stringify(errorDocument(error));
  if (handler === undefined) channel.write(Kind.INIT_ERROR, document);
  else event?.break(document);
  event = null;
  channel.whenIdle(() => process.exit(code));
}

// ---- Events ----

// Blocks until there is one.
function next() {
  const frame = channel.read();
  if (frame === null || frame.kind !== Kind.INVOKE) process.exit(0);
  const end = 4 + frame.content.readUInt32LE(0);
  const head = JSON.parse(frame.content.toString("utf8", 4, end));
  current.requestId = head.requestId;
  current.tenantId = head.tenantId;
  if (head.trace !== trace) setTrace(head.trace);
  event = isStreamed(handler) ? new StreamedEvent() : new Event();
  event.run(head, frame.content.toString("utf8", end));
}

// The variable changes with each event (AWS Lambda developer guide, "Using Lambda environment variables").
function setTrace(value) {
  trace = value;
  if (value === undefined) delete process.env._X_AMZN_TRACE_ID;
  else process.env._X_AMZN_TRACE_ID = value;
}

function isPromise(value) {
  return typeof value?.then === "function";
}

// An event whose answer comes whole.
class Event {
  #context;
  #answer; // {value}: given by callback, it waits for the loop to become empty
  #isWaiting = true; // callbackWaitsForEmptyEventLoop
  #isDone = false;

  run(head, payload) {
    this.#context = makeContext(head);
    const parameters = [this.#context];
    if (HAS_CALLBACKS) parameters.push(this.#addCallbacks());
    try {
      const result = handler(JSON.parse(payload), ...parameters);
      if (isPromise(result))
        result.then(
          (value) => this.#settle(() => this.#finish(value)),
          (error) => this.#settle(() => this.#fail(error)),
        );
      else if (!HAS_CALLBACKS) this.#finish(result);
    } catch (error) {
      this.#fail(error);
    }
  }

  // The ways to answer of handlers that return no promise.
  #addCallbacks() {
    const context = this.#context;
    const event = this;
    Object.defineProperty(context, "callbackWaitsForEmptyEventLoop", {
      configurable: true,
      enumerable: true,
      get: () => event.#isWaiting,
      set: (value) => {
        event.#isWaiting = Boolean(value);
      },
    });
    const callback = (error, value) => {
      if (error === null || error === undefined) this.#give(value);
      else this.#fail(error);
    };
    context.done = (error, value) => {
      this.#isWaiting = false;
      callback(error, value);
    };
    context.succeed = (value) => context.done(null, value);
    context.fail = (error) => context.done(error === null || error === undefined ? "handled" : error);
    return callback;
  }

  // A promise says nothing more once the callback has been called.
  #settle(answer) {
    if (this.#answer === undefined) answer();
  }

  // An answer by callback: sent at once, or when nothing else is left to do.
  #give(value) {
    if (this.#isDone || this.#answer !== undefined) return;
    if (this.#isWaiting) this.#answer = { value };
    else this.#finish(value);
  }

  loopIsEmpty() {
    // A promise that is never settled and a callback that is never called end here, too, as null.
    this.#finish(this.#answer === undefined ? null : this.#answer.value);
  }

  #finish(value) {
    if (this.#isDone) return;
    let text;
    try {
      text = JSON.stringify(value === undefined ? null : value) ?? "null";
    } catch {
      return this.#fail(new Error("Unable to stringify response body"));
    }
    this.#end(Kind.RESPONSE, text);
  }

  #fail(error) {
    if (this.#isDone) return;
    console.error("Invoke Error", errorLogText(error));
    this.#end(Kind.ERROR, JSON.stringify(errorDocument(error)));
  }

  #end(kind, content) {
    this.#isDone = true;
    endEvent(kind, content);
  }

  break(document) {
    if (!this.#isDone) channel.write(Kind.ERROR, document);
    this.#isDone = true;
  }
}

// The last frame of an event. The loop turns once before the next is read, so that what a handler has left running gets on.
function endEvent(kind, content) {
  finishLines();
  channel.write(kind, content);
  event = null;
  channel.whenIdle(() => setImmediate(next));
}

// An event whose answer is a stream.
class StreamedEvent {
  #answer = new StreamedAnswer(channel, handler);
  #isSettled = false; // the handler's promise
  #isDone = false;

  async run(head, payload) {
    const stream = this.#answer.stream;
    stream.once("finish", () => this.#finish());
    stream.once("error", (error) => this.#fail(error));
    try {
      const result = handler(JSON.parse(payload), stream, makeContext(head));
      if (!isPromise(result)) throw new Error("Streaming does not support non-async handlers.");
      if ((await result) !== undefined) console.warn("Streaming handlers ignore return values.");
      this.#isSettled = true;
      this.#finish();
    } catch (error) {
      this.#fail(error);
    }
  }

  // A handler that has ended need not have ended its stream: something may still be piped into it.
  loopIsEmpty() {
    this.#isSettled = true;
    if (this.#answer.stream.writableFinished) this.#finish();
    else this.#answer.stream.end();
  }

  #finish() {
    if (this.#isDone || !this.#isSettled || !this.#answer.stream.writableFinished) return;
    this.#isDone = true;
    this.#answer.start();
    endEvent(Kind.STREAM_END, "");
  }

  #fail(error) {
    if (this.#isDone) return;
    this.#isDone = true;
    console.error("Invoke Error", errorLogText(error));
    this.#answer.stop();
    endEvent(this.#answer.isStarted ? Kind.STREAM_ERROR : Kind.ERROR, JSON.stringify(errorDocument(error)));
  }

  break(document) {
    if (!this.#isDone) channel.write(this.#answer.isStarted ? Kind.STREAM_ERROR : Kind.ERROR, document);
    this.#isDone = true;
    this.#answer.stop();
  }
}

start();
