import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LoadedAgent } from '../trace/loaded-run.ts';
import { type CrashRule, crashes, crashTable, failureCauses } from './crashes.ts';
import { archivedRuns, HAS_ARCHIVES, program, runOf, SHARED, scoring } from './test-runs.ts';

if (!HAS_ARCHIVES) console.info('SKIPPED: crashes of the four published runs, because ../shared/data is not there');

const stretches = (agent: LoadedAgent, rule: CrashRule): unknown =>
  crashes([runOf([agent])], rule).map(({ start, end, recovery }) => [start, end, recovery]);

describe('against the published runs', () => {
  it.skipIf(!HAS_ARCHIVES)('each published rule finds in the four runs what it found in them: 4, 3 and 1', async () => {
    type Listed = Record<'agent', string> &
      Record<'crash_start' | 'crash_end' | 'recovery_gen' | 'score_before_crash' | 'recovery_score', number>;
    const truth: { runs: { pairing: string; seed: string; crash_variants: Record<string, Listed[]> }[] } = JSON.parse(
      readFileSync(join(SHARED, 'hyperspace-4runs.truth.json'), 'utf8'),
    );
    const runs = await archivedRuns('hyperspace-4runs');
    for (const [rule, key, count] of [
      ['published-25', 'published_output_txt_25', 4],
      ['published-6', 'findings_md_6', 3],
      ['published-4', 'current_code_4', 1],
    ] as const) {
      const wanted = truth.runs.flatMap(({ pairing, seed, crash_variants }) =>
        (crash_variants[key] ?? []).map((one) =>
          [
            `${pairing}/${seed}`,
            one.agent,
            one.crash_start,
            one.crash_end,
            one.recovery_gen,
            one.score_before_crash,
            one.recovery_score,
          ].join(),
        ),
      );
      const found = crashes(runs, rule).map((one) =>
        [one.run, one.agent, one.start, one.end, one.recovery, one.scoreBefore, one.recoveryScore].join(),
      );
      expect(found.sort()).toEqual(wanted.sort());
      expect(found).toHaveLength(count);
    }
    // Code sizes and scores of the one crash that the reference's own program still reports.
    expect(crashes(runs, 'published-4')[0]).toMatchObject({ sizes: [16468, 18212, 17328] });
    // Two of the three of findings.md were an unreachable provider.
    expect(crashes(runs, 'published-6').map(({ causes }) => causes)).toEqual([
      { 'provider-outage': 2 },
      { 'provider-outage': 2 },
      { 'wrong-answers': 2 },
    ]);
    expect(crashes(runs, 'causes')).toHaveLength(1);
  });
});

