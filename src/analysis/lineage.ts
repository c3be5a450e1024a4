import type { LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import { bestOf, type ScoredGeneration, scoredGenerations } from './scores.ts';
import type { Table } from './table.ts';

/** How one population came to its best program. */
export interface Lineage {
  readonly run: string;
  readonly agent: string;
  /** Own programs; copies (migrants, unchanged programs) are counted apart and in nothing else. */
  readonly programs: number;
  readonly copies: number;
  /** Programs on the line from the first ancestor to the best, both included; 1 if the best is a root. */
  readonly depthOfBest: number | null;
  readonly deepest: number;
  readonly bestScore: number | null;
  /** Generation of the best, and the share of the history until it (0: the first generation, 1: the last). */
  readonly timeToBest: number | null;
  readonly timeShare: number | null;
  /** Times the best so far was beaten, the first scored program included. */
  readonly records: number;
  /** Records among the ancestors of the best, itself included. */
  readonly recordsOnLine: number;
  /** Share of programs that the best does not descend from. */
  readonly deadBranchShare: number | null;
  /** Share of programs that nothing was made from, the best apart. */
  readonly unusedShare: number | null;
}

/**
 * Descent of each agent's best program along selected parents. A line goes through copies to what they are copies of and does
 * not count them; a parent that is not in the run (its line was bad) ends the line, like a circle of parents does.
 *
 * @see EvoTrace: `lineage_depth` (nodes from the seed), `n_bsf_events`, `n_bsf_events_in_lineage`
 */
export function lineage(run: LoadedRun): readonly Lineage[] {
  const all = programsOf(run);
  const depths = new Map<string, number>();
  return run.agents.map((agent) => {
    const own = agent.generations.filter(({ copy }) => copy !== true);
    const scored = scoredGenerations(agent);
    const best = bestOf(scored);
    const line = best ? lineOf(best.program, all) : [];
    const onLine = new Set(line.map(({ id }) => id));
    const records = recordsIn(scored);
    const used = new Set(own.flatMap((program) => originOf(program, all)?.id ?? []));
    const generations = own.map(({ generation }) => generation);
    const span = Math.max(0, (generations.at(-1) ?? 0) - (generations[0] ?? 0));
    const time = best?.program.generation ?? null;
    const shareOf = (count: number): number | null => (own.length === 0 || !best ? null : count / own.length);
    return {
      run: run.id,
      agent: agent.name,
      programs: own.length,
      copies: agent.generations.length - own.length,
      depthOfBest: best ? line.length : null,
      deepest: own.reduce((most, program) => Math.max(most, depthOf(program, all, depths)), 0),
      bestScore: best?.score ?? null,
      timeToBest: time,
      timeShare: time === null || span === 0 ? null : (time - (generations[0] ?? 0)) / span,
      records: records.length,
      recordsOnLine: records.filter(({ program }) => onLine.has(program.id)).length,
      deadBranchShare: shareOf(own.filter(({ id }) => !onLine.has(id)).length),
      unusedShare: shareOf(own.filter(({ id }) => !used.has(id) && id !== best?.program.id).length),
    };
  });
}

/** All programs of a run by id, and the first program that is no copy by its code. */
interface Programs {
  readonly byId: ReadonlyMap<string, LoadedGeneration>;
  readonly byCode: ReadonlyMap<string, LoadedGeneration>;
}

function programsOf(run: LoadedRun): Programs {
  const all = run.agents.flatMap((agent) => agent.generations);
  const byCode = new Map<string, LoadedGeneration>();
  for (const program of all) {
    if (program.copy !== true && program.code !== undefined && !byCode.has(program.code))
      byCode.set(program.code, program);
  }
  return { byId: new Map(all.map((program) => [program.id, program])), byCode };
}

/** The program that this one was made from, past any copies in between. */
function originOf(program: LoadedGeneration, { byId, byCode }: Programs): LoadedGeneration | undefined {
  const seen = new Set([program.id]);
  let last: LoadedGeneration | undefined;
  for (let id = program.parents[0]; id !== undefined && !seen.has(id); id = last.parents[0]) {
    seen.add(id);
    const parent = byId.get(id);
    if (parent === undefined) break;
    last = parent;
    if (parent.copy !== true) return parent;
  }
  // A copy that does not say of what (a search seeds every island with one): its code does, or it stands for itself.
  const original = last?.code === undefined ? undefined : byCode.get(last.code);
  return original !== undefined && original.id !== program.id ? original : last;
}

/** The program and its ancestors, youngest first. */
function lineOf(program: LoadedGeneration, all: Programs): readonly LoadedGeneration[] {
  const line: LoadedGeneration[] = [];
  const seen = new Set<string>();
  for (let one: LoadedGeneration | undefined = program; one && !seen.has(one.id); one = originOf(one, all)) {
    seen.add(one.id);
    line.push(one);
  }
  return line;
}

/** Length of the program's line; remembered, so that a run costs its programs once. */
function depthOf(program: LoadedGeneration, all: Programs, known: Map<string, number>): number {
  const path: LoadedGeneration[] = [];
  const seen = new Set<string>();
  let one: LoadedGeneration | undefined = program;
  while (one && !known.has(one.id) && !seen.has(one.id)) {
    seen.add(one.id);
    path.push(one);
    one = originOf(one, all);
  }
  let depth = one ? (known.get(one.id) ?? 0) : 0;
  for (const passed of path.reverse()) known.set(passed.id, ++depth);
  return known.get(program.id) ?? 0;
}

function recordsIn(scored: readonly ScoredGeneration[]): readonly ScoredGeneration[] {
  let best = Number.NEGATIVE_INFINITY;
  return scored.filter(({ score }) => {
    if (score <= best) return false;
    best = score;
    return true;
  });
}

export function lineageTable(lineages: readonly Lineage[]): Table {
  return {
    columns: [
      'run',
      'agent',
      'programs',
      'copies',
      'depth of best',
      'deepest',
      'best',
      'time to best',
      'share of history',
      'records',
      'on its line',
      'dead branches',
      'never built on',
    ],
    rows: lineages.map((one) => [
      one.run,
      one.agent,
      one.programs,
      one.copies,
      one.depthOfBest,
      one.deepest,
      one.bestScore,
      one.timeToBest,
      one.timeShare,
      one.records,
      one.recordsOnLine,
      one.deadBranchShare,
      one.unusedShare,
    ]),
    notes: [
      'Lines follow the selected parent. Depth counts programs, the first one included. Dead branches: share of programs that the best does not descend from. Copies (migrants, unchanged programs) are in no other column.',
    ],
  };
}
