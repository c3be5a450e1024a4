import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

/** Clients that come and go must leave nothing behind. Measured in a process of its own, with its own garbage collector. */

const SOURCE = (leak: boolean) => `
  const { startTiny, post, openSession, call, headersFor } = await import(${JSON.stringify(new URL('../../src/mcp/test-http.ts', import.meta.url).href)});
  const server = await startTiny({ limits: { maxSessionsPerToken: ${leak ? 1e6 : 8}, maxSessions: 1e6, requestBurst: 1e9 } });
  const cycle = async (i) => {
    const session = await openSession(server.url);
    await (await post(server.url, call(1, 'echo', { text: 'x'.repeat(1000) }), { session })).text();
    const listen = new AbortController();
    const stream = await fetch(server.url + '/mcp', { headers: { ...headersFor({ session }), Accept: 'text/event-stream' }, signal: listen.signal });
    listen.abort();
    await stream.body.cancel().catch(() => undefined);
    // A third says goodbye, a third leaves in the middle of a call, a third leaves.
    if (${leak ? 'false' : 'i % 3 === 0'}) await (await fetch(server.url + '/mcp', { method: 'DELETE', headers: headersFor({ session }) })).text();
    else if (i % 3 === 1) {
      const cut = new AbortController();
      const started = server.calls.started;
      const slow = post(server.url, call(2, 'slow', { ms: ${leak ? 1 : 600000}, text: '' }), { session, signal: cut.signal }).then((answer) => answer.text()).catch(() => undefined);
      while (server.calls.started === started) await new Promise((resolve) => setImmediate(resolve));
      cut.abort();
      await slow;
    }
  };
  const settle = async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (let i = 0; i < 4; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
    return process.memoryUsage().heapUsed;
  };
  const [warm, cycles] = process.argv.slice(1).map(Number);
  for (let i = 0; i < warm; i++) await cycle(i);
  const heap = [await settle()];
  while (heap.length < 10) {
    for (let i = 0; i < cycles / 9; i++) await cycle(i);
    heap.push(await settle());
  }
  // The collector leaves now more, now less: medians of the first four and the last four, which are six apart.
  const middle = (four) => { const sorted = four.sort((a, b) => a - b); return (sorted[1] + sorted[2]) / 2; };
  const bytes = (middle(heap.slice(6)) - middle(heap.slice(0, 4))) / ((cycles / 9) * 6);
  process.stdout.write(JSON.stringify({ bytes, sessions: server.sessions, aborted: server.calls.aborted }));
  process.exit(0);
`;

function grow(
  leak: boolean,
  warm: number,
  cycles: number,
): Promise<{ bytes: number; sessions: number; aborted: number }> {
  const args = ['--expose-gc', '--input-type=module', '-e', SOURCE(leak), String(warm), String(cycles)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return new Promise((resolve) => child.on('close', () => resolve(JSON.parse(text) as never)));
}

const CYCLES = 2700;

test('a client that comes, calls, listens and leaves takes less than 1 KiB with it, however it leaves', async () => {
  const { bytes, sessions, aborted } = await grow(false, 600, CYCLES);
  expect(sessions).toBeLessThanOrEqual(8);
  // The fault fired: a third of them were in the middle of a call.
  expect(aborted).toBeGreaterThanOrEqual(CYCLES / 3 - 8);
  expect(bytes).toBeLessThan(1024);
}, 180_000);

test('a server that keeps sessions for ever is caught', async () => {
  const { bytes } = await grow(true, 18, 180);
  expect(bytes).toBeGreaterThan(4096);
}, 60_000);
