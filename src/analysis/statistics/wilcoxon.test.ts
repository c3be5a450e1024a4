import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { wilcoxonSignedRank } from './wilcoxon.ts';

describe('wilcoxonSignedRank()', () => {
  it("agrees with scipy's documented example: Darwin's plants (Fisher 1935)", () => {
    const differences = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75];
    expect(wilcoxonSignedRank(differences)).toEqual({
      n: 15,
      zeros: 0,
      positive: 96,
      negative: 24,
      p: 0.041259765625,
      method: 'exact',
    });
  });

  it("agrees with Hollander and Wolfe's depression scores (1973, p. 29): V = 40, one-sided p = 0.01953", () => {
    const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
    const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
    const { positive, p } = wilcoxonSignedRank(before.map((x, i) => x - (after[i] ?? 0)));
    expect(positive).toBe(40);
    expect(p).toBe(2 * 0.01953125);
  });

  it('agrees with scipy above 25 differences, with ties and zeros (normal approximation, continuity correction)', () => {
    const differences = [
      1.5, 2, 2, 3, -1, -1, 0, 4, 5, 2.5, -3, 0, 6, 7, 8, -2, 1, 1, 1, 9, 10, -11, 12, 13, 14, 15, 16, 17, 18, -19, 20,
    ];
    const { n, zeros, negative, p, method } = wilcoxonSignedRank(differences);
    expect({ n, zeros, negative, method }).toEqual({ n: 29, zeros: 2, negative: 73.5, method: 'normal' });
    expect(p).toBeCloseTo(0.0019015120529173944, 12);
  });

  it('counts the exact distribution over ties by hand', () => {
    // Ranks 1.5, 1.5, 3: of 8 signs, sums 0, 1.5, 1.5, 3, 3, 4.5, 4.5, 6.
    expect(wilcoxonSignedRank([1, 1, 2]).p).toBe(0.25);
    expect(wilcoxonSignedRank([1, -1, 2]).p).toBe(0.75);
  });

  it('says nothing about nothing', () => {
    expect(wilcoxonSignedRank([])).toMatchObject({ n: 0, p: 1 });
    expect(wilcoxonSignedRank([0, 0])).toMatchObject({ n: 0, zeros: 2, p: 1 });
  });

  it('does not depend on order, scale or which side is which', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 20 }), { maxLength: 40 }), (differences) => {
        const { p, positive, negative, n } = wilcoxonSignedRank(differences);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(positive + negative).toBe((n * (n + 1)) / 2);
        expect(wilcoxonSignedRank(differences.map((x) => -3 * x).reverse()).p).toBeCloseTo(p, 12);
      }),
    );
  });
});
