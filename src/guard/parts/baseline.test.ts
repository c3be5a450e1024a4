import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Counts, learnWindow, NO_COUNTS, ordinaryCount, seedBaseline, shiftedKind } from './baseline.ts';

const counts = (observation: number, rest: Partial<Counts> = {}): Counts => ({ ...NO_COUNTS, observation, ...rest });
const seeded = (...observations: readonly number[]) => seedBaseline(observations.map((n) => counts(n)));

describe('the baseline of an agent', () => {
  it('begins with the median and 1.4826 times the median absolute deviation, whatever a burst did', () => {
    // Median 5; deviations 0 0 1 1 1 1 2 2 2 195, of which the median is 1.
    const baseline = seeded(3, 4, 4, 5, 5, 3, 6, 6, 7, 200);
    expect(baseline.kinds.observation.mean).toBe(5);
    expect(Math.sqrt(baseline.kinds.observation.m2 / 9)).toBeCloseTo(1.4826 * 1, 10);
    expect(seeded(1, 2, 100).kinds.observation.mean).toBe(2);
  });

  it('has the mean and sample variance of all windows after the seed, as Welford gives them', () => {
    assert(
      property(array(integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 50 }), (values) => {
        const empty = { ...seeded(), windows: 0 };
        const learnt = values.reduce((baseline, value) => learnWindow(baseline, counts(value)), empty);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        const m2 = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
        expect(learnt.windows).toBe(values.length);
        expect(learnt.kinds.observation.mean).toBeCloseTo(mean, 6);
        expect(learnt.kinds.observation.m2).toBeCloseTo(m2, 4);
      }),
    );
  });

  it('takes for ordinary what is within the spreads, of which the smallest is that of a Poisson process and one mark', () => {
    expect(ordinaryCount(seeded(9, 9, 9, 9), 'observation', 3.5)).toBe(9 + 3.5 * 3);
    expect(ordinaryCount(seeded(0, 0, 0, 0), 'observation', 3.5)).toBe(3.5);
    const wide = seeded(0, 100, 0, 100);
    expect(ordinaryCount(wide, 'observation', 2)).toBeCloseTo(50 + 2 * 1.4826 * 50, 9);
  });

  it('finds the kind whose share moved most, the one that grew where two traded places, none within the bound', () => {
    const half = seedBaseline([counts(5, { warning: 5 })]);
    expect(shiftedKind(half, counts(20, { warning: 0 }), 0.4)).toBe('observation');
    expect(shiftedKind(half, counts(0, { warning: 20 }), 0.4)).toBe('warning');
    expect(shiftedKind(half, counts(20), 0.5)).toBeUndefined();
    expect(shiftedKind(seeded(5), counts(4, { warning: 3, intent: 3 }), 0.5)).toBe('observation');
    expect(shiftedKind(seeded(0), counts(4), 0.5)).toBeUndefined();
    expect(shiftedKind(seeded(5), NO_COUNTS, 0.5)).toBeUndefined();
  });
});
