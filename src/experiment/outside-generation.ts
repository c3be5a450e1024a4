import { evaluateProgram } from '../evaluate/evaluate-program.ts';
import type { Evaluation, Split } from '../evaluate/task.ts';
import { parseAgentName } from '../space/scope.ts';
import type { RunProgram, SandboxJob, Verdict } from '../sandbox/sandbox.ts';
import { viewOf } from './agent-view.ts';
import type { AgentView } from './agent-view.ts';
import { assessGeneration } from './assess-generation.ts';
import { type GenerationResult, SHOWN_EVALS, rowsOfGeneration, sameProgram } from './generation.ts';
import { outcomeOf } from './outcome.ts';
import { publish, writeEvaluation } from './publish.ts';
import { rowOf } from './recorder.ts';
import type { RoundDoors } from './round-doors.ts';
import type { RunContext } from './run-context.ts';
import { RUNNER, candidateId, programFiles } from './run-context.ts';
import type { AgentStanding, RoundRow } from './run-state.ts';
import { bestOf } from './run-state.ts';
import { recordEvaluation, scoreCandidate } from './score-candidate.ts';
import { programOf } from './sources.ts';
import type { SubmissionRow } from './submission.ts';
import type { CandidateRow } from '../trace/schema.ts';

/** The submission was taken back while it was evaluated. */
class Withdrawn extends Error {
  override readonly name = 'Withdrawn';
}

/**
 * One round of an agent that is driven from outside: it sees what the round's snapshot has, changes its files by marks of its own whenever
 * it wants, and its part ends when a program that it submitted is evaluated. Its files stay as it has them, whatever the score: they are
 * not the runner's to roll back. `undefined` when the round went on without it.
 */
