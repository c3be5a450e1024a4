import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { LoadedTraces } from '../loaded-run.ts';
import { loadTraces } from './load-traces.ts';
import { sha256 } from './test-sources.ts';

const DATA = fileURLToPath(new URL('../../../../shared/data/', import.meta.url));
const TREES = join(DATA, 'hyperspace-4runs.tar.xz');
const EVOLVE = join(DATA, 'evolve-traces.tar.xz');
const isThere = existsSync(TREES) && existsSync(EVOLVE);

const truth = z.object({
  runs: z.array(
    z.object({
      pairing: z.string(),
      seed: z.string(),
      agents: z.array(z.string()),
      trajectories: z.record(
        z.string(),
        z.array(
          z.object({
            gen: z.number(),
            val_score: z.number().nullable(),
            valid: z.boolean(),
            code_sha256: z.string().nullable().optional(),
          }),
        ),
      ),
    }),
  ),
});

test.runIf(!isThere)('skipped: the published archives are not beside this checkout (../shared/data)', () => {
  expect(isThere).toBe(false);
});

describe.runIf(isThere)('the published archives', () => {
  let folder = '';
  let traces: LoadedTraces;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hivemark-archives-'));
    for (const file of [TREES, EVOLVE]) execFileSync('tar', ['-xJf', file, '-C', folder], { timeout: 60_000 });
    traces = await loadTraces([folder]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('are read whole, nothing left out', () => {
    expect(traces.skipped).toEqual([]);
    expect(traces.runs.map(({ id, format }) => `${format} ${id}`)).toEqual([
      'hyperspace claude_vs_kimi-k2p5/seed44',
      'evotrace evolve-traces/cp_noema_oe',
      'evotrace evolve-traces/cp_yp_8bcb31d9',
      'evotrace evolve-traces/fm_foamliu',
      'hyperspace kimi-k2p5_vs_gpt-oss-120b/seed44',
      'hyperspace qwen3.6-plus_vs_kimi-k2p5/seed42',
      'hyperspace qwen3.6-plus_vs_kimi-k2p5/seed43',
    ]);
    const counts = traces.runs
      .filter(({ format }) => format === 'evotrace')
      .map((run) => run.agents[0]?.generations.length);
    expect(counts).toEqual([71, 89, 93]);
  });

  test('every program is byte for byte what the truth data says, with its score', () => {
    const { runs } = truth.parse(JSON.parse(readFileSync(join(DATA, 'hyperspace-4runs.truth.json'), 'utf8')));
    let compared = 0;
    for (const expected of runs) {
      const run = traces.runs.find(({ id }) => id === `${expected.pairing}/${expected.seed}`);
      expect(run?.agents.map(({ name }) => name)).toEqual(expected.agents);
      expect(run).toMatchObject({ pairing: expected.pairing, seed: Number(expected.seed.slice(4)) });
      for (const agent of run?.agents ?? []) {
        const seen = agent.generations.map(({ generation, valid, code, scores }) => ({
          gen: generation,
          val_score: scores.validation ?? null,
          valid,
          code: code === undefined ? null : sha256(code),
        }));
        const wanted = expected.trajectories[agent.name]?.map(({ gen, val_score, valid, code_sha256 }) => ({
          gen,
          val_score: valid ? val_score : null,
          valid,
          code: code_sha256 ?? null,
        }));
        expect(seen).toEqual(wanted);
        compared += seen.length;
      }
    }
    expect(compared).toBe(208);
  });

  test('the zeros of the four runs have their causes told apart', () => {
    const causes: Record<string, number> = {};
    for (const run of traces.runs.filter(({ format }) => format === 'hyperspace')) {
      for (const { cause } of run.agents.flatMap(({ generations }) => generations)) {
        if (cause !== undefined) causes[cause] = (causes[cause] ?? 0) + 1;
      }
    }
    expect(causes).toEqual({ 'wrong-answers': 41, 'cannot-run': 2, 'provider-outage': 11 });
  });
});
