import { expect, test } from 'vitest';
import { PRICES, priceOf, usdOf } from './prices.ts';

test('cached and written tokens are counted at their own price, and once', () => {
  const usage = {
    inputTokens: 1_000_000,
    outputTokens: 100_000,
    cachedInputTokens: 600_000,
    cacheWriteInputTokens: 100_000,
  };
  expect(usdOf('anthropic/claude-sonnet-4-6', usage)).toEqual({
    usd: expect.closeTo(0.3 * 3 + 0.6 * 0.3 + 0.1 * 3.75 + 0.1 * 15, 9),
    priced: true,
  });
});

test('an unknown model costs nothing that is known', () => {
  expect(priceOf('openai/gpt-99')).toBeNull();
  expect(priceOf('openai/constructor')).toBeNull();
  expect(usdOf('openai/gpt-99', { inputTokens: 5, outputTokens: 5 })).toEqual({ usd: 0, priced: false });
});

test('usage that was not sent is not a cost of zero', () => {
  expect(usdOf('openai/gpt-5', { inputTokens: 0, outputTokens: 0, missing: true })).toEqual({ usd: 0, priced: false });
});

test('dated names and host paths have the price of their model; the same name elsewhere has not', () => {
  expect(priceOf('anthropic/claude-haiku-4-5-20251001')).toBe(PRICES['anthropic/claude-haiku-4-5']);
  expect(priceOf('openai/gpt-5-2025-08-07')).toBe(PRICES['openai/gpt-5']);
  expect(priceOf('openai-compatible/accounts/fireworks/models/kimi-k2p5')).toBe(PRICES['*/kimi-k2p5']);
  expect(priceOf('openai-compatible/gpt-5')).toBeNull();
});

test('scripted models and replays are free, and known to be', () => {
  for (const model of ['scripted/geometer', 'replay/results/x']) {
    expect(usdOf(model, { inputTokens: 9, outputTokens: 9 })).toEqual({ usd: 0, priced: true });
  }
});

test("a config's own price wins, and missing parts of it count as fresh input", () => {
  const usage = { inputTokens: 2_000_000, outputTokens: 1_000_000, cachedInputTokens: 1_000_000 };
  expect(usdOf('openai/gpt-5', usage, { input: 1, output: 2 }).usd).toBe(4);
  expect(usdOf('openai/gpt-5', usage, { input: 1, output: 2, cachedInput: 0.5 }).usd).toBe(3.5);
});

test('a request over the threshold costs the long price for all of it', () => {
  const model = 'anthropic/claude-haiku-5-5';
  expect(usdOf(model, { inputTokens: 100_000, outputTokens: 0 }).usd).toBeCloseTo(0.01, 12);
  expect(usdOf(model, { inputTokens: 100_001, outputTokens: 0 }).usd).toBeCloseTo(0.0500005, 12);
});

test('output never costs less than input, cached input never more', () => {
  const odd = Object.entries(PRICES).filter(
    ([, { input, output, cachedInput }]) => output < input || (cachedInput ?? 0) > input,
  );
  expect(odd).toEqual([]);
});