export async function runOutsideGeneration(
  context: RunContext,
  agent: string,
  generation: number,
  snapshot: RoundRow,
  doors: RoundDoors,
): Promise<GenerationResult | undefined> {
  const { gate, recorder, news, outside, signal } = context;
  const standing = snapshot.agents[agent];
  if (standing === undefined) throw new Error(`round ${snapshot.round} has no standing for ${agent}`);
  const session = gate.session(parseAgentName(agent), `g${generation}`);
  const view = viewOf(context, session, agent, generation, { files: {}, evals: standing.evals }, snapshot);
  await recorder.record(view.exposures.map((row) => rowOf('exposures', row.id, row)));

  if (outside.submission(agent, generation) === undefined)
    context.onEvent({
      type: 'awaiting',
      run: context.plan.id,
      agent,
      generation,
      closesAt: outside.waiting?.closesAt ?? 0,
    });
  for (;;) {
    const submission = await news.until(
      () => outside.submission(agent, generation) ?? (doors.closed ? null : undefined),
      signal,
    );
    if (submission === null) return undefined;
    // Scored before a restart, it counts as it was scored.
    if (context.state.evaluations.has(`${candidateId(agent, generation)}/train`)) outside.claim(submission);
    try {
      const trained = await whileItStands(context, submission, (stop) => train(context, submission, stop));
      // Once it meets hidden cases it counts: who could still take it back would have asked of them for nothing.
      if (trained !== undefined && outside.claim(submission))
        return await settle(context, standing, submission, await validate(context, submission, trained), view);
    } finally {
      outside.progress(agent, undefined);
    }
  }

  /** Nothing, where the submission was taken back before `work` was done. */
  async function whileItStands<T>(
    { news: changes, outside: agents }: RunContext,
    { n }: SubmissionRow,
    work: (stop: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const taken = new AbortController();
    const unwatch = changes.on(() => {
      if (agents.submission(agent, generation)?.n !== n) taken.abort(new Withdrawn('the submission was taken back'));
    });
    try {
      return await work(AbortSignal.any([signal, taken.signal]));
    } catch (error) {
      if (taken.signal.aborted && !signal.aborted) return undefined;
      throw error;
    } finally {
      unwatch();
    }
  }
}

/** What was submitted, and how it did so far. Nothing of it is on record before all of it is there: half an evaluation is none. */
interface Evaluated {
  readonly files: Readonly<Record<string, string>>;
  readonly parent: CandidateRow;
  readonly unchanged: boolean;
  readonly evaluations: readonly Evaluation[];
  /** Cases of the train split. */
  readonly cases: number;
}

/** The train split, whose cases its agent may know: how far it has come is told case by case. */
async function train(context: RunContext, submission: SubmissionRow, stop: AbortSignal): Promise<Evaluated> {
  const { agent, generation } = submission;
  const { blobs, state, plan, onEvent, outside, sandbox } = context;
  onEvent({ type: 'phase', run: plan.id, agent, generation, phase: 'evaluating' });
  const files: Record<string, string> = {};
  for (const [path, sha256] of Object.entries(submission.sources)) files[path] = await blobs.read(sha256);
  const parent = state.candidates.get(state.last?.agents[agent]?.head ?? '');
  if (parent === undefined) throw new Error(`the log has no candidate that ${agent} stands on`);
  const unchanged = sameProgram(await programOf(context, parent), files);
  let cases = 0;
  const counted = (job: SandboxJob): Promise<readonly Verdict[]> => {
    cases = job.cases.length;
    const told = job.cases.map((one, i) => ({
      seed: one.seed,
      next: (step: number, previous: Parameters<typeof one.next>[1]) => {
        if (step === 0) outside.progress(agent, { step: 'evaluating', done: i, total: cases + LATER_STEPS });
        return one.next(step, previous);
      },
    }));
    return sandbox.run({ ...job, cases: told });
  };
  const made = { files, parent, unchanged };
  const evaluation = await evaluationOf(context, submission, made, 'train', counted, stop);
  stop.throwIfAborted();
  return { ...made, evaluations: evaluation === undefined ? [] : [evaluation], cases };
}

/** Validating and recording. */
const LATER_STEPS = 2;

/** The validation split: its cases are hidden, and so is how far it has come. */
async function validate(context: RunContext, submission: SubmissionRow, trained: Evaluated): Promise<Evaluated> {
  const { outside, sandbox, signal } = context;
  const { agent } = submission;
  const { cases } = trained;
  const total = cases + LATER_STEPS;
  outside.progress(agent, { step: 'validating', done: cases, total });
  const evaluation = await evaluationOf(context, submission, trained, 'validation', sandbox.run, signal);
  outside.progress(agent, { step: 'recording', done: cases + 1, total });
  return { ...trained, evaluations: [...trained.evaluations, ...(evaluation === undefined ? [] : [evaluation])] };
}

/** A score is given once: one on record is taken, and a program that is its parent's to the byte has its parent's, where there is one. */
async function evaluationOf(
  context: RunContext,
  { agent, generation }: SubmissionRow,
  { files, parent, unchanged }: Pick<Evaluated, 'files' | 'parent' | 'unchanged'>,
  split: Split,
  run: RunProgram,
  signal: AbortSignal,
): Promise<Evaluation | undefined> {
  const { task, secret, watch, state } = context;
  if (state.evaluations.has(`${candidateId(agent, generation)}/${split}`))
    return scoreCandidate(context, agent, generation, split, files);
  if (unchanged) {
    if (!state.evaluations.has(`${parent.id}/${split}`)) return undefined;
    return scoreCandidate(context, agent, parent.generation, split, files);
  }
  return watch.time(agent, 'sandbox', () =>
    evaluateProgram({ task: task.task, split, secret, modules: programFiles(files), run, signal }),
  );
}

/** Puts on record what came of it, publishes it if it is the agent's best. */
async function settle(
  context: RunContext,
  standing: AgentStanding,
  submission: SubmissionRow,
  { files, parent, unchanged, evaluations }: Evaluated,
  view: AgentView,
): Promise<GenerationResult> {
  const { agent, generation, reason } = submission;
  for (const evaluation of evaluations) await recordEvaluation(context, agent, generation, evaluation);
  const runner = context.gate.session(RUNNER, `g${generation}-${agent}`);
  const validation = evaluations.find(({ split }) => split === 'validation');
  const valid = evaluations.length > 0 && evaluations.every((evaluation) => evaluation.valid);
  const score = validation?.score ?? 0;
  const outcome = outcomeOf('keep', {
    metaFailure: undefined,
    refusals: [],
    unchanged,
    evaluation:
      validation === undefined
        ? undefined
        : { valid, score, feedback: evaluations.find((evaluation) => !evaluation.valid)?.feedback ?? '' },
    bestScore: bestOf(context.state, agent, generation)?.score,
  });
  const improves = !unchanged && valid && score > 0 && score > (standing.published?.score ?? 0);
  const mark = improves
    ? await publish(context, runner, agent, generation, score, files, standing.published?.mark)
    : undefined;
  const notes = outcome.reason === undefined ? [] : [outcome.reason];
  const evaluationMark = await writeEvaluation(context, runner, agent, generation, evaluations, notes);
  // Its marks are in the log; what it did is read from there.
  await context.catchUp();
  const steps = context.outsideSteps.of(agent);
  const adoptions =
    unchanged || validation === undefined
      ? []
      : await assessGeneration(context, agent, generation, {
          parent,
          files,
          view,
          steps,
          score,
          ...(reason === undefined ? {} : { said: { call: candidateId(agent, generation), text: reason } }),
        });
  const candidate: CandidateRow = {
    id: candidateId(agent, generation),
    agent,
    generation,
    parents: [parent.id],
    status: outcome.status,
    sources: submission.sources,
    createdAt: context.clock(),
    published: mark !== undefined,
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
  };
  await context.recorder.record(
    rowsOfGeneration({ candidate, parent, view, metaAgentSha256: standing.goodMeta }, adoptions),
  );
  return {
    candidate,
    score,
    adoptions,
    standing: {
      head: outcome.head === 'this' ? candidate.id : parent.id,
      files: submission.marks,
      goodMeta: standing.goodMeta,
      published: mark === undefined ? standing.published : { mark, generation, score },
      evals: [...standing.evals, evaluationMark].slice(-SHOWN_EVALS),
    },
  };
}
