import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Model, ModelRequest } from '../../src/agents/model.ts';
import { ModelError } from '../../src/agents/model.ts';
import type { OpenModelOptions } from '../../src/agents/open-model.ts';
import { openModel, pingModel } from '../../src/agents/open-model.ts';
import type { RetryPolicy, Timing } from '../../src/agents/resilience.ts';
import { RETRY_POLICY } from '../../src/agents/resilience.ts';
import { MAX_ARGUMENT_CHARS } from '../../src/agents/tool-arguments.ts';
import type { Act, FakeProvider } from './fake-provider.ts';
import { startFakeProvider } from './fake-provider.ts';

const KEY = 'sk-test-0123456789abcdef';
const ECHO = {
  name: 'echo',
  description: 'Says it again.',
  parameters: {
    type: 'object',
    properties: { text: { type: 'string' } },
    required: ['text'],
    additionalProperties: false,
  },
};
const REQUEST: ModelRequest = { messages: [{ role: 'user', text: 'hello' }], tools: [ECHO] };
const call = (id: string, text: string) => ({ id, name: 'echo', arguments: JSON.stringify({ text }) });

interface Provider {
  readonly title: string;
  readonly model: string;
  readonly path: string;
  readonly keyEnv: string;
}
const PROVIDERS: readonly Provider[] = [
  { title: 'openai', model: 'openai/gpt-test', path: '/v1', keyEnv: 'OPENAI_API_KEY' },
  { title: 'openai-compatible', model: 'openai-compatible/org/open-test', path: '/v1', keyEnv: 'HIVEMARK_API_KEY' },
  { title: 'anthropic', model: 'anthropic/claude-test', path: '', keyEnv: 'ANTHROPIC_API_KEY' },
];

