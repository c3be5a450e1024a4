import { median, quantileOfSorted } from './median.ts';
import { seededRandom } from './seeded-random.ts';

export interface BootstrapOptions {
  /** @default 10_000 */
  readonly resamples?: number;
  /** Same seed, same interval. @default 1 */
  readonly seed?: number;
  /** Share of the resampled values inside the interval. @default 0.95 */
  readonly level?: number;
}

/** A statistic of a sample and how far it might be off. `low` and `high` are null with fewer than two values. */
export interface Estimate {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Size of the sample (of each, for a comparison of two). */
  readonly n: readonly number[];
  readonly level: number;
}

/**
 * A statistic of one or several independent samples with its bootstrap percentile interval: every sample is drawn anew with
 * replacement, and the interval holds the middle `level` of the statistics. Undefined when a sample is empty. With few values
 * (under about 10) such an interval is too narrow rather than too wide: n is part of the answer.
 *
 * @see Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13
 */
export function bootstrap(
  samples: readonly (readonly number[])[],
  statistic: (samples: readonly (readonly number[])[]) => number,
  { resamples = 10_000, seed = 1, level = 0.95 }: BootstrapOptions = {},
): Estimate | undefined {
  if (samples.some((sample) => sample.length === 0)) return undefined;
  const n = samples.map((sample) => sample.length);
  const value = statistic(samples);
  if (n.some((size) => size < 2)) return { value, low: null, high: null, n, level };
  const random = seededRandom(seed);
  const drawn = samples.map((sample) => [...sample]);
  const statistics = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    for (const [s, sample] of samples.entries()) {
      const into = drawn[s] ?? [];
      for (let i = 0; i < sample.length; i++) into[i] = sample[Math.floor(random() * sample.length)] ?? 0;
    }
    statistics[r] = statistic(drawn);
  }
  statistics.sort();
  const low = quantileOfSorted(statistics, (1 - level) / 2) ?? value;
  const high = quantileOfSorted(statistics, (1 + level) / 2) ?? value;
  return { value, low, high, n, level };
}

/** The median of a sample with its bootstrap interval. */
export function medianEstimate(sample: readonly number[], options?: BootstrapOptions): Estimate | undefined {
  return bootstrap([sample], ([values = []]) => median(values) ?? 0, options);
}

/** Median of `a` minus median of `b`, two independent samples, with its bootstrap interval. */
export function medianDifference(
  a: readonly number[],
  b: readonly number[],
  options?: BootstrapOptions,
): Estimate | undefined {
  return bootstrap([a, b], ([x = [], y = []]) => (median(x) ?? 0) - (median(y) ?? 0), options);
}
