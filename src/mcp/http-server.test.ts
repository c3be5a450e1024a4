import { EmptyResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, expect, test } from 'vitest';
import { HttpServerError } from './http-server-error.ts';
import { MountRefusal } from './mount.ts';
import {
  call,
  connectClient,
  headersFor,
  INITIALIZE,
  messagesOf,
  openSession,
  post,
  type Started,
  startTiny,
  textOf,
  tinyServer,
  until,
} from './test-http.ts';

const started: Started[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny(...args);
  started.push(server);
  return server;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close(0)));
});

test('a client calls, gets progress, and leaves', async () => {
  const server = await start();
  const { client, transport } = await connectClient(server.url);
  expect(textOf(await client.callTool({ name: 'whose', arguments: {} }))).toBe('a');
  const seen: number[] = [];
  const result = await client.callTool({ name: 'steps', arguments: { count: 3, ms: 5 } }, undefined, {
    onprogress: ({ progress }) => seen.push(progress),
  });
  expect(textOf(result)).toBe('3 steps');
  expect(seen).toEqual([1, 2, 3]);
  expect(server.sessions).toBe(1);
  await transport.terminateSession();
  await client.close();
  expect(server.sessions).toBe(0);
});

test('a call that its client cancels is aborted, its id is free again, and its connection ends', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const slow = post(server.url, call(7, 'slow', { ms: 60_000, text: 'never' }), { session });
  await until(() => server.calls.started === 1);
  const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } };
  expect((await post(server.url, cancel, { session })).status).toBe(202);
  expect((await messagesOf(await slow)).filter((message) => 'id' in message)).toEqual([]);
  expect(server.calls.aborted).toBe(1);
  const again = await messagesOf(await post(server.url, call(7, 'echo', { text: 'free' }), { session }));
  expect(again.map((message) => message['id'])).toEqual([7]);
});

test('a call that is cancelled leaves no client of the SDK coming back for ever', async () => {
  const server = await start({ metrics: true, limits: { retryMs: 20 } });
  const { client } = await connectClient(server.url);
  const errors: string[] = [];
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client has one listener, as a property
  client.onerror = (error) => errors.push(error.message);
  const abort = new AbortController();
  const slow = client.callTool({ name: 'slow', arguments: { ms: 60_000, text: '' } }, undefined, {
    signal: abort.signal,
  });
  await until(() => server.calls.started === 1);
  abort.abort();
  await expect(slow).rejects.toThrow('abort');
  // An answer that is an error makes it come back too.
  await expect(client.request({ method: 'boom' }, EmptyResultSchema)).rejects.toThrow('internal error');
  const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
  await until(async () => /status="204"\} [12]\n/u.test(await metrics()));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const text = await metrics();
  expect(text).toMatch(/status="204"\} [12]\n/u);
  expect(text).toContain('hivemark_mcp_streams 1\n');
  expect(errors).toEqual([]);
  await client.close();
});

test('a call goes on when its client loses the connection, and the client comes back to the answer', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const abort = new AbortController();
  const cut = await post(server.url, call(1, 'slow', { ms: 200, text: 'still here' }), {
    session,
    signal: abort.signal,
  });
  const reader = cut.body?.getReader();
  const first = new TextDecoder().decode((await reader?.read())?.value);
  const lastEventId = /^id: (.+)$/mu.exec(first)?.[1] ?? '';
  expect(lastEventId).not.toBe('');
  abort.abort();
  const back = (headers: Record<string, string>) =>
    fetch(`${server.url}/mcp`, { headers: { ...headersFor({ session }), ...headers } });
  // Before the answer is there ...
  const live = await back({ 'Last-Event-ID': lastEventId });
  expect((await messagesOf(live)).map((message) => message['id'])).toEqual([1]);
  expect(server.calls).toEqual({ started: 1, finished: 1, aborted: 0 });
  // ... and after.
  const after = await messagesOf(await back({ 'Last-Event-ID': lastEventId }));
  expect(textOf(after[0]?.['result'])).toBe('still here');
  expect((await back({ 'Last-Event-ID': '99-1' })).status).toBe(400);
});

