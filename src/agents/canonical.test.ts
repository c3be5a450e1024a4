import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  canonicalJson,
  canonicalReply,
  describeFailure,
  parseReply,
  recordedFailure,
  requestSha256,
} from './canonical.ts';
import type { ModelReply, ModelRequest } from './model.ts';
import { ModelError } from './model.ts';

test('canonicalJson() says what JSON says', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('canonicalJson() does not depend on the order of keys, and keeps that of arrays', () => {
  expect(canonicalJson({ b: 1, a: { d: [2, 1], c: undefined } })).toBe('{"a":{"d":[2,1]},"b":1}');
  expect(canonicalJson({ __proto__: null, b: 1 })).toBe('{"b":1}');
  expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
});

test('canonicalJson() refuses what JSON would change in silence', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, () => 0, Symbol('x'), 1n]) {
    expect(() => canonicalJson({ value })).toThrow(TypeError);
  }
});

test('a request is hashed by its messages and tools alone', () => {
  const request: ModelRequest = { messages: [{ role: 'user', text: 'hi' }], tools: [] };
  const same = { ...request, temperature: 1, maxOutputTokens: 5, signal: new AbortController().signal };
  expect(requestSha256(same)).toBe(requestSha256(request));
  expect(requestSha256({ ...request, messages: [{ role: 'system', text: 'hi' }] })).not.toBe(requestSha256(request));
});

test('a reply comes back from its canonical form as it was', () => {
  const reply: ModelReply = {
    text: 'lone \ud800 surrogate and 🎉',
    toolCalls: [{ id: 'c', name: 'n', arguments: { z: [1, { a: null }] }, malformed: '{' }],
    stopReason: 'tool-calls',
    usage: { inputTokens: 1, outputTokens: 2, cachedInputTokens: 1, cacheWriteInputTokens: 0, missing: true },
    attempts: 3,
    continuation: { blocks: [] },
  };
  expect(parseReply(canonicalReply(reply))).toEqual(reply);
  expect(canonicalReply(parseReply(canonicalReply(reply)))).toBe(canonicalReply(reply));
});

test('parseReply() refuses what is no reply', () => {
  for (const text of ['', '{}', '{"text":1}', 'null', '[]']) expect(() => parseReply(text)).toThrow(/JSON|Invalid/);
});

test('a failure survives its one-line form, even with line breaks and colons in it', () => {
  const error = new ModelError('rate-limited', 'openai/m', 'openai/m: too\nmany: 429', 3);
  expect(recordedFailure(describeFailure(error), 'openai/m')).toMatchObject({
    code: 'rate-limited',
    message: error.message,
  });
  expect(recordedFailure('what is this', 'p')).toMatchObject({ code: 'unavailable', message: 'what is this' });
});
