import type { CycleClass } from './cycling-lines.ts';
import { leastSquaresSlope } from './statistics/least-squares.ts';
import { mean, median } from './statistics/median.ts';

export interface PerClass {
  readonly any: number;
  readonly literal: number;
  readonly tuning: number;
  readonly trivial: number;
}

/** How much of what was added brings back what had been removed. */
export interface CyclingMeasure {
  /** Programs with a parent in the run, unchanged ones included. */
  readonly edits: number;
  /** Distinct generations (iterations) among them. */
  readonly iterations: number;
  readonly events: number;
  readonly byClass: Readonly<Record<CycleClass, number>>;
  /** Counted added lines: the denominator of `share`. */
  readonly addedLines: number;
  /** Events / added lines, over the whole run. 0 where nothing was added. */
  readonly share: PerClass;
  /** Median over edits of the edit's own share, edits that added nothing included as 0. */
  readonly medianPerEdit: PerClass;
  /** Iterations between removal and return; null without events. */
  readonly span: { readonly median: number; readonly mean: number; readonly max: number } | null;
  /** Change of the share per iteration: unweighted least squares over the pooled share of each iteration. */
  readonly slope: PerClass;
}

/** A line that came back. */
export interface CycleEvent {
  readonly kind: CycleClass;
  readonly span: number;
}

/** What one edit added and brought back. */
export interface CycleEdit {
  readonly iteration: number;
  readonly added: number;
  readonly events: readonly CycleEvent[];
}

/** The measure over all edits of a run. */
export function measureCycling(edits: readonly CycleEdit[]): CyclingMeasure {
  const events = edits.flatMap((edit) => edit.events);
  const addedLines = edits.reduce((sum, { added }) => sum + added, 0);
  const pooled = [...Map.groupBy(edits, ({ iteration }) => iteration)].map(([iteration, several]) => ({
    iteration,
    added: several.reduce((sum, { added }) => sum + added, 0),
    events: several.flatMap((edit) => edit.events),
  }));
  const spans = events.map(({ span }) => span).sort((a, b) => a - b);
  return {
    edits: edits.length,
    iterations: pooled.length,
    events: events.length,
    byClass: { literal: count(events, 'literal'), tuning: count(events, 'tuning'), trivial: count(events, 'trivial') },
    addedLines,
    share: perClass((kind) => shareOf(events, addedLines, kind)),
    medianPerEdit: perClass((kind) => median(edits.map((edit) => shareOf(edit.events, edit.added, kind))) ?? 0),
    span: events.length === 0 ? null : { median: median(spans) ?? 0, mean: mean(spans) ?? 0, max: spans.at(-1) ?? 0 },
    slope: perClass((kind) =>
      leastSquaresSlope(pooled.map((one) => [one.iteration, shareOf(one.events, one.added, kind)] as const)),
    ),
  };
}

function perClass(measure: (kind: CycleClass | undefined) => number): PerClass {
  return {
    any: measure(undefined),
    literal: measure('literal'),
    tuning: measure('tuning'),
    trivial: measure('trivial'),
  };
}

function count(events: readonly CycleEvent[], kind: CycleClass | undefined): number {
  return kind === undefined ? events.length : events.filter((event) => event.kind === kind).length;
}

function shareOf(events: readonly CycleEvent[], added: number, kind: CycleClass | undefined): number {
  return added === 0 ? 0 : count(events, kind) / added;
}
