import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { LoadedRun } from '../loaded-run.ts';
import { collect, makeTestFolder } from '../test-folder.ts';
import { forEachCall, readCalls } from './calls.ts';
import { loadTraces } from './load-traces.ts';
import { SkipLog } from './skip-log.ts';
import { hyperspaceAgent, writeTree } from './test-sources.ts';

const entry = (over: Record<string, unknown> = {}): string =>
  `${JSON.stringify({
    call_id: 1,
    timestamp: '2026-04-01T00:00:00+00:00',
    model: 'lab/some-model',
    temperature: 0,
    messages: [{ role: 'user', content: 'improve it' }],
    response: 'I will look first.',
    tool_calls: [{ name: 'bash', arguments: '{"command": "ls"}' }],
    thinking: '',
    usage: { prompt_tokens: 90, completion_tokens: 10 },
    ...over,
  })}\n`;

async function treeWith(
  logs: Readonly<Record<string, string>>,
): Promise<{ readonly root: string; readonly run: LoadedRun }> {
  const root = await makeTestFolder();
  const made = { code: 'x = 1\n', metadata: { valid: true, train_score: 0.5, val_score: 0.5 } };
  await writeTree(root, {
    ...hyperspaceAgent('a_vs_b/seed1/a', 'a', 1, [made, made]),
    ...hyperspaceAgent('a_vs_b/seed1/b', 'b', 1, [made, made]),
    ...logs,
  });
  const [run] = (await loadTraces([root])).runs;
  if (run === undefined) throw new Error('no run');
  return { root, run };
}

test("a hyperspace tree's calls are read in order, Git LFS pointers reported as absent, bad lines named", async () => {
  const { run } = await treeWith({
    'a_vs_b/seed1/a/gen_0/llm_calls.jsonl':
      'version https://git-lfs.github.com/spec/v1\noid sha256:a35a\nsize 131017\n',
    'a_vs_b/seed1/a/gen_1/llm_calls.jsonl': `${entry()}not json\n[1]\n${entry({ tool_calls: undefined, usage: { total_tokens: 7 }, response: 'done' })}`,
    'a_vs_b/seed1/b/gen_1/llm_calls.jsonl': entry({
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant' },
        { role: 'tool', content: 'one' },
        { role: 'tool', content: 'two' },
      ],
      tool_calls: [{ function: { name: 'editor', arguments: '{}' } }],
    }).replace('90', 'NaN'),
  });
  const skips = new SkipLog();
  const calls = await collect(readCalls(run, { skips }));
  expect(
    calls.map(({ agent, generation, number, line, tokens, tools }) => [agent, generation, number, line, tokens, tools]),
  ).toEqual([
    ['a', 1, 1, 1, 100, [{ name: 'bash', arguments: '{"command": "ls"}' }]],
    ['a', 1, 2, 4, 7, undefined],
    ['b', 1, 1, 1, 10, [{ name: 'editor', arguments: '{}' }]],
  ]);
  expect(calls.map(({ results }) => results)).toEqual([[], [], ['one', 'two']]);
  expect(skips.named).toEqual([
    { path: 'a/gen_0/llm_calls.jsonl', what: 'file', why: expect.stringContaining('Git LFS pointer') },
    { path: 'a/gen_1/llm_calls.jsonl', line: 2, what: 'line', why: 'not JSON (half-written or damaged)' },
    { path: 'a/gen_1/llm_calls.jsonl', line: 3, what: 'line', why: 'not a model call' },
  ]);
});

test('a log of any size takes the memory of a line: reading 4 times as much takes no more', async () => {
  const line = entry({ messages: [{ role: 'user', content: 'x'.repeat(100_000) }] });
  const peakOf = async (lines: number): Promise<number> => {
    const { root, run } = await treeWith({});
    const log = createWriteStream(join(root, 'a_vs_b/seed1/a/gen_1/llm_calls.jsonl'));
    for (let n = 0; n < lines; n++) if (!log.write(line)) await once(log, 'drain');
    log.end();
    await once(log, 'close');
    let [calls, peak] = [0, 0];
    await forEachCall(run, () => {
      if (++calls % 50 === 0) peak = Math.max(peak, process.memoryUsage().rss);
    });
    expect(calls).toBe(lines);
    return peak;
  };
  const small = await peakOf(500);
  const large = await peakOf(2000);
  expect(large - small).toBeLessThan(100_000_000);
});
