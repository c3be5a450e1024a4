import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  call,
  headersFor,
  INITIALIZE,
  messagesOf,
  openSession,
  post,
  type Started,
  startTiny,
  textOf,
} from '../../src/mcp/test-http.ts';
import { TokenBook } from '../../src/mcp/tokens.ts';

/** Somebody without a token, with one that is good no more, or with a good one and somebody else's session. */

const started: Started[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny(...args);
  started.push(server);
  return server;
};
const folder = await mkdtemp(join(tmpdir(), 'hivemark-attack-'));
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close(0)));
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ['none', {}],
  ['another scheme', { Authorization: 'Basic dG9rZW4tYTo=' }],
  ['none behind the scheme', { Authorization: 'Bearer ' }],
  ['two words', { Authorization: 'Bearer token-a token-b' }],
  ['one with a comma', { Authorization: 'Bearer token-a, Bearer token-b' }],
  ['one that is unknown', { Authorization: 'Bearer token-1' }],
  ['one that is too long', { Authorization: `Bearer ${'a'.repeat(8000)}` }],
  ['one in the query', {}],
])('a token that is %s opens nothing', async (what, headers) => {
  const server = await start();
  const path = what === 'one in the query' ? '/mcp?access_token=token-a&token=token-a' : '/mcp';
  for (const at of [path, '/runs/secret/mcp', '/nowhere']) {
    const answer = await post(server.url, INITIALIZE, { token: '', headers, path: at });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="hivemark"/u);
    expect(await answer.json()).toMatchObject({
      jsonrpc: '2.0',
      error: { message: expect.stringContaining('hivemark token') },
    });
  }
  expect(server.sessions).toBe(0);
});

test('a token that expires or is revoked is told so, and its sessions end', async () => {
  let now = Date.now();
  const book = new TokenBook(join(folder, 'tokens.json'), () => now);
  const server = await start({ authenticate: (token) => book.check(token), limits: { sweepMs: 20 } });
  const [short, long] = [(await book.issue('a', 60_000)).token, (await book.issue('b')).token];
  const echo = call(1, 'whose', {});
  const mine = await openSession(server.url, { token: short });
  const other = await openSession(server.url, { token: long });
  expect((await post(server.url, echo, { token: short, session: mine })).status).toBe(200);
  now += 60_000;
  const expired = await post(server.url, echo, { token: short, session: mine });
  expect(expired.status).toBe(401);
  expect(expired.headers.get('www-authenticate')).toContain(
    'error="invalid_token", error_description="the token has expired',
  );
  expect(server.sessions).toBe(1);
  await book.revoke('b');
  const revoked = await post(server.url, echo, { token: long, session: other });
  expect(revoked.status).toBe(401);
  expect(revoked.headers.get('www-authenticate')).toContain('the token was revoked');
  expect(server.sessions).toBe(0);
});

/** Everything one may try with somebody else's session id. @returns what came of it */
async function tryWith(url: string, session: string, token: string): Promise<readonly (readonly [number, string])[]> {
  const headers = headersFor({ token, session });
  const answers = [
    await post(url, call(1, 'whose', {}), { token, session }),
    await post(
      url,
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } },
      { token, session },
    ),
    await post(url, INITIALIZE, { token, session }),
    await fetch(`${url}/mcp`, { headers, signal: AbortSignal.timeout(2000) }),
    await fetch(`${url}/mcp`, { headers: { ...headers, 'Last-Event-ID': '1-0' }, signal: AbortSignal.timeout(2000) }),
    await fetch(`${url}/mcp`, { headers, method: 'DELETE' }),
  ];
  return Promise.all(
    answers.map(async (answer) => {
      if (answer.ok) {
        await answer.body?.cancel();
        return [answer.status, 'let in'] as const;
      }
      return [answer.status, await answer.text()] as const;
    }),
  );
}

test('the session of another token answers as one that never was, byte for byte', async () => {
  const server = await start();
  const session = await openSession(server.url, { token: 'token-a' });
  const foreign = await tryWith(server.url, session, 'token-b');
  const guessed = await tryWith(server.url, randomUUID(), 'token-b');
  expect(foreign).toEqual(guessed);
  expect(foreign.map(([status]) => status)).toEqual([404, 404, 404, 404, 404, 404]);
  // Its owner noticed nothing.
  const answer = await post(server.url, call(1, 'whose', {}), { session });
  expect(textOf((await messagesOf(answer))[0]?.['result'])).toBe('a');
});

test('session ids cannot be guessed from others, and odd ones are none', async () => {
  const server = await start();
  const sessions: string[] = [];
  for (let i = 0; i < 10; i++) sessions.push(await openSession(server.url));
  for (const session of sessions)
    expect(session).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u);
  expect(new Set(sessions.map((session) => session.slice(0, 8))).size).toBe(10);
  const [good = ''] = sessions;
  for (const odd of [
    good.toUpperCase(),
    good.slice(0, -1),
    `${good}, ${good}`,
    '__proto__',
    'constructor',
    '*',
    '0',
    'x'.repeat(4000),
  ])
    expect((await post(server.url, call(1, 'whose', {}), { session: odd })).status).toBe(404);
});

test('a server that binds sessions to nobody is caught: the same attempts come through', async () => {
  const careless = await start({ authenticate: undefined });
  const session = await openSession(careless.url, { token: 'token-a' });
  const foreign = await tryWith(careless.url, session, 'token-b');
  expect(foreign.filter(([, text]) => text === 'let in').length).toBeGreaterThan(2);
  const trusting = await start({ authenticate: () => Promise.resolve({ name: 'anybody' }) });
  expect((await post(trusting.url, INITIALIZE, { token: 'token-1' })).status).toBe(200);
});
