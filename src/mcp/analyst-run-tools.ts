import { z } from 'zod';
import { bestOf, scoredGenerations } from '../analysis/scores.ts';
import { MAX_ANSWER_BYTES, clip, PAGE_ARGS, pageOf, pageShape, type Step } from './analyst-page.ts';
import { stateIn } from './analyst-cursor.ts';
import type { OpenRun, Results, RunCard } from './analyst-results.ts';
import { analystTool, AGENT_ARG, nameArg, RUN_ARG } from './analyst-tool.ts';
import { withoutHostPathsIn } from './host-paths.ts';

const cardShape = {
  run: z.string().describe('Id of the run: what other tools take as run.'),
  format: z
    .enum(['native', 'hyperspace', 'openevolve', 'evotrace', 'shinkaevolve'])
    .describe('native: a run of hivemark.'),
  experiment: z.string().nullable(),
  task: z.string().nullable(),
  seed: z.number().nullable(),
  arm: z.string().nullable(),
  status: z
    .enum(['running', 'done', 'stopped'])
    .nullable()
    .describe('Null: imported. A run that was killed still says running.'),
  stopped: z.string().nullable().describe('Why it was stopped.'),
  agents: z.array(z.strictObject({ name: z.string(), model: z.string().nullable(), scripted: z.boolean().nullable() })),
  generations: z.number().nullable(),
  startedAt: z.number().nullable().describe('Epoch milliseconds.'),
  endedAt: z.number().nullable(),
  problem: z.string().nullable().describe('Why nothing of it can be read.'),
};

/** Which runs; every field narrows. */
export interface RunFilter {
  readonly experiment?: string | undefined;
  readonly task?: string | undefined;
  readonly agent?: string | undefined;
  readonly status?: string | undefined;
}

export const RUN_FILTER = {
  experiment: nameArg('Name of an experiment.').optional(),
  task: nameArg('Name of a task.').optional(),
};

export function matchesRun(card: RunCard, { experiment, task, agent, status }: RunFilter): boolean {
  return (
    (experiment === undefined || card.experiment === experiment) &&
    (task === undefined || card.task === task) &&
    (agent === undefined || card.agents.some(({ name }) => name === agent)) &&
    (status === undefined || card.status === status)
  );
}

const afterRun = z.strictObject({ run: z.string() });

export const listRuns = analystTool({
  name: 'list_runs',
  title: 'List runs',
  description:
    'Runs below the results folder, by id: what task, which agents and models, which arm and seed, whether it is over. Other tools take the id as run.',
  input: {
    ...RUN_FILTER,
    agent: AGENT_ARG.describe('Only runs with an agent of this name.'),
    status: z.enum(['running', 'done', 'stopped']).optional(),
    ...PAGE_ARGS,
  },
  output: pageShape(z.strictObject(cardShape)),
  run: async (results, args, signal) => {
    const after = stateIn('list_runs', args, afterRun)?.run;
    const runs = await results.runs();
    const isFiltered = [args.experiment, args.task, args.agent, args.status].some((one) => one !== undefined);
    async function* steps(): AsyncGenerator<Step<RunCard, z.output<typeof afterRun>>> {
      for (const run of runs) {
        signal.throwIfAborted();
        if (after !== undefined && run <= after) continue;
        const card = await results.card(run);
        if (matchesRun(card, args)) yield { row: card, after: { run } };
      }
    }
    const page = await pageOf({ tool: 'list_runs', args, ...(!isFiltered && { total: runs.length }) }, steps());
    return { value: page };
  },
});

const agentShape = z.strictObject({
  name: z.string(),
  model: z.string().nullable(),
  programs: z.int(),
  invalid: z.int(),
  best: z
    .strictObject({ candidate: z.string(), generation: z.int(), scores: z.record(z.string(), z.number()) })
    .nullable()
    .describe('Best program by validation score.'),
  tokens: z.number().nullable(),
  usd: z.number().nullable(),
});

export const runShape = {
  ...cardShape,
  agents: z.array(agentShape),
  adoptions: z
    .int()
    .nullable()
    .describe('On record; null: the run has no such record, list_adoptions judges by its code.'),
  tables: z
    .record(z.string(), z.number())
    .describe('Bytes of every trace table that query can ask (rows, for an imported run).'),
  config: z.unknown().describe('What the run was made with, without secrets. Null for imported runs.'),
  versions: z.record(z.string(), z.string()),
  skipped: z.record(z.string(), z.number()).describe('What could not be read, by reason.'),
};

export const getRun = analystTool({
  name: 'get_run',
  title: 'Describe a run',
  description:
    'One run: its agents with their best programs and what they cost, how many adoptions are on record, its config, and which tables it has.',
  input: { run: RUN_ARG },
  output: runShape,
  run: async (results, { run }) => ({ value: await describeRun(results, run) }),
});

export type RunDescription = z.output<z.ZodObject<typeof runShape>>;

export async function describeRun(results: Results, run: string): Promise<RunDescription> {
  const card = await results.card(run);
  const open = await results.open(run);
  const config = clip(withoutHostPathsIn(open.file?.config ?? null), 2_000).value;
  const description: RunDescription = {
    ...card,
    agents: agentsOf(open),
    adoptions: open.records?.adoptions.length ?? null,
    tables: { ...(await results.tables(run)) },
    config,
    versions: { ...open.file?.versions },
    skipped: { ...open.skips.counts },
  };
  return clip(description, MAX_ANSWER_BYTES / 8).value;
}

export function agentsOf({ run }: OpenRun): RunDescription['agents'] {
  return run.agents.map((agent) => {
    const { name, generations } = agent;
    const best = bestOf(scoredGenerations(agent))?.program;
    const sum = (values: readonly (number | undefined)[]): number | null => {
      const known = values.filter((value) => value !== undefined);
      return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
    };
    return {
      name,
      model: agent.model === undefined ? null : String(withoutHostPathsIn(agent.model)),
      programs: generations.length,
      invalid: generations.filter(({ valid }) => !valid).length,
      best: best ? { candidate: best.id, generation: best.generation, scores: { ...best.scores } } : null,
      tokens: sum(generations.map(({ tokens }) => tokens)),
      usd: sum(generations.map(({ usd }) => usd)),
    };
  });
}
