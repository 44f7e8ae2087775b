// Answers in pieces: `awslambda.streamifyResponse` and what it gives a handler (AWS Lambda developer guide, "Writing
// response streaming-enabled Lambda functions").
import { Writable } from "node:stream";

import { Kind } from "./channel.mjs";
import { Fault } from "./faults.mjs";

const STREAMED = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");
const PIECE_SIZE = 1 << 20; // channel.h: FRAME_STREAM_PIECE
const HTTP_CONTENT_TYPE = "application/vnd.awslambda.http-integration-response";

export function isStreamed(handler) {
  return handler[STREAMED] === "response";
}

const preludes = new WeakMap();

export function installAwsLambda() {
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMED] = "response";
      handler[HIGH_WATER_MARK] = options?.highWaterMark;
      return handler;
    },
    // What an HTTP integration's answer begins with: {statusCode, headers, cookies}.
    HttpResponseStream: class HttpResponseStream {
      static from(stream, prelude) {
        stream.setContentType(HTTP_CONTENT_TYPE);
        preludes.set(stream, prelude);
        return stream;
      }
    },
  };
}

// The stream that a handler writes, and the frames that it becomes.
export class StreamedAnswer {
  isStarted = false;
  stream;
  #channel;
  #contentType;
  #isStopped = false;

  constructor(channel, handler) {
    const answer = this;
    this.#channel = channel;
    this.stream = new Writable({
      highWaterMark: handler[HIGH_WATER_MARK],
      write: (chunk, _encoding, done) => answer.#write(chunk, 0, done),
    });
    this.stream.setContentType = (type) => {
      if (answer.isStarted) throw new Fault("Runtime.InvalidStreamingOperation", "Cannot set content-type, too late.");
      answer.#contentType = type;
    };
  }

  // Sends what comes before the first piece.
  start() {
    if (this.isStarted) return;
    this.isStarted = true;
    this.#channel.write(Kind.STREAM_START, JSON.stringify({ contentType: this.#contentType, prelude: preludes.get(this.stream) }));
  }

  #write(chunk, start, done) {
    if (this.#isStopped) return done();
    this.start();
    if (chunk.length === 0) return done();
    const piece = chunk.subarray(start, start + PIECE_SIZE);
    this.#channel.writePiece(piece, (error) => {
      if (error || start + piece.length >= chunk.length) done(error);
      else this.#write(chunk, start + piece.length, done);
    });
  }

  // Nothing of it is sent any more.
  stop() {
    this.#isStopped = true;
    this.stream.destroy();
  }
}
