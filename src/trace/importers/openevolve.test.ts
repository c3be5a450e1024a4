import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTraces } from './load-traces.ts';
import { generation, ids, only, tree } from './test-loading.ts';
import { openEvolveProgram, pythonProgram } from './test-sources.ts';

describe('OpenEvolve', () => {
  test('is the union of its checkpoints, its database and its trace, with migrants marked', async () => {
    const trace = [
      {
        iteration: 1,
        timestamp: 1,
        parent_id: 'p0',
        child_id: 'p1',
        parent_metrics: { combined_score: 0 },
        child_metrics: { combined_score: 0.1 },
        parent_code: pythonProgram(0),
        child_code: pythonProgram(1),
      },
      {
        iteration: 2,
        parent_id: 'p1',
        child_id: 'gone',
        child_metrics: { combined_score: NaN, error: 'Timeout' },
        child_code: 'x = 1\n',
      },
      'nothing',
    ];
    const root = await tree({
      'out/checkpoints/checkpoint_9/programs/p1.json': openEvolveProgram(1, 1, 0, {
        metrics: { combined_score: 0.05 },
      }),
      'out/checkpoints/checkpoint_10/programs/p1.json': openEvolveProgram(1, 1, 0),
      'out/checkpoints/checkpoint_10/programs/p2.json': openEvolveProgram(2, 10, 1),
      'out/checkpoints/checkpoint_10/programs/m.json': openEvolveProgram(2, 0, 2, {
        id: 'p2_migrant_1',
        metadata: { island: 1, migrant: true },
      }),
      'out/checkpoints/checkpoint_10/programs/half.json': '{"id": "p7", "co',
      'out/db/programs/p3.json': JSON.stringify(openEvolveProgram(3, 11, 2)).replace(
        '"combined_score":0.3',
        '"combined_score":-Infinity',
      ),
      'out/evolution_trace.jsonl': `${trace
        .map((row) => JSON.stringify(row))
        .join('\n')
        .replace('null', 'NaN')}\n{"half`,
    });
    const traces = await loadTraces([join(root, 'out')]);
    const run = only(traces);
    expect(run).toMatchObject({ id: 'out', format: 'openevolve', pairing: 'openevolve' });
    expect(
      run.agents[0]?.generations.map(({ id, generation: n, parents, copy }) => [
        id,
        n,
        ...parents,
        ...(copy ? ['copy'] : []),
      ]),
    ).toEqual([
      ['p2_migrant_1', 0, 'p2', 'copy'],
      ['p0', 0],
      ['p1', 1, 'p0'],
      ['gone', 2, 'p1'],
      ['p2', 10, 'p1'],
      ['p3', 11, 'p2'],
    ]);
    expect(generation(run, 'p1').scores.validation).toBe(0.1);
    expect(generation(run, 'gone')).toMatchObject({ valid: false, cause: 'evaluation-broke-off', scores: {} });
    expect(generation(run, 'p3').scores).toEqual({ validation: 1 });
    expect(traces.skipped.map(({ path, line, why }) => [path, line, why])).toEqual([
      ['checkpoints/checkpoint_10/programs/half.json', undefined, 'not JSON (half-written or damaged)'],
      ['evolution_trace.jsonl', 3, 'not a step of a search (no child_id)'],
      ['evolution_trace.jsonl', 4, 'not JSON (half-written or damaged)'],
    ]);
  });

  test('copies that nobody flagged are told by their code: a migrant "of iteration 0", the initial program once more', async () => {
    const program = (n: number, iteration: number, parent: number | null, over = {}): [string, unknown] => [
      `out/db/programs/p${n}.json`,
      openEvolveProgram(n, iteration, parent, over),
    ];
    const root = await tree(
      Object.fromEntries([
        program(0, 0, null),
        program(1, 0, null, { code: pythonProgram(0) }),
        program(2, 0, null),
        program(3, 3, 0, { code: pythonProgram(0) }),
        program(4, 0, 5, { code: pythonProgram(5) }),
        program(5, 2, 0),
      ]),
    );
    const [agent] = only(await loadTraces([root])).agents;
    expect(agent?.generations.filter(({ copy }) => copy).map(({ id }) => id)).toEqual(['p1', 'p4']);
  });

  test('is found from its checkpoints folder and from one checkpoint', async () => {
    const root = await tree({ 'o/checkpoints/checkpoint_1/programs/p0.json': openEvolveProgram(0, 0, null) });
    for (const [path, id] of [
      ['o/checkpoints', 'checkpoints'],
      ['o/checkpoints/checkpoint_1', 'checkpoint_1'],
      ['', 'o'],
    ] as const) {
      expect(ids(await loadTraces([join(root, path)]))).toEqual([id]);
    }
  });
});
