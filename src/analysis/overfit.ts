import type { LoadedAgent, LoadedRun, LoadedScores } from '../trace/loaded-run.ts';
import { rank } from './statistics/ranks.ts';
import type { Table } from './table.ts';

export type OverfitVerdict = 'aligned' | 'mild' | 'severe';
type Split = keyof LoadedScores;

/** What a search could see, and what it could not. The first pair that a program history has both of is used. */
const PAIRS: readonly (readonly [seen: Split, hidden: Split])[] = [
  ['public', 'private'],
  ['validation', 'test'],
  ['train', 'validation'],
];

/** A hidden gain of at least this share of the seen one is aligned; a smaller one, while above `MILD_FROM`, mild. */
export const ALIGNED_FROM = 0.8;
export const MILD_FROM = 0.5;
/** A seen gain below this is noise (two problems of a hundred): no verdict. Scores run from 0 to 1. */
export const MIN_SEEN_GAIN = 0.02;
/** Programs with both scores below which no rank correlation is given. */
const MIN_FOR_CORRELATION = 4;

export interface Overfit {
  readonly run: string;
  readonly agent: string;
  readonly seen: Split;
  readonly hidden: Split;
  /** Programs with both scores; copies are left out. */
  readonly programs: number;
  /** From the first program to the one with the best seen score, the first such. */
  readonly seenGain: number;
  readonly hiddenGain: number;
  /** Hidden gain / seen gain; null without a seen gain. */
  readonly transfer: number | null;
  /** Seen minus hidden score of that program. Where the splits differ in difficulty this is no overfit by itself. */
  readonly gap: number;
  /** How much better the best hidden score of any program was: what selecting on the seen score cost. */
  readonly regret: number;
  /** Spearman's rank correlation of the two scores over all programs; null with fewer than four, or no spread. */
  readonly correlation: number | null;
  /** By `transfer`; null where the seen gain is too small to tell. */
  readonly verdict: OverfitVerdict | null;
}

/**
 * Whether what was gained on the score that the search saw was also gained on one that it did not see: aligned (at least 80 % of
 * it), mild (50 to 80 %) or severe (less than half, or a loss). Gains are compared, not scores, because two splits are rarely
 * equally hard. Agents without two scores to compare are left out. The bounds are this tool's own; the numbers are beside them.
 */
export function overfit(runs: readonly LoadedRun[]): readonly Overfit[] {
  return runs.flatMap((run) => run.agents.flatMap((agent) => overfitOf(run, agent) ?? []));
}

function overfitOf(run: LoadedRun, agent: LoadedAgent): Overfit | undefined {
  const programs = agent.generations.filter(({ copy }) => copy !== true);
  for (const [seen, hidden] of PAIRS) {
    const both = programs.flatMap(({ scores }) => {
      const [x, y] = [scores[seen], scores[hidden]];
      return x === undefined || y === undefined ? [] : [{ seen: x, hidden: y }];
    });
    const [first] = both;
    if (!first || both.length < 2) continue;
    const chosen = both.reduce((best, one) => (one.seen > best.seen ? one : best), first);
    const seenGain = chosen.seen - first.seen;
    const hiddenGain = chosen.hidden - first.hidden;
    const transfer = seenGain > 0 ? hiddenGain / seenGain : null;
    return {
      run: run.id,
      agent: agent.name,
      seen,
      hidden,
      programs: both.length,
      seenGain,
      hiddenGain,
      transfer,
      gap: chosen.seen - chosen.hidden,
      regret: both.reduce((best, one) => Math.max(best, one.hidden), first.hidden) - chosen.hidden,
      correlation: spearman(both),
      verdict: transfer === null || seenGain < MIN_SEEN_GAIN ? null : verdictOf(transfer),
    };
  }
  return undefined;
}

function verdictOf(transfer: number): OverfitVerdict {
  if (transfer >= ALIGNED_FROM) return 'aligned';
  return transfer >= MILD_FROM ? 'mild' : 'severe';
}

function spearman(both: readonly { readonly seen: number; readonly hidden: number }[]): number | null {
  if (both.length < MIN_FOR_CORRELATION) return null;
  const x = rank(both.map(({ seen }) => seen)).doubled;
  const y = rank(both.map(({ hidden }) => hidden)).doubled;
  const middle = both.length + 1;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (const [i, a] of x.entries()) {
    const b = y[i] ?? 0;
    xy += (a - middle) * (b - middle);
    xx += (a - middle) ** 2;
    yy += (b - middle) ** 2;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

export function overfitTable(found: readonly Overfit[]): Table {
  return {
    columns: [
      'run',
      'agent',
      'seen',
      'hidden',
      'programs',
      'gain seen',
      'gain hidden',
      'transfer',
      'gap',
      'regret',
      'rank correlation',
      'verdict',
    ],
    rows: found.map((one) => [
      one.run,
      one.agent,
      one.seen,
      one.hidden,
      one.programs,
      one.seenGain,
      one.hiddenGain,
      one.transfer,
      one.gap,
      one.regret,
      one.correlation,
      one.verdict,
    ]),
    notes: [
      'Gains of the program with the best seen score over the first one. aligned: at least 80 % of the gain shows on the hidden score; mild: at least half; severe: less; none where the seen gain is under 0.02. Programs without both scores (failed ones, mostly) are left out.',
      ...(found.some(({ seen }) => seen === 'train')
        ? [
            'Where train and validation are all there is, validation was used for selection: it is not hidden in the strict sense.',
          ]
        : []),
    ],
  };
}
