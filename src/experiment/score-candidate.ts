import { evaluateProgram } from '../evaluate/evaluate-program.ts';
import { parseEvaluation } from '../evaluate/evaluation-schema.ts';
import type { Evaluation, Split } from '../evaluate/task.ts';
import type { EvaluationRow } from '../trace/schema.ts';
import { rowOf } from './recorder.ts';
import type { RunContext } from './run-context.ts';
import { candidateId, programFiles } from './run-context.ts';

/**
 * Scores one candidate on one split and records it. An evaluation that is on record already (the round was cut off and is
 * done again) is taken from there: a score is given once. The full evaluation, cases and all, is a blob of the trace, which
 * agents never see; what they are told is the disclosure policy's business.
 *
 * @throws {EvaluatorError} when the task's own code fails: that ends the run.
 */
export async function scoreCandidate(
  context: RunContext,
  agent: string,
  generation: number,
  split: Split,
  files: Readonly<Record<string, string>>,
): Promise<Evaluation> {
  const { state, blobs, task, secret, sandbox, watch, signal } = context;
  const candidate = candidateId(agent, generation);
  const known = state.evaluations.get(`${candidate}/${split}`);
  if (known !== undefined) return parseEvaluation(await blobs.read(known.detail));

  const evaluation = await watch.time(agent, 'sandbox', () =>
    evaluateProgram({ task: task.task, split, secret, modules: programFiles(files), run: sandbox.run, signal }),
  );
  await recordEvaluation(context, agent, generation, evaluation);
  return evaluation;
}

/** Records an evaluation for a candidate: a fresh one, or (for a copy of its parent) the parent's, which its bytes share. */
export async function recordEvaluation(
  context: RunContext,
  agent: string,
  generation: number,
  evaluation: Evaluation,
): Promise<void> {
  const candidate = candidateId(agent, generation);
  const statuses: Record<string, number> = {};
  for (const { status } of evaluation.cases) statuses[status] = (statuses[status] ?? 0) + 1;
  const row: EvaluationRow = {
    candidate,
    agent,
    generation,
    split: evaluation.split,
    valid: evaluation.valid,
    score: evaluation.score,
    metrics: evaluation.metrics,
    stagePassed: evaluation.stagePassed,
    cases: evaluation.cases.length,
    statuses,
    feedback: evaluation.feedback,
    wallMs: evaluation.wallMs,
    detail: await context.blobs.write(JSON.stringify(evaluation)),
  };
  await context.recorder.record([rowOf('evaluations', `${candidate}/${evaluation.split}`, row)]);
}
