import { evaluateProgram } from '../evaluate/evaluate-program.ts';
import type { Evaluation, Split } from '../evaluate/task.ts';
import { parseAgentName } from '../space/scope.ts';
import type { SandboxJob, Verdict } from '../sandbox/sandbox.ts';
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

const SPLITS = ['train', 'validation'] as const;

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
    const evaluated = await whileItStands(context, submission, (stop) => evaluate(context, submission, stop));
    if (evaluated === undefined) continue;
    try {
      outside.progress(agent, { step: 'recording', done: 0, total: 0 });
      return await settle(context, standing, submission, evaluated, view);
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
      agents.progress(agent, undefined);
    }
  }
}

/** What was submitted and how it did. Nothing of it is on record before all of it is there: half an evaluation is none. */
interface Evaluated {
  readonly files: Readonly<Record<string, string>>;
  readonly parent: CandidateRow;
  readonly unchanged: boolean;
  readonly evaluations: readonly Evaluation[];
}

async function evaluate(context: RunContext, submission: SubmissionRow, stop: AbortSignal): Promise<Evaluated> {
  const { agent, generation } = submission;
  const { blobs, state, plan, onEvent } = context;
  onEvent({ type: 'phase', run: plan.id, agent, generation, phase: 'evaluating' });
  const files: Record<string, string> = {};
  for (const [path, sha256] of Object.entries(submission.sources)) files[path] = await blobs.read(sha256);
  const parent = state.candidates.get(state.last?.agents[agent]?.head ?? '');
  if (parent === undefined) throw new Error(`the log has no candidate that ${agent} stands on`);
  const unchanged = sameProgram(await programOf(context, parent), files);
  const evaluations: Evaluation[] = [];
  for (const split of SPLITS) {
    if (unchanged) {
      if (state.evaluations.has(`${parent.id}/${split}`))
        evaluations.push(await scoreCandidate(context, agent, parent.generation, split, files));
    } else {
      evaluations.push(await evaluateSplit(context, agent, split, files, stop));
    }
  }
  stop.throwIfAborted();
  return { files, parent, unchanged, evaluations };
}

function evaluateSplit(
  { task, secret, sandbox, watch, outside }: RunContext,
  agent: string,
  split: Split,
  files: Readonly<Record<string, string>>,
  stop: AbortSignal,
): Promise<Evaluation> {
  const step = SPLITS.findIndex((one) => one === split);
  const counted = (job: SandboxJob): Promise<readonly Verdict[]> => {
    const total = job.cases.length * SPLITS.length;
    const tell = (i: number): void =>
      outside.progress(agent, { step: 'evaluating', done: step * job.cases.length + i, total });
    const cases = job.cases.map((one, i) => ({
      seed: one.seed,
      next: (at: number, previous: Parameters<typeof one.next>[1]) => {
        if (at === 0) tell(i);
        return one.next(at, previous);
      },
    }));
    return sandbox.run({ ...job, cases });
  };
  return watch.time(agent, 'sandbox', () =>
    evaluateProgram({ task: task.task, split, secret, modules: programFiles(files), run: counted, signal: stop }),
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
