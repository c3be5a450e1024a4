import type { MarkKind } from '../../space/marks.ts';

/** Kinds whose counts are watched, by their place in {@link Counts}. Asking for help is never held against anybody: needs are not. */
export const WATCHED = ['intent', 'action', 'observation', 'warning'] as const satisfies readonly MarkKind[];
export type WatchedKind = (typeof WATCHED)[number];
/** Marks of one window, one number a watched kind. */
export type Counts = Readonly<Record<WatchedKind, number>>;

export const NO_COUNTS: Counts = Object.freeze({ intent: 0, action: 0, observation: 0, warning: 0 });

/** Mean and spread of one kind's counts over the active windows so far; `m2` is the sum of squared differences from the mean. */
interface Moments {
  readonly mean: number;
  readonly m2: number;
}

/** What an agent ordinarily does in a window. */
export interface Baseline {
  /** Active windows that it was learnt from. */
  readonly windows: number;
  readonly kinds: Readonly<Record<WatchedKind, Moments>>;
}

/** Makes the median absolute deviation of a normal distribution its standard deviation: 1 / Phi^-1(3/4). @see Hampel 1974 */
const MAD_TO_SIGMA = 1.4826;

export function totalOf({ intent, action, observation, warning }: Counts): number {
  return intent + action + observation + warning;
}

/** A first baseline from the windows of the cold start: medians, which no burst in fewer than half of them can move. */
export function seedBaseline(windows: readonly Counts[]): Baseline {
  const momentsOf = (kind: WatchedKind): Moments => {
    const counts = windows.map((window) => window[kind]);
    const mean = medianOf(counts);
    const sigma = MAD_TO_SIGMA * medianOf(counts.map((count) => Math.abs(count - mean)));
    return { mean, m2: sigma ** 2 * Math.max(0, windows.length - 1) };
  };
  return { windows: windows.length, kinds: ofEachKind(momentsOf) };
}

/** The baseline with one more window. @see Welford 1962, Technometrics 4(3) */
export function learnWindow({ windows, kinds }: Baseline, counts: Counts): Baseline {
  const learnt = windows + 1;
  const momentsOf = (kind: WatchedKind): Moments => {
    const { mean, m2 } = kinds[kind];
    const difference = counts[kind] - mean;
    const moved = mean + difference / learnt;
    return { mean: moved, m2: m2 + difference * (counts[kind] - moved) };
  };
  return { windows: learnt, kinds: ofEachKind(momentsOf) };
}

/**
 * The most marks of a kind that are ordinary in a window: mean + `sigmas` spreads. A spread is at least that of a Poisson process with
 * this mean, and at least one mark, so that the first mark of a kind is never an anomaly.
 */
export function ordinaryCount({ windows, kinds }: Baseline, kind: WatchedKind, sigmas: number): number {
  const { mean, m2 } = kinds[kind];
  const sigma = windows < 2 ? 0 : Math.sqrt(m2 / (windows - 1));
  return mean + sigmas * Math.max(sigma, Math.sqrt(mean), 1);
}

/** The kind whose share of all marks moved most, if it moved by more than `shift`; of two that moved alike, the one that grew. */
export function shiftedKind({ kinds }: Baseline, counts: Counts, shift: number): WatchedKind | undefined {
  const total = totalOf(counts);
  const usual = WATCHED.reduce((sum, kind) => sum + kinds[kind].mean, 0);
  if (total === 0 || usual === 0) return undefined;
  let found: WatchedKind | undefined;
  let most = shift;
  for (const kind of WATCHED) {
    const moved = counts[kind] / total - kinds[kind].mean / usual;
    // Shares of two kinds that trade places differ by rounding alone.
    if (Math.abs(moved) > most + (moved > 0 ? -ROUNDING : ROUNDING) && Math.abs(moved) > shift) {
      found = kind;
      most = Math.abs(moved);
    }
  }
  return found;
}

const ROUNDING = 1e-9;

function ofEachKind<Value>(make: (kind: WatchedKind) => Value): Readonly<Record<WatchedKind, Value>> {
  return {
    intent: make('intent'),
    action: make('action'),
    observation: make('observation'),
    warning: make('warning'),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}
