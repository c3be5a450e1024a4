import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  call,
  connectClient,
  messagesOf,
  openSession,
  post,
  raw,
  type Started,
  startTiny,
  textOf,
  until,
} from '../../src/mcp/test-http.ts';

/** Clients that use the same ids at the same time, and clients that vanish in the middle of calls. */

const started: Started[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny({ metrics: true, ...args[0] });
  started.push(server);
  return server;
};
afterEach(() => Promise.all(started.splice(0).map((server) => server.close(0))));

/** Two clients, 500 rounds: both ask with one id, both in flight at once. @returns answers that were one's own, of 1000 */
async function ownAnswers(url: string, sessions: readonly [string, string]): Promise<number> {
  const round = async (id: number): Promise<number> => {
    const own = await Promise.all(
      (['a', 'b'] as const).map(async (name, i) => {
        const args = { ms: 1 + ((id * 7 + i * 3) % 5), text: `${name}${id}` };
        const answer = await post(url, call(id, 'slow', args), { token: `token-${name}`, session: sessions[i] ?? '' });
        const [message] = await messagesOf(answer);
        return message?.['id'] === id && textOf(message['result']) === args.text;
      }),
    );
    return own.filter(Boolean).length;
  };
  let own = 0;
  for (let id = 1; id <= 500; id += 20)
    own += (await Promise.all(Array.from({ length: 20 }, (_, i) => round(id + i)))).reduce(
      (sum, count) => sum + count,
      0,
    );
  return own;
}

test('two clients with equal ids in flight get their own answers, 500 times of 500', async () => {
  const server = await start({ limits: { requestBurst: 1e6 } });
  const sessions = [await openSession(server.url), await openSession(server.url, { token: 'token-b' })] as const;
  expect(await ownAnswers(server.url, sessions)).toBe(1000);
  expect(server.calls).toEqual({ started: 1000, finished: 1000, aborted: 0 });
});

test('a server that knows requests by their id alone is caught', async () => {
  const waiting = new Map<number, ServerResponse[]>();
  const careless = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { id, params } = JSON.parse(text) as { id: number; params: { arguments: { text: string } } };
      waiting.set(id, [...(waiting.get(id) ?? []), response]);
      setTimeout(() => {
        const result = { content: [{ type: 'text', text: params.arguments.text }] };
        waiting
          .get(id)
          ?.pop()
          ?.setHeader('Content-Type', 'application/json')
          .end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      }, 2);
    });
  });
  await new Promise<void>((resolve) => careless.listen(0, '127.0.0.1', resolve));
  const { port } = careless.address() as AddressInfo;
  expect(await ownAnswers(`http://127.0.0.1:${port}`, ['', ''])).toBeLessThan(1000);
  careless.closeAllConnections();
  careless.close();
});

test('1000 clients vanish in the middle of calls: nothing of them stays, and the server answers on', async () => {
  let laterMs = 0;
  const server = await start({
    limits: { resumeMs: 500, sweepMs: 50, idleSessionMs: 600_000, requestBurst: 1e6, maxSessionsPerToken: 24 },
    now: () => performance.now() + laterMs,
  });
  const steady = await connectClient(server.url, 'token-b');
  let answered = 0;
  for (let round = 0; round < 50; round++) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(server.url)));
    const calls = clients.map(({ client }) =>
      client.callTool({ name: 'slow', arguments: { ms: 60_000, text: '' } }).catch(() => undefined),
    );
    await until(() => server.calls.started === 20 * (round + 1));
    // Half of them say nothing, not even that they leave.
    await Promise.all(clients.filter((_, i) => i % 2 === 0).map(({ transport }) => transport.terminateSession()));
    await Promise.all(clients.map(({ transport }) => transport.close()));
    await Promise.all(calls);
    const text = `round ${round}`;
    if (textOf(await steady.client.callTool({ name: 'echo', arguments: { text } })) === text) answered++;
  }
  // The fault fired a thousand times ...
  expect(server.calls.started).toBe(1000);
  expect(answered).toBe(50);
  // ... and nothing came of it.
  await until(() => server.calls.aborted === 1000);
  expect(server.calls.finished).toBe(0);
  laterMs = 600_000;
  await until(() => server.sessions === 1);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('hivemark_mcp_calls_under_way 0\n');
  expect(metrics).toContain('hivemark_mcp_streams 1\n');
  await steady.client.close();
}, 90_000);

test('sockets that break at any point of a request harm nobody', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const body = JSON.stringify(call(1, 'echo', { text: 'hi' }));
  const whole =
    `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer token-a\r\nMcp-Session-Id: ${session}\r\n` +
    `Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  for (let length = 1; length < whole.length; length += 3) await raw(server.port, whole.slice(0, length), 3);
  expect((await post(server.url, call(2, 'echo', { text: '' }), { session })).status).toBe(200);
  expect(server.notices).toEqual([]);
});

test('a server that lets calls of the vanished go on is caught', async () => {
  const server = await start({ limits: { resumeMs: 1e9, idleSessionMs: 1e9, sweepMs: 20 } });
  const { client, transport } = await connectClient(server.url);
  const slow = client.callTool({ name: 'slow', arguments: { ms: 60_000, text: '' } }).catch(() => undefined);
  await until(() => server.calls.started === 1);
  await transport.close();
  await slow;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(server.calls.aborted).toBe(0);
  expect(server.sessions).toBe(1);
});
