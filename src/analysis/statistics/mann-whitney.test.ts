import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cliffsDelta } from './cliffs-delta.ts';
import { mannWhitney } from './mann-whitney.ts';

describe('mannWhitney()', () => {
  const men = [19, 22, 16, 29, 24];
  const women = [20, 11, 17, 12];

  it("agrees with scipy's documented example, exactly and by approximation", () => {
    expect(mannWhitney(men, women)).toEqual({ n: [5, 4], u: 17, p: 1 / 9, method: 'exact' });
    expect(mannWhitney(men, women, 'normal').p).toBeCloseTo(0.11134688653314041, 14);
  });

  it("agrees with Hollander and Wolfe's permeability constants (1973, p. 69): W = 35, one-sided p = 0.1272", () => {
    const atTerm = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const early = [1.15, 0.88, 0.9, 0.74, 1.21];
    const { u, p } = mannWhitney(atTerm, early);
    expect(u).toBe(35);
    expect(p / 2).toBeCloseTo(0.1272, 4);
  });

  it('counts the exact distribution over ties by hand', () => {
    // Ranks 1, 2.5, 2.5, 4: two of them add up to 3.5, 3.5, 5, 5, 6.5, 6.5.
    expect(mannWhitney([1, 2], [2, 3]).p).toBe(4 / 6);
    expect(mannWhitney([1, 1], [1, 1, 1]).p).toBe(1);
  });

  it('approximates above 50 values, and finds nothing where all are equal', () => {
    const a = Array.from({ length: 30 }, (_, i) => i);
    const b = Array.from({ length: 30 }, (_, i) => i + 8);
    expect(mannWhitney(a, b)).toMatchObject({ u: 242, method: 'normal' });
    // scipy 1.17: mannwhitneyu(range(30), range(8, 38))
    expect(mannWhitney(a, b).p).toBeCloseTo(0.0021498780622138474, 14);
    expect(mannWhitney(Array(30).fill(1), Array(30).fill(1)).p).toBe(1);
    expect(mannWhitney([], [1]).p).toBeNaN();
  });

  it('gives the same p for both sides, and u of both adds up to all pairs', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const one = mannWhitney(a, b);
        const other = mannWhitney(b, a);
        expect(one.u + other.u).toBe(a.length * b.length);
        expect(one.p).toBeCloseTo(other.p, 10);
        expect(one.p).toBeGreaterThan(0);
        expect(one.p).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('cliffsDelta()', () => {
  it("agrees with the example of R's effsize: -0.25, small", () => {
    const treated = [10, 10, 20, 20, 20, 30, 30, 30, 40, 50];
    expect(cliffsDelta(treated, [10, 20, 30, 40, 40, 50])).toEqual({ delta: -0.25, magnitude: 'small' });
  });

  it('is the difference of the shares of pairs', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const sum = a.flatMap((x) => b.map((y) => Math.sign(x - y))).reduce((total, sign) => total + sign, 0);
        expect(cliffsDelta(a, b)?.delta).toBeCloseTo(sum / (a.length * b.length), 12);
      }),
    );
  });

  it('names the size, and nothing for an empty sample', () => {
    expect(cliffsDelta([2], [1])).toEqual({ delta: 1, magnitude: 'large' });
    expect(cliffsDelta([1, 2, 3], [1, 2, 3])).toEqual({ delta: 0, magnitude: 'negligible' });
    expect(cliffsDelta([], [1])).toBeUndefined();
  });
});
