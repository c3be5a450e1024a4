import { expect, test } from 'vitest';
import type { ModelError } from './model.ts';
import { openModel } from './open-model.ts';

const KEY = 'sk-secret-value-123';
const agent = { agent: 'a', seed: 1 };

async function errorOf(promise: Promise<unknown>): Promise<ModelError> {
  return promise.then(
    () => {
      throw new Error('it opened');
    },
    (error: ModelError) => error,
  );
}

test.each([
  ['openai/gpt-5', undefined, 'OPENAI_API_KEY'],
  ['anthropic/claude-sonnet-4-6', undefined, 'ANTHROPIC_API_KEY'],
  ['openai-compatible/kimi', 'https://api.example.com/v1', 'HIVEMARK_API_KEY'],
])('%s without a key names the variable to set, before anything runs', async (model, baseUrl, variable) => {
  for (const env of [{}, { [variable]: '' }, { [variable]: '  ' }]) {
    const error = await errorOf(openModel({ ...agent, model, ...(baseUrl === undefined ? {} : { baseUrl }) }, env));
    expect([error.name, error.code]).toEqual(['ModelError', 'no-key']);
    expect(error.message).toContain(variable);
  }
});

test('a named variable is the only one looked at', async () => {
  const spec = { ...agent, model: 'openai/gpt-5', apiKeyEnv: 'OTHER_KEY' };
  expect((await errorOf(openModel(spec, { OPENAI_API_KEY: KEY }))).message).toContain('OTHER_KEY');
  expect((await openModel(spec, { OTHER_KEY: KEY })).name).toBe('openai/gpt-5');
});

test('a key with a line break in it is refused without being repeated', async () => {
  const error = await errorOf(openModel({ ...agent, model: 'openai/gpt-5' }, { OPENAI_API_KEY: `${KEY}\nx` }));
  expect(error.message).toContain('OPENAI_API_KEY');
  expect(error.message).not.toContain('secret');
});

test('a server on this machine needs no key, one elsewhere does', async () => {
  const model = 'openai-compatible/llama';
  for (const baseUrl of ['http://127.0.0.1:11434/v1', 'http://localhost:1234/v1/', 'http://[::1]:8000/v1']) {
    expect((await openModel({ ...agent, model, baseUrl }, {})).identity).toBe(model);
  }
  for (const baseUrl of ['http://127.0.0.1.example.com/v1', 'http://localhost.example.com/v1']) {
    expect((await errorOf(openModel({ ...agent, model, baseUrl }, {}))).code).toBe('no-key');
  }
});

test('a compatible server must be named by an http URL without secrets in it', async () => {
  const model = 'openai-compatible/llama';
  expect((await errorOf(openModel({ ...agent, model }, {}))).message).toContain('baseUrl');
  for (const baseUrl of [
    'ftp://x/v1',
    'not a url',
    `https://user:${KEY}@example.com/v1`,
    `https://example.com/v1?key=${KEY}`,
  ]) {
    const error = await errorOf(openModel({ ...agent, model, baseUrl }, { HIVEMARK_API_KEY: 'k' }));
    expect(error.name).toBe('ModelSpecError');
    expect(error.message).not.toContain(KEY);
  }
});

test('an unknown provider is refused with the nearest', async () => {
  expect((await errorOf(openModel({ ...agent, model: 'antropic/claude' }, {}))).message).toContain('"anthropic"');
});

test('a replay of nothing is refused before the run', async () => {
  expect((await errorOf(openModel({ ...agent, model: 'replay/no/such/run' }, {}))).code).toBe('replay-mismatch');
});
