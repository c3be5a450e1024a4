import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { HAS_ARCHIVES, SHARED } from '../analysis/test-runs.ts';
import { makeTestFolder } from '../trace/test-folder.ts';
import { TestAnalyst } from './test-analyst.ts';

if (!HAS_ARCHIVES) console.info('SKIPPED: an analyst of the published runs, because ../shared/data is not there');

interface Truth {
  readonly runs: readonly {
    readonly pairing: string;
    readonly seed: string;
    readonly trajectories: Readonly<Record<string, readonly unknown[]>>;
    readonly adoptions: readonly {
      readonly agent: string;
      readonly peer: string;
      readonly gen: number;
      readonly ratio: number;
    }[];
  }[];
}

async function openArchive(name: string): Promise<TestAnalyst> {
  const root = await makeTestFolder();
  execFileSync('tar', ['-xJf', join(SHARED, `${name}.tar.xz`), '-C', root], { timeout: 60_000 });
  return TestAnalyst.open(root);
}

describe.skipIf(!HAS_ARCHIVES)('the published archives', () => {
  test('hyperspace: the runs, programs and adoptions that their authors published', async () => {
    const { runs } = JSON.parse(readFileSync(join(SHARED, 'hyperspace-4runs.truth.json'), 'utf8')) as Truth;
    const analyst = await openArchive('hyperspace-4runs');
    const listed = await analyst.rowsOf('list_runs', {});
    for (const { pairing, seed, trajectories, adoptions } of runs) {
      const run = listed.map((card) => String(card['run'])).find((id) => id.endsWith(`${pairing}/${seed}`)) ?? '';
      for (const [agent, generations] of Object.entries(trajectories)) {
        expect(await analyst.rowsOf('list_candidates', { run, agent, limit: 7 })).toHaveLength(generations.length);
      }
      const found = await analyst.rowsOf('list_adoptions', { run, rule: 'published' });
      const keys = (all: readonly string[]) => all.toSorted((a, b) => (a < b ? -1 : 1));
      expect(
        keys(found.map(({ agent, generation, peer }) => `${String(agent)}/${String(generation)}<${String(peer)}`)),
      ).toEqual(keys(adoptions.map(({ agent, gen, peer }) => `${agent}/${gen}<${peer}`)));
      for (const { agent, generation, share } of found) {
        const truth = adoptions.find((one) => one.agent === agent && one.gen === generation);
        expect(share).toBeCloseTo(truth?.ratio ?? Number.NaN, 9);
      }
    }
    expect(analyst.failures).toEqual([]);
  }, 60_000);

  test('searches: programs, lines of descent and blame', async () => {
    const analyst = await openArchive('evolve-traces');
    for (const card of await analyst.rowsOf('list_runs', {})) {
      const run = String(card['run']);
      expect(card['problem'], run).toBeNull();
      const [best] = (await analyst.ask('list_candidates', { run, order: 'best', limit: 1 })).rows;
      const candidate = String(best?.['candidate']);
      const line = await analyst.rowsOf('lineage', { run, candidate, limit: 3 });
      expect(line[0]).toMatchObject({ candidate, steps: 0 });
      const blamed = await analyst.ask<{ program: string }>('blame', {
        run,
        agent: best?.['agent'],
        generation: candidate,
      });
      expect(blamed.program).toBe(candidate);
    }
    expect(analyst.failures).toEqual([]);
  }, 60_000);
});
