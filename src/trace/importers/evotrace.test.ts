import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTraces } from './load-traces.ts';
import { generation, ids, lines, only, tree } from './test-loading.ts';
import { openEvolveProgram, pythonProgram, sha256 } from './test-sources.ts';

describe('EvoTrace and SkyDiscover', () => {
  const row = (n: number, over: Record<string, unknown> = {}): Record<string, unknown> => {
    const { code, ...rest } = openEvolveProgram(n, n, n === 0 ? null : n - 1);
    return { ...rest, solution: code, status: 'accepted', ...over };
  };

  test('are read with texts from blobs, costs of iterations, and every bad line named', async () => {
    const inBlob = pythonProgram(1);
    const root = await tree({
      'one/programs.jsonl': lines([
        row(0),
        row(1, { solution: null, solution_sha256: sha256(inBlob) }),
        '{"id": "half',
        row(2, { metrics: { combined_score: 0, validity: 0, error: 'Program execution failed: index 26' } }),
        { no: 'id' },
        row(3, { solution: undefined, solution_sha256: sha256('lost') }),
        row(4, { solution: undefined }),
        row(2),
        row(5, { solution_sha256: 'nonsense', solution: undefined }),
      ]),
      [`one/blobs/${sha256(inBlob)}`]: inBlob,
      'one/iterations.jsonl': lines([
        { iteration: 1, program_id: 'p1', usage: { prompt_tokens: 100, completion_tokens: 11 }, cost_usd: 0.5 },
      ]),
      'two/programs.jsonl': lines([row(0)]),
    });
    const traces = await loadTraces([root]);
    expect(ids(traces)).toEqual(['one', 'two']);
    const [one] = traces.runs;
    if (one === undefined) throw new Error('no run');
    expect(generation(one, 'p1')).toMatchObject({
      code: inBlob,
      tokens: 111,
      usd: 0.5,
      generation: 1,
      scores: { validation: 0.1 },
    });
    expect(generation(one, 'p2')).toMatchObject({ valid: false, cause: 'cannot-run' });
    expect(generation(one, 'p4').code).toBeUndefined();
    expect(generation(one, 'p3').unread).toBe(true);
    expect(traces.skipped.map(({ path, line, why }) => `${path}:${line} ${why}`)).toEqual([
      'one/programs.jsonl:3 not JSON (half-written or damaged)',
      'one/programs.jsonl:5 not a program (no id)',
      'one/programs.jsonl:6 its blob is missing',
      'one/programs.jsonl:7 a program without code (no solution, no solution_sha256)',
      'one/programs.jsonl:8 a second program with the same id; the first is kept',
      'one/programs.jsonl:9 solution_sha256 is not a sha256',
    ]);
  });

  test('a line of 200 MB costs that line, and no memory', async () => {
    const root = await tree({ 'programs.jsonl': lines([row(0)]) });
    const file = join(root, 'programs.jsonl');
    await truncate(file, 200_000_000);
    await writeFile(file, `\n${lines([row(1)])}`, { flag: 'a' });
    const before = process.memoryUsage().rss;
    const traces = await loadTraces([root]);
    expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000);
    expect(only(traces).agents[0]?.generations.map(({ id }) => id)).toEqual(['p0', 'p1']);
    expect(traces.skipped).toEqual([
      { path: 'programs.jsonl', line: 2, what: 'line', why: 'a line longer than the limit' },
    ]);
  });

  test('a single file can be named, whatever it is called', async () => {
    const root = await tree({ 'my.v2.jsonl': lines([row(0)]), 'x.tar.xz': 'no' });
    expect(ids(await loadTraces([join(root, 'my.v2.jsonl')]))).toEqual(['my.v2.jsonl']);
    expect((await loadTraces([join(root, 'x.tar.xz')])).skipped[0]?.why).toContain('unpack it');
  });

  test('SkyDiscover checkpoints, whose programs have a solution, count as its own', async () => {
    const root = await tree({ 'sky/checkpoints/checkpoint_5/programs/p0.json': row(0) });
    expect(only(await loadTraces([root]))).toMatchObject({ id: 'sky', format: 'evotrace', pairing: 'skydiscover' });
  });
});
