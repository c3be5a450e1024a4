import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { canonicalReply, requestSha256, sha256 } from './canonical.ts';
import type { ModelReply, ModelRequest } from './model.ts';
import { openReplayFile } from './replay-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hivemark-replay-'));
  await mkdir(join(folder, 'trace', 'blobs'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ask = (text: string): ModelRequest => ({ messages: [{ role: 'user', text }], tools: [] });
const replyTo = (text: string): string => {
  const reply: ModelReply = {
    text: `re: ${text}`,
    toolCalls: [],
    stopReason: 'end',
    usage: { inputTokens: 1, outputTokens: 1 },
    attempts: 1,
  };
  return canonicalReply(reply);
};

async function blob(text: string, hash = sha256(text)): Promise<string> {
  await mkdir(join(folder, 'trace', 'blobs', hash.slice(0, 2)), { recursive: true });
  await writeFile(join(folder, 'trace', 'blobs', hash.slice(0, 2), hash), text);
  return hash;
}

/** A row of the `calls` table, as a run writes it. */
async function row(agent: string, text: string, more: Readonly<Record<string, unknown>> = {}) {
  const written = {
    id: `${agent}/1/${text}`,
    agent,
    generation: 1,
    provider: 'scripted',
    model: 'scripted/geometer',
    scripted: true,
    requestSha256: requestSha256(ask(text)),
    replySha256: await blob(replyTo(text)),
    inputTokens: 1,
    outputTokens: 1,
    cachedInputTokens: 0,
    usd: 0,
    ms: 1,
    attempts: 1,
    stopReason: 'end',
    toolCalls: 0,
  };
  return { ...written, ...more };
}

async function record(rows: readonly unknown[], tail = ''): Promise<void> {
  await writeFile(
    join(folder, 'trace', 'calls.jsonl'),
    `${rows.map((each) => `${JSON.stringify(each)}\n`).join('')}${tail}`,
  );
}

test("replays one agent's calls of a run, from its folder or its table", async () => {
  await record([await row('a', 'one'), await row('b', 'other'), await row('a', 'two')]);
  for (const path of [folder, join(folder, 'trace', 'calls.jsonl')]) {
    const replay = await openReplayFile(path, 'a');
    expect([replay.name, replay.identity, replay.scripted, replay.remaining]).toEqual([
      `replay/${path}`,
      'scripted/geometer',
      true,
      2,
    ]);
    expect((await replay.complete(ask('one'))).text).toBe('re: one');
    expect((await replay.complete(ask('two'))).text).toBe('re: two');
  }
});

test('a failed call that was made again counts once; one at the end fails again', async () => {
  const failed = { replySha256: '', stopReason: 'error', error: 'rate-limited: too many' };
  await record([await row('a', 'one', failed), await row('a', 'one'), await row('a', 'two', failed)]);
  const replay = await openReplayFile(folder, 'a');
  expect((await replay.complete(ask('one'))).text).toBe('re: one');
  await expect(replay.complete(ask('two'))).rejects.toMatchObject({ code: 'rate-limited', message: 'too many' });
});

test('an older row keeps provider and model apart', async () => {
  await record([await row('a', 'one', { provider: 'openai', model: 'gpt-test', scripted: false })]);
  expect((await openReplayFile(folder, 'a')).identity).toBe('openai/gpt-test');
});

test('a last line cut by a crash is left out; damage before it is named', async () => {
  const rows = [await row('a', 'one'), await row('a', 'two')];
  await record(rows, '{"id":"a/1/3","agen');
  expect((await openReplayFile(folder, 'a')).remaining).toBe(2);
  await writeFile(
    join(folder, 'trace', 'calls.jsonl'),
    `${JSON.stringify(rows[0])}\n{"id":"torn\n${JSON.stringify(rows[1])}\n`,
  );
  await expect(openReplayFile(folder, 'a')).rejects.toMatchObject({
    code: 'replay-mismatch',
    message: expect.stringContaining('line 2'),
  });
});

test('a reply that was changed, is missing or is none is refused by its call', async () => {
  const changed = await row('a', 'one');
  await blob(replyTo('forged'), changed.replySha256);
  await record([changed]);
  await expect(openReplayFile(folder, 'a')).rejects.toThrow('a/1/one was changed');
  await record([await row('a', 'two', { replySha256: 'f'.repeat(64) })]);
  await expect(openReplayFile(folder, 'a')).rejects.toThrow('a/1/two is missing');
  await record([await row('a', 'three', { replySha256: await blob('{"text":1}') })]);
  await expect(openReplayFile(folder, 'a')).rejects.toThrow('a/1/three is not a reply');
});

test('a hash that is a path opens nothing', async () => {
  await record([await row('a', 'one', { replySha256: '../../../../etc/passwd' })]);
  await expect(openReplayFile(folder, 'a')).rejects.toThrow('line 1');
});

test('a missing recording, or one without this agent, says what to name', async () => {
  await expect(openReplayFile(join(folder, 'nothing'), 'a')).rejects.toMatchObject({ code: 'replay-mismatch' });
  await expect(openReplayFile(join(folder, 'trace', 'blobs'), 'a')).rejects.toThrow('no readable trace/calls.jsonl');
  await record([await row('b', 'one')]);
  await expect(openReplayFile(folder, 'a')).rejects.toThrow('(it has: b)');
});
