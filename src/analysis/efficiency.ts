import type { LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import type { GenerationCalls } from './call-fold.ts';
import { bestOf, isSearch, scoredGenerations } from './scores.ts';
import type { Table } from './table.ts';

/** Scores that are waited for. @see hyperspace `analyze_efficiency.py` */
export const DEFAULT_THRESHOLDS: readonly number[] = [0.5, 0.55, 0.6, 0.65, 0.7];

/** What reaching a score took one agent. */
export interface AgentEfficiency {
  readonly run: string;
  readonly pairing: string;
  readonly agent: string;
  /** Copies not counted, like everywhere here. */
  readonly generations: number;
  readonly initial: number;
  readonly best: number;
  /** The first generation that scored the best. */
  readonly bestGeneration: number;
  /** First generation whose best so far is at least the threshold; null: never. In the order of the thresholds. */
  readonly toThreshold: readonly (number | null)[];
  /** Best minus first score, and that per generation in between; null where the first was the best. */
  readonly gain: number;
  readonly gainPerGeneration: number | null;
  /** Spent up to the best, per 0.01 gained; null where nothing was gained or the spending is not on record. */
  readonly callsPer001: number | null;
  readonly tokensPer001: number | null;
  readonly usdPer001: number | null;
}

/**
 * What each agent's improvement took: its own gain over its first score, what it spent until its best. Copies and programs
 * without a score are no steps; agents without any score are left out.
 */
export function efficiency(
  run: LoadedRun,
  calls: readonly GenerationCalls[] = [],
  thresholds: readonly number[] = DEFAULT_THRESHOLDS,
): readonly AgentEfficiency[] {
  return run.agents.flatMap((agent) => efficiencyOf(run, agent, calls, thresholds) ?? []);
}

function efficiencyOf(
  run: LoadedRun,
  agent: LoadedAgent,
  calls: readonly GenerationCalls[],
  thresholds: readonly number[],
): AgentEfficiency | undefined {
  const scored = scoredGenerations(agent);
  const [first] = scored;
  const best = bestOf(scored);
  if (!first || !best) return undefined;
  const until = best.program.generation;
  const gain = best.score - first.score;
  const length = until - first.program.generation;
  const modelCalls = sumKnown(
    calls.filter((one) => one.agent === agent.name && one.generation <= until),
    (one) => one.modelCalls,
  );
  const spent = agent.generations.filter(({ generation }) => generation <= until);
  const per001 = (amount: number | undefined): number | null =>
    amount === undefined || gain <= 0 ? null : amount / (gain * 100);
  return {
    run: run.id,
    pairing: run.pairing,
    agent: agent.name,
    generations: agent.generations.filter(({ copy }) => copy !== true).length,
    initial: first.score,
    best: best.score,
    bestGeneration: until,
    toThreshold: thresholds.map(
      (threshold) => scored.find(({ score }) => score >= threshold)?.program.generation ?? null,
    ),
    gain,
    gainPerGeneration: length > 0 ? gain / length : null,
    callsPer001: per001(modelCalls),
    tokensPer001: per001(sumKnown(spent, tokensOf)),
    usdPer001: per001(sumKnown(spent, usdOf)),
  };
}

const tokensOf = ({ tokens }: LoadedGeneration): number | undefined => tokens;
const usdOf = ({ usd }: LoadedGeneration): number | undefined => usd;

/** Sum of what is known; undefined where nothing is. */
function sumKnown<T>(values: readonly T[], amount: (value: T) => number | undefined): number | undefined {
  const known = values.flatMap((value) => amount(value) ?? []);
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0);
}

/** The published summary of one pairing at one task; medians are the upper of the two middle values. */
export interface PublishedEfficiency {
  readonly pairing: string;
  /** Null where the runs do not say. */
  readonly task: string | null;
  /** Set for a search that does not name its task: it stands for itself. */
  readonly run: string | null;
  readonly seeds: number;
  /** Per threshold: how many seeds reached it, and the median and range of the generations it took those. */
  readonly thresholds: readonly {
    readonly threshold: number;
    readonly reached: number;
    readonly generations: Spread | null;
  }[];
  /** Best score / generation of the best. */
  readonly rate: Spread | null;
  /** Model calls of all agents, evaluations included, per 0.01 of the best score. */
  readonly callsPer001: Spread | null;
}

