import type { Json, RunProgram, SandboxCase, Verdict } from '../sandbox/sandbox.ts';
import { EvaluatorError } from './evaluator-error.ts';
import type {
  CaseAnswer,
  CaseRecord,
  CaseScore,
  Evaluation,
  Split,
  Task,
  TaskCase,
  TaskScore,
  TestSecret,
} from './task.ts';

export interface EvaluateOptions {
  readonly task: Task;
  readonly split: Split;
  readonly secret: TestSecret;
  /** The program's own files: path -> source. */
  readonly modules: Readonly<Record<string, string>>;
  readonly run: RunProgram;
  readonly signal?: AbortSignal;
  /** The module whose `forward` is called. @default 'task_agent.ts' */
  readonly entry?: string;
}

/** One planned case: what came of it and what the scorer says. */
interface Judged {
  readonly input: Json;
  readonly verdict: Verdict | undefined;
  readonly score: CaseScore;
}

/**
 * Evaluates one program on one split: the stage's cases first, the others only if the score of the stage alone exceeds
 * its threshold. Cases always run in their fixed order; every planned case counts, one that was not run as worst. The
 * program runs behind `run`; its answers are judged here, by the task, from what came back and nothing else. A program
 * can only score badly, never make this throw.
 *
 * @returns figures that are all finite; `wallMs` is the sum over the cases, by the sandbox's clock.
 * @throws {EvaluatorError} when the task's code throws or gives a figure that cannot be ranked, or `run` loses a verdict.
 * @throws the signal's reason when it was aborted: half an evaluation is none.
 */
export async function evaluateProgram(options: EvaluateOptions): Promise<Evaluation> {
  const { task, split } = options;
  options.signal?.throwIfAborted();
  const cases = plannedCases(options);
  const stageSize = Math.min(Math.max(1, task.stage.cases), cases.length);

  let stage: TaskScore | undefined;
  const stageScore = (judged: readonly Judged[]): TaskScore => {
    stage ??= scoreOf(options, cases.slice(0, stageSize), judged.slice(0, stageSize));
    return stage;
  };
  const passes = (judged: readonly Judged[]): boolean => stageScore(judged).score > task.stage.threshold;
  const judged = await runCases(options, cases, { after: stageSize, passes });
  const stagePassed = passes(judged);
  for (const [i, one] of cases.entries()) if (i >= judged.length) judged.push(judge(options, one, i, null, undefined));
  const score = cases.length > stageSize ? scoreOf(options, cases, judged) : stageScore(judged);

  const records = judged.map(recordOf);
  return {
    split,
    valid: score.valid,
    score: score.score,
    metrics: score.metrics,
    feedback: score.feedback,
    stagePassed,
    ...(task.better === undefined ? {} : { better: task.better }),
    cases: records,
    wallMs: records.reduce((sum, record) => sum + record.wallMs, 0),
  };
}

function plannedCases({ task, split, secret }: EvaluateOptions): readonly TaskCase[] {
  const site = { task: task.name, split };
  let cases: readonly TaskCase[];
  try {
    cases = task.cases(split, secret);
  } catch (error) {
    throw new EvaluatorError(site, 'threw while making its cases', { cause: error });
  }
  if (!Array.isArray(cases) || cases.length === 0) throw new EvaluatorError(site, 'gave no cases');
  return cases;
}

/** Where a run may end early: after the stage's cases, unless they pass. */
interface Stage {
  readonly after: number;
  readonly passes: (judged: readonly Judged[]) => boolean;
}

/** Runs and judges the cases in order, in runs of at most `task.runCases`; stops after the stage when it does not pass. */
async function runCases(options: EvaluateOptions, cases: readonly TaskCase[], stage: Stage): Promise<Judged[]> {
  const size = Math.max(1, options.task.runCases ?? cases.length);
  const judged: Judged[] = [];
  for (let start = 0; start < cases.length; start += size) {
    if (start >= stage.after && !stage.passes(judged)) break;
    const batch = cases.slice(start, start + size).map((one, i) => watchedCase(options, one, start + i));
    const judgeBatch = (verdicts: readonly Verdict[]): Judged[] =>
      verdicts.flatMap((verdict, i) => {
        const watched = batch[i];
        if (watched === undefined) return [];
        const broken = watched.failure();
        if (broken !== undefined) throw broken;
        return [judge(options, watched.source, start + i, watched.firstInput(), verdict)];
      });
    const within = stage.after > start && stage.after < start + batch.length;
    const proceed = (verdicts: readonly Verdict[]): boolean => stage.passes([...judged, ...judgeBatch(verdicts)]);
    const verdicts = await options.run({
      ...jobOf(options, batch),
      ...(within ? { checkpoint: { after: stage.after - start, proceed } } : {}),
    });
    options.signal?.throwIfAborted();
    judged.push(...judgeBatch(verdicts));
    if (within && judged.length >= stage.after && !stage.passes(judged)) return judged.slice(0, stage.after);
    if (verdicts.length !== batch.length) {
      throw new EvaluatorError(siteOf(options), `got ${verdicts.length} verdicts for ${batch.length} cases`);
    }
  }
  return judged;
}

