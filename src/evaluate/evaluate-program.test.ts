import { describe, expect, test } from 'vitest';
import type { Json, RunProgram } from '../sandbox/sandbox.ts';
import { evaluateProgram } from './evaluate-program.ts';
import { EvaluatorError } from './evaluator-error.ts';
import type { CaseScore, Task, TaskCase } from './task.ts';
import { runInProcess } from './test-run.ts';

/** Ten cases: echo the index of the case. Score: the share of right answers. */
function echoTask(changes: Partial<Task> = {}): Task {
  return {
    name: 'echo',
    title: 'Echo',
    statement: 'Answer the index of the case.',
    seedScore: 0,
    stage: { cases: 2, threshold: 0 },
    limits: { caseMs: 100 },
    cases: () => Array.from({ length: 10 }, (_, index) => echoCase(index)),
    score: (cases, scores) => {
      const right = scores.filter((one) => one.valid).length;
      return {
        valid: right === cases.length,
        score: right / cases.length,
        metrics: { right },
        feedback: `${right} right`,
      };
    },
    ...changes,
  };
}

function echoCase(index: number, changes: Partial<TaskCase> = {}): TaskCase {
  return {
    seed: index,
    next: (step) => (step === 0 ? { index } : undefined),
    judge: (answer): CaseScore => {
      const valid = answer.status === 'value' && answer.output === index;
      return { valid, value: valid ? 1 : 0, feedback: valid ? 'right' : 'wrong' };
    },
    ...changes,
  };
}

const indexOf = (input: Json): Json =>
  typeof input === 'object' && input !== null && 'index' in input ? input.index : null;
const base = { split: 'train', secret: () => 0, modules: { 'task_agent.ts': '' } } as const;

describe('evaluateProgram()', () => {
  test('asks after the stage whether to go on, and scores all cases in order', async () => {
    const { run, jobs } = runInProcess(indexOf);
    const evaluation = await evaluateProgram({ ...base, task: echoTask({ withoutGlobals: ['Math.sin'] }), run });
    expect(jobs.map((job) => job.cases.map((one) => one.seed))).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    expect(jobs[0]?.checkpoint?.after).toBe(2);
    expect(jobs[0]).toMatchObject({ entry: 'task_agent.ts', limits: { caseMs: 100 }, withoutGlobals: ['Math.sin'] });
    expect(evaluation).toMatchObject({ valid: true, score: 1, metrics: { right: 10 }, stagePassed: true, wallMs: 20 });
    expect(evaluation.cases.map((one) => [one.index, one.input, one.output])).toEqual(
      Array.from({ length: 10 }, (_, index) => [index, { index }, index]),
    );
  });

  test('counts the cases after a failed stage as worst: the denominator never changes', async () => {
    const { run, jobs } = runInProcess((input) => (indexOf(input) === 1 ? 'wrong' : indexOf(input)));
    const task = echoTask({ stage: { cases: 2, threshold: 0.5 } });
    const evaluation = await evaluateProgram({ ...base, task, run });
    expect(jobs).toHaveLength(1);
    expect(evaluation).toMatchObject({ valid: false, score: 0.1, stagePassed: false });
    expect(evaluation.cases.map((one) => one.status)).toEqual(['value', 'value', ...Array(8).fill('not-run')]);
    expect(evaluation.cases[9]).toEqual({
      index: 9,
      status: 'not-run',
      valid: false,
      value: 0,
      feedback: 'wrong',
      wallMs: 0,
      input: null,
      logs: [],
    });
  });

  test('does not count cases after a failed stage even if a sandbox ran them', async () => {
    const { run } = runInProcess((input) => (indexOf(input) === 1 ? 'wrong' : indexOf(input)));
    const heedless: RunProgram = ({ checkpoint: _checkpoint, ...job }) => run(job);
    const task = echoTask({ stage: { cases: 2, threshold: 0.5 } });
    expect(await evaluateProgram({ ...base, task, run: heedless })).toMatchObject({ score: 0.1, stagePassed: false });
  });

  test('passes a stage only when its score exceeds the threshold', async () => {
    const { run } = runInProcess((input) => (indexOf(input) === 0 ? 0 : 'wrong'));
    const at = (threshold: number) =>
      evaluateProgram({ ...base, task: echoTask({ stage: { cases: 2, threshold } }), run });
    expect((await at(0.5)).stagePassed).toBe(false);
    expect((await at(0.4)).stagePassed).toBe(true);
  });

  test('gives an abstaining program its three answers of ten and no more (EV-05)', async () => {
    for (const abstain of ['', null, 'throw'] as const) {
      const { run } = runInProcess((input) => {
        const index = indexOf(input);
        if (typeof index === 'number' && index < 3) return index;
        if (abstain === 'throw') throw new Error('no idea');
        return abstain;
      });
      const evaluation = await evaluateProgram({ ...base, task: echoTask(), run });
      expect(evaluation.score).toBe(0.3);
      expect(evaluation.cases).toHaveLength(10);
    }
  });

  test('splits a large split into runs, so that limits hold for the same number of cases', async () => {
    const { run, jobs } = runInProcess(indexOf);
    await evaluateProgram({ ...base, task: echoTask({ runCases: 3 }), run });
    expect(jobs.map((job) => job.cases.length)).toEqual([3, 3, 3, 1]);
  });

  test('does not let a task call a case valid that has no answer', async () => {
    const lenient = echoTask({
      cases: () => [echoCase(0, { judge: () => ({ valid: true, value: 1, feedback: 'fine' }) })],
    });
    const { run } = runInProcess(() => {
      throw new Error('none');
    });
    expect(await evaluateProgram({ ...base, task: lenient, run })).toMatchObject({ valid: false, score: 0 });
  });

  test('keeps the code and message of a failure, as the sandbox gave it', async () => {
    const { run } = runInProcess(() => {
      throw new Error('too hard');
    });
    const evaluation = await evaluateProgram({ ...base, task: echoTask(), run });
    expect(evaluation.cases[0]).toMatchObject({
      status: 'error',
      error: { code: 'program', message: 'too hard' },
      logs: ['a log line'],
    });
  });

  test('throws the reason of an abort instead of scoring half an evaluation', async () => {
    const controller = new AbortController();
    const { run } = runInProcess(() => {
      controller.abort(new Error('stopped'));
      throw new Error('killed');
    });
    const evaluation = evaluateProgram({ ...base, task: echoTask(), run, signal: controller.signal });
    await expect(evaluation).rejects.toThrow('stopped');
  });
});

