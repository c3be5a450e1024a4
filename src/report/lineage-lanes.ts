import type { LoadedAgent, LoadedGeneration } from '../trace/loaded-run.ts';

/** A program's place in the drawing of its agent's descent. */
export interface LineageNode {
  readonly program: LoadedGeneration;
  /** 0 is the line of the best program; branches get the nearest lane that is free for as long as they live. */
  readonly lane: number;
  readonly onBestLine: boolean;
  /** The selected parent, if it is one of the agent's own programs. */
  readonly parent?: LineageNode;
}

/**
 * Lays an agent's descent out in lanes: the best program's line straight along lane 0, every other branch in the lowest lane that
 * nothing else uses between the place where it leaves and its end. Programs keep their order; circles of parents end a line.
 */
export function lineageLanes({ generations }: LoadedAgent, best: LoadedGeneration | undefined): readonly LineageNode[] {
  const byId = new Map(generations.map((program, n) => [program.id, { program, n }]));
  const parentOf = (n: number): number | undefined => {
    const id = generations[n]?.parents[0];
    const at = id === undefined ? undefined : byId.get(id)?.n;
    return at !== undefined && at < n ? at : undefined;
  };
  const onBest = new Set<number>();
  const bestAt = best && byId.get(best.id)?.n;
  for (let n = bestAt; n !== undefined; n = parentOf(n)) onBest.add(n);

  // A branch goes on with the first child that is not on the best line; other children begin branches of their own.
  const lastOf = new Map<number, number>();
  const branchOf: number[] = [];
  const continued = new Set<number>();
  for (const n of generations.keys()) {
    const parent = parentOf(n);
    const goesOn = !onBest.has(n) && parent !== undefined && !onBest.has(parent) && !continued.has(parent);
    if (goesOn) continued.add(parent);
    const branch = goesOn ? (branchOf[parent] ?? n) : n;
    branchOf[n] = branch;
    lastOf.set(branch, n);
  }
  const busyUntil: number[] = [];
  const laneOf = new Map<number, number>();
  for (const n of generations.keys()) {
    const branch = branchOf[n] ?? n;
    if (onBest.has(n) || laneOf.has(branch)) continue;
    const from = parentOf(branch) ?? branch;
    let lane = 1;
    while ((busyUntil[lane] ?? -1) > from) lane++;
    busyUntil[lane] = lastOf.get(branch) ?? branch;
    laneOf.set(branch, lane);
  }
  const nodes: LineageNode[] = [];
  for (const [n, program] of generations.entries()) {
    const parent = nodes[parentOf(n) ?? -1];
    nodes.push({
      program,
      lane: onBest.has(n) ? 0 : (laneOf.get(branchOf[n] ?? n) ?? 1),
      onBestLine: onBest.has(n),
      ...(parent && { parent }),
    });
  }
  return nodes;
}