test.each([
  ['2025-11-25', 'when its time has run out', 300, 250],
  ['2025-06-18', 'at once', 600_000, 0],
])('a call whose client of %s does not come back is cancelled %s', async (version, _when, resumeMs, atLeastMs) => {
  const server = await start({ limits: { resumeMs, sweepMs: 20 } });
  const session = await openSession(server.url, { version });
  const abort = new AbortController();
  void post(server.url, call(1, 'slow', { ms: 60_000, text: '' }), { session, version, signal: abort.signal }).catch(
    () => undefined,
  );
  await until(() => server.calls.started === 1);
  const at = performance.now();
  abort.abort();
  await until(() => server.calls.aborted === 1);
  expect(performance.now() - at).toBeGreaterThan(atLeastMs);
});

test('what is not kept any more is said, not waited for', async () => {
  const server = await start({ limits: { maxReplayBytes: 500 } });
  const session = await openSession(server.url);
  const answer = await post(server.url, call(1, 'big', { characters: 1000 }), { session });
  const text = await answer.text();
  const lastEventId = /^id: (.+)$/mu.exec(text)?.[1] ?? '';
  const back = await fetch(`${server.url}/mcp`, {
    headers: { ...headersFor({ session }), 'Last-Event-ID': lastEventId },
  });
  expect(await messagesOf(back)).toMatchObject([{ id: 1, error: { message: expect.stringContaining('not kept') } }]);
});

test('a session ends when nobody used it for long, and one gives way to a new one of the same token', async () => {
  let now = 0;
  const server = await start({
    limits: { idleSessionMs: 150, sweepMs: 20, maxSessionsPerToken: 3 },
    now: () => now,
  });
  const sessions: string[] = [];
  for (let i = 0; i < 5; i++) {
    sessions.push(await openSession(server.url));
    now += 1;
  }
  expect(server.sessions).toBe(3);
  expect((await post(server.url, call(1, 'echo', { text: '' }), { session: sessions[0] ?? '' })).status).toBe(404);
  expect((await post(server.url, call(1, 'echo', { text: '' }), { session: sessions[4] ?? '' })).status).toBe(200);
  await openSession(server.url, { token: 'token-b' });
  expect(server.sessions).toBe(4);
  now += 150;
  await until(() => server.sessions === 0);
});

test('sessions that somebody is connected to do not give way', async () => {
  const server = await start({ limits: { maxSessionsPerToken: 2, maxSessions: 3 } });
  for (let i = 0; i < 2; i++) {
    const session = await openSession(server.url);
    await fetch(`${server.url}/mcp`, { headers: { ...headersFor({ session }), Accept: 'text/event-stream' } });
  }
  const refused = await post(server.url, INITIALIZE);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('5');
  await openSession(server.url, { token: 'token-b' });
  expect((await post(server.url, INITIALIZE, { token: 'token-c' })).status).toBe(503);
});

test('a token that runs out takes its sessions with it, whether they ask or only listen', async () => {
  let good = true;
  const server = await start({
    authenticate: () => Promise.resolve(good ? { name: 'a' } : { problem: 'expired' as const }),
    limits: { sweepMs: 20 },
  });
  const session = await openSession(server.url);
  const listening = await fetch(`${server.url}/mcp`, {
    headers: { ...headersFor({ session }), Accept: 'text/event-stream' },
  });
  expect(listening.status).toBe(200);
  good = false;
  expect(await listening.text()).toBe('');
  expect(server.sessions).toBe(0);
  const refused = await post(server.url, call(1, 'echo', { text: '' }), { session });
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toContain('error_description="the token has expired;');
});

test('a mount may refuse in its own words; what fails inside says nothing but that', async () => {
  const server = await start({
    mounts: (path) => ({
      path,
      open: () =>
        Promise.reject(
          path === '/no' ? new MountRefusal('b does not take part in this run') : new Error('cannot open /srv/x.db'),
        ),
    }),
  });
  const refused = await post(server.url, INITIALIZE, { path: '/no' });
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ error: { message: 'b does not take part in this run' } });
  const failed = await post(server.url, INITIALIZE, { path: '/broken' });
  expect(failed.status).toBe(500);
  expect(await failed.text()).not.toContain('/srv');
  expect(server.notices.join()).toContain('cannot open /srv/x.db');
});

