import { describe, expect, it } from 'vitest';
import { medianDifference, medianEstimate } from './bootstrap.ts';
import { median, quantile } from './median.ts';
import { seededRandom } from './seeded-random.ts';

describe('medianEstimate()', () => {
  /** Survival of treated mice. @see Efron and Tibshirani (1993), table 2.1 */
  const mice = [94, 197, 16, 38, 99, 141, 23];

  it("holds the middle of the bootstrap medians of Efron and Tibshirani's mice", () => {
    // The median of a resample is 16, 23, 38, 94, 99, 141, 197 with probability .0102, .0981, .2386, .3062, .2386, .0981, .0102 (Efron 1979).
    expect(medianEstimate(mice)).toEqual({ value: 94, low: 23, high: 141, n: [7], level: 0.95 });
    expect(medianEstimate(mice, { level: 0.7 })).toMatchObject({ low: 38, high: 99 });
    expect(medianEstimate(mice, { level: 0.99 })).toMatchObject({ low: 16, high: 197 });
  });

  it('gives the same interval for the same seed, and the seed matters', () => {
    const values = Array.from({ length: 20 }, (_, i) => i ** 2);
    const bounds = (seed: number): unknown => medianEstimate(values, { seed, resamples: 50 });
    expect(bounds(7)).toEqual(bounds(7));
    expect(new Set([1, 2, 3, 4, 5, 6].map((seed) => JSON.stringify(bounds(seed)))).size).toBeGreaterThan(1);
  });

  it('has no interval of one value and nothing of none', () => {
    expect(medianEstimate([3])).toEqual({ value: 3, low: null, high: null, n: [1], level: 0.95 });
    expect(medianEstimate([])).toBeUndefined();
    expect(medianDifference([1, 2], [])).toBeUndefined();
  });

  it('covers the true median of normal samples about as often as it says', () => {
    const random = seededRandom(5);
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    let covered = 0;
    for (let n = 0; n < 200; n++) {
      const { low, high } = medianEstimate(Array.from({ length: 25 }, normal), { resamples: 400 }) ?? {
        low: 1,
        high: -1,
      };
      if ((low ?? 1) <= 0 && (high ?? -1) >= 0) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(182);
    expect(covered).toBeLessThanOrEqual(200);
  });
});

it('medianDifference() is the difference of the medians, with both sizes', () => {
  const shifted = medianDifference([11, 12, 13, 14, 15], [1, 2, 3, 4, 5]);
  expect(shifted).toMatchObject({ value: 10, n: [5, 5] });
  expect(shifted?.low).toBeGreaterThan(0);
});

it('median() and quantile() are those of R (definition 7)', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(median([])).toBeUndefined();
  expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.1)).toBeCloseTo(1.9, 12);
  expect(quantile([10, 1], 1)).toBe(10);
});

it('seededRandom() is mulberry32', () => {
  const random = seededRandom(1);
  expect(random() * 2 ** 32).toBe(2693262067);
});
