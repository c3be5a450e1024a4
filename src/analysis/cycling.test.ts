import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cycling, compatCycling, cyclingTable, strictCycling } from './cycling.ts';
import { classOf, isCounted, normaliseLine, skeletonOf } from './cycling-lines.ts';
import type { LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import { archivedRuns, HAS_ARCHIVES, program, runOf, SHARED } from './test-runs.ts';

if (!HAS_ARCHIVES)
  console.info('SKIPPED: cycling of the three published searches, because ../shared/data is not there');

/** One search whose programs have these lines. */
function searchOf(programs: readonly (Partial<LoadedGeneration> & { readonly lines: readonly string[] })[]): LoadedRun {
  const generations = programs.map(({ lines, ...fields }, n) =>
    program('s', n, { code: `${lines.join('\n')}\n`, ...fields }),
  );
  return runOf([{ name: 's', generations }], { format: 'evotrace' });
}

describe('against the published reference', () => {
  it.skipIf(!HAS_ARCHIVES)('equals every number of cycle and slope_* for all three searches', async () => {
    const golden: Record<string, Record<string, unknown>> = JSON.parse(
      readFileSync(join(SHARED, 'evolve-traces.golden.json'), 'utf8'),
    );
    const runs = await archivedRuns('evolve-traces');
    expect(new Set(runs.map(({ id }) => id.split('/').at(-1)))).toEqual(new Set(Object.keys(golden)));
    for (const run of runs) {
      const wanted = golden[run.id.split('/').at(-1) ?? ''];
      const { compat } = cycling(run);
      expect({
        n_edits: compat.edits,
        n_recycle_events: compat.events,
        events_by_class: compat.byClass,
        total_added_lines: compat.addedLines,
        share_of_added_lines: compat.share,
        median_per_edit_ratios: compat.medianPerEdit,
        span_stats: compat.span,
      }).toEqual(wanted?.['cycle']);
      expect([compat.slope.any, compat.slope.literal, compat.slope.tuning]).toEqual([
        wanted?.['slope_any'],
        wanted?.['slope_literal'],
        wanted?.['slope_tuning'],
      ]);
    }
  });
});

describe('a line', () => {
  it('is compared without its comments and outer white space', () => {
    expect(normaliseLine('\t total /* sum */ = 1; // all')).toBe('total  = 1;');
    expect(normaliseLine('half = n // 2')).toBe('half = n');
    expect(normaliseLine('\x1c\x85 wide = 1\u3000')).toBe('wide = 1');
  });

  it('collapses every number to one sign', () => {
    expect(skeletonOf('x1 = -2.5e-3 + 10')).toBe('x# = -# + #');
    expect(skeletonOf('a = 1.2.3')).toBe('a = #.#');
  });

  it.each([
    ['', false],
    ['a=1', false],
    ['abcd', false],
    ['abcde', true],
    ['😀😀😀😀', false],
    ['😀😀😀😀😀', true],
    ['return;', false],
    ['#include <vector>', false],
    ['(1, 2.5) + 3;', false],
    ['x = 12', true],
  ])('%j is counted: %s', (line, counted) => {
    expect(isCounted(line)).toBe(counted);
  });

  it('comes back as itself, as a comment, with other spaces, or tuned', () => {
    expect(classOf('rate = 1', 'rate = 1')).toBe('literal');
    expect(classOf('# rate 2', '# rate 1')).toBe('trivial');
    expect(classOf('rate=1', 'rate = 1')).toBe('trivial');
    expect(classOf('rate = 2', 'rate = 1')).toBe('tuning');
  });
});

describe('compatCycling()', () => {
  it('counts a skeleton once a child, against its latest removal in an earlier iteration', () => {
    const run = searchOf([
      { lines: ['rate = 1', 'other()'] },
      { lines: ['rate = 2', 'other()'] },
      { lines: ['nothing', 'other()'] },
      { lines: ['rate = 2', 'rate = 7', 'other()'] },
    ]);
    const { events, byClass, addedLines, span, share } = compatCycling(run);
    // Generation 1 removes `rate = 1` as it adds `rate = 2`: the same iteration is not earlier.
    expect({ events, byClass, addedLines }).toEqual({
      events: 1,
      byClass: { literal: 1, tuning: 0, trivial: 0 },
      addedLines: 4,
    });
    expect(span).toEqual({ median: 1, mean: 1, max: 1 });
    expect(share.any).toBe(0.25);
  });

  it("takes a removal in a stranger's branch for the child's own, and drops lines that look like a diff's header", () => {
    const run = searchOf([
      { lines: ['shared()', '++count;'] },
      { lines: ['other()'], id: 'left' },
      { lines: ['seed(a)'], parents: [], id: 'root' },
      { lines: ['shared()', '++count;', 'seed(a)'], parents: ['root'], id: 'right' },
    ]);
    expect(compatCycling(run)).toMatchObject({ edits: 2, events: 1, addedLines: 2 });
    expect(strictCycling(run)).toMatchObject({ edits: 2, events: 0, addedLines: 3 });
  });

  it('uses the first of equally late removals', () => {
    const run = searchOf([
      { lines: ['rate = 5', 'rate = 6', 'keep()'] },
      { lines: ['keep()'] },
      { lines: ['keep()', 'rate = 5'], id: 'x' },
    ]);
    expect(compatCycling(run).byClass).toEqual({ literal: 1, tuning: 0, trivial: 0 });
  });

  it('has no slope and no share where nothing was added, and no span without events', () => {
    const run = searchOf([{ lines: ['alpha()'] }, { lines: ['alpha()'] }]);
    expect(compatCycling(run)).toMatchObject({ edits: 1, events: 0, addedLines: 0, span: null });
    expect(compatCycling(run).share.any).toBe(0);
    expect(compatCycling(runOf([])).edits).toBe(0);
  });
});

describe('strictCycling()', () => {
  it('counts lines that their own line of descent lost and got back, once for each time they are added', () => {
    const run = searchOf([
      { lines: ['alpha()', 'beta()'] },
      { lines: ['beta()'] },
      { lines: ['beta()', 'gamma()'] },
      { lines: ['alpha()', 'beta()', 'gamma()', 'alpha()'] },
    ]);
    const strict = strictCycling(run);
    expect(strict).toMatchObject({ edits: 3, events: 2, addedLines: 3, span: { median: 2, mean: 2, max: 2 } });
    expect(strict.share).toEqual({ any: 2 / 3, literal: 2 / 3, tuning: 0, trivial: 0 });
  });

  it('does not take a moved line, a tuned line or a migrant for a return', () => {
    const run = searchOf([
      { lines: ['alpha()', 'beta()', 'rate = 1'] },
      { lines: ['beta()', 'alpha()', 'rate = 2'] },
      { lines: ['alpha()', 'beta()', 'rate = 3'] },
      { lines: ['alpha()', 'beta()', 'rate = 1'], copy: true },
    ]);
    expect(strictCycling(run)).toMatchObject({ edits: 2, events: 0 });
  });

  it('ends at a circle of parents', () => {
    const run = searchOf([
      { lines: ['alpha()'], id: 'a', parents: ['b'] },
      { lines: ['beta()'], id: 'b', parents: ['a'] },
    ]);
    expect(strictCycling(run).events).toBe(0);
  });

  it('never counts more than was added, and never less than nothing', () => {
    const lines = fc.array(fc.constantFrom('alpha()', 'beta()', 'gamma()', 'x = 11', 'x = 12'), { maxLength: 8 });
    fc.assert(
      fc.property(fc.array(lines, { minLength: 1, maxLength: 8 }), (programs) => {
        const { compat, strict } = cycling(searchOf(programs.map((one) => ({ lines: one }))));
        for (const { events, addedLines, share } of [compat, strict]) {
          expect(events).toBeLessThanOrEqual(addedLines);
          expect(share.any).toBeCloseTo(share.literal + share.tuning + share.trivial, 12);
        }
        expect(strict.addedLines).toBe(compat.addedLines);
      }),
    );
  });
});

it('cyclingTable() has a row a rule, each as long as the columns', () => {
  const { columns, rows } = cyclingTable([cycling(searchOf([{ lines: ['alpha()'] }]))]);
  expect(rows.map((row) => row[1])).toEqual(['compat', 'strict']);
  for (const row of rows) expect(row).toHaveLength(columns.length);
});
