// A Brume server for the Node.js tests: started on a port of its own over a data directory of its own, stopped by its id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const ROOT = path.join(import.meta.dirname, '..', '..');
export const BINARY = process.env.BRUME_BINARY || path.join(ROOT, 'build', 'brume');
const READY = /^brume (\S+) listening on (https?:\/\/127\.0\.0\.1:\d+), data in (.+), auth (open|signed)$/;

// What a test does not pass on itself must not reach the server.
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(BRUME|AWS)_/.test(name)));

// Starts a server. `stop` ends it and removes its data; `kill` is kill -9 and keeps them, and `startServer({ after: it })`
// is a server over the same data and on the same port.
export async function startServer({ options = [], env = {}, after } = {}) {
  const folder = after?.folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'brume-'));
  const data = path.join(folder, 'data');
  const listen = after ? new URL(after.url).host : '127.0.0.1:0';
  const child = spawn(BINARY, ['start', '--data', data, '--listen', listen, ...options], {
    env: { ...environment, ...env }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const first = await Promise.race([
    once(readline.createInterface({ input: child.stdout }), 'line').then(([line]) => line),
    exited.then(([code]) => `nothing: it ended with ${code}`, (error) => `nothing: ${error.message}`),
  ]);
  const ready = READY.exec(first);
  if (!ready) {
    child.kill('SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
    throw new Error(`instead of its ready line, brume printed ${first}`);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await exited;
    fs.rmSync(folder, { recursive: true, force: true });
    return code;
  };
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { url: ready[2], folder, data, stop, kill };
}

// Runs `brume ...words` to its end and gives what it printed.
export async function command(...words) {
  const child = spawn(BINARY, words, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (piece) => { text += piece; });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`brume ${words.join(' ')} ended with ${code}`);
  return text;
}
