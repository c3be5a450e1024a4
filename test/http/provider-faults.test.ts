import { describe, expect, test } from 'vitest';
import { RETRY_POLICY } from '../../src/agents/resilience.ts';
import type { Act } from './fake-provider.ts';
import { call, failureOf, KEY, PROVIDERS, REQUEST, throughStalls, useProvider } from './provider-bench.ts';

describe.each(PROVIDERS)('faults over HTTP, $title', (provider) => {
  const { model: name, keyEnv } = provider;
  const bench = useProvider(provider);

  test('429 then success waits as long as Retry-After says, in seconds or as a date', async () => {
    const date = 'Sat, 21 Nov 2026 10:00:07 GMT';
    bench.server.script(
      { kind: 'status', status: 429, headers: { 'retry-after': '3' } },
      { kind: 'status', status: 429, headers: { 'retry-after': date, date: 'Sat, 21 Nov 2026 10:00:00 GMT' } },
      { kind: 'status', status: 429, headers: { 'retry-after': '86400' } },
      { kind: 'turn', text: 'at last' },
    );
    const reply = await (await bench.open()).complete(REQUEST);
    expect([reply.text, reply.attempts]).toEqual(['at last', 4]);
    expect(bench.slept).toEqual([3000, 7000, RETRY_POLICY.maxRetryAfterMs]);
    expect(bench.server.fired).toEqual({ 'status-429': 3, turn: 1 });
  });

  test('5xx is retried with growing waits, then given up with the number of attempts', async () => {
    bench.server.script(...[500, 502, 503, 529].map((status): Act => ({ kind: 'status', status })));
    const error = await failureOf((await bench.open({ maxAttempts: 4 })).complete(REQUEST));
    expect([error.code, error.attempts, error.provider]).toEqual(['unavailable', 4, name]);
    expect(error.message).toContain('4 attempts');
    expect(bench.slept).toEqual([750, 1500, 3000]);
    expect(bench.server.fired).toEqual({ 'status-500': 1, 'status-502': 1, 'status-503': 1, 'status-529': 1 });
  });

  test('a stall, before or in the middle of the stream, is timed out and asked again', async () => {
    bench.server.script({ kind: 'stall' }, { kind: 'stall', afterFrames: 2 }, { kind: 'turn', text: 'awake' });
    const model = await bench.open({ attemptTimeoutMs: 500 });
    const reply = await throughStalls(bench.server, 2, 500, () => model.complete(REQUEST));
    expect([reply.text, reply.attempts]).toEqual(['awake', 3]);
    expect(bench.server.fired['stall']).toBe(2);
    await expect.poll(() => bench.server.abandoned, { timeout: 20_000 }).toBe(2);
  });

  test('nothing but stalls is a timeout', async () => {
    bench.server.script({ kind: 'stall' }, { kind: 'stall' });
    const model = await bench.open({ attemptTimeoutMs: 100, maxAttempts: 2 });
    const error = await failureOf(throughStalls(bench.server, 2, 100, () => model.complete(REQUEST)));
    expect([error.code, error.attempts]).toEqual(['timeout', 2]);
    expect(bench.server.fired['stall']).toBe(2);
  });

  test.each(['end', 'destroy'] as const)('a stream cut in the middle (%s) yields no half reply', async (how) => {
    const turn = { text: 'first half and second half', toolCalls: [call('c1', 'one'), call('c2', 'two')] };
    // Cuts at every frame there is but the ones that only close: text, between calls, inside arguments.
    const cuts = [1, 3, 5, 7, 8].map((afterFrames): Act => ({ kind: 'cut', turn, afterFrames, how }));
    bench.server.script(...cuts, { kind: 'turn', ...turn });
    const reply = await (await bench.open({ maxAttempts: 9 })).complete(REQUEST);
    expect([reply.attempts, reply.text, reply.toolCalls.length]).toEqual([6, turn.text, 2]);
    expect(bench.server.fired).toEqual({ [`cut-${how}`]: 5, turn: 1 });

    bench.server.script(...cuts.slice(0, 2));
    const error = await failureOf((await bench.open({ maxAttempts: 2 })).complete(REQUEST));
    expect(error.code).toBe('unavailable');
  });

  test('a connection reset is retried', async () => {
    bench.server.script({ kind: 'reset' }, { kind: 'turn', text: 'back' });
    const reply = await (await bench.open()).complete(REQUEST);
    expect([reply.text, reply.attempts, bench.server.fired['reset']]).toEqual(['back', 2, 1]);
  });

  test('an error event in the stream, and a stream that cannot be read, are retried', async () => {
    bench.server.script(
      { kind: 'stream-error', type: 'overloaded_error' },
      { kind: 'garbage' },
      { kind: 'turn', text: 'fine' },
    );
    const reply = await (await bench.open()).complete(REQUEST);
    expect([reply.text, reply.attempts]).toEqual(['fine', 3]);
    expect(bench.server.fired).toEqual({ 'stream-error': 1, garbage: 1, turn: 1 });
  });

  test('a server that is not there is unavailable, and its address is named', async () => {
    const model = await bench.open({ maxAttempts: 2 });
    const { origin } = bench.server;
    await bench.server.close();
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
    const headers: Record<string, string> = status === 307 ? { location: `${bench.server.origin}/elsewhere` } : {};
    bench.server.script({ kind: 'status', status, headers, message: `max_tokens is too large for ${KEY}` });
    const error = await failureOf((await bench.open()).complete(REQUEST));
    expect([error.code, error.attempts]).toEqual([code, 1]);
    expect(error.message).toContain(wayOut);
    expect(bench.server.fired).toEqual({ [`status-${status}`]: 1 });
  });

  test('an account without credit is not asked again', async () => {
    bench.server.script({ kind: 'status', status: 429, type: 'insufficient_quota' });
    const error = await failureOf((await bench.open()).complete(REQUEST));
    expect([error.code, error.attempts]).toEqual(['rate-limited', 1]);
    expect(error.message).toContain('no credit');
  });

  test('an abort ends the call at once, in the middle of a stream too', async () => {
    bench.server.script({ kind: 'stall', afterFrames: 3 });
    const model = await bench.open();
    const abort = new AbortController();
    const running = failureOf(model.complete({ ...REQUEST, signal: abort.signal }));
    await expect.poll(() => bench.server.fired['stall'], { timeout: 20_000 }).toBe(1);
    abort.abort();
    const error = await running;
    expect([error.code, bench.server.seen.length]).toEqual(['aborted', 1]);
    await expect.poll(() => bench.server.abandoned, { timeout: 20_000 }).toBe(1);
    expect((await failureOf(model.complete({ ...REQUEST, signal: abort.signal }))).attempts).toBe(0);
    expect(bench.server.seen.length).toBe(1);
  });

  test('after eight faults in a row the provider is left alone until a probe answers', async () => {
    const shared = { timing: bench.timing(), breakers: new Map() };
    const model = await bench.open({ maxAttempts: 1, overallMs: 10_000 }, true, shared);
    bench.server.script(...Array.from({ length: 9 }, (): Act => ({ kind: 'status', status: 503 })));
    for (let n = 0; n < 8; n += 1) expect((await failureOf(model.complete(REQUEST))).code).toBe('unavailable');
    expect((await failureOf(model.complete(REQUEST))).code).toBe('circuit-open');
    expect(bench.server.seen.length).toBe(8);

    // Another agent's model of the same endpoint, with time to wait: its first probe fails, its second is answered.
    const patient = await bench.open({ maxAttempts: 2 }, true, shared);
    bench.server.script({ kind: 'turn', text: 'well again' });
    expect(await patient.complete(REQUEST)).toMatchObject({ text: 'well again', attempts: 2 });
    expect(bench.slept.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(59_000);
    expect(bench.server.fired).toEqual({ 'status-503': 9, turn: 1 });
  });
});