export interface Spread {
  readonly n: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Efficiency as published (hyperspace `analyze_efficiency.py`), by task and pairing; a search whose task is not known is a row of
 * its own, for the next may be about something else. What it says is to be taken with care: of each run only the better agent counts, which favours pairs over solo runs; seeds that never reached a threshold drop out of its median;
 * a missing score counts 0; the gain is the whole score, the initial program's included.
 *
 * @param callsOf - model calls of a whole run; undefined where there is no log.
 */
export function publishedEfficiency(
  runs: readonly LoadedRun[],
  callsOf: (run: LoadedRun) => number | undefined = () => undefined,
  thresholds: readonly number[] = DEFAULT_THRESHOLDS,
): readonly PublishedEfficiency[] {
  const aloneOf = (run: LoadedRun): string | null => (run.task === undefined && isSearch(run) ? run.id : null);
  const groups = Map.groupBy(runs, (run) => JSON.stringify([run.task ?? null, run.pairing, aloneOf(run)]));
  return [...groups.values()].flatMap((several) => {
    const [one] = several;
    if (!one) return [];
    const better = several.flatMap((run) => betterAgent(run) ?? []);
    return {
      pairing: one.pairing,
      task: one.task ?? null,
      run: aloneOf(one),
      seeds: several.length,
      thresholds: thresholds.map((threshold) => {
        const reached = better.flatMap(({ steps }) => steps.find(({ score }) => score >= threshold)?.generation ?? []);
        return { threshold, reached: reached.length, generations: spreadOf(reached) };
      }),
      rate: spreadOf(
        better.flatMap(({ best, steps }) => {
          const generation = steps.find(({ score }) => score >= best)?.generation ?? 0;
          return generation > 0 ? best / generation : [];
        }),
      ),
      callsPer001: spreadOf(
        better.flatMap(({ run, best }) => {
          const calls = callsOf(run);
          return calls === undefined || best <= 0 ? [] : calls / (best * 100);
        }),
      ),
    };
  });
}

interface Better {
  readonly run: LoadedRun;
  readonly best: number;
  readonly steps: readonly { readonly generation: number; readonly score: number }[];
}

/** The first of the agents with the highest best score. */
function betterAgent(run: LoadedRun): Better | undefined {
  let better: Better | undefined;
  for (const { generations } of run.agents) {
    const steps = generations.map(({ generation, scores }) => ({ generation, score: scores.validation ?? 0 }));
    const best = steps.reduce((most, { score }) => Math.max(most, score), 0);
    if (steps.length > 0 && (!better || best > better.best)) better = { run, best, steps };
  }
  return better;
}

function spreadOf(values: readonly number[]): Spread | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [low] = sorted;
  if (low === undefined) return null;
  const upperMiddle = sorted[Math.floor(sorted.length / 2)] ?? low;
  return { n: sorted.length, median: upperMiddle, low, high: sorted.at(-1) ?? low };
}

export function efficiencyTable(
  agents: readonly AgentEfficiency[],
  thresholds: readonly number[] = DEFAULT_THRESHOLDS,
): Table {
  return {
    columns: [
      'run',
      'agent',
      'generations',
      'first score',
      'best',
      'at generation',
      ...thresholds.map((threshold) => `to ${threshold.toFixed(2)}`),
      'gain per generation',
      'calls per 0.01',
      'tokens per 0.01',
      'usd per 0.01',
    ],
    rows: agents.map((one) => [
      one.run,
      one.agent,
      one.generations,
      one.initial,
      one.best,
      one.bestGeneration,
      ...one.toThreshold,
      one.gainPerGeneration,
      one.callsPer001,
      one.tokensPer001,
      one.usdPer001,
    ]),
    notes: [
      'to x: the first generation whose best so far is at least x. Costs are what was spent up to the best, per 0.01 gained over the first score. Empty: never reached, nothing gained, or not on record.',
    ],
  };
}

export function publishedEfficiencyTable(pairings: readonly PublishedEfficiency[]): Table {
  const textOf = (spread: Spread | null): string | null =>
    spread === null ? null : `${spread.median} (${spread.low}-${spread.high})`;
  return {
    columns: [
      'pairing',
      'task',
      'seeds',
      ...(pairings[0]?.thresholds ?? []).map(({ threshold }) => `to ${threshold.toFixed(2)}`),
      'best / generation',
      'calls per 0.01',
    ],
    rows: pairings.map((one) => [
      one.run === null ? one.pairing : `${one.pairing}: ${one.run}`,
      one.task,
      one.seeds,
      ...one.thresholds.map(({ reached, generations }) =>
        generations === null ? `0/${one.seeds}` : `${reached}/${one.seeds}: ${textOf(generations) ?? ''}`,
      ),
      one.rate?.median ?? null,
      one.callsPer001?.median ?? null,
    ]),
    notes: [
      'As published: the better agent of each run only; seeds that never reached a threshold are not in its median (upper middle value); gain counts from 0.',
    ],
  };
}
