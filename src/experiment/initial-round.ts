import { sha256 } from '../trace/blob-store.ts';
import type { CandidateRow } from '../trace/schema.ts';
import { checkout } from './own-files.ts';
import { publish, writeEvaluation } from './publish.ts';
import { rowOf } from './recorder.ts';
import type { RunContext } from './run-context.ts';
import { RUNNER, candidateId, programFiles } from './run-context.ts';
import type { AgentStanding } from './run-state.ts';
import { scoreCandidate } from './score-candidate.ts';
import { storeSources } from './sources.ts';

/** Round 0 of one agent: it is given the task's initial files, which are scored and, above 0, published like any others. */
export async function openInitialProgram(context: RunContext, agent: string): Promise<AgentStanding> {
  const runner = context.gate.session(RUNNER, `g0-${agent}`);
  const external = context.plan.agents.find(({ name }) => name === agent)?.external;
  // Who is driven from outside needs no meta agent.
  const given = external === undefined ? context.task.files : programFiles(context.task.files);
  const files = await checkout(context, runner, agent, { text: {}, marks: {} }, given);
  const train = await scoreCandidate(context, agent, 0, 'train', files.text);
  const validation = await scoreCandidate(context, agent, 0, 'validation', files.text);
  const valid = train.valid && validation.valid;
  const published =
    valid && validation.score > 0
      ? {
          mark: await publish(context, runner, agent, 0, validation.score, files.text, undefined),
          generation: 0,
          score: validation.score,
        }
      : null;
  const evaluation = await writeEvaluation(context, runner, agent, 0, [train, validation], []);
  const id = candidateId(agent, 0);
  const row: CandidateRow = {
    id,
    agent,
    generation: 0,
    parents: [],
    status: valid ? 'accepted' : 'failed',
    sources: await storeSources(context, files.text),
    createdAt: context.clock(),
    published: published !== null,
  };
  await context.recorder.record([rowOf('candidates', id, row)]);
  return {
    head: id,
    files: files.marks,
    goodMeta: sha256(files.text['meta_agent.ts'] ?? ''),
    published,
    evals: [evaluation],
  };
}