describe('a broken evaluation zone throws EvaluatorError and scores nothing', () => {
  const boom = (): never => {
    throw new RangeError('boom');
  };
  const breakages: Record<string, [Partial<Task>, number | undefined]> = {
    'cases() throws': [{ cases: boom }, undefined],
    'cases() gives none': [{ cases: () => [] }, undefined],
    'judge() throws': [{ cases: () => [echoCase(0), echoCase(1, { judge: boom })] }, 1],
    'judge() gives NaN': [
      { cases: () => [echoCase(0, { judge: () => ({ valid: true, value: Number.NaN, feedback: '' }) })] },
      0,
    ],
    'next() throws': [{ cases: () => [echoCase(0), echoCase(1), echoCase(2, { next: boom })] }, 2],
    'score() throws': [{ score: boom }, undefined],
    'score() gives NaN': [{ score: () => ({ valid: true, score: Number.NaN, metrics: {}, feedback: '' }) }, undefined],
    'score() gives a negative score': [
      { score: () => ({ valid: true, score: -1, metrics: {}, feedback: '' }) },
      undefined,
    ],
    'score() gives an infinite metric': [
      { score: () => ({ valid: true, score: 1, metrics: { sum: Infinity }, feedback: '' }) },
      undefined,
    ],
  };

  for (const [name, [changes, index]] of Object.entries(breakages)) {
    test(`when ${name}`, async () => {
      const { run } = runInProcess(indexOf);
      const thrown: unknown = await evaluateProgram({ ...base, task: echoTask(changes), run }).catch((e: unknown) => e);
      expect(thrown).toBeInstanceOf(EvaluatorError);
      expect(thrown).toMatchObject({ code: 'evaluator', task: 'echo', split: 'train', case: index });
      expect(String(thrown)).toContain('"echo"');
    });
  }

  test('when the sandbox loses a verdict', async () => {
    const run: RunProgram = () => Promise.resolve([]);
    await expect(evaluateProgram({ ...base, task: echoTask(), run })).rejects.toThrow(/0 verdicts for 10 cases/);
  });
});
