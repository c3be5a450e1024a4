import type { LoadedAgent, LoadedGeneration } from '../trace/loaded-run.ts';

/** A generation whose program's text is there. */
export type CodedGeneration = LoadedGeneration & { readonly code: string };

export function hasCode(generation: LoadedGeneration): generation is CodedGeneration {
  return generation.code !== undefined;
}

/** What could tell of a program: its text is there, or was there and cannot be read any more. */
export function hadCode({ code, unread }: LoadedGeneration): boolean {
  return code !== undefined || unread === true;
}

/**
 * What an agent put where its peers could see it, ascending: as the trace says, and where it does not say, every generation with
 * code whose validation score is above 0 and above that of all before it.
 */
export function publishedBests(agent: LoadedAgent): readonly CodedGeneration[] {
  return shownBests(agent).filter(hasCode);
}

/** The same with those whose code cannot be read any more. */
function shownBests(agent: LoadedAgent): readonly LoadedGeneration[] {
  const coded = agent.generations.filter(hadCode);
  if (agent.generations.some(({ published }) => published !== undefined)) {
    return coded.filter(({ published }) => published === true);
  }
  let best = 0;
  return coded.filter(({ copy, scores }) => {
    const score = scores.validation ?? 0;
    if (copy || !(score > best)) return false;
    best = score;
    return true;
  });
}

/** The last thing an agent had published before `generation`, which is what its peers saw then; undefined if it cannot be read. */
export function publishedBefore(agent: LoadedAgent, generation: number): CodedGeneration | undefined {
  const last = shownBests(agent).findLast((best) => best.generation < generation);
  return last && hasCode(last) ? last : undefined;
}

/**
 * The peer's program that the published rule compares with: the first of the highest validation score (a missing one counts -1
 * and is never taken) among its generations up to and including `generation`, although nobody had seen that one.
 */
export function bestThrough(agent: LoadedAgent, generation: number): CodedGeneration | undefined {
  let best: CodedGeneration | undefined;
  let bestScore = -1;
  for (const candidate of agent.generations) {
    const score = candidate.scores.validation ?? -1;
    if (candidate.generation > generation || !hasCode(candidate) || !(score > bestScore)) continue;
    best = candidate;
    bestScore = score;
  }
  return best;
}
