import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import {
  call,
  headersFor,
  messagesOf,
  openSession,
  post,
  type Started,
  startTiny,
  textOf,
  until,
} from '../../src/mcp/test-http.ts';

/** A client that asks for much and reads nothing. */

const started: Started[] = [];
const sockets: Socket[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny({ metrics: true, ...args[0] });
  started.push(server);
  return server;
};
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(started.splice(0).map((server) => server.close(0)));
});

/** Asks on a connection of its own and leaves the answer where it is. */
function ask(server: Started, session: string, message: object): Socket & { cut?: boolean } {
  const body = JSON.stringify(message);
  const headers = Object.entries(headersFor({ session })).map(([name, value]) => `${name}: ${value}`);
  const socket: Socket & { cut?: boolean } = connect(server.port, '127.0.0.1');
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${headers.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  socket.pause().on('error', () => {
    socket.cut = true;
  });
  sockets.push(socket);
  return socket;
}

async function metric(server: Started, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^hivemark_${name.replaceAll(/[{}]/gu, '\\$&')} (\\d+)$`, 'mu').exec(text)?.[1]);
}

const MB = 1024 * 1024;

/** Asks for 40 large answers and looks until all of them were made. @returns the most that was unread at a look */
async function floodOf(server: Started, session: string): Promise<number> {
  for (let id = 1; id <= 40; id++) ask(server, session, call(id, 'big', { characters: 4 * MB }));
  let most = 0;
  await until(async () => {
    const made = await metric(server, 'mcp_call_seconds_count{method="tools/call"}');
    most = Math.max(most, await metric(server, 'mcp_unread_bytes'));
    return made === 40;
  }, 40_000);
  return most;
}

test('what a client does not read is kept up to a limit; past it, it is cut off, and nobody else notices', async () => {
  const server = await start({ limits: { maxUnreadBytes: 4 * MB } });
  const session = await openSession(server.url);
  const other = await openSession(server.url, { token: 'token-b' });
  const most = await floodOf(server, session);
  // The fault fired: more was asked for than is kept.
  expect(await metric(server, 'mcp_streams_cut_total')).toBeGreaterThan(10);
  expect(most).toBeGreaterThan(MB);
  // The limit, and the one message that went past it.
  expect(most).toBeLessThan(9 * MB);
  const echo = await messagesOf(
    await post(server.url, call(1, 'echo', { text: 'here' }), { session: other, token: 'token-b' }),
  );
  expect(textOf(echo[0]?.['result'])).toBe('here');
  // The session itself goes on.
  expect((await post(server.url, call(99, 'echo', { text: '' }), { session })).status).toBe(200);
}, 60_000);

test('a reader that takes nothing for long is cut off, one that is only slow is not', async () => {
  const server = await start({ limits: { maxUnreadBytes: 64 * MB, stalledReaderMs: 400, sweepMs: 50 } });
  const session = await openSession(server.url);
  ask(server, session, call(1, 'big', { characters: 12 * MB }));
  const at = performance.now();
  await until(async () => (await metric(server, 'mcp_streams_cut_total')) === 1);
  expect(performance.now() - at).toBeGreaterThan(300);
  expect(await metric(server, 'mcp_unread_bytes')).toBe(0);
});

test('a session that ends leaves nothing unread behind', async () => {
  const server = await start({ limits: { maxUnreadBytes: 64 * MB } });
  const session = await openSession(server.url);
  const socket = ask(server, session, call(1, 'big', { characters: 12 * MB }));
  await until(async () => (await metric(server, 'mcp_unread_bytes')) > 0);
  await server.endSessions('/mcp');
  await new Promise((resolve) => setTimeout(resolve, 1200));
  socket.resume();
  await until(() => socket.destroyed || socket.cut === true);
  expect(server.sessions).toBe(0);
});

test('a server that keeps whatever is not read is caught', async () => {
  const server = await start({ limits: { maxUnreadBytes: 1e9 } });
  const session = await openSession(server.url);
  expect(await floodOf(server, session)).toBeGreaterThan(50 * MB);
}, 60_000);
