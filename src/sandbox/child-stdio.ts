import { read, writeSync } from 'node:fs';

/** Ends a child at once. `process.exit` would wait for threads that may never come back. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** Writes one line to the parent; waits while the pipe is full (it may have been set not to block). */
export function writeLine(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EAGAIN') die();
      Atomics.wait(PAUSE, 0, 0, 1);
    }
  }
}

/** Hands each line of stdin to `handle`, one after the other; ends the child when stdin ends or anything escapes. */
export function serveLines(handle: (line: string) => Promise<void>): void {
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  let queue: Promise<void> = Promise.resolve();
  let pending: Buffer[] = [];
  const chunk = Buffer.allocUnsafe(64 * 1024);
  const readOn = (): void => {
    read(0, chunk, 0, chunk.length, null, (error, bytes) => {
      if (error !== null || bytes === 0) die();
      let rest = chunk.subarray(0, bytes);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const line = Buffer.concat([...pending, rest.subarray(0, end)]).toString('utf8');
        pending = [];
        rest = rest.subarray(end + 1);
        queue = queue.then(() => handle(line));
      }
      if (rest.length > 0) pending.push(Buffer.from(rest));
      readOn();
    });
  };
  readOn();
}
