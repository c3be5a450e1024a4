import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { serveStdio, type StdioOptions } from './stdio.ts';
import { type Calls, call, INITIALIZE, tinyServer, until } from './test-http.ts';

interface Line {
  readonly id?: unknown;
  readonly error?: { readonly code: number };
}

/** A client on pipes: what it writes is what it says. */
function start(options: StdioOptions & { readonly signal?: AbortSignal } = {}) {
  const calls: Calls = { started: 0, finished: 0, aborted: 0 };
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const lines: Line[] = [];
  let rest = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(z.looseObject({}).parse(JSON.parse(part)));
  });
  const done = serveStdio(tinyServer(calls), { stdin, stdout, ...options });
  const say = (message: unknown) => stdin.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  const ids = () => lines.map(({ id, error }) => (error === undefined ? id : `${String(id)} ${error.code}`));
  return { calls, stdin, stdout, lines, done, say, ids };
}

test('a client is answered, and input that ends ends it after the calls under way', async () => {
  const { say, stdin, done, ids, calls } = start();
  say(INITIALIZE);
  say({ jsonrpc: '2.0', method: 'notifications/initialized' });
  say(call(1, 'slow', { ms: 100, text: 'in time' }));
  // The last line may lack its end.
  stdin.end(JSON.stringify(call(2, 'echo', { text: 'last' })));
  await done;
  expect(ids().map(String).sort()).toEqual(['0', '1', '2']);
  expect(calls.finished).toBe(1);
});

test('calls that do not end do not keep a client that has left', async () => {
  const { say, stdin, done, calls } = start({ endGraceMs: 100 });
  say(INITIALIZE);
  say(call(1, 'slow', { ms: 60_000, text: '' }));
  stdin.end();
  await done;
  expect(calls).toEqual({ started: 1, finished: 0, aborted: 1 });
});

test('a cancelled call is not waited for', async () => {
  const { say, stdin, done, calls } = start({ endGraceMs: 60_000 });
  say(INITIALIZE);
  say(call(1, 'slow', { ms: 60_000, text: '' }));
  await until(() => calls.started === 1);
  say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
  stdin.end();
  await done;
  expect(calls.aborted).toBe(1);
});

test('a line that is too long, no JSON or no message is answered, and the next one is heard', async () => {
  const { say, ids, lines, stdin, done } = start({ maxLineBytes: 10_000 });
  say(INITIALIZE);
  say('{"jsonrpc": "2.0", "id": 1, ');
  say('{"jsonrpc": "1.0", "id": 1, "method": "ping"}');
  say('');
  say(`  \r`);
  say(call(1, 'echo', { text: 'x'.repeat(20_000) }));
  // In many pieces, and two lines in one piece.
  for (const piece of JSON.stringify(call(2, 'echo', { text: 'ä'.repeat(100) })).match(/.{1,7}/gu) ?? [])
    stdin.write(piece);
  stdin.write(`\n${JSON.stringify(call(3, 'echo', { text: '' }))}\n${JSON.stringify(call(4, 'echo', { text: '' }))}\n`);
  await until(() => lines.length === 7);
  expect(ids().map(String).sort()).toEqual(['0', '2', '3', '4', 'null -32600', 'null -32600', 'null -32700']);
  stdin.end();
  await done;
});

test('a client that does not read is not read from', async () => {
  const { say, stdin, stdout, calls, lines } = start();
  say(INITIALIZE);
  await until(() => lines.length === 1);
  stdout.pause();
  for (let i = 1; i <= 200; i++) say(call(i, 'big', { characters: 10_000 }));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const waiting = stdout.writableLength + stdout.readableLength;
  for (let i = 0; i < 100; i++) {
    say(call(1000 + i, 'slow', { ms: 0, text: 'x'.repeat(20_000) }));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(calls.started).toBeLessThan(50);
  expect(waiting).toBeLessThan(200 * 10_000 + 100_000);
  stdout.resume();
  await until(() => lines.length === 301);
  stdin.end();
});

test('an abort ends it, a broken pipe too', async () => {
  const abort = new AbortController();
  const one = start({ signal: abort.signal });
  one.say(INITIALIZE);
  abort.abort();
  await one.done;
  expect(one.stdin.isPaused()).toBe(true);
  const two = start();
  two.say(INITIALIZE);
  await until(() => two.lines.length === 1);
  two.say(call(1, 'slow', { ms: 60_000, text: '' }));
  await until(() => two.calls.started === 1);
  two.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await two.done;
  await until(() => two.calls.aborted === 1);
  expect(two.calls.finished).toBe(0);
});
