import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTraces } from './load-traces.ts';
import { generation, only, scored, tree } from './test-loading.ts';
import { hyperspaceAgent, pythonProgram, reports } from './test-sources.ts';

const WORKS = reports([6, 60], [5, 50]);

describe('a hyperspace tree', () => {
  const generations = [
    {
      code: pythonProgram(0),
      metadata: { valid: true, val_score: 0, is_initial: true },
      reports: reports([null, null], [0, null]),
    },
    { code: pythonProgram(1), metadata: scored(0.6, 0.5), reports: WORKS },
    { metadata: { valid: false, error: 'HTTP 400' } },
    { metadata: { valid: false, error: "'choices'" } },
    { metadata: { valid: false, error: "No module named 'agent.tols'" } },
    { code: pythonProgram(5), metadata: scored(0, 0) },
    { code: pythonProgram(6), metadata: scored(0.6, 0), reports: reports([6, 60], [null, null]) },
    { code: pythonProgram(7), metadata: scored(0.6, 0), reports: reports([6, 60], [3, null]) },
    { code: pythonProgram(8), metadata: scored(0.06, 0), reports: reports([1, 6], [0, null]) },
    { code: pythonProgram(9), metadata: scored(0.7, 0.7), reports: WORKS },
    { code: pythonProgram(10), metadata: scored(0.7, 0.6), reports: WORKS },
  ];

  test('is read with the pairing, seed, models and dots of its names', async () => {
    const run = 'a-3.6-plus_vs_b.x/seed42';
    const root = await tree({
      ...hyperspaceAgent(`${run}/b.x`, 'lab/b.x:free', 42, generations),
      ...hyperspaceAgent(`${run}/a-3.6-plus`, 'a', 42, generations.slice(0, 2)),
      'README.md': 'no run',
    });
    const traces = await loadTraces([root]);
    const loaded = only(traces);
    expect(loaded).toMatchObject({
      id: run,
      format: 'hyperspace',
      pairing: 'a-3.6-plus_vs_b.x',
      seed: 42,
      arm: 'paired',
    });
    expect(loaded.agents.map(({ name, model }) => [name, model])).toEqual([
      ['a-3.6-plus', 'a'],
      ['b.x', 'lab/b.x:free'],
    ]);
    expect(traces.skipped).toEqual([]);
    const nine = generation(loaded, 'b.x/9');
    expect(nine).toMatchObject({
      code: pythonProgram(9),
      language: 'python',
      parents: ['b.x/8'],
      valid: true,
      published: true,
      scores: { train: 0.7, validation: 0.7 },
    });
    expect(nine.files).toEqual({ 'meta_agent.py': 'class MetaAgent:\n    pass\n' });
    expect(nine.cause).toBeUndefined();
  });

  test('tells by the files beside a zero what it came from', async () => {
    const root = await tree(hyperspaceAgent('p/seed1/a', 'a', 1, generations));
    const run = only(await loadTraces([root]));
    expect(run.agents[0]?.generations.map(({ cause }) => cause)).toEqual([
      'wrong-answers',
      undefined,
      'provider-outage',
      'provider-outage',
      'no-candidate',
      'cannot-run',
      'evaluation-broke-off',
      'evaluation-broke-off',
      'wrong-answers',
      undefined,
      undefined,
    ]);
  });

  test('knows what was published, and that a generation without code has no children', async () => {
    const root = await tree(hyperspaceAgent('p/seed1/a', 'a', 1, generations));
    const [agent] = only(await loadTraces([root])).agents;
    expect(agent?.generations.filter(({ published }) => published).map(({ generation }) => generation)).toEqual([1, 9]);
    expect(agent?.generations[5]?.parents).toEqual(['a/1']);
    expect(agent?.generations[0]?.parents).toEqual([]);
  });

  test('of solo runs has a run for each seed, the pairing named after what is above', async () => {
    const root = await tree({
      ...hyperspaceAgent('solo/arm_a/seed42', 'm', 42, generations.slice(0, 2)),
      ...hyperspaceAgent('solo/arm_a/seed43', 'm', 43, generations.slice(0, 2)),
    });
    const traces = await loadTraces([join(root, 'solo')]);
    expect(traces.runs.map(({ id, seed, arm, pairing }) => [id, seed, arm, pairing])).toEqual([
      ['arm_a/seed42', 42, 'solo', 'arm_a'],
      ['arm_a/seed43', 43, 'solo', 'arm_a'],
    ]);
  });

  test('costs what is damaged and no more', async () => {
    const root = await tree({
      ...hyperspaceAgent('x_vs_y/seed1/x', 'x', 1, generations.slice(0, 3)),
      ...hyperspaceAgent('x_vs_y/seed1/y', 'y', 1, generations.slice(0, 2)),
      'x_vs_y/seed1/x/gen_1/metadata.json': '{"valid": true, "val_sc',
      'x_vs_y/seed1/y/gen_1/repo/task_agent.py': 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n',
    });
    const traces = await loadTraces([root]);
    const run = only(traces);
    expect(run.agents.map(({ generations: all }) => all.length)).toEqual([3, 2]);
    expect(generation(run, 'x/1')).toMatchObject({ code: pythonProgram(1), scores: {} });
    expect(generation(run, 'y/1')).toMatchObject({
      unread: true,
      valid: true,
      scores: { validation: expect.any(Number) },
    });
    expect(generation(run, 'y/1').code).toBeUndefined();
    expect(generation(run, 'x/1').unread).toBeUndefined();
    expect(traces.skipped).toContainEqual({
      path: 'x_vs_y/seed1/x/gen_1/metadata.json',
      what: 'file',
      why: 'not JSON (half-written or damaged)',
    });
    expect(traces.skipped).toContainEqual(
      expect.objectContaining({
        path: 'x_vs_y/seed1/y/gen_1/repo/task_agent.py',
        why: expect.stringContaining('Git LFS'),
      }),
    );
    expect(Object.values(traces.skippedBy).reduce((sum, n) => sum + n, 0)).toBe(traces.skipped.length);
  });
});
