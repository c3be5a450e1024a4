import type { LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import type { GenerationCalls } from './call-fold.ts';
import { splitLines } from './diff.ts';
import { isSearch, scoredGenerations } from './scores.ts';
import type { Table } from './table.ts';

/** Tool calls from which the published analysis calls a budget exhausted, and the budget it has in mind. */
const NEAR_BUDGET = 38;
const DEFAULT_BUDGET = 40;

/** How a program's length went, by the share of steps that went up, down or nowhere. @see hyperspace `analyze_patterns.py` */
export type SizeTrend = 'monotonic_bloat' | 'monotonic_shrink' | 'mostly_flat' | 'mixed_healthy' | 'too_short';

export interface SizeTrajectory {
  /** Lines of the main program in generations that have one. */
  readonly sizes: readonly (readonly [generation: number, lines: number])[];
  readonly trend: SizeTrend;
  /** Lines of the last program minus the first's, and of the last minus the best-scored one's: growth that gained nothing. */
  readonly growth: number;
  readonly growthSinceBest: number | null;
}

/** What one agent did in one run. Counts of calls are null where no call log is at hand. */
export interface AgentBehaviour {
  readonly run: string;
  readonly agent: string;
  readonly model: string;
  readonly generations: number;
  /** Generations that a call log tells about; rates of calls are over these. */
  readonly traced: number;
  readonly toolCalls: number;
  /** Generations with a doom loop; those near (published: 38 calls) and at the end of the tool-call budget. */
  readonly doomLoops: number;
  readonly nearBudget: number;
  readonly atBudget: number;
  /** Generations with a path viewed twice (published), and views that showed nothing new. */
  readonly repeatedViews: number;
  readonly idleViews: number;
  /** Null: the log holds no answers of tools. */
  readonly failedEdits: number | null;
  readonly publishedProbes: number;
  readonly probes: number;
  /** Calls that look like edits of the meta agent (published), and generations in which its text really changed. */
  readonly publishedSelfEdits: number;
  readonly selfEdits: number;
  /** Programs made from another one, and those that are identical to it. */
  readonly steps: number;
  readonly stuck: number;
  readonly size: SizeTrajectory;
}

/**
 * Editing behaviour of each agent: the published measures (hyperspace `analyze_patterns.py`) and, where they miss what they mean,
 * a corrected one beside them. The published analysis looked at 25 generations of a run at most; this one looks at all.
 *
 * @param toolBudget - tool calls a generation may make. @default 40
 */
export function behaviour(
  run: LoadedRun,
  calls: readonly GenerationCalls[],
  toolBudget = DEFAULT_BUDGET,
): readonly AgentBehaviour[] {
  return run.agents.map((agent) => {
    const seen = calls.filter((one) => one.agent === agent.name && one.agentCalls > 0);
    const sum = (count: (one: GenerationCalls) => number): number => seen.reduce((total, one) => total + count(one), 0);
    const withAnswers = seen.flatMap(({ failedEdits }) => failedEdits ?? []);
    return {
      run: run.id,
      agent: agent.name,
      model: agent.model ?? agent.name,
      generations: agent.generations.length,
      traced: seen.length,
      toolCalls: sum((one) => one.toolCalls),
      doomLoops: sum((one) => Number(one.doomLoops > 0)),
      nearBudget: sum((one) => Number(one.toolCalls >= NEAR_BUDGET)),
      atBudget: sum((one) => Number(one.toolCalls >= toolBudget)),
      repeatedViews: sum((one) => Number(one.repeatedPaths > 0)),
      idleViews: sum((one) => one.idleViews),
      failedEdits: withAnswers.length === 0 ? null : withAnswers.reduce((total, failed) => total + failed, 0),
      publishedProbes: sum((one) => one.publishedProbes),
      probes: sum((one) => one.probes),
      publishedSelfEdits: sum((one) => one.publishedSelfEdits),
      ...stillness(run, agent),
      size: sizeTrajectory(run, agent),
    };
  });
}

/** How often a program is identical to its parent (else the program before it), and how often its other files are not. */
function stillness(run: LoadedRun, agent: LoadedAgent): Pick<AgentBehaviour, 'steps' | 'stuck' | 'selfEdits'> {
  const programs = stepsOf(run, agent);
  const byId = new Map(agent.generations.map((program) => [program.id, program]));
  let steps = 0;
  let stuck = 0;
  let selfEdits = 0;
  for (const [i, program] of programs.entries()) {
    const [selected] = program.parents;
    if (selected === undefined) continue;
    const parent = byId.get(selected);
    const from = parent?.code === undefined ? programs[i - 1] : parent;
    if (!from) continue;
    steps++;
    if (program.code === from.code) stuck++;
    if (!sameFiles(program.files, from.files)) selfEdits++;
  }
  return { steps, stuck, selfEdits };
}

/** Programs with code that are steps of the agent's own: all of a history, of a search those that are no migrants. */
function stepsOf(run: LoadedRun, agent: LoadedAgent): readonly LoadedGeneration[] {
  return agent.generations.filter(({ code, copy }) => code !== undefined && !(copy === true && isSearch(run)));
}

function sameFiles(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Lines of the agent's program over time; a search's migrants are left out. */
export function sizeTrajectory(run: LoadedRun, agent: LoadedAgent): SizeTrajectory {
  const programs = stepsOf(run, agent).map(({ id, code = '', generation }) => ({
    id,
    generation,
    lines: splitLines(code).length,
  }));
  const best = scoredGenerations(agent).reduce<{ id: string; score: number } | undefined>(
    (top, { program, score }) => (top === undefined || score > top.score ? { id: program.id, score } : top),
    undefined,
  );
  const last = programs.at(-1)?.lines ?? 0;
  const atBest = programs.find(({ id }) => id === best?.id)?.lines;
  return {
    sizes: programs.map(({ generation, lines }) => [generation, lines] as const),
    trend: trendOf(programs.map(({ lines }) => lines)),
    growth: last - (programs[0]?.lines ?? 0),
    growthSinceBest: atBest === undefined ? null : last - atBest,
  };
}

function trendOf(sizes: readonly number[]): SizeTrend {
  if (sizes.length < 3) return 'too_short';
  const steps = sizes.slice(1).map((size, i) => Math.sign(size - (sizes[i] ?? 0)));
  const shareOf = (sign: number): number => steps.filter((step) => step === sign).length / steps.length;
  if (shareOf(1) > 0.7) return 'monotonic_bloat';
  if (shareOf(-1) > 0.7) return 'monotonic_shrink';
  return shareOf(0) > 0.5 ? 'mostly_flat' : 'mixed_healthy';
}

/** One row a model over all its runs; rates are per generation with a call log, stuck per step. */
export function behaviourTable(agents: readonly AgentBehaviour[]): Table {
  const untraced = agents.filter(({ traced }) => traced === 0).length;
  const unanswered = agents.filter(({ traced, failedEdits }) => traced > 0 && failedEdits === null).length;
  return {
    columns: [
      'model',
      'runs',
      'generations',
      'traced',
      'tool calls',
      'doom loops',
      'near budget',
      'at budget',
      'repeated views',
      'idle views',
      'failed edits',
      'probes published',
      'probes',
      'self-edits published',
      'self-edits',
      'stuck',
      'bloat',
      'lines since best',
    ],
    rows: [...Map.groupBy(agents, (one) => one.model)].map(([model, several]) => {
      const sum = (count: (one: AgentBehaviour) => number): number =>
        several.reduce((total, one) => total + count(one), 0);
      const traced = sum((one) => one.traced);
      const rate = (count: (one: AgentBehaviour) => number): number | null =>
        traced === 0 ? null : sum(count) / traced;
      const steps = sum((one) => one.steps);
      const answered = several.filter(({ failedEdits }) => failedEdits !== null);
      const answeredGenerations = answered.reduce((total, one) => total + one.traced, 0);
      return [
        model,
        several.length,
        sum((one) => one.generations),
        traced,
        traced === 0 ? null : sum((one) => one.toolCalls),
        rate((one) => one.doomLoops),
        rate((one) => one.nearBudget),
        rate((one) => one.atBudget),
        rate((one) => one.repeatedViews),
        rate((one) => one.idleViews),
        answeredGenerations === 0
          ? null
          : answered.reduce((total, one) => total + (one.failedEdits ?? 0), 0) / answeredGenerations,
        rate((one) => one.publishedProbes),
        rate((one) => one.probes),
        rate((one) => one.publishedSelfEdits),
        steps === 0 ? null : sum((one) => one.selfEdits) / steps,
        steps === 0 ? null : sum((one) => one.stuck) / steps,
        sum((one) => Number(one.size.trend === 'monotonic_bloat')),
        sum((one) => one.size.growthSinceBest ?? 0),
      ];
    }),
    notes: [
      'Per generation with a call log: share with a doom loop (three or more identical tool calls in a row), near (38) and at the end of the tool-call budget, with a path viewed twice; idle views, failed edits, probes and published self-edits are means. self-edits and stuck: share of steps in which the meta agent changed and the program did not.',
      'probes published counts any path with /etc/, /home/, /.. or __pycache__ in it; probes only what reaches outside the view. self-edits published counts commands that only read the meta agent.',
      'bloat: runs whose program grew in more than 70 % of the steps. lines since best: lines added after the best program, over all runs.',
      ...(untraced > 0 ? [`${untraced} of ${agents.length} agents have no call log: their calls are not known.`] : []),
      ...(unanswered > 0
        ? [`${unanswered} agents have a call log without the answers of tools: failed edits are not known.`]
        : []),
    ],
  };
}
