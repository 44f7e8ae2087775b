// The frames of src/runtime/channel.h, as a worker reads and writes them.
//
// Reading blocks the whole process, on purpose: between events it stands still, as on AWS, so that what a handler has left
// running goes on with the next event and not before. It is the fastest way that Node.js has, too. Pieces of a streamed
// answer are the one thing written without blocking, so that a slow caller holds up its stream and nothing else.
import fs from "node:fs";

export const Kind = {
  INIT: 1,
  INVOKE: 2,
  READY: 16,
  INIT_ERROR: 17,
  RESPONSE: 18,
  ERROR: 19,
  STREAM_START: 20,
  STREAM_PIECE: 21,
  STREAM_END: 22,
  STREAM_ERROR: 23,
  LOG: 24,
};

const EVENTS_FILE = 3;
const ANSWERS_FILE = 4;
const HEADER_SIZE = 8;
const READ_SIZE = 65536;
const JOIN_SIZE = 65536; // a frame up to this is copied behind its header, which costs less than a second system call

export class Channel {
  #buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  #have = 0; // bytes in the buffer
  #joined = Buffer.allocUnsafeSlow(HEADER_SIZE + JOIN_SIZE);
  #writing = false; // a piece is on its way: whole frames wait behind it
  #waiting = [];
  #whenIdle = null;

  // The next frame, {kind, content}; null when the server has closed the channel. The content is valid until the next read.
  read() {
    while (this.#have < HEADER_SIZE) if (!this.#fill(this.#buffer)) return null;
    const kind = this.#buffer[0];
    const size = this.#buffer.readUInt32LE(4);
    const end = HEADER_SIZE + size;
    if (end > READ_SIZE) return this.#readLong(kind, size);
    while (this.#have < end) if (!this.#fill(this.#buffer)) return null;
    const content = this.#buffer.subarray(HEADER_SIZE, end);
    if (this.#have > end) {
      const rest = Buffer.from(this.#buffer.subarray(end, this.#have));
      this.#have = rest.length;
      const kept = { kind, content: Buffer.from(content) };
      rest.copy(this.#buffer);
      return kept;
    }
    this.#have = 0;
    return { kind, content };
  }

  #fill(buffer) {
    const count = fs.readSync(EVENTS_FILE, buffer, this.#have, buffer.length - this.#have, null);
    this.#have += count;
    return count > 0;
  }

  #readLong(kind, size) {
    const content = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(content, 0, HEADER_SIZE, this.#have);
    this.#have -= HEADER_SIZE;
    while (this.#have < size) if (!this.#fill(content)) return null;
    this.#have = 0;
    return { kind, content };
  }

  // Sends a frame, whole; content is a string or bytes.
  write(kind, content) {
    if (this.#writing) this.#waiting.push(frame(kind, content));
    else if (typeof content === "string" && content.length * 3 <= JOIN_SIZE) this.#writeShort(kind, content);
    else this.#writeAll(frame(kind, content));
  }

  #writeShort(kind, text) {
    const size = this.#joined.write(text, HEADER_SIZE);
    putHeader(this.#joined, kind, size);
    this.#writeAll(this.#joined.subarray(0, HEADER_SIZE + size));
  }

  #writeAll(data) {
    for (let done = 0; done < data.length; ) done += fs.writeSync(ANSWERS_FILE, data, done);
  }

  // Sends a piece of a stream without blocking; `done(error)` when it is out. One at a time.
  writePiece(content, done) {
    const data = frame(Kind.STREAM_PIECE, content);
    this.#writing = true;
    const finish = (error) => {
      this.#writing = false;
      if (!error) for (const waiting of this.#waiting.splice(0)) this.#writeAll(waiting);
      done(error);
      const next = this.#whenIdle;
      if (next !== null && !this.#writing) {
        this.#whenIdle = null;
        next();
      }
    };
    const step = (start) =>
      fs.write(ANSWERS_FILE, data, start, data.length - start, null, (error, count) => {
        if (error) finish(error);
        else if (start + count < data.length) step(start + count);
        else finish(null);
      });
    step(0);
  }

  // Calls `next` when nothing is on its way any more: at once, or when a piece is out and what waited behind it.
  whenIdle(next) {
    if (this.#writing) this.#whenIdle = next;
    else next();
  }
}

function putHeader(buffer, kind, size) {
  buffer.writeUInt32LE(kind, 0); // one byte of the kind, three of zero
  buffer.writeUInt32LE(size, 4);
}

function frame(kind, content) {
  const size = Buffer.byteLength(content);
  const data = Buffer.allocUnsafe(HEADER_SIZE + size);
  putHeader(data, kind, size);
  if (typeof content === "string") data.write(content, HEADER_SIZE);
  else data.set(content, HEADER_SIZE);
  return data;
}
