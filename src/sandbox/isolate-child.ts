/**
 * The disposable child that runs one program. It is trusted code next to an untrusted isolate: it reads jobs from stdin,
 * answers on stdout, and dies when stdin ends. It keeps no deadline; its parent does (and kills it).
 */
import { read, writeSync } from 'node:fs';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import { READY_LINE, type FrameKind, type ToChild } from './frames.ts';
import { IsolateHost } from './isolate-host.ts';

process.env['TZ'] = 'UTC';
process.on('warning', () => {});

function die(): never {
  // process.exit waits for the isolate's thread, which may never come back.
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

let nonce = '';
function write(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
}
function frame(kind: FrameKind, payload: string): void {
  write(`${nonce}${kind}${payload}`);
}

const ivm: typeof import('isolated-vm') = createRequire(import.meta.url)('isolated-vm');
let host: IsolateHost | undefined;

async function handle(message: ToChild): Promise<void> {
  if (message.op === 'job') {
    nonce = message.nonce;
    host = new IsolateHost(ivm, message, frame, stripTypeScriptTypes);
  } else if (message.op === 'load') {
    await host?.load(message.seed);
  } else if (message.op === 'step') {
    await host?.step(message.input);
  } else {
    await host?.reply(message.id, message.ok, message.text);
  }
}

let queue: Promise<void> = Promise.resolve();
let pending: Buffer[] = [];
const chunk = Buffer.allocUnsafe(64 * 1024);
function readOn(): void {
  read(0, chunk, 0, chunk.length, null, (error, bytes) => {
    if (error !== null || bytes === 0) die();
    let rest = chunk.subarray(0, bytes);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...pending, rest.subarray(0, end)]).toString('utf8');
      pending = [];
      rest = rest.subarray(end + 1);
      const message: ToChild = JSON.parse(line);
      queue = queue.then(() => handle(message));
    }
    if (rest.length > 0) pending.push(Buffer.from(rest));
    readOn();
  });
}

stripTypeScriptTypes('const warm: number = 1;');
write(READY_LINE);
readOn();
