// console, process.stdout and process.stderr: log events on the channel, in AWS's formats (AWS Lambda developer guide, "Log and
// monitor Node.js Lambda functions").
//
// All of it goes by the channel and not by pipes, so that the order is that of the program and nothing of one event comes
// after its answer. What subprocesses and addons print goes through the pipes, line by line.
import { StringDecoder } from "node:string_decoder";
import { Writable } from "node:stream";
import { format } from "node:util";

import { Kind } from "./channel.mjs";
import { isError } from "./faults.mjs";

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const METHODS = { trace: "TRACE", debug: "DEBUG", log: "INFO", info: "INFO", warn: "WARN", error: "ERROR", fatal: "FATAL" };

// `current`: the event that is handled, {requestId, tenantId}; undefined members outside of one.
export function patchConsole(channel, current, logFormat, logLevel) {
  const isJson = logFormat === "JSON";
  const least = isJson ? LEVELS[logLevel] ?? LEVELS.INFO : LEVELS.TRACE;
  for (const [method, level] of Object.entries(METHODS)) {
    if (LEVELS[level] < least) console[method] = () => {};
    else if (isJson) console[method] = (...values) => channel.write(Kind.LOG, jsonEvent(current, level, values));
    else console[method] = (...values) => channel.write(Kind.LOG, textEvent(current, level, values));
  }
}

function textEvent(current, level, values) {
  return `${new Date().toISOString()}\t${current.requestId}\t${level}\t${format(...values)}`;
}

function jsonEvent(current, level, values) {
  const event = { timestamp: new Date().toISOString(), level, requestId: current.requestId, tenantId: current.tenantId };
  if (values.length === 1) {
    event.message = values[0];
    try {
      return JSON.stringify(event, (_, value) => (isError(value) ? describe(value) : value));
    } catch {
      event.message = format(values[0]);
      return JSON.stringify(event);
    }
  }
  event.message = format(...values);
  const error = values.find(isError);
  return JSON.stringify(error === undefined ? event : { ...event, ...describe(error) });
}

function describe(error) {
  const stackTrace = typeof error.stack === "string" ? error.stack.split("\n") : [];
  return { errorType: error.constructor?.name ?? "UnknownError", errorMessage: error.message, stackTrace, ...error };
}

// A stream in place of process.stdout or process.stderr: a line is a log event; an unfinished one waits for its end, or the
// event's.
class LogStream extends Writable {
  #channel;
  #decoder = new StringDecoder("utf8");
  #started = "";

  constructor(channel, file) {
    super({ decodeStrings: false });
    this.#channel = channel;
    this.fd = file;
    this._isStdio = true;
  }

  _write(chunk, _encoding, done) {
    const parts = (this.#started + (typeof chunk === "string" ? chunk : this.#decoder.write(chunk))).split("\n");
    this.#started = parts.pop();
    for (const line of parts) if (line !== "") this.#channel.write(Kind.LOG, line);
    done();
  }

  finishLine() {
    if (this.#started === "") return;
    this.#channel.write(Kind.LOG, this.#started);
    this.#started = "";
  }

  // Programs cannot close it, as they cannot close the real ones.
  destroy() {
    return this;
  }
}

// Gives a function that ends unfinished lines. The streams are made when somebody asks for them.
export function replaceStandardStreams(channel) {
  const streams = {};
  for (const [name, file] of [["stdout", 1], ["stderr", 2]])
    Object.defineProperty(process, name, {
      configurable: true,
      enumerable: true,
      get: () => (streams[name] ??= new LogStream(channel, file)),
    });
  return () => {
    streams.stdout?.finishLine();
    streams.stderr?.finishLine();
  };
}