test('a session belongs to the path it was opened at', async () => {
  const calls = { started: 0, finished: 0, aborted: 0 };
  const server = await start({ mounts: (path) => ({ path, open: () => Promise.resolve(tinyServer(calls)) }) });
  const session = await openSession(server.url, { path: '/runs/one/mcp' });
  const echo = call(1, 'echo', { text: '' });
  expect((await post(server.url, echo, { session, path: '/runs/two/mcp' })).status).toBe(404);
  expect((await post(server.url, echo, { session, path: '/runs/one/mcp' })).status).toBe(200);
  await server.endSessions('/runs/one/mcp');
  expect(server.sessions).toBe(0);
});

test('paths and methods that are not served are told so in JSON-RPC', async () => {
  const server = await start();
  const at = (path: string, method: string) => fetch(`${server.url}${path}`, { method, headers: headersFor({}) });
  for (const [path, method, status] of [
    ['/', 'GET', 404],
    ['/mcp/', 'POST', 404],
    ['/metrics', 'GET', 404],
    ['/.well-known/oauth-protected-resource', 'GET', 404],
    ['/mcp', 'PUT', 405],
    ['/mcp', 'OPTIONS', 405],
    ['/mcp', 'GET', 400],
    ['/mcp', 'DELETE', 400],
    ['/health', 'POST', 405],
  ] as const) {
    const answer = await at(path, method);
    expect([path, method, answer.status]).toEqual([path, method, status]);
    expect(await answer.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: {} });
  }
});

test('health says how it is; metrics count and name nobody', async () => {
  const server = await start({ metrics: true, health: () => ({ runs: 2 }) });
  expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: 'ok', runs: 2 });
  const session = await openSession(server.url);
  await (await post(server.url, call(1, 'echo', { text: 'secret words' }), { session })).text();
  await (await post(server.url, { jsonrpc: '2.0', id: 2, method: 'my "own"\nmethod' }, { session })).text();
  await (await post(server.url, call(1, 'echo', { text: '' }), { token: 'bad' })).text();
  const text = await (await fetch(`${server.url}/metrics`)).text();
  expect(text).toContain('hivemark_mcp_call_seconds_count{method="tools/call"} 1\n');
  expect(text).toContain('hivemark_mcp_call_seconds_count{method="other"} 1\n');
  expect(text).toContain('hivemark_mcp_refusals_total{reason="token-unknown"} 1\n');
  expect(text).toContain('hivemark_mcp_sessions 1\n');
  expect(text).not.toMatch(/echo|secret|my |token-a/u);
});

test('closing lets calls under way end, takes no new ones, and cuts off what is late', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const quick = post(server.url, call(1, 'slow', { ms: 60_000, text: 'in time' }), { session });
  const late = post(server.url, call(2, 'slow', { ms: 60_000, text: 'late' }), { session });
  await until(() => server.calls.started === 2);
  const at = performance.now();
  const closed = server.close(600);
  server.finish('in time');
  expect(textOf((await messagesOf(await quick))[0]?.['result'])).toBe('in time');
  expect((await messagesOf(await late)).filter((message) => 'id' in message)).toEqual([]);
  await closed;
  expect(performance.now() - at).toBeGreaterThan(500);
  expect(performance.now() - at).toBeLessThan(15_000);
  expect(server.calls).toEqual({ started: 2, finished: 1, aborted: 1 });
  await expect(fetch(`${server.url}/health`)).rejects.toThrow('fetch failed');
});

test('a port in use and an address that lets in everybody are refused with a way out', async () => {
  const server = await start();
  await expect(start({ port: server.port })).rejects.toThrow(
    new HttpServerError(
      'port-in-use',
      `port ${server.port} of 127.0.0.1 is in use by another program; give another port, or 0 for any that is free`,
    ),
  );
  await expect(start({ host: '0.0.0.0' })).rejects.toThrow('say under which names');
  await expect(start({ host: '0.0.0.0', allowedHosts: ['x'], authenticate: undefined })).rejects.toThrow(
    'without tokens',
  );
  await expect(start({ host: '203.0.113.7', allowedHosts: ['x'] })).rejects.toThrow('cannot be listened on');
  const open = await start({ authenticate: undefined });
  const { client } = await connectClient(open.url, '');
  expect(textOf(await client.callTool({ name: 'whose', arguments: {} }))).toBe('nobody');
  await client.close();
});
