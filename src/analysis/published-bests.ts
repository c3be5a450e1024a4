import type { LoadedAgent, LoadedGeneration } from '../trace/loaded-run.ts';

/** A generation whose program's text is there. */
export type CodedGeneration = LoadedGeneration & { readonly code: string };

export function hasCode(generation: LoadedGeneration): generation is CodedGeneration {
  return generation.code !== undefined;
}

/**
 * What an agent put where its peers could see it, ascending: as the trace says, and where it does not say, every generation with
 * code whose validation score is above 0 and above that of all before it.
 */
export function publishedBests(agent: LoadedAgent): readonly CodedGeneration[] {
  const coded = agent.generations.filter(hasCode);
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

/** The last thing an agent had published before `generation`, which is what its peers saw then. */
export function publishedBefore(agent: LoadedAgent, generation: number): CodedGeneration | undefined {
  return publishedBests(agent).findLast((best) => best.generation < generation);
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
