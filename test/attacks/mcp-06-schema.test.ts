import { afterEach, expect, test } from 'vitest';
import { jsonProblem, parseBody } from '../../src/mcp/http-body.ts';
import { DEFAULT_HTTP_LIMITS } from '../../src/mcp/http-limits.ts';
import { call, messagesOf, openSession, post, type Started, startTiny, until } from '../../src/mcp/test-http.ts';

/** JSON that is none, too much, or made to confuse. */

const started: Started[] = [];
const start = async (...args: Parameters<typeof startTiny>): Promise<Started> => {
  const server = await startTiny(...args);
  started.push(server);
  return server;
};
afterEach(() => Promise.all(started.splice(0).map((server) => server.close(0))));

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const withText = (text: string) => JSON.stringify(call(1, 'echo', { text: 'HERE' })).replace('"HERE"', text);

const ABUSE: readonly (readonly [what: string, body: string, code: number])[] = [
  ['nothing', '', -32700],
  ['no JSON', '{"jsonrpc": "2.0",', -32700],
  ['two documents', `${JSON.stringify(ping)}${JSON.stringify(ping)}`, -32700],
  ['a byte order of its own', `\uFEFF\uFEFF${JSON.stringify(ping)}`, -32700],
  ['a number', '1', -32600],
  ['null', 'null', -32600],
  ['an empty batch', '[]', -32600],
  ['a batch of 100 000', JSON.stringify(Array.from({ length: 100_000 }, () => 1)), -32600],
  ['a batch of 51', JSON.stringify(Array.from({ length: 51 }, (_, id) => ({ ...ping, id }))), -32600],
  ['a batch in a batch', JSON.stringify([[ping]]), -32600],
  ['arrays in arrays, a million deep', withText(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`), -32600],
  ['objects in objects, 100 000 deep', withText(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`), -32600],
  ['65 levels', withText(`${'['.repeat(65)}${']'.repeat(65)}`), -32600],
  ['a million values', withText(`[${'0,'.repeat(1_000_000)}0]`), -32600],
  ['a key __proto__', withText('{"__proto__": {"isAdmin": true}}'), -32600],
  ['a key __proto__ in escapes', withText('{"__pr\\u006fto__": {"isAdmin": true}}'), -32600],
  ['__proto__ at the top', '{"jsonrpc":"2.0","id":1,"method":"ping","__proto__":{"params":{}}}', -32600],
  ['no version', '{"id":1,"method":"ping"}', -32600],
  ['another version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
  ['a version that is a number', '{"jsonrpc":2.0,"id":1,"method":"ping"}', -32600],
  ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
  ['an id that is a fraction', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600],
  ['an id that is huge', '{"jsonrpc":"2.0","id":1e308,"method":"ping"}', -32600],
  ['an id past what is exact', '{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}', -32600],
  ['an id of a megabyte', `{"jsonrpc":"2.0","id":"${'x'.repeat(1_000_000)}","method":"ping"}`, -32600],
  ['a method that is no text', '{"jsonrpc":"2.0","id":1,"method":["ping"]}', -32600],
  ['params that are a list', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', -32600],
  ['keys nobody knows', '{"jsonrpc":"2.0","id":1,"method":"ping","agent":"b","score":1}', -32600],
];

test.each(ABUSE)('%s is answered as what it is, quickly', async (_what, body, code) => {
  const server = await start();
  const session = await openSession(server.url);
  // Of the processor, client and server: what else the machine does is not theirs.
  const before = process.cpuUsage();
  const answer = await post(server.url, body, { session });
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(1500);
  expect(answer.status).toBe(400);
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: { code } });
  expect(text.length).toBeLessThan(400);
  expect(text).not.toMatch(/node_modules|\.ts\b|\.js\b|at .*:\d+|\/src\//u);
  expect(Object.hasOwn(Object.prototype, 'isAdmin')).toBe(false);
  expect((await post(server.url, ping, { session })).status).toBe(200);
});

test('text that is no UTF-8 is no JSON', () => {
  const bytes = Buffer.concat([
    Buffer.from('{"jsonrpc":"2.0","id":"'),
    Buffer.from([0xc3, 0x28]),
    Buffer.from('","method":"ping"}'),
  ]);
  expect(parseBody(bytes, DEFAULT_HTTP_LIMITS)).toMatchObject({ status: 400, code: -32700 });
});

test('odd ids that are ids get their answers', async () => {
  const server = await start();
  const session = await openSession(server.url);
  for (const id of [
    -1,
    0,
    -9007199254740991,
    9007199254740991,
    '',
    '__proto__',
    'constructor',
    '1',
    'é\u0000\n"',
    'x'.repeat(256),
  ]) {
    const [message] = await messagesOf(await post(server.url, { ...ping, id }, { session }));
    expect(message).toEqual({ jsonrpc: '2.0', id, result: {} });
  }
});

test('an id that is under way is not taken a second time, alone or in a batch; text and number are two ids', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const slow = post(server.url, call(5, 'slow', { ms: 60_000, text: 'the first' }), { session });
  await until(() => server.calls.started === 1);
  for (const body of [
    call(5, 'echo', { text: 'the second' }),
    [call(6, 'echo', { text: '' }), call(5, 'echo', { text: '' })],
  ]) {
    const refused = await post(server.url, body, { session });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('under way in this session');
  }
  const twins = [call(7, 'echo', { text: '' }), call(7, 'echo', { text: '' })];
  expect((await post(server.url, twins, { session })).status).toBe(400);
  expect(await messagesOf(await post(server.url, call('5', 'echo', { text: '' }), { session }))).toMatchObject([
    { id: '5' },
  ]);
  server.finish('the first');
  expect(await (await slow).text()).toContain('the first');
});

test('a message may speak of __proto__ in its text', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const answer = await post(server.url, call(1, 'echo', { text: '({}).__proto__ "__proto__"' }), { session });
  expect(await answer.text()).toContain('__proto__');
});

test('headers that contradict the protocol are refused', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const status = async (headers: Record<string, string>) => (await post(server.url, ping, { session, headers })).status;
  expect(await status({ Accept: 'application/json' })).toBe(406);
  expect(await status({ 'Content-Type': 'text/plain' })).toBe(415);
  expect(await status({ 'Content-Type': 'multipart/form-data; boundary=application/json' })).toBe(415);
  expect(await status({ 'Mcp-Protocol-Version': '1999-01-01' })).toBe(400);
  const again = {
    ...ping,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };
  expect((await post(server.url, again, { session })).status).toBe(400);
});

test('what fails inside tells nothing of the inside', async () => {
  const server = await start();
  const session = await openSession(server.url);
  const answer = await messagesOf(await post(server.url, { ...ping, method: 'boom' }, { session }));
  expect(answer).toEqual([{ jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'internal error' } }]);
  expect(server.notices.join()).toContain('/srv/private/marks.db');
});

test('a reader without limits is caught: it takes what it should not', () => {
  const none = { ...DEFAULT_HTTP_LIMITS, maxBatch: 1e9, maxJsonDepth: 1e9, maxJsonValues: 1e9 };
  const deep: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);
  expect(jsonProblem(deep, none)).toBeUndefined();
  expect(jsonProblem(deep, DEFAULT_HTTP_LIMITS)).toContain('deeper than 64');
  const batch = Buffer.from(JSON.stringify(Array.from({ length: 1000 }, (_, id) => ({ ...ping, id }))));
  expect(parseBody(batch, none)).toHaveProperty('messages');
  expect(parseBody(batch, DEFAULT_HTTP_LIMITS)).toHaveProperty('status', 400);
});
