import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openModel, pingModel } from '../../src/agents/open-model.ts';
import { MAX_ARGUMENT_CHARS } from '../../src/agents/tool-arguments.ts';
import type { Act } from './fake-provider.ts';
import { startFakeProvider } from './fake-provider.ts';
import { call, KEY, PROVIDERS, REQUEST, useProvider } from './provider-bench.ts';

describe.each(PROVIDERS)('replies over HTTP, $title', (provider) => {
  const { title, model: name } = provider;
  const bench = useProvider(provider);

  test('a plain turn arrives whole, with usage, and the key is sent in its header only', async () => {
    bench.server.script({
      kind: 'turn',
      text: 'héllo wörld 🎉',
      usage: { input: 1200, output: 30, cached: 1000, written: 100 },
    });
    const model = await bench.open();
    const reply = await model.complete(REQUEST);
    expect(reply).toEqual({
      text: 'héllo wörld 🎉',
      toolCalls: [],
      stopReason: 'end',
      usage: { inputTokens: 1200, outputTokens: 30, cachedInputTokens: 1000, cacheWriteInputTokens: 100 },
      attempts: 1,
    });
    expect([model.name, model.identity, model.scripted]).toEqual([name, name, false]);
    const [seen] = bench.server.seen;
    expect(JSON.stringify(seen?.body)).not.toContain(KEY);
    expect(seen?.headers['authorization']).toBe(`Bearer ${KEY}`);
    expect(JSON.stringify(model)).not.toContain(KEY);
  });

  test('a reply that is not streamed says the same', async () => {
    const turn: Act = { kind: 'turn', text: 'on it', toolCalls: [call('c1', 'x')] };
    bench.server.script(turn, turn);
    const streamed = await (await bench.open()).complete(REQUEST);
    expect(await (await bench.open({}, false)).complete(REQUEST)).toEqual(streamed);
    expect(bench.server.seen.map(({ body }) => streamOf(body))).toEqual([true, false]);
  });

  test('parallel tool calls keep their order and arguments', async () => {
    bench.server.script({
      kind: 'turn',
      text: 'both',
      toolCalls: [call('c1', 'one'), call('c2', 'two'), call('c3', 'three')],
    });
    const reply = await (await bench.open()).complete(REQUEST);
    expect(reply.stopReason).toBe('tool-calls');
    expect(reply.toolCalls).toEqual([
      { id: 'c1', name: 'echo', arguments: { text: 'one' } },
      { id: 'c2', name: 'echo', arguments: { text: 'two' } },
      { id: 'c3', name: 'echo', arguments: { text: 'three' } },
    ]);
  });

  test('a call without arguments has none', async () => {
    bench.server.script({ kind: 'turn', toolCalls: [{ id: 'c1', name: 'echo', arguments: '' }] });
    expect((await (await bench.open()).complete(REQUEST)).toolCalls).toEqual([
      { id: 'c1', name: 'echo', arguments: {} },
    ]);
  });

  test('malformed arguments are kept as they came, and the call is not given any', async () => {
    bench.server.script({
      kind: 'turn',
      toolCalls: [{ id: 'c1', name: 'echo', arguments: '{"text": "half' }, call('c2', 'whole')],
    });
    const reply = await (await bench.open()).complete(REQUEST);
    expect(reply.toolCalls).toEqual([
      { id: 'c1', name: 'echo', arguments: {}, malformed: '{"text": "half' },
      { id: 'c2', name: 'echo', arguments: { text: 'whole' } },
    ]);
  });

  test('arguments that are JSON but no object, or nested without end, are malformed', async () => {
    const deep = `{"text":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    bench.server.script({
      kind: 'turn',
      toolCalls: ['[1]', '"text"', 'null', deep].map((text, index) => ({
        id: `c${index}`,
        name: 'echo',
        arguments: text,
      })),
    });
    const reply = await (await bench.open()).complete(REQUEST);
    expect(reply.toolCalls.map(({ malformed }) => malformed?.slice(0, 9))).toEqual([
      '[1]',
      '"text"',
      'null',
      '{"text":[',
    ]);
  });

  test('10 MB of arguments are bounded, clearly malformed, and cost no retry', async () => {
    const size = 10 * 1024 * 1024;
    bench.server.script({
      kind: 'turn',
      toolCalls: [{ id: 'c1', name: 'echo', arguments: JSON.stringify({ text: 'x'.repeat(size) }) }],
    });
    const reply = await (await bench.open()).complete(REQUEST);
    const [first] = reply.toolCalls;
    expect(first?.arguments).toEqual({});
    expect(first?.malformed?.length).toBeLessThan(3000);
    expect(first?.malformed).toContain(`at most ${MAX_ARGUMENT_CHARS}`);
    expect([reply.attempts, bench.server.fired['turn']]).toEqual([1, 1]);
  });

  test('a call sent twice is one call; different calls under one id are two', async () => {
    bench.server.script({
      kind: 'turn',
      toolCalls: [call('c1', 'one'), call('c1', 'one'), call('c1', 'two'), { ...call('', 'three') }],
    });
    const { toolCalls } = await (await bench.open()).complete(REQUEST);
    expect(toolCalls.map(({ arguments: args }) => args)).toEqual([{ text: 'one' }, { text: 'two' }, { text: 'three' }]);
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(3);
    expect(toolCalls[0]?.id).toBe('c1');
  });

  test('a server that sends no usage is not taken to have charged nothing', async () => {
    bench.server.script({ kind: 'turn', text: 'free?', usage: null });
    const { usage } = await (await bench.open()).complete(REQUEST);
    expect(usage).toEqual({ inputTokens: 0, outputTokens: 0, missing: true });
  });

  test('a reply cut at the output limit says so', async () => {
    bench.server.script({ kind: 'turn', text: 'and then', finish: title === 'anthropic' ? 'max_tokens' : 'length' });
    expect((await (await bench.open()).complete(REQUEST)).stopReason).toBe('length');
  });

  test('reasoning goes back with the next request, and nowhere else', async () => {
    bench.server.script(
      { kind: 'turn', reasoning: 'secret thoughts', text: 'so:', toolCalls: [call('c1', 'one')] },
      { kind: 'turn', text: 'done' },
    );
    const model = await bench.open();
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
      .parse(bench.server.seen[1]?.body);
    const sent = body.messages[1];
    const said = title === 'anthropic' ? sent?.content : sent?.['reasoning_content'];
    expect(said).toEqual(
      title === 'anthropic'
        ? [
            { type: 'thinking', thinking: 'secret thoughts', signature: 'c2lnbmVk' },
            { type: 'text', text: 'so:' },
            { type: 'tool_use', id: 'c1', name: 'echo', input: { text: 'one' } },
          ]
        : 'secret thoughts',
    );
  });

  test('a ping answers, or says what is wrong without throwing', async () => {
    bench.server.script({ kind: 'turn', text: 'pong' }, { kind: 'status', status: 401 });
    const model = await bench.open();
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
