import { z } from 'zod';
import { bestOf, scoredGenerations } from '../analysis/scores.ts';
import type { LoadedAgent, LoadedGeneration } from '../trace/loaded-run.ts';
import { AnalystError, thereAre } from './analyst-error.ts';
import { importedStatus, MAIN_NAME, sourcesOf } from './analyst-imported.ts';
import type { OpenRun } from './analyst-results.ts';
import { quoted } from './protocol-handlers.ts';

export const STATUSES = ['accepted', 'rejected', 'failed', 'copy'] as const;

/** A program in a list. */
export const candidateShape = {
  candidate: z.string().describe('Id of the program.'),
  agent: z.string(),
  generation: z.int().describe('0: the initial program. Several programs of a search may share one.'),
  parents: z.array(z.string()).describe('Ids, the selected parent first.'),
  status: z.enum(STATUSES).nullable().describe('Null: it was scored; whether it was kept is not known.'),
  valid: z.boolean(),
  published: z.boolean().nullable().describe("It was its agent's best when it came: peers were shown it."),
  scores: z
    .record(z.string(), z.number())
    .describe('By split: train, validation, test ... Higher is better; selection went by validation.'),
  files: z.array(z.string()).describe('Paths of its files.'),
  mainFile: z.string().nullable(),
  reason: z.string().nullable().describe('Why a failed or rejected program is that.'),
  tokens: z.number().nullable(),
  usd: z.number().nullable(),
};

export type CandidateView = z.output<z.ZodObject<typeof candidateShape>>;

/** One program of a run and whose it is. */
export interface Candidate {
  readonly agent: LoadedAgent;
  readonly program: LoadedGeneration;
}

export function viewOf({ candidates }: OpenRun, { agent, program }: Candidate): CandidateView {
  const row = candidates.get(program.id);
  const files = Object.keys(sourcesOf(program)).sort();
  return {
    candidate: program.id,
    agent: agent.name,
    generation: program.generation,
    parents: [...program.parents],
    status: row?.status ?? importedStatus(program),
    valid: program.valid,
    published: program.published ?? null,
    scores: { ...program.scores },
    files,
    mainFile: program.code === undefined ? null : (program.mainFile ?? MAIN_NAME),
    reason: row?.reason ?? program.cause ?? null,
    tokens: program.tokens ?? null,
    usd: program.usd ?? null,
  };
}

/** All programs of a run, agent after agent, in the order they came. */
export function candidatesOf({ run }: OpenRun): readonly Candidate[] {
  return run.agents.flatMap((agent) => agent.generations.map((program) => ({ agent, program })));
}

/** @throws AnalystError `no-such-agent` */
export function agentIn({ run }: OpenRun, name: string): LoadedAgent {
  const agent = run.agents.find((one) => one.name === name);
  if (agent !== undefined) return agent;
  const names = run.agents.map((one) => one.name);
  throw new AnalystError(
    'no-such-agent',
    `the run ${quoted(run.id)} has no agent ${quoted(name)}${thereAre(name, names)}`,
  );
}

/** The program with that id, or the best-scored one of `<agent>/best`. @throws AnalystError `no-such-candidate` */
export function candidateIn(open: OpenRun, id: string): Candidate {
  const { run } = open;
  for (const agent of run.agents) {
    const program = agent.generations.find((one) => one.id === id);
    if (program !== undefined) return { agent, program };
  }
  const named = run.agents.find(({ name }) => id === `${name}/best`);
  const best = named && bestOf(scoredGenerations(named));
  if (named && best) return { agent: named, program: best.program };
  const problem = named ? `no program of ${quoted(named.name)} has a score` : `the run has no program ${quoted(id)}`;
  const ids = candidatesOf(open).map(({ program }) => program.id);
  throw new AnalystError('no-such-candidate', `${problem}${thereAre(id, ids)}; list_candidates lists them`);
}

/** The text of one file of a program, its main one by default. @throws AnalystError `no-such-file` */
export function textIn(program: LoadedGeneration, file?: string): { readonly file: string; readonly text: string } {
  const sources = sourcesOf(program);
  const name = file ?? program.mainFile ?? MAIN_NAME;
  const text = Object.hasOwn(sources, name) ? sources[name] : undefined;
  if (text !== undefined) return { file: name, text };
  const why =
    program.unread === true && file === undefined ? 'cannot be read (its text was never fetched or is damaged)' : '';
  throw new AnalystError(
    'no-such-file',
    `${quoted(program.id)} ${why === '' ? `has no file ${quoted(name)}` : why}${thereAre(name, Object.keys(sources))}`,
  );
}
