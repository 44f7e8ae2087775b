import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const { streamifyResponse, HttpResponseStream } = awslambda;

export const pieces = streamifyResponse(async (event, stream, context) => {
  stream.setContentType("text/plain");
  stream.write("one ");
  console.log("between", context.awsRequestId);
  stream.write("two ");
  stream.end("three");
});

export const http = streamifyResponse(async (event, stream) => {
  stream = HttpResponseStream.from(stream, { statusCode: 201, headers: { "x-a": "b" }, cookies: ["c=d"] });
  stream.write("created");
  stream.end();
});

export const piped = streamifyResponse(async (event, stream) => {
  await pipeline(Readable.from(["a", "b", "c"]), stream);
});

// Not awaited: the stream goes on after the handler.
export const left = streamifyResponse(async (event, stream) => {
  Readable.from(["x", "y"]).pipe(stream);
});

export const forgotten = streamifyResponse(async (event, stream) => {
  stream.write("no end");
});

export const nothing = streamifyResponse(async (event, stream) => {
  stream.end();
});

export const failsBefore = streamifyResponse(async () => {
  throw new RangeError("before");
});

export const failsWithin = streamifyResponse(async (event, stream) => {
  stream.write("some");
  await new Promise((resolve) => setTimeout(resolve, 5));
  throw new RangeError("within");
});

export const uncaughtWithin = streamifyResponse(async (event, stream) => {
  stream.write("some");
  setTimeout(() => {
    throw new RangeError("in a timer");
  }, 5);
  await new Promise(() => {});
});

export const typeTooLate = streamifyResponse(async (event, stream) => {
  stream.write("some");
  await new Promise((resolve) => setTimeout(resolve, 5));
  stream.setContentType("text/plain");
});

export const notAsync = streamifyResponse(() => 1);

// Fails while a piece that nobody takes is on its way.
export const failsBehind = streamifyResponse(async (event, stream) => {
  stream.write(Buffer.alloc(1 << 20));
  await new Promise((resolve) => setTimeout(resolve, 20));
  console.log("behind the piece");
  throw new RangeError("behind");
});

export const uncaughtBehind = streamifyResponse(async (event, stream) => {
  stream.write(Buffer.alloc(1 << 20));
  setTimeout(() => {
    throw new RangeError("behind");
  }, 20);
  await new Promise(() => {});
});

// How often the writer had to wait, and that other work went on meanwhile.
export const pressed = streamifyResponse(async (event, stream) => {
  let waits = 0;
  let ticks = 0;
  const ticking = setInterval(() => (ticks += 1), 1);
  for (let i = 0; i < event.pieces; i++) {
    if (!stream.write(Buffer.alloc(event.size, i))) {
      waits += 1;
      await once(stream, "drain");
    }
  }
  clearInterval(ticking);
  console.log(JSON.stringify({ waits, ticked: ticks > 0 }));
  stream.end();
});

export const buffered = async (event) => ({ not: "streamed" });

export const marked = streamifyResponse(
  async (event, stream) => {
    stream.end(String(stream.writableHighWaterMark));
  },
  { highWaterMark: 4096 },
);