describe('crashes()', () => {
  it('takes programs that never worked for a crash under published-25 only', () => {
    const agent = scoring('a', [0, 0.01, 0.5]);
    expect(stretches(agent, 'published-25')).toEqual([[0, 1, 2]]);
    for (const rule of ['published-6', 'published-4', 'causes'] as const) expect(stretches(agent, rule)).toEqual([]);
  });

  it('lets invalid generations be part of a crash under published-6 and causes, and end it under the others', () => {
    const agent = scoring('a', [0.5, 0, null, 0.6, null, null, 0.6]);
    expect(stretches(agent, 'published-6')).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(stretches(agent, 'published-25')).toEqual([]);
    expect(stretches(agent, 'published-4')).toEqual([]);
    expect(stretches(agent, 'causes')).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('wants two generations and a recovery above 0.4', () => {
    expect(stretches(scoring('a', [0.5, 0, 0.6]), 'published-4')).toEqual([]);
    expect(stretches(scoring('a', [0.5, 0, 0, 0.4, 0.6]), 'published-4')).toEqual([]);
    expect(stretches(scoring('a', [0.5, 0.01, 0, 0.41]), 'published-4')).toEqual([[1, 2, 3]]);
    expect(stretches(scoring('a', [0.5, 0.011, 0, 0.41]), 'published-4')).toEqual([]);
  });

  it('by causes: an outage neither makes nor ends a crash, and a crash at the end is one', () => {
    const down = (generation: number, cause?: 'provider-outage' | 'cannot-run') =>
      program('a', generation, { valid: false, ...(cause && { cause }) });
    const up = (generation: number) => program('a', generation, { score: 0.5 });
    const outage = { name: 'a', generations: [up(0), down(1, 'provider-outage'), down(2, 'provider-outage'), up(3)] };
    expect(stretches(outage, 'causes')).toEqual([]);
    expect(stretches(outage, 'published-6')).toEqual([[1, 2, 3]]);
    const mixed = {
      name: 'a',
      generations: [up(0), down(1, 'cannot-run'), down(2, 'provider-outage'), down(3), up(4), down(5), down(6)],
    };
    expect(stretches(mixed, 'causes')).toEqual([
      [1, 3, 4],
      [5, 6, null],
    ]);
    expect(crashes([runOf([mixed])], 'causes')[0]?.causes).toEqual({ 'cannot-run': 1, unknown: 1 });
    expect(failureCauses([runOf([mixed])]).causes).toEqual({ 'cannot-run': 1, 'provider-outage': 1, unknown: 3 });
  });

  it('by causes: a generation whose score is not known neither makes nor ends a crash', () => {
    const at = (generation: number, score?: number) =>
      program('a', generation, { code: 'x', ...(score !== undefined && { score }) });
    const made = { name: 'a', generations: [at(0, 0.5), at(1), at(2), at(3, 0.6)] };
    expect(stretches(made, 'causes')).toEqual([]);
    expect(stretches(made, 'published-6')).toEqual([[1, 2, 3]]);
    const within = { name: 'a', generations: [at(0, 0.5), at(1, 0), at(2), at(3, 0), at(4, 0.6)] };
    expect(stretches(within, 'causes')).toEqual([[1, 3, 4]]);
    expect(failureCauses([runOf([within])]).causes).toEqual({ unknown: 2, 'no-score': 1 });
  });

  it('counts the causes of searches apart, for no crash is looked for there', () => {
    const search = runOf([scoring('s', [0, 0.5, 0])], { format: 'openevolve' });
    const run = runOf([scoring('a', [0.5, 0])]);
    expect(failureCauses([search, run])).toEqual({ causes: { unknown: 1 }, searchCauses: { unknown: 2 } });
    expect(crashTable([search, run]).notes.slice(1)).toEqual([
      expect.stringContaining('by cause: unknown 1.'),
      expect.stringContaining('by cause: unknown 2.'),
    ]);
  });

  it('gives sizes in characters, not in units of UTF-16', () => {
    const of = (generation: number, score: number) => program('a', generation, { code: '\u{1f600}x', score });
    const agent = { name: 'a', generations: [of(0, 0.5), of(1, 0), of(2, 0), of(3, 0.6)] };
    expect(crashes([runOf([agent])])[0]?.sizes).toEqual([2, 2, 2]);
  });

  it('finds none in a search: failed programs in a row are nobody falling', () => {
    const run = runOf([scoring('a', [0.5, 0, 0, 0.6])], { format: 'openevolve' });
    expect(crashes([run], 'published-4')).toEqual([]);
    expect(crashTable([run]).notes.at(-1)).toContain('1 searches over a population are left out');
  });

  it('lets a generation that left its program alone count if it was evaluated', () => {
    const generations = [0.5, 0, 0, 0.6].map((score, n) => program('a', n, { score, ...(n === 2 && { copy: true }) }));
    const run = (programs: typeof generations) => runOf([{ name: 'a', generations: programs }], { format: 'native' });
    expect(crashes([run(generations)], 'published-4')).toHaveLength(1);
    const notAgain = generations.map((one) => (one.copy ? { ...one, scores: {} } : one));
    expect(crashes([run(notAgain)], 'published-6')).toEqual([]);
  });

  it('crashTable() says which rule made it and has rows as long as its columns', () => {
    const { columns, rows, notes } = crashTable([runOf([scoring('a', [0.5, 0, 0, 0.6])])], 'published-4');
    expect(rows).toEqual([['run', 'a', '1-2', 3, 0.5, 0.6, 'unknown 2']]);
    expect(rows[0]).toHaveLength(columns.length);
    expect(notes[0]).toContain('published-4');
  });
});
