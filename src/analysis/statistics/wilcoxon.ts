import { twoSidedNormal } from './normal.ts';
import { rank } from './ranks.ts';

export interface WilcoxonResult {
  /** Differences that are not 0: the others say nothing about a direction and are left out. */
  readonly n: number;
  readonly zeros: number;
  /** Sum of the ranks of the positive differences, and of the negative ones. */
  readonly positive: number;
  readonly negative: number;
  /** Two-sided. 1 where every difference is 0. */
  readonly p: number;
  readonly method: 'exact' | 'normal';
}

/** Up to this many differences that are not 0 the p-value is exact. */
export const EXACT_PAIRS = 25;

/**
 * Wilcoxon's signed-rank test of paired differences. Exact for up to 25 of them, also with ties: the null distribution is
 * counted over all signs of the mid-ranks at hand. Above, the normal approximation with corrections for ties and continuity.
 *
 * @see Wilcoxon, Individual comparisons by ranking methods (1945); Hollander and Wolfe, Nonparametric Statistical Methods, 3.1
 */
export function wilcoxonSignedRank(differences: readonly number[]): WilcoxonResult {
  const signed = differences.filter((difference) => difference !== 0);
  const n = signed.length;
  const { doubled, tieTerm } = rank(signed.map(Math.abs));
  let positive = 0;
  let total = 0;
  for (const [i, twice] of doubled.entries()) {
    total += twice;
    if ((signed[i] ?? 0) > 0) positive += twice;
  }
  const exact = n <= EXACT_PAIRS;
  return {
    n,
    zeros: differences.length - n,
    positive: positive / 2,
    negative: (total - positive) / 2,
    p: exact ? exactP(doubled, total, positive) : normalP(n, tieTerm, positive / 2),
    method: exact ? 'exact' : 'normal',
  };
}

function exactP(doubled: Int32Array, total: number, positive: number): number {
  // ways[s]: in how many of the 2^n ways to choose signs the doubled positive ranks add up to s.
  const ways = new Float64Array(total + 1);
  ways[0] = 1;
  let reach = 0;
  for (const twice of doubled) {
    reach += twice;
    for (let s = reach; s >= twice; s--) ways[s] = (ways[s] ?? 0) + (ways[s - twice] ?? 0);
  }
  const least = Math.min(positive, total - positive);
  let tail = 0;
  for (let s = 0; s <= least; s++) tail += ways[s] ?? 0;
  return Math.min(1, (2 * tail) / 2 ** doubled.length);
}

function normalP(n: number, tieTerm: number, positive: number): number {
  const expected = (n * (n + 1)) / 4;
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tieTerm / 48;
  return twoSidedNormal(Math.max(0, Math.abs(positive - expected) - 0.5) / Math.sqrt(variance));
}