describe.each(PROVIDERS)('over HTTP, $title', ({ title, model: name, path, keyEnv }) => {
  let server: FakeProvider;
  let slept: number[];
  beforeEach(async () => {
    server = await startFakeProvider();
    slept = [];
  });
  afterEach(() => server.close());

  /** Waits take no time but move the clock. */
  function timing(): Timing {
    let skipped = 0;
    return {
      now: () => performance.now() + skipped,
      sleep: async (ms) => {
        slept.push(ms);
        skipped += ms;
      },
      random: () => 0.5,
    };
  }

  async function open(
    policy: Partial<RetryPolicy> = {},
    stream = true,
    shared: Pick<OpenModelOptions, 'timing' | 'breakers'> = { timing: timing(), breakers: new Map() },
  ): Promise<Model> {
    return openModel(
      { model: name, baseUrl: `${server.origin}${path}`, agent: 'a', seed: 1, stream },
      { [keyEnv]: KEY },
      { policy: { ...RETRY_POLICY, ...policy }, ...shared },
    );
  }

  async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
    const error: unknown = await promise.then(
      () => undefined,
      (caught: unknown) => caught,
    );
    if (!(error instanceof ModelError)) throw new Error(`not a ModelError: ${String(error)}`);
    for (const text of [error.message, error.stack ?? '', JSON.stringify(error), String(error.cause)]) {
      expect(text).not.toContain(KEY);
    }
    return error;
  }

  test('a plain turn arrives whole, with usage, and the key is sent in its header only', async () => {
    server.script({
      kind: 'turn',
      text: 'héllo wörld 🎉',
      usage: { input: 1200, output: 30, cached: 1000, written: 100 },
    });
    const model = await open();
    const reply = await model.complete(REQUEST);
    expect(reply).toEqual({
      text: 'héllo wörld 🎉',
      toolCalls: [],
      stopReason: 'end',
      usage: { inputTokens: 1200, outputTokens: 30, cachedInputTokens: 1000, cacheWriteInputTokens: 100 },
      attempts: 1,
    });
    expect([model.name, model.identity, model.scripted]).toEqual([name, name, false]);
    const [seen] = server.seen;
    expect(JSON.stringify(seen?.body)).not.toContain(KEY);
    expect(seen?.headers['authorization']).toBe(`Bearer ${KEY}`);
    expect(JSON.stringify(model)).not.toContain(KEY);
  });

  test('a reply that is not streamed says the same', async () => {
    const turn: Act = { kind: 'turn', text: 'on it', toolCalls: [call('c1', 'x')] };
    server.script(turn, turn);
    const streamed = await (await open()).complete(REQUEST);
    expect(await (await open({}, false)).complete(REQUEST)).toEqual(streamed);
    expect(server.seen.map(({ body }) => streamOf(body))).toEqual([true, false]);
  });

  test('parallel tool calls keep their order and arguments', async () => {
    server.script({
      kind: 'turn',
      text: 'both',
      toolCalls: [call('c1', 'one'), call('c2', 'two'), call('c3', 'three')],
    });
    const reply = await (await open()).complete(REQUEST);
    expect(reply.stopReason).toBe('tool-calls');
    expect(reply.toolCalls).toEqual([
      { id: 'c1', name: 'echo', arguments: { text: 'one' } },
      { id: 'c2', name: 'echo', arguments: { text: 'two' } },
      { id: 'c3', name: 'echo', arguments: { text: 'three' } },
    ]);
  });

  test('a call without arguments has none', async () => {
    server.script({ kind: 'turn', toolCalls: [{ id: 'c1', name: 'echo', arguments: '' }] });
    expect((await (await open()).complete(REQUEST)).toolCalls).toEqual([{ id: 'c1', name: 'echo', arguments: {} }]);
  });

  test('429 then success waits as long as Retry-After says, in seconds or as a date', async () => {
    const date = 'Sat, 21 Nov 2026 10:00:07 GMT';
    server.script(
      { kind: 'status', status: 429, headers: { 'retry-after': '3' } },
      { kind: 'status', status: 429, headers: { 'retry-after': date, date: 'Sat, 21 Nov 2026 10:00:00 GMT' } },
      { kind: 'status', status: 429, headers: { 'retry-after': '86400' } },
      { kind: 'turn', text: 'at last' },
    );
    const reply = await (await open()).complete(REQUEST);
    expect([reply.text, reply.attempts]).toEqual(['at last', 4]);
    expect(slept).toEqual([3000, 7000, RETRY_POLICY.maxRetryAfterMs]);
    expect(server.fired).toEqual({ 'status-429': 3, turn: 1 });
  });

  test('5xx is retried with growing waits, then given up with the number of attempts', async () => {
    server.script(...[500, 502, 503, 529].map((status): Act => ({ kind: 'status', status })));
    const error = await failureOf((await open({ maxAttempts: 4 })).complete(REQUEST));
    expect([error.code, error.attempts, error.provider]).toEqual(['unavailable', 4, name]);
    expect(error.message).toContain('4 attempts');
    expect(slept).toEqual([750, 1500, 3000]);
    expect(server.fired).toEqual({ 'status-500': 1, 'status-502': 1, 'status-503': 1, 'status-529': 1 });
  });

  test('a stall, before or in the middle of the stream, is timed out and asked again', async () => {
    server.script({ kind: 'stall' }, { kind: 'stall', afterFrames: 2 }, { kind: 'turn', text: 'awake' });
    const reply = await (await open({ attemptTimeoutMs: 300 })).complete(REQUEST);
    expect([reply.text, reply.attempts]).toEqual(['awake', 3]);
    expect(server.fired['stall']).toBe(2);
    await expect.poll(() => server.abandoned).toBe(2);
  });

  test('nothing but stalls is a timeout', async () => {
    server.script({ kind: 'stall' }, { kind: 'stall' });
    const error = await failureOf((await open({ attemptTimeoutMs: 100, maxAttempts: 2 })).complete(REQUEST));
    expect([error.code, error.attempts]).toEqual(['timeout', 2]);
    expect(server.fired['stall']).toBe(2);
  });

  test.each(['end', 'destroy'] as const)('a stream cut in the middle (%s) yields no half reply', async (how) => {
    const turn = { text: 'first half and second half', toolCalls: [call('c1', 'one'), call('c2', 'two')] };
    // Cuts at every frame there is but the ones that only close: text, between calls, inside arguments.
    const cuts = [1, 3, 5, 7, 8].map((afterFrames): Act => ({ kind: 'cut', turn, afterFrames, how }));
    server.script(...cuts, { kind: 'turn', ...turn });
    const reply = await (await open({ maxAttempts: 9 })).complete(REQUEST);
    expect([reply.attempts, reply.text, reply.toolCalls.length]).toEqual([6, turn.text, 2]);
    expect(server.fired).toEqual({ [`cut-${how}`]: 5, turn: 1 });

    server.script(...cuts.slice(0, 2));
    const error = await failureOf((await open({ maxAttempts: 2 })).complete(REQUEST));
    expect(error.code).toBe('unavailable');
  });

  test('a connection reset is retried', async () => {
    server.script({ kind: 'reset' }, { kind: 'turn', text: 'back' });
    const reply = await (await open()).complete(REQUEST);
    expect([reply.text, reply.attempts, server.fired['reset']]).toEqual(['back', 2, 1]);
  });

  test('an error event in the stream, and a stream that cannot be read, are retried', async () => {
    server.script(
      { kind: 'stream-error', type: 'overloaded_error' },
      { kind: 'garbage' },
      { kind: 'turn', text: 'fine' },
    );
    const reply = await (await open()).complete(REQUEST);
    expect([reply.text, reply.attempts]).toEqual(['fine', 3]);
    expect(server.fired).toEqual({ 'stream-error': 1, garbage: 1, turn: 1 });
  });

  test('a server that is not there is unavailable, and its address is named', async () => {
    const model = await open({ maxAttempts: 2 });
    const { origin } = server;
    await server.close();
    const error = await failureOf(model.complete(REQUEST));
    expect([error.code, error.attempts]).toEqual(['unavailable', 2]);
    expect(error.message).toContain(origin);
    expect(error.message).toContain('ECONNREFUSED');
  });

  test.each([
    [400, 'bad-request', 'max_tokens'],
    [401, 'auth', keyEnv],
    [403, 'auth', keyEnv],
    [404, 'bad-request', name.slice(name.indexOf('/') + 1)],
    [307, 'bad-request', 'redirect'],
  ] as const)('%i is not retried, and says the way out', async (status, code, wayOut) => {
    const headers: Record<string, string> = status === 307 ? { location: `${server.origin}/elsewhere` } : {};
    server.script({ kind: 'status', status, headers, message: `max_tokens is too large for ${KEY}` });
    const error = await failureOf((await open()).complete(REQUEST));
    expect([error.code, error.attempts]).toEqual([code, 1]);
    expect(error.message).toContain(wayOut);
    expect(server.fired).toEqual({ [`status-${status}`]: 1 });
  });

  test('an account without credit is not asked again', async () => {
    server.script({ kind: 'status', status: 429, type: 'insufficient_quota' });
    const error = await failureOf((await open()).complete(REQUEST));
    expect([error.code, error.attempts]).toEqual(['rate-limited', 1]);
    expect(error.message).toContain('no credit');
  });

  test('malformed arguments are kept as they came, and the call is not given any', async () => {
    server.script({
      kind: 'turn',
      toolCalls: [{ id: 'c1', name: 'echo', arguments: '{"text": "half' }, call('c2', 'whole')],
    });
    const reply = await (await open()).complete(REQUEST);
    expect(reply.toolCalls).toEqual([
      { id: 'c1', name: 'echo', arguments: {}, malformed: '{"text": "half' },
      { id: 'c2', name: 'echo', arguments: { text: 'whole' } },
    ]);
  });

  test('arguments that are JSON but no object, or nested without end, are malformed', async () => {
    const deep = `{"text":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    server.script({
      kind: 'turn',
      toolCalls: ['[1]', '"text"', 'null', deep].map((text, index) => ({
        id: `c${index}`,
        name: 'echo',
        arguments: text,
      })),
    });
    const reply = await (await open()).complete(REQUEST);
    expect(reply.toolCalls.map(({ malformed }) => malformed?.slice(0, 9))).toEqual([
      '[1]',
      '"text"',
      'null',
      '{"text":[',
    ]);
  });

  test('10 MB of arguments are bounded, clearly malformed, and cost no retry', async () => {
    const size = 10 * 1024 * 1024;
    server.script({
      kind: 'turn',
      toolCalls: [{ id: 'c1', name: 'echo', arguments: JSON.stringify({ text: 'x'.repeat(size) }) }],
    });
    const reply = await (await open()).complete(REQUEST);
    const [first] = reply.toolCalls;
    expect(first?.arguments).toEqual({});
    expect(first?.malformed?.length).toBeLessThan(3000);
    expect(first?.malformed).toContain(`at most ${MAX_ARGUMENT_CHARS}`);
    expect([reply.attempts, server.fired['turn']]).toEqual([1, 1]);
  });

  test('a call sent twice is one call; different calls under one id are two', async () => {
    server.script({
      kind: 'turn',
      toolCalls: [call('c1', 'one'), call('c1', 'one'), call('c1', 'two'), { ...call('', 'three') }],
    });
    const { toolCalls } = await (await open()).complete(REQUEST);
    expect(toolCalls.map(({ arguments: args }) => args)).toEqual([{ text: 'one' }, { text: 'two' }, { text: 'three' }]);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(3);
    expect(toolCalls[0]?.id).toBe('c1');
  });

  test('a server that sends no usage is not taken to have charged nothing', async () => {
    server.script({ kind: 'turn', text: 'free?', usage: null });
    const { usage } = await (await open()).complete(REQUEST);
    expect(usage).toEqual({ inputTokens: 0, outputTokens: 0, missing: true });
  });

  test('a reply cut at the output limit says so', async () => {
    server.script({ kind: 'turn', text: 'and then', finish: title === 'anthropic' ? 'max_tokens' : 'length' });
    expect((await (await open()).complete(REQUEST)).stopReason).toBe('length');
  });

  test('reasoning goes back with the next request, and nowhere else', async () => {
    server.script(
      { kind: 'turn', reasoning: 'secret thoughts', text: 'so:', toolCalls: [call('c1', 'one')] },
      { kind: 'turn', text: 'done' },
    );
    const model = await open();
    const { text, toolCalls, continuation } = await model.complete(REQUEST);
    expect(text).toBe('so:');
    if (continuation === undefined) throw new Error('no continuation');
    await model.complete({
      ...REQUEST,
      messages: [
        ...REQUEST.messages,
        { role: 'assistant', text, toolCalls, continuation },
        { role: 'tool', callId: 'c1', text: 'one', isError: false },
      ],
    });
    const body = z
      .looseObject({ messages: z.array(z.looseObject({ content: z.unknown() })) })
      .parse(server.seen[1]?.body);
    const sent = body.messages[1];
    if (title === 'anthropic') {
      expect(sent?.content).toEqual([
        { type: 'thinking', thinking: 'secret thoughts', signature: 'c2lnbmVk' },
        { type: 'text', text: 'so:' },
        { type: 'tool_use', id: 'c1', name: 'echo', input: { text: 'one' } },
      ]);
    } else {
      expect(sent?.['reasoning_content']).toBe('secret thoughts');
    }
  });

  test('an abort ends the call at once, in the middle of a stream too', async () => {
    server.script({ kind: 'stall', afterFrames: 3 });
    const model = await open();
    const abort = new AbortController();
    const running = failureOf(model.complete({ ...REQUEST, signal: abort.signal }));
    await expect.poll(() => server.fired['stall']).toBe(1);
    abort.abort();
    const error = await running;
    expect([error.code, server.seen.length]).toEqual(['aborted', 1]);
    await expect.poll(() => server.abandoned).toBe(1);
    expect((await failureOf(model.complete({ ...REQUEST, signal: abort.signal }))).attempts).toBe(0);
    expect(server.seen.length).toBe(1);
  });

  test('after eight faults in a row the provider is left alone until a probe answers', async () => {
    const shared = { timing: timing(), breakers: new Map() };
    const model = await open({ maxAttempts: 1, overallMs: 10_000 }, true, shared);
    server.script(...Array.from({ length: 9 }, (): Act => ({ kind: 'status', status: 503 })));
    for (let n = 0; n < 8; n += 1) expect((await failureOf(model.complete(REQUEST))).code).toBe('unavailable');
    expect((await failureOf(model.complete(REQUEST))).code).toBe('circuit-open');
    expect(server.seen.length).toBe(8);

    // Another agent's model of the same endpoint, with time to wait: its first probe fails, its second is answered.
    const patient = await open({ maxAttempts: 2 }, true, shared);
    server.script({ kind: 'turn', text: 'well again' });
    expect(await patient.complete(REQUEST)).toMatchObject({ text: 'well again', attempts: 2 });
    expect(slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(59_000);
    expect(server.fired).toEqual({ 'status-503': 9, turn: 1 });
  });

  test('a ping answers, or says what is wrong without throwing', async () => {
    server.script({ kind: 'turn', text: 'pong' }, { kind: 'status', status: 401 });
    const model = await open();
    expect(await pingModel(model)).toMatchObject({ ok: true, text: 'pong', attempts: 1 });
    expect(await pingModel(model)).toMatchObject({ ok: false, code: 'auth' });
  });
});

test('calls that all come under index 0 are told apart by their ids', async () => {
  const server = await startFakeProvider({
    kind: 'turn',
    sameIndex: true,
    toolCalls: [call('c1', 'one'), call('c2', 'two')],
  });
  try {
    const model = await openModel(
      { model: 'openai-compatible/m', baseUrl: `${server.origin}/v1`, agent: 'a', seed: 1 },
      {},
      { breakers: new Map() },
    );
    const { toolCalls } = await model.complete(REQUEST);
    expect(toolCalls.map(({ id, arguments: args }) => [id, args])).toEqual([
      ['c1', { text: 'one' }],
      ['c2', { text: 'two' }],
    ]);
  } finally {
    await server.close();
  }
});

function streamOf(body: unknown): boolean {
  return z.looseObject({ stream: z.boolean().default(false) }).parse(body).stream;
}
