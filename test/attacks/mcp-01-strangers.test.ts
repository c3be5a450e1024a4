import { afterEach, expect, test } from 'vitest';
import { doorOf, strangerProblem } from '../../src/mcp/http-guard.ts';
import { INITIALIZE, raw, type Started, startTiny } from '../../src/mcp/test-http.ts';

/** DNS rebinding: a page of another site makes a browser on this machine talk to the server. */

const started: Started[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny(...args);
  started.push(server);
  return server;
};
afterEach(() => Promise.all(started.splice(0).map((server) => server.close(0))));

const body = JSON.stringify(INITIALIZE);

function request(port: number, target: string, lines: readonly string[]): string {
  return [
    `POST ${target} HTTP/1.1`,
    ...lines.map((line) => line.replace('PORT', String(port))),
    'Authorization: Bearer token-a',
    'Accept: application/json, text/event-stream',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

const STRANGERS: readonly (readonly [what: string, target: string, lines: readonly string[]])[] = [
  ['another host', '/mcp', ['Host: evil.example']],
  ['another host on our port', '/mcp', ['Host: evil.example:PORT']],
  ['a name that starts like ours', '/mcp', ['Host: localhost.evil.example:PORT']],
  ['a name that ends like ours', '/mcp', ['Host: evil-localhost:PORT']],
  ['another port', '/mcp', ['Host: 127.0.0.1:1']],
  ['no port', '/mcp', ['Host: 127.0.0.1']],
  ['a port with zeros before it', '/mcp', ['Host: 127.0.0.1:0PORT']],
  ['a trailing dot', '/mcp', ['Host: localhost.:PORT']],
  ['a decimal address', '/mcp', ['Host: 2130706433:PORT']],
  ['a short address', '/mcp', ['Host: 127.1:PORT']],
  ['the address that means any', '/mcp', ['Host: 0.0.0.0:PORT']],
  ['an IPv4 address dressed as IPv6', '/mcp', ['Host: [::ffff:127.0.0.1]:PORT']],
  ['IPv6 without brackets', '/mcp', ['Host: ::1:PORT']],
  ['a user before the host', '/mcp', ['Host: evil.example@127.0.0.1:PORT']],
  ['a path behind the host', '/mcp', ['Host: 127.0.0.1:PORT/mcp']],
  ['an empty host', '/mcp', ['Host: ']],
  ['no host', '/mcp', []],
  ['two hosts, ours first', '/mcp', ['Host: 127.0.0.1:PORT', 'Host: evil.example']],
  ['two hosts, ours last', '/mcp', ['Host: evil.example', 'Host: 127.0.0.1:PORT']],
  ['ours only behind a proxy', '/mcp', ['Host: evil.example', 'X-Forwarded-Host: 127.0.0.1:PORT']],
  ['an absolute target of another host', 'http://evil.example/mcp', ['Host: 127.0.0.1:PORT']],
  ['an absolute target of our host', 'http://127.0.0.1:PORT/mcp', ['Host: evil.example']],
  ['another origin', '/mcp', ['Host: 127.0.0.1:PORT', 'Origin: http://evil.example']],
  ['another origin on our port', '/mcp', ['Host: localhost:PORT', 'Origin: http://evil.example:PORT']],
  ['the origin of another port', '/mcp', ['Host: localhost:PORT', 'Origin: http://localhost:1']],
  ['an opaque origin', '/mcp', ['Host: localhost:PORT', 'Origin: null']],
  ['an origin of another scheme', '/mcp', ['Host: localhost:PORT', 'Origin: file://localhost:PORT']],
  ['an origin with a path', '/mcp', ['Host: localhost:PORT', 'Origin: http://localhost:PORT/x']],
  ['two origins', '/mcp', ['Host: localhost:PORT', 'Origin: http://localhost:PORT', 'Origin: http://evil.example']],
];

test.each(STRANGERS)('%s is not let in', async (_what, target, lines) => {
  const server = await start();
  const answer = await raw(server.port, request(server.port, target.replace('PORT', String(server.port)), lines));
  expect(answer.status).toBe(403);
  expect(JSON.parse(answer.body)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32000 } });
  expect(server.sessions).toBe(0);
  // Not by any path.
  const health = await raw(
    server.port,
    request(server.port, target.replace('/mcp', '/health'), lines).replace('POST', 'GET'),
  );
  expect(health.status).toBe(403);
});

test.each([
  ['127.0.0.1', ['Host: 127.0.0.1:PORT']],
  ['localhost in capitals', ['Host: LOCALHOST:PORT']],
  ['IPv6', ['Host: [::1]:PORT']],
  ['its own origin', ['Host: localhost:PORT', 'Origin: http://localhost:PORT']],
])('%s is let in', async (_what, lines) => {
  const server = await start();
  const answer = await raw(server.port, request(server.port, '/mcp', lines));
  expect(answer.status).toBe(200);
  expect(server.sessions).toBe(1);
});

test('a name that was allowed is let in, with its port or behind a proxy, and no other', async () => {
  const server = await start({
    allowedHosts: ['hive.example', 'other.example:8443'],
    allowedOrigins: ['https://ui.example'],
  });
  const status = async (...lines: string[]) => (await raw(server.port, request(server.port, '/mcp', lines))).status;
  expect(await status('Host: hive.example')).toBe(200);
  expect(await status('Host: hive.example:PORT', 'Origin: https://ui.example')).toBe(200);
  expect(await status('Host: other.example:8443')).toBe(200);
  expect(await status('Host: other.example')).toBe(403);
  expect(await status('Host: hive.example:1')).toBe(403);
  expect(() => doorOf('127.0.0.1', 1, ['http://x'])).toThrow('is no host');
});

test('HTTP/1.0 without a Host is not let in either', async () => {
  const server = await start();
  expect((await raw(server.port, 'GET /health HTTP/1.0\r\n\r\n')).status).toBe(403);
});

test('a server whose door lets everybody in is caught: the same requests come through', async () => {
  const server = await start({ allowedHosts: ['evil.example'] });
  const answer = await raw(server.port, request(server.port, '/mcp', ['Host: evil.example']));
  expect(answer.status).toBe(200);
  const door = doorOf('127.0.0.1', 80);
  expect(strangerProblem({ url: '/', rawHeaders: ['Host', '127.0.0.1'] }, door)).toBeUndefined();
  expect(strangerProblem({ url: '/', rawHeaders: ['Host', '127.0.0.1:81'] }, door)).toBeDefined();
});
