import { expect, test } from 'vitest';
import { ModelSpecError, nearestName, PROVIDERS, parseModelName, providerOf } from './model-spec.ts';

test('everything after the first slash is the model', () => {
  expect(parseModelName('openai-compatible/accounts/fireworks/models/kimi-k2p5')).toEqual({
    provider: 'openai-compatible',
    id: 'accounts/fireworks/models/kimi-k2p5',
  });
  expect(providerOf('replay/results/x/trace/calls.jsonl')).toBe('replay');
});

test('an unknown provider is refused with the nearest known one', () => {
  for (const [wrong, near] of [
    ['opena/gpt-5', 'openai'],
    ['Anthropic/claude', 'anthropic'],
    ['script/geometer', 'scripted'],
    ['openai_compatible/x', 'openai-compatible'],
  ]) {
    expect(() => parseModelName(wrong ?? '')).toThrow(ModelSpecError);
    expect(() => parseModelName(wrong ?? '')).toThrow(`Did you mean ${JSON.stringify(near)}?`);
  }
  expect(() => parseModelName('zzzzzzzzzz/x')).toThrow(`Known providers: ${PROVIDERS.join(', ')}`);
});

test('a name without provider, or without model, is refused', () => {
  for (const text of ['gpt-5', '', '/', 'openai/', 'openai/ gpt'])
    expect(() => parseModelName(text)).toThrow(ModelSpecError);
});

test('nearestName() knows a slip from a stranger', () => {
  expect(nearestName('anthropc', PROVIDERS)).toBe('anthropic');
  expect(nearestName('qqqq', PROVIDERS)).toBeUndefined();
});
