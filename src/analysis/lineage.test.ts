import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineage, lineageTable } from './lineage.ts';
import { archivedRuns, HAS_ARCHIVES, program, runOf, SHARED, scoring } from './test-runs.ts';

if (!HAS_ARCHIVES)
  console.info('SKIPPED: lineages of the three published searches, because ../shared/data is not there');

interface Features {
  readonly features: {
    readonly lineage_depth: number;
    readonly final_best: { readonly iteration: number; readonly score: number };
    readonly final_best_x_norm: number;
  };
}

describe('lineage()', () => {
  it.skipIf(!HAS_ARCHIVES)('has the depth, best and time to best of the published searches', async () => {
    const golden: Record<string, Features> = JSON.parse(
      readFileSync(join(SHARED, 'evolve-traces.golden.json'), 'utf8'),
    );
    const runs = await archivedRuns('evolve-traces');
    expect(runs).toHaveLength(3);
    for (const run of runs) {
      const features = golden[run.id.split('/').at(-1) ?? '']?.features;
      const [found] = lineage(run);
      expect(found).toMatchObject({
        depthOfBest: features?.lineage_depth,
        bestScore: features?.final_best.score,
        timeToBest: features?.final_best.iteration,
        timeShare: features?.final_best_x_norm,
      });
    }
  });

  it('follows selected parents; what the best does not descend from is a dead branch', () => {
    const generations = [
      program('a', 0, { score: 0.1 }),
      program('a', 1, { score: 0.3 }),
      program('a', 2, { score: 0.2, parents: ['a/0', 'a/1'] }),
      program('a', 3, { score: 0.9, parents: ['a/2'] }),
      program('a', 4, { score: 0.9, parents: ['a/1'] }),
    ];
    expect(lineage(runOf([{ name: 'a', generations }]))).toEqual([
      {
        run: 'run',
        agent: 'a',
        programs: 5,
        copies: 0,
        depthOfBest: 3,
        deepest: 3,
        bestScore: 0.9,
        timeToBest: 3,
        timeShare: 0.75,
        records: 3,
        recordsOnLine: 2,
        deadBranchShare: 0.4,
        unusedShare: 0.2,
      },
    ]);
  });

  it('goes through copies without counting them, also for the best', () => {
    const generations = [
      program('a', 0, { score: 0.1 }),
      program('a', 1, { score: 0.95, copy: true }),
      program('a', 2, { score: 0.5, parents: ['a/1'] }),
    ];
    expect(lineage(runOf([{ name: 'a', generations }]))[0]).toMatchObject({
      programs: 2,
      copies: 1,
      depthOfBest: 2,
      bestScore: 0.5,
      records: 2,
      deadBranchShare: 0,
    });
  });

  it('knows the seed again in the copy of it that an island began with', () => {
    const generations = [
      program('a', 0, { code: 'seed', score: 0.1 }),
      program('a', 1, { id: 'island', code: 'seed', score: 0.1, parents: [], copy: true }),
      program('a', 2, { code: 'better', score: 0.5, parents: ['island'] }),
    ];
    const [found] = lineage(runOf([{ name: 'a', generations }]));
    expect(found).toMatchObject({ depthOfBest: 2, recordsOnLine: 2, deadBranchShare: 0, unusedShare: 0 });
  });

  it('gives nothing without scores, and an end to circles and missing parents', () => {
    expect(lineage(runOf([scoring('a', [null, null])]))[0]).toMatchObject({
      depthOfBest: null,
      deepest: 2,
      timeToBest: null,
    });
    const circle = [
      program('a', 0, { score: 0.1, parents: ['a/1'] }),
      program('a', 1, { score: 0.2, parents: ['a/0'] }),
      program('a', 2, { score: 0.3, parents: ['gone'] }),
    ];
    expect(lineage(runOf([{ name: 'a', generations: circle }]))[0]).toMatchObject({ depthOfBest: 1, deepest: 2 });
  });

  it('is no deeper than the programs are many, and the best is on a line of its own', () => {
    const parents = fc.array(fc.record({ parent: fc.nat(), score: fc.integer({ min: 0, max: 9 }) }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(parents, (chosen) => {
        const generations = chosen.map(({ parent, score }, n) =>
          program('a', n, { score, parents: n === 0 ? [] : [`a/${parent % n}`] }),
        );
        const [found] = lineage(runOf([{ name: 'a', generations }]));
        const depth = found?.depthOfBest ?? 0;
        expect(depth).toBeGreaterThan(0);
        expect(depth).toBeLessThanOrEqual(found?.deepest ?? 0);
        expect((found?.deadBranchShare ?? 0) * generations.length).toBeCloseTo(generations.length - depth, 9);
        expect(found?.recordsOnLine).toBeLessThanOrEqual(Math.min(depth, found?.records ?? 0));
      }),
    );
  });

  it('lineageTable() has rows as long as its columns', () => {
    const { columns, rows } = lineageTable(lineage(runOf([scoring('a', [0.1])])));
    expect(rows[0]).toHaveLength(columns.length);
  });
});
