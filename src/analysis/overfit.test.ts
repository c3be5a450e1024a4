import { describe, expect, it } from 'vitest';
import type { LoadedScores } from '../trace/loaded-run.ts';
import { type Overfit, overfit, overfitTable } from './overfit.ts';
import { program, runOf } from './test-runs.ts';

function of(scores: readonly LoadedScores[]): Overfit | undefined {
  return overfit([runOf([{ name: 'a', generations: scores.map((one, n) => program('a', n, { scores: one })) }])])[0];
}

const split = (pairs: readonly (readonly [number, number])[]): LoadedScores[] =>
  pairs.map(([seen, hidden]) => ({ public: seen, private: hidden }));

describe('overfit()', () => {
  it.each([
    [0.5, 'aligned'],
    [0.41, 'aligned'],
    [0.35, 'mild'],
    [0.26, 'mild'],
    [0.24, 'severe'],
    [0, 'severe'],
    [-0.2, 'severe'],
  ] as const)('of a seen gain of 0.5, %d hidden is %s', (hidden, verdict) => {
    expect(
      of(
        split([
          [0.2, 0.3],
          [0.7, 0.3 + hidden],
        ]),
      )?.verdict,
    ).toBe(verdict);
  });

  it('judges the program that the seen score chose, the first of equals, and says what the choice cost', () => {
    const found = of(
      split([
        [0.2, 0.2],
        [0.5, 0.6],
        [0.7, 0.5],
        [0.7, 0.9],
        [0.1, 0.1],
      ]),
    );
    expect(found).toMatchObject({ seen: 'public', hidden: 'private', programs: 5, verdict: 'mild' });
    expect(found?.seenGain).toBeCloseTo(0.5, 12);
    expect(found?.hiddenGain).toBeCloseTo(0.3, 12);
    expect(found?.gap).toBeCloseTo(0.2, 12);
    expect(found?.regret).toBeCloseTo(0.4, 12);
  });

  it("agrees with Spearman's correlation of IQ and hours of television (a published worked example: -29/165)", () => {
    const iq = [106, 100, 86, 101, 99, 103, 97, 113, 112, 110];
    const hours = [7, 27, 2, 50, 28, 29, 20, 12, 6, 17];
    const found = of(split(iq.map((one, i) => [one, hours[i] ?? 0] as const)));
    expect(found?.correlation).toBeCloseTo(-29 / 165, 12);
  });

  it('takes the most hidden pair of scores that is there, and leaves out programs without both', () => {
    expect(
      of([
        { train: 0, validation: 0, test: 0 },
        { train: 1, validation: 1, test: 1 },
      ])?.hidden,
    ).toBe('test');
    expect(of([{ validation: 0 }, { train: 0.1, validation: 0.1 }, { train: 1, validation: 0.2 }])).toMatchObject({
      seen: 'train',
      hidden: 'validation',
      programs: 2,
      verdict: 'severe',
      correlation: null,
    });
    expect(of([{ train: 1 }, { validation: 1 }])).toBeUndefined();
  });

  it('has no verdict where next to nothing was gained', () => {
    expect(
      of(
        split([
          [0.5, 0.5],
          [0.5, 0.1],
        ]),
      ),
    ).toMatchObject({ transfer: null, verdict: null });
    expect(
      of(
        split([
          [0.5, 0.5],
          [0.51, 0.1],
        ]),
      ),
    ).toMatchObject({ verdict: null });
  });

  it('overfitTable() says that validation is hidden only so far', () => {
    const found = of([
      { train: 0, validation: 0 },
      { train: 1, validation: 1 },
    ]);
    const { columns, rows, notes } = overfitTable(found ? [found] : []);
    expect(rows[0]).toHaveLength(columns.length);
    expect(notes.at(-1)).toContain('not hidden in the strict sense');
  });
});
