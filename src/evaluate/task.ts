import type { Json, SandboxLimits } from '../sandbox/sandbox.ts';

export type Split = 'train' | 'validation' | 'test';

/** What came of one case, as the scorer sees it: an answer, or the reason there is none. */
export interface CaseAnswer {
  readonly status: 'value' | 'error' | 'timeout' | 'memory' | 'crash' | 'bad-result' | 'output-limit' | 'not-run';
  /** The last step's output; absent unless `status` is `value`. */
  readonly output?: Json;
}

/** One case of a task. Holds whatever the scorer needs (expected answers, instance data); only `next` inputs reach a program. */
export interface TaskCase {
  /** Seeds the program's randomness for this case. */
  readonly seed: number;
  /** What `forward` is given: see `SandboxCase.next`. Must not depend on other cases. */
  next(step: number, previous: Json | undefined): Json | undefined;
  /** Scores one answer. Pure; never throws for anything a program can answer; worst for every failure. */
  judge(answer: CaseAnswer): CaseScore;
}

export interface CaseScore {
  readonly valid: boolean;
  /** Raw figure of this case (task-specific unit), worst value when invalid. */
  readonly value: number;
  /** One line that may be disclosed for train cases, e.g. `pressure 0.0512 on GPU 3` or `GPU 2 holds 91 GB of 80`. */
  readonly feedback: string;
}

export interface TaskScore {
  /** All cases valid. */
  readonly valid: boolean;
  /** Normalised, higher is better, finite, 0 when nothing valid. */
  readonly score: number;
  /** Raw and reported figures by name. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly feedback: string;
}

/** The cheap first stage: the first `cases` of a split; the rest run only if `score` of the stage alone exceeds `threshold`. */
export interface StageRule {
  readonly cases: number;
  readonly threshold: number;
}

/** A benchmark task. Everything in it belongs to the evaluation zone; only `files`, `statement` and case inputs reach agents. */
export interface Task {
  readonly name: string;
  readonly title: string;
  /** What the agent is told: the problem, `forward`'s input and answer, validity and score in words. */
  readonly statement: string;
  /** Score of the initial program on train, for people reading tables. */
  readonly seedScore: number;
  readonly bestKnown?: number;
  readonly stage: StageRule;
  /** Hold for each sandbox run of one program, which is at most `runCases` cases. */
  readonly limits: Partial<SandboxLimits>;
  /** Cases of one sandbox run at most, so that a larger split gets more runs instead of less time a case. @default all */
  readonly runCases?: number;
  /** Which direction of `CaseScore.value` is better; orders disclosed cases, worst first. @default 'higher' */
  readonly better?: 'lower' | 'higher';
  /** Globals the program must do without: see `SandboxJob.withoutGlobals`. */
  readonly withoutGlobals?: readonly string[];
  /** Splits that exist as instances; a task without hidden data scores all splits on the same single case. */
  cases(split: Split, secret: TestSecret): readonly TaskCase[];
  /** Aggregates per-case scores: `scores` has one entry per planned case, in order (cases not run count as worst). */
  score(cases: readonly TaskCase[], scores: readonly CaseScore[]): TaskScore;
}

/** Gives 32-bit seeds that only the holder of the secret can know: HMAC(secret, task, label). Used for the test split. */
export type TestSecret = (label: string) => number;

/** A task with its initial files (`agent/` of its folder): path -> source. */
export interface LoadedTask {
  readonly task: Task;
  readonly files: Readonly<Record<string, string>>;
}

export interface CaseRecord {
  readonly index: number;
  readonly status: CaseAnswer['status'];
  readonly valid: boolean;
  readonly value: number;
  readonly feedback: string;
  readonly wallMs: number;
  /** First input and last output, for train disclosure. */
  readonly input: Json;
  readonly output?: Json;
  readonly logs: readonly string[];
  /** Code and message of a failure, as the sandbox gave it. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** One evaluation of one program on one split. */
export interface Evaluation {
  readonly split: Split;
  readonly valid: boolean;
  readonly score: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly feedback: string;
  /** False when the first stage failed: the cases after it have status `not-run` and count as worst. */
  readonly stagePassed: boolean;
  /** The task's `better`: which direction of a case's `value` is better. @default 'higher' */
  readonly better?: 'lower' | 'higher';
  readonly cases: readonly CaseRecord[];
  readonly wallMs: number;
}
