import { randomBytes } from 'node:crypto';
import type { CaseAnswer, Evaluation, Split, Task } from '../../src/evaluate/task.ts';
import { evaluateProgram } from '../../src/evaluate/evaluate-program.ts';
import type { Json, RunProgram } from '../../src/sandbox/sandbox.ts';

const mark = randomBytes(6).toString('hex');

/** What must never come back from a program, in any form; new for every run. */
export const canaries = {
  expected: `CANARY_EXP_${mark}`,
  scorer: `CANARY_SCORER_${mark}`,
  held: `CANARY_HELD_${mark}`,
  environment: `CANARY_ENV_${mark}`,
} as const;

/** Answers as the judge saw them, in order. */
export interface DoublingTask extends Task {
  readonly seen: CaseAnswer[];
}

/**
 * Ten cases: double a number; the answer to `n` is 42 when `n` is 21, as it is in case 0. The score is the share of right
 * answers, so that 0 means that no attack of a case worked. Canaries sit where secrets sit: beside the expected answers, in
 * the judge, in the inputs of the validation split.
 */
export function doublingTask(): DoublingTask {
  const seen: CaseAnswer[] = [];
  return {
    seen,
    name: 'doubling',
    title: 'Double a number',
    statement: 'Answer twice the number n.',
    seedScore: 0,
    stage: { cases: 10, threshold: 0 },
    // Ample: what is asked of these programs is not how soon a busy machine lets them run.
    limits: { caseMs: 10_000, computeMs: 20_000 },
    cases: (split) =>
      Array.from({ length: 10 }, (_, index) => {
        const n = 21 + index;
        const hidden = { answer: 2 * n, label: canaries.expected };
        return {
          seed: index,
          next: (step: number) =>
            step === 0 ? { n, note: split === 'train' ? `case ${index}` : `${canaries.held} ${index}` } : undefined,
          judge: (answer: CaseAnswer) => {
            seen.push(structuredClone(answer));
            const scorer = `${canaries.scorer} compares with ${hidden.label}`;
            const valid = scorer.length > 0 && answer.status === 'value' && answer.output === hidden.answer;
            return { valid, value: valid ? 1 : 0, feedback: valid ? 'right' : 'wrong' };
          },
        };
      }),
    score: (cases, scores) => {
      const right = scores.reduce((sum, one) => sum + one.value, 0);
      return { valid: right === cases.length, score: right / cases.length, metrics: { right }, feedback: '' };
    },
  };
}

export const honest = 'export const forward = (input: { n: number }) => 2 * input.n;';
export const silent = 'export const forward = () => undefined;';

export function evaluate(task: Task, source: string, run: RunProgram, split: Split = 'train'): Promise<Evaluation> {
  return evaluateProgram({ task, split, secret: () => 1, modules: { 'task_agent.ts': source }, run });
}

/** Outputs of an evaluation by case, for comparing with what the judge saw. */
export function outputsOf(evaluation: Evaluation): readonly (Json | undefined)[] {
  return evaluation.cases.map((one) => one.output);
}
