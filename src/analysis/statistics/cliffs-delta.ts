import { rank } from './ranks.ts';

export type Magnitude = 'negligible' | 'small' | 'medium' | 'large';

/** Upper bounds of |delta| below which an effect is called that. */
const BOUNDS = [
  [0.147, 'negligible'],
  [0.33, 'small'],
  [0.474, 'medium'],
] as const;

export interface CliffsDelta {
  /** P(a > b) - P(a < b) over all pairs of one of each: -1 .. 1; 0: neither tends to be larger. */
  readonly delta: number;
  readonly magnitude: Magnitude;
}

/**
 * Cliff's delta of two samples; undefined when one is empty.
 *
 * @see Cliff, Dominance statistics (1993); the words: Romano and others, Appropriate statistics for ordinal level data (2006)
 */
export function cliffsDelta(a: readonly number[], b: readonly number[]): CliffsDelta | undefined {
  if (a.length === 0 || b.length === 0) return undefined;
  const { doubled } = rank([...a, ...b]);
  const rankSum = doubled.subarray(0, a.length).reduce((sum, twice) => sum + twice, 0);
  const delta = (rankSum - a.length * (a.length + 1)) / (a.length * b.length) - 1;
  return { delta, magnitude: BOUNDS.find(([bound]) => Math.abs(delta) < bound)?.[1] ?? 'large' };
}
