import { twoSidedNormal } from './normal.ts';
import { rank } from './ranks.ts';

export interface MannWhitneyResult {
  readonly n: readonly [a: number, b: number];
  /** Pairs (one of a, one of b) in which a is larger; a tie counts half. */
  readonly u: number;
  /** Two-sided. 1 where all values are equal; NaN where a sample is empty. */
  readonly p: number;
  readonly method: 'exact' | 'normal';
}

/** Up to this many values in both samples together the p-value is exact. */
export const EXACT_VALUES = 50;

/**
 * The Mann-Whitney U test of two independent samples (Wilcoxon's rank-sum test). Exact for up to 50 values, also with ties: the
 * null distribution is counted over all ways to deal the mid-ranks at hand, and p is the share of those at least as far from the
 * middle. Above, the normal approximation with corrections for ties and continuity.
 *
 * @param method - `normal` forces the approximation. @default exact where it is feasible
 * @see Mann and Whitney (1947); Hollander and Wolfe, Nonparametric Statistical Methods, 4.1
 */
export function mannWhitney(
  a: readonly number[],
  b: readonly number[],
  method?: MannWhitneyResult['method'],
): MannWhitneyResult {
  const n: readonly [number, number] = [a.length, b.length];
  const { doubled, tieTerm } = rank([...a, ...b]);
  const rankSum = doubled.subarray(0, a.length).reduce((sum, twice) => sum + twice, 0);
  const u = rankSum / 2 - (a.length * (a.length + 1)) / 2;
  const chosen = method ?? (a.length + b.length <= EXACT_VALUES ? 'exact' : 'normal');
  if (a.length === 0 || b.length === 0) return { n, u, p: Number.NaN, method: chosen };
  const p = chosen === 'exact' ? exactP(doubled, a.length, rankSum) : normalP(n, tieTerm, u);
  return { n, u, p, method: chosen };
}

function exactP(doubled: Int32Array, sizeA: number, rankSum: number): number {
  const total = doubled.reduce((sum, twice) => sum + twice, 0);
  const width = total + 1;
  // ways[k * width + s]: in how many ways k of the values seen so far have doubled ranks that add up to s.
  const ways = new Float64Array((sizeA + 1) * width);
  ways[0] = 1;
  let seen = 0;
  for (const twice of doubled) {
    seen++;
    for (let k = Math.min(seen, sizeA); k > 0; k--) {
      const row = k * width;
      for (let s = twice; s < width; s++) ways[row + s] = (ways[row + s] ?? 0) + (ways[row - width + s - twice] ?? 0);
    }
  }
  const middle = (total * sizeA) / doubled.length;
  const distance = Math.abs(rankSum - middle);
  let tail = 0;
  let all = 0;
  for (let s = 0; s < width; s++) {
    const count = ways[sizeA * width + s] ?? 0;
    all += count;
    if (Math.abs(s - middle) >= distance - 1e-9) tail += count;
  }
  return tail / all;
}

function normalP([n1, n2]: readonly [number, number], tieTerm: number, u: number): number {
  const n = n1 + n2;
  const variance = ((n1 * n2) / 12) * (n + 1 - tieTerm / (n * (n - 1)));
  if (variance <= 0) return 1;
  return twoSidedNormal(Math.max(0, Math.abs(u - (n1 * n2) / 2) - 0.5) / Math.sqrt(variance));
}
