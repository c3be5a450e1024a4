import { afterEach, expect, test } from 'vitest';
import {
  call,
  INITIALIZE,
  messagesOf,
  openSession,
  post,
  type Started,
  startTiny,
  until,
} from '../../src/mcp/test-http.ts';
import { TokenBucket } from '../../src/mcp/rate-limit.ts';

/** More requests, calls and sessions than anybody needs. */

const started: Started[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny(...args);
  started.push(server);
  return server;
};
afterEach(() => Promise.all(started.splice(0).map((server) => server.close(0))));

/** So many requests at once. @returns how many of them were let in */
async function burst(server: Started, session: string, count: number, token = 'token-a'): Promise<number> {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const answers = await Promise.all(
    ids.map((id) => post(server.url, call(id, 'echo', { text: '' }), { session, token })),
  );
  await Promise.all(answers.filter(({ ok }) => ok).map((answer) => answer.text()));
  for (const answer of answers.filter(({ ok }) => !ok)) {
    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(await answer.json()).toMatchObject({ error: { code: -32029, data: { retryAfterMs: expect.any(Number) } } });
  }
  return answers.filter(({ ok }) => ok).length;
}

test('a session gets so many requests at once and so many a second, and no other pays for it', async () => {
  let now = 0;
  const server = await start({ limits: { requestsPerSecond: 10, requestBurst: 30 }, now: () => now });
  const session = await openSession(server.url);
  const other = await openSession(server.url, { token: 'token-b' });
  // One of the 30 was for `initialized`.
  expect(await burst(server, session, 60)).toBe(29);
  expect(await burst(server, other, 10, 'token-b')).toBe(10);
  now += 1000;
  expect(await burst(server, session, 20)).toBe(10);
  now += 60_000;
  expect(await burst(server, session, 40)).toBe(30);
});

test('a batch counts for what is in it', async () => {
  let now = 0;
  const server = await start({ limits: { requestsPerSecond: 10, requestBurst: 30 }, now: () => now });
  const session = await openSession(server.url, { version: '2025-03-26' });
  const batch = Array.from({ length: 20 }, (_, i) => call(i, 'echo', { text: '' }));
  const send = () => post(server.url, batch, { session, version: '2025-03-26' });
  expect(await messagesOf(await send())).toHaveLength(20);
  expect((await send()).status).toBe(429);
  now += 3000;
  expect((await send()).status).toBe(200);
});

test('so many calls may be under way; the others are told to wait, and there is room again when one ends', async () => {
  const server = await start({ limits: { maxCallsPerSession: 8 } });
  const session = await openSession(server.url);
  const calls = Array.from({ length: 8 }, (_, i) =>
    post(server.url, call(i, 'slow', { ms: 60_000, text: 'held' }), { session }),
  );
  await until(() => server.calls.started === 8);
  const refused = await post(server.url, call(100, 'echo', { text: '' }), { session });
  expect(refused.status).toBe(429);
  expect(await refused.json()).toMatchObject({ id: 100, error: { message: expect.stringContaining('8 may be') } });
  // What ends a call is not a call.
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
  expect((await post(server.url, cancel, { session })).status).toBe(202);
  expect((await post(server.url, call(101, 'echo', { text: '' }), { session })).status).toBe(200);
  server.finish('held');
  await Promise.all(calls.map(async (answer) => (await answer).text()));
  expect(server.calls).toEqual({ started: 8, finished: 7, aborted: 1 });
});

test('new sessions are counted by token, so that opening others is no way around', async () => {
  const now = 0;
  const server = await start({
    limits: { requestsPerSecond: 5, requestBurst: 20, maxSessionsPerToken: 4 },
    now: () => now,
  });
  const answers = await Promise.all(Array.from({ length: 40 }, () => post(server.url, INITIALIZE)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
  await Promise.all(answers.map((answer) => answer.text()));
  expect(server.sessions).toBeLessThanOrEqual(4);
});

test('a clock that goes back or stands still grants nothing', () => {
  const bucket = new TokenBucket(10, 5, 1000);
  expect(bucket.take(5, 1000)).toBe(0);
  expect(bucket.take(1, 1000)).toBe(100);
  expect(bucket.take(1, 0)).toBe(100);
  expect(bucket.take(1, 50)).toBe(50);
  expect(bucket.take(1, 100)).toBe(0);
  expect(bucket.take(100, 10_000)).toBe(0);
  expect(bucket.take(1, 10_000)).toBeGreaterThan(0);
});

test('a server that counts nothing is caught: all of it comes through', async () => {
  const server = await start({ limits: { requestsPerSecond: 1e9, requestBurst: 1e9, maxCallsPerSession: 1e9 } });
  expect(await burst(server, await openSession(server.url), 60)).toBe(60);
});