function jobOf(options: EvaluateOptions, cases: readonly SandboxCase[]): Parameters<RunProgram>[0] {
  const { task, modules, entry = 'task_agent.ts', signal } = options;
  return {
    modules,
    entry,
    cases,
    limits: task.limits,
    ...(task.withoutGlobals === undefined ? {} : { withoutGlobals: task.withoutGlobals }),
    ...(signal === undefined ? {} : { signal }),
  };
}

interface WatchedCase extends SandboxCase {
  readonly source: TaskCase;
  firstInput(): Json;
  failure(): EvaluatorError | undefined;
}

/** Lets the sandbox draw a case's inputs: keeps the first for the record, and keeps an exception of the task out of it. */
function watchedCase(options: EvaluateOptions, source: TaskCase, index: number): WatchedCase {
  let first: Json = null;
  let failure: EvaluatorError | undefined;
  return {
    source,
    seed: source.seed,
    next(step, previous) {
      try {
        const input = source.next(step, previous);
        if (step === 0 && input !== undefined) first = structuredClone(input);
        return input;
      } catch (error) {
        failure ??= new EvaluatorError(siteOf(options, index), 'threw while making an input', { cause: error });
        return undefined;
      }
    },
    firstInput: () => first,
    failure: () => failure,
  };
}

function judge(
  options: EvaluateOptions,
  source: TaskCase,
  index: number,
  input: Json,
  verdict: Verdict | undefined,
): Judged {
  let score: CaseScore;
  try {
    score = source.judge(answerOf(verdict));
  } catch (error) {
    throw new EvaluatorError(siteOf(options, index), 'threw while judging', { cause: error });
  }
  if (!Number.isFinite(score.value)) throw new EvaluatorError(siteOf(options, index), `gave ${score.value} as a value`);
  // No task can call a case valid that has no answer.
  return { input, verdict, score: { ...score, valid: score.valid && verdict?.status === 'value' } };
}

function answerOf(verdict: Verdict | undefined): CaseAnswer {
  if (verdict === undefined) return { status: 'not-run' };
  return verdict.status === 'value' ? { status: 'value', output: verdict.value } : { status: verdict.status };
}

function scoreOf(options: EvaluateOptions, cases: readonly TaskCase[], judged: readonly Judged[]): TaskScore {
  let score: TaskScore;
  try {
    score = options.task.score(
      cases,
      judged.map((one) => one.score),
    );
  } catch (error) {
    throw new EvaluatorError(siteOf(options), 'threw while scoring', { cause: error });
  }
  if (!(Number.isFinite(score.score) && score.score >= 0)) {
    throw new EvaluatorError(siteOf(options), `gave ${score.score} as a score`);
  }
  for (const [name, value] of Object.entries(score.metrics)) {
    if (!Number.isFinite(value)) throw new EvaluatorError(siteOf(options), `gave ${value} as metric "${name}"`);
  }
  return score;
}

function siteOf({ task, split }: EvaluateOptions, index?: number): ConstructorParameters<typeof EvaluatorError>[0] {
  return { task: task.name, split, ...(index === undefined ? {} : { case: index }) };
}

function recordOf({ input, verdict, score }: Judged, index: number): CaseRecord {
  const common = { index, valid: score.valid, value: score.value, feedback: score.feedback, input };
  if (verdict === undefined) return { ...common, status: 'not-run', wallMs: 0, logs: [] };
  const ran = { ...common, wallMs: verdict.wallMs, logs: verdict.logs };
  return verdict.status === 'value'
    ? { ...ran, status: 'value', output: verdict.value }
    : { ...ran, status: verdict.status, error: verdict.error };
}
