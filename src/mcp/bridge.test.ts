import { PassThrough } from 'node:stream';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { afterEach, expect, test } from 'vitest';
import { bridge, type BridgeOptions } from './bridge.ts';
import { call, INITIALIZE, type Started, startTiny, textOf, tinyServer, until } from './test-http.ts';
import { createStdioTransport } from './stdio.ts';

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

async function start(options: Parameters<typeof startTiny>[0] = {}): Promise<Started> {
  const server = await startTiny(options);
  cleanup.push(() => server.close(0));
  return server;
}

/** The SDK's client at one end of a bridge. */
async function bridged(url: string, options: Partial<BridgeOptions> = {}) {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const notices: string[] = [];
  const ended = bridge(far, {
    url: `${url}/mcp`,
    token: 'token-a',
    onNotice: (text) => notices.push(text),
    ...options,
  });
  const client = new Client({ name: 'test', version: '1' });
  cleanup.push(() => client.close());
  const connected = client.connect(near);
  return { client, connected, notices, ended };
}

/** Ends a server; what was kept open of connections to it is known to be gone. */
async function end(server: Started): Promise<void> {
  await server.close(0);
  // After the clients in this process have heard of it, whatever waited before.
  await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setImmediate(resolve));
}

/** No stream is taken up again meanwhile: that a server is gone is found by the next call. */
const NO_RETRY = { limits: { retryMs: 600_000 } };

const echo = (client: Client, text: string) => client.callTool({ name: 'echo', arguments: { text } });

test('a client behind a bridge calls, gets progress, cancels, and says goodbye for good', async () => {
  const server = await start();
  const { client, connected, ended } = await bridged(server.url);
  await connected;
  expect(textOf(await echo(client, 'across'))).toBe('across');
  const seen: number[] = [];
  await client.callTool({ name: 'steps', arguments: { count: 2, ms: 5 } }, undefined, {
    onprogress: ({ progress }) => seen.push(progress),
  });
  expect(seen).toEqual([1, 2]);
  const abort = new AbortController();
  const slow = client.callTool({ name: 'slow', arguments: { ms: 60_000, text: '' } }, undefined, {
    signal: abort.signal,
  });
  await until(() => server.calls.started === 1);
  abort.abort();
  await expect(slow).rejects.toThrow('abort');
  await until(() => server.calls.aborted === 1);
  expect(server.sessions).toBe(1);
  await client.close();
  await ended;
  await until(() => server.sessions === 0);
});

test('a server that restarts is waited for; a call it had under way is answered with what is known', async () => {
  const first = await start(NO_RETRY);
  const { client, connected, notices } = await bridged(first.url);
  await connected;
  const under = client.callTool({ name: 'slow', arguments: { ms: 60_000, text: '' } });
  const told = under.catch((error: unknown) => String(error));
  await until(() => first.calls.started === 1);
  await end(first);
  const during = echo(client, 'meanwhile');
  await new Promise((resolve) => setTimeout(resolve, 200));
  const second = await start({ port: first.port });
  expect(textOf(await during)).toBe('meanwhile');
  expect(await told).toContain('whether it took effect is not known');
  expect(textOf(await echo(client, 'after'))).toBe('after');
  expect(second.sessions).toBe(1);
  expect(notices).toEqual([`connected to ${first.url}/mcp again`]);
});

test('a session that the server ended is opened again', async () => {
  const server = await start();
  const { client, connected } = await bridged(server.url);
  await connected;
  await server.endSessions('/mcp');
  expect(server.sessions).toBe(0);
  expect(textOf(await echo(client, 'again'))).toBe('again');
  expect(server.sessions).toBe(1);
});

test('subscriptions hold in the new session, and the client is told to look again', async () => {
  const subscribed: string[] = [];
  const server = await start({
    mounts: (path) => ({
      path,
      open: async () => {
        const { SubscribeRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
        const tiny = tinyServer({ started: 0, finished: 0, aborted: 0 });
        tiny.server.registerCapabilities({ resources: { subscribe: true } });
        tiny.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
          subscribed.push(params.uri);
          return {};
        });
        return tiny;
      },
    }),
  });
  const { client, connected } = await bridged(server.url);
  await connected;
  const updated: unknown[] = [];
  client.fallbackNotificationHandler = (notification) => {
    updated.push(notification.params?.['uri']);
    return Promise.resolve();
  };
  await client.subscribeResource({ uri: 'hivemark://files/agent.ts' });
  await server.endSessions('/mcp');
  await echo(client, '');
  expect(subscribed).toEqual(['hivemark://files/agent.ts', 'hivemark://files/agent.ts']);
  await until(() => updated.length === 1);
});

test('a server that is gone for good is told in plain words, each call anew, until it is there again', async () => {
  const first = await start(NO_RETRY);
  let tries = 0;
  const find = () => Promise.resolve(void (tries += 1));
  const { client, connected, notices } = await bridged(first.url, { patienceMs: 5000, find });
  await connected;
  expect(textOf(await echo(client, 'there'))).toBe('there');
  await end(first);
  await expect(echo(client, '')).rejects.toThrow(
    `the hivemark server at ${first.url}/mcp does not answer (ECONNREFUSED); is it running?`,
  );
  expect(tries).toBeGreaterThan(0);
  tries = 0;
  await expect(echo(client, '')).rejects.toThrow('Start it again, then repeat the call');
  // It did not wait to look again.
  expect(tries).toBe(0);
  await start({ port: first.port });
  expect(textOf(await echo(client, 'back'))).toBe('back');
  expect(notices.at(-1)).toContain('again');
});

test('what the server refuses is told in its words, at the start and later', async () => {
  let good = true;
  const server = await start({
    authenticate: (token) =>
      Promise.resolve(token === 'token-a' && good ? { name: 'a' } : { problem: 'revoked' as const }),
    limits: { requestsPerSecond: 1, requestBurst: 4 },
    now: () => 0,
  });
  const stranger = await bridged(server.url, { token: 'token-b' });
  await expect(stranger.connected).rejects.toThrow('the token was revoked');
  const { client, connected } = await bridged(server.url);
  await connected;
  await expect(Promise.all([echo(client, ''), echo(client, ''), echo(client, ''), echo(client, '')])).rejects.toThrow(
    'too many requests',
  );
  good = false;
  await expect(echo(client, '')).rejects.toThrow('the token was revoked');
  const nowhere = await bridged('http://127.0.0.1:9', { patienceMs: 100 });
  await expect(nowhere.connected).rejects.toThrow('is it running?');
});

test('over pipes, from the first line to the end of the input', async () => {
  const server = await start();
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let text = '';
  stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = bridge(createStdioTransport({ stdin, stdout }), { url: `${server.url}/mcp`, token: 'token-a' });
  const say = (message: unknown) => stdin.write(`${JSON.stringify(message)}\n`);
  say(INITIALIZE);
  await until(() => text.includes('"id":0'));
  say({ jsonrpc: '2.0', method: 'notifications/initialized' });
  say(call(1, 'echo', { text: 'one' }));
  stdin.end(`${JSON.stringify(call(2, 'slow', { ms: 100, text: 'two' }))}\n`);
  await ended;
  const ids = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: number });
  expect(ids.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual([0, 1, 2]);
  await until(() => server.sessions === 0);
});
