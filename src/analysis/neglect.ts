import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import type { GenerationCalls } from './call-fold.ts';
import { scoreOf } from './scores.ts';
import type { Table } from './table.ts';

/** Generations without opening a strategy that make neglect. */
export const MIN_NEGLECT = 3;

/** An agent that had looked at its peers' programs stopped doing so. */
export interface Neglect {
  readonly run: string;
  readonly agent: string;
  /** The last generation that looked, and the first of those that did not. */
  readonly lastLook: number;
  readonly from: number;
  /** Generations in a row that did not look (without a trace ones not among them). */
  readonly length: number;
  /** The best a peer had scored by then; null: no score. */
  readonly peerBest: number | null;
}

/** Neglect in one agent's history, and how much of the history is known. */
export interface AgentNeglect {
  readonly run: string;
  readonly agent: string;
  /** Generations that a call log tells about, and those that none tells about: no neglect can be read off these. */
  readonly traced: number;
  readonly untraced: number;
  /** Generations with a trace and a peer's program to look at, and those of them that looked. */
  readonly couldLook: number;
  readonly looked: number;
  /** At most one, the last. */
  readonly published: readonly Neglect[];
  readonly corrected: readonly Neglect[];
}

/** The file openings that native runs have on record; with them it is known which generation looked. */
export interface Opening {
  readonly agent: string;
  readonly generation: number;
  readonly path: string;
}

/**
 * Who stopped looking at `strategies/`.
 * - published (hyperspace `analyze_runs.py`): three or more generations whose calls do not mention `strategies/`, after one whose
 *   calls do; the last such transition only. A generation without a call log counts as one that did not look, so a meta agent
 *   that did not load shows as neglect.
 * - corrected: every stretch of three or more generations that have a trace, could see a peer's program (published earlier) and
 *   opened none, after one that did. Generations without a trace neither lengthen nor end a stretch.
 */
export function neglect(
  run: LoadedRun,
  calls: readonly GenerationCalls[],
  openings: readonly Opening[] = [],
): readonly AgentNeglect[] {
  return run.agents.map((agent) => neglectOf(run, agent, calls, openings));
}

function neglectOf(
  run: LoadedRun,
  agent: LoadedAgent,
  calls: readonly GenerationCalls[],
  openings: readonly Opening[],
): AgentNeglect {
  const own = new Map(calls.filter((one) => one.agent === agent.name).map((one) => [one.generation, one]));
  const opened = new Set(
    openings
      .filter((one) => one.agent === agent.name && one.path.startsWith('strategies/'))
      .map(({ generation }) => generation),
  );
  const generations = [...new Set(agent.generations.map(({ generation }) => generation))];
  const first = firstPublished(run, agent);
  const steps = generations.map((generation) => {
    const seen = own.get(generation);
    const traced = (seen?.agentCalls ?? 0) > 0 || opened.has(generation);
    return {
      generation,
      traced,
      mentioned: seen?.mentionedStrategies === true || opened.has(generation),
      looked: seen?.openedStrategies === true || opened.has(generation),
      could: traced && first !== undefined && generation > first,
    };
  });
  const eventsIn = (history: readonly { readonly generation: number; readonly looks: boolean }[]): readonly Neglect[] =>
    stretches(history).map((stretch) => ({
      run: run.id,
      agent: agent.name,
      ...stretch,
      peerBest: peerBest(run, agent, stretch.from),
    }));
  return {
    run: run.id,
    agent: agent.name,
    traced: steps.filter(({ traced }) => traced).length,
    untraced: steps.filter(({ traced }) => !traced).length,
    couldLook: steps.filter(({ could }) => could).length,
    looked: steps.filter(({ could, looked }) => could && looked).length,
    published: eventsIn(steps.map(({ generation, mentioned }) => ({ generation, looks: mentioned }))).slice(-1),
    corrected: eventsIn(
      steps.filter(({ could }) => could).map(({ generation, looked }) => ({ generation, looks: looked })),
    ),
  };
}

/** Stretches of at least `MIN_NEGLECT` generations that do not look, right after one that does. */
function stretches(
  history: readonly { readonly generation: number; readonly looks: boolean }[],
): readonly { readonly lastLook: number; readonly from: number; readonly length: number }[] {
  return history.flatMap(({ generation: lastLook, looks }, i) => {
    if (!looks) return [];
    const rest = history.slice(i + 1);
    const next = rest.findIndex((one) => one.looks);
    const length = next < 0 ? rest.length : next;
    const from = rest[0]?.generation;
    return length >= MIN_NEGLECT && from !== undefined ? [{ lastLook, from, length }] : [];
  });
}

/** The first generation in which a peer published anything: it can be seen from the next one on. */
function firstPublished(run: LoadedRun, agent: LoadedAgent): number | undefined {
  const published = run.agents
    .filter((peer) => peer.name !== agent.name)
    .flatMap((peer) => peer.generations)
    .filter((program) => program.code !== undefined && (program.published ?? (scoreOf(program) ?? 0) > 0))
    .map(({ generation }) => generation);
  return published.reduce<number | undefined>(
    (first, one) => (first === undefined ? one : Math.min(first, one)),
    undefined,
  );
}

function peerBest(run: LoadedRun, agent: LoadedAgent, upTo: number): number | null {
  const scores = run.agents
    .filter((peer) => peer.name !== agent.name)
    .flatMap((peer) => peer.generations)
    .flatMap((program) => (program.generation <= upTo ? (scoreOf(program) ?? []) : []));
  return scores.reduce<number | null>((best, one) => (best === null ? one : Math.max(best, one)), null);
}

export function neglectTable(agents: readonly AgentNeglect[]): Table {
  const untraced = agents.filter(({ traced }) => traced === 0).length;
  return {
    columns: [
      'run',
      'agent',
      'traced',
      'untraced',
      'could look',
      'looked',
      'neglect published',
      'neglect corrected',
      'peer best then',
    ],
    rows: agents.map((one) => [
      one.run,
      one.agent,
      one.traced,
      one.untraced,
      one.couldLook,
      one.looked,
      one.traced === 0 ? null : one.published.map(({ from }) => `from ${from}`).join(', '),
      one.traced === 0 ? null : one.corrected.map(({ from, length }) => `from ${from} for ${length}`).join(', '),
      one.corrected.at(-1)?.peerBest ?? null,
    ]),
    notes: [
      'Neglect: three or more generations without opening strategies/ after one that opened it. published counts a generation without a call log as one that did not look; corrected only generations with a log that could see a published program of a peer.',
      ...(untraced > 0
        ? [
            `${untraced} of ${agents.length} agents have no call log: whether they looked is not known, and nothing is claimed.`,
          ]
        : []),
    ],
  };
}
