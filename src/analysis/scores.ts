import type { LoadedAgent, LoadedGeneration, LoadedRun, TraceFormat } from '../trace/loaded-run.ts';

/** At or below this a program scores "about 0". @see hyperspace `analyze_runs.py` */
export const ABOUT_ZERO = 0.01;

/** The score that selection went by: the importers put a search's own score under `validation`. Undefined where there is none. */
export function scoreOf({ scores }: LoadedGeneration): number | undefined {
  return scores.validation;
}

const SEARCHES: ReadonlySet<TraceFormat> = new Set(['openevolve', 'evotrace', 'shinkaevolve']);

/**
 * Whether a run is a search over a population: its programs follow each other in time, not as the history of one agent, and its
 * copies are migrants. Elsewhere a copy is a generation in which the agent left its program alone.
 */
export function isSearch({ format }: LoadedRun): boolean {
  return SEARCHES.has(format);
}

/** A program that was new at its time and has a score; copies (migrants) come again and would count twice. */
export interface ScoredGeneration {
  readonly program: LoadedGeneration;
  readonly score: number;
}

/** The agent's own scored programs in order, copies left out. */
export function scoredGenerations(agent: LoadedAgent): readonly ScoredGeneration[] {
  return agent.generations.flatMap((program): ScoredGeneration[] => {
    const score = scoreOf(program);
    return score === undefined || program.copy === true ? [] : [{ program, score }];
  });
}

/** The first of the highest-scored programs. */
export function bestOf(scored: readonly ScoredGeneration[]): ScoredGeneration | undefined {
  return scored.reduce<ScoredGeneration | undefined>(
    (best, one) => (best === undefined || one.score > best.score ? one : best),
    undefined,
  );
}
