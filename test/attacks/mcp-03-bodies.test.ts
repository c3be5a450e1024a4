import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { call, headersFor, openSession, post, raw, type Started, startTiny, until } from '../../src/mcp/test-http.ts';

/** Too much, too slow, or not what it says it is. */

const started: Started[] = [];
const sockets: Socket[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny(...args);
  started.push(server);
  return server;
};
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(started.splice(0).map((server) => server.close(0)));
});

function head(server: Started, session: string, lines: readonly string[]): string {
  const headers = Object.entries(headersFor({ session })).map(([name, value]) => `${name}: ${value}`);
  return [`POST /mcp HTTP/1.1`, `Host: 127.0.0.1:${server.port}`, ...headers, ...lines, '', ''].join('\r\n');
}

interface Flood {
  readonly status: number;
  /** Taken by the server's side of the connection. */
  readonly sent: number;
}

/** Sends a head and then `total` bytes as fast as they are taken. */
function flood(port: number, first: string, total: number, chunked: boolean): Promise<Flood> {
  return new Promise((resolve) => {
    const block = Buffer.alloc(64 * 1024, 0x20);
    const piece = chunked
      ? Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')])
      : block;
    let text = '';
    let written = 0;
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(first);
      const more = () => {
        while (written < total && !socket.destroyed) {
          written += block.length;
          if (!socket.write(piece)) {
            socket.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    sockets.push(socket);
    socket.setEncoding('latin1').on('data', (data: string) => (text += data));
    socket.on('error', () => undefined);
    socket.on('close', () =>
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/u.exec(text)?.[1] ?? 0), sent: written - socket.writableLength }),
    );
  });
}

const HUNDRED_MB = 100 * 1024 * 1024;

test.each([
  ['says so', 'length', 0],
  ['comes in chunks', 'chunked', 4 * 1024 * 1024],
])('a body of 100 MB that %s is refused without being read', async (_what, how, readable) => {
  const server = await start();
  const session = await openSession(server.url);
  const chunked = how === 'chunked';
  const lines = [chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${HUNDRED_MB}`];
  const before = process.memoryUsage().rss;
  const { status, sent } = await flood(server.port, head(server, session, lines), HUNDRED_MB, chunked);
  expect(status).toBe(413);
  // What the limit lets through, and what the kernel holds of a connection on both sides.
  expect(sent).toBeLessThan(readable + 16 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  expect((await post(server.url, call(1, 'echo', { text: '' }), { session })).status).toBe(200);
});

test('a client that asks first is told before it sends anything', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const asked = await raw(
    server.port,
    head(server, session, [`Content-Length: ${HUNDRED_MB}`, 'Expect: 100-continue']),
    3000,
  );
  expect(asked.status).toBe(413);
  const small = JSON.stringify(call(1, 'echo', { text: 'hi' }));
  const polite = await raw(
    server.port,
    `${head(server, session, [`Content-Length: ${small.length}`, 'Connection: close', 'Expect: 100-continue'])}${small}`,
  );
  expect(polite.status).toBe(100);
  expect(polite.body).toContain('HTTP/1.1 200');
});

test('a length that lies, in either direction, harms nobody else', async () => {
  // Long enough for those who are not slow, on a machine that is.
  const server = await start({ limits: { requestTimeoutMs: 2000, headersTimeoutMs: 1500 } });
  const session = await openSession(server.url);
  const body = JSON.stringify(call(1, 'echo', { text: 'hi' }));
  // More promised than sent: waits, then is told.
  const short = await raw(server.port, `${head(server, session, [`Content-Length: ${body.length + 100}`])}${body}`);
  expect(short.status).toBe(408);
  // Less promised than sent: the rest is no request.
  const long = await raw(server.port, `${head(server, session, [`Content-Length: 10`])}${body}`);
  expect(long.head).toMatch(/^HTTP\/1\.1 400/u);
  for (const lines of [
    ['Content-Length: -1'],
    ['Content-Length: 99999999999999999999'],
    ['Content-Length: 10', 'Content-Length: 20'],
    [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: gzip'],
  ])
    expect((await raw(server.port, `${head(server, session, lines)}${body}`)).head).toMatch(/^HTTP\/1\.1 4\d\d/u);
  expect((await post(server.url, call(1, 'echo', { text: '' }), { session })).status).toBe(200);
});

test('slow heads and slow bodies are cut off, many at a time, while others are served', async () => {
  const server = await start({ limits: { headersTimeoutMs: 2000, requestTimeoutMs: 3000 } });
  const session = await openSession(server.url);
  let closed = 0;
  for (let i = 0; i < 200; i++) {
    const socket = connect(server.port, '127.0.0.1');
    sockets.push(socket);
    const slowHead = i % 2 === 0;
    socket.write(slowHead ? 'POST /mcp HTTP/1.1\r\nHost: 127.0.0.1' : head(server, session, ['Content-Length: 1000']));
    const drip = setInterval(() => socket.write(slowHead ? 'x' : ' '), 50);
    socket.on('error', () => undefined).resume();
    socket.on('close', () => {
      clearInterval(drip);
      closed++;
    });
  }
  expect((await post(server.url, call(1, 'echo', { text: '' }), { session })).status).toBe(200);
  // Meanwhile they were there.
  expect(closed).toBeLessThan(200);
  await until(() => closed === 200);
});

test('a flood of headers is refused', async () => {
  const server = await start();
  const many = Array.from({ length: 5000 }, (_, i) => `X-${i}: ${i}`);
  const answer = await raw(
    server.port,
    `GET /health HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n${many.join('\r\n')}\r\n\r\n`,
  );
  expect(answer.status).toBe(431);
  expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', id: null });
  const garbage = await raw(server.port, 'EHLO hive\r\n\r\n');
  expect(garbage.status).toBe(400);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});

test('more connections than are taken are closed at once', async () => {
  const server = await start({ limits: { maxConnections: 20 } });
  let closed = 0;
  for (let i = 0; i < 60; i++) {
    const socket = connect(server.port, '127.0.0.1')
      .on('error', () => undefined)
      .resume();
    socket.on('close', () => closed++);
    sockets.push(socket);
  }
  await until(() => closed === 40);
  expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(20);
});

test('a server without limits is caught: all of it is read, and nobody is cut off', async () => {
  const server = await start({ limits: { maxBodyBytes: 1e9, requestTimeoutMs: 0, headersTimeoutMs: 0 } });
  const session = await openSession(server.url);
  const size = 24 * 1024 * 1024;
  const lines = [`Content-Length: ${size}`, 'Connection: close'];
  const { status, sent } = await flood(server.port, head(server, session, lines), size, false);
  expect(status).toBe(400);
  expect(sent).toBe(size);
  const slow = await raw(server.port, 'POST /mcp HTTP/1.1\r\nHost: 127', 700);
  expect(slow.status).toBe(0);
});
