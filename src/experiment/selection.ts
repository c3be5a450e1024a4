import type { Selection } from './config.ts';

/** What parent selection looks at: one candidate of the agent's own lineage. */
export interface Selectable {
  readonly id: string;
  readonly generation: number;
  readonly valid: boolean;
  /** Validation score. */
  readonly score: number;
  /** Candidates made from it so far. */
  readonly children: number;
}

/**
 * Chooses the candidate the next one is made from. `head` is what the regression policy left as latest.
 * `random` gives a number in [0, 1); only `random` and `score-child-prop` draw one.
 *
 * @see DGM-H, score and child proportional selection: weight = sigmoid x penalty over valid candidates, with
 * sigmoid = 1 / (1 + exp(-10 (score - mean of the three best scores))) and penalty = exp(-(children / 8)^3).
 */
export function selectParent(
  selection: Selection,
  head: string,
  candidates: readonly Selectable[],
  random: () => number,
): string {
  const valid = candidates.filter((candidate) => candidate.valid);
  if (valid.length === 0) return head;
  switch (selection) {
    case 'latest':
      return head;
    case 'best':
      return valid.reduce((best, candidate) => (candidate.score > best.score ? candidate : best)).id;
    case 'random':
      return pick(
        valid,
        valid.map(() => 1),
        random(),
      );
    case 'score-child-prop':
      return pick(valid, childProportionalWeights(valid), random());
  }
}

/** Weights of `score-child-prop`, in the order given; all positive. */
export function childProportionalWeights(valid: readonly Selectable[]): number[] {
  const top = valid
    .map(({ score }) => score)
    .sort((a, b) => b - a)
    .slice(0, 3);
  const mean = top.reduce((sum, score) => sum + score, 0) / top.length;
  return valid.map(({ score, children }) => {
    const sigmoid = 1 / (1 + Math.exp(-10 * (score - mean)));
    // A floor keeps a candidate with very many children selectable when nothing else is there.
    return Math.max(sigmoid * Math.exp(-((children / 8) ** 3)), 1e-300);
  });
}

function pick(candidates: readonly Selectable[], weights: readonly number[], draw: number): string {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let left = draw * total;
  for (const [i, candidate] of candidates.entries()) {
    left -= weights[i] ?? 0;
    if (left < 0) return candidate.id;
  }
  return candidates[candidates.length - 1]?.id ?? '';
}
