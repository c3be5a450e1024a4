import { describe, expect, test } from 'vitest';
import { disclosedFiles } from './disclosure.ts';
import { evaluateProgram } from './evaluate-program.ts';
import type { CaseRecord, Evaluation, Split, Task } from './task.ts';
import { runInProcess } from './test-run.ts';

const open = { train: 'cases', validation: 'score' } as const;

/** A task that holds an expected answer beside each input, both different on each split. */
const canaryTask: Task = {
  name: 'canary',
  title: 'Canary',
  statement: 'Answer anything.',
  seedScore: 0,
  stage: { cases: 1, threshold: 0 },
  limits: {},
  cases: (split) =>
    [0, 1, 2].map((index) => {
      const expected = `CANARY_EXP_${split}_${index}`;
      return {
        seed: 990_017 + index,
        next: (step: number) => (step === 0 ? { given: `CANARY_HELD_${split}_${index}` } : undefined),
        judge: ({ output }) => ({ valid: true, value: output === expected ? 1 : 0.5, feedback: `case ${split}` }),
      };
    }),
  score: (cases, scores) => ({
    valid: true,
    score: scores.reduce((sum, one) => sum + one.value, 0) / cases.length,
    metrics: { m: 0.123 },
    feedback: 'fine',
  }),
};

async function evaluateAll(): Promise<Evaluation[]> {
  const all: Evaluation[] = [];
  for (const split of ['train', 'validation', 'test'] satisfies Split[]) {
    const { run } = runInProcess((input) => ({ mine: `OWN_OUTPUT_${split}`, echo: input }));
    all.push(await evaluateProgram({ task: canaryTask, split, secret: () => 5, modules: {}, run }));
  }
  return all;
}

function evaluationOf(cases: readonly CaseRecord[]): Evaluation {
  return {
    split: 'train',
    valid: false,
    score: 0.123456,
    metrics: {},
    feedback: '',
    stagePassed: true,
    cases,
    wallMs: 9,
  };
}

function record(index: number, changes: Partial<CaseRecord> = {}): CaseRecord {
  return {
    index,
    status: 'value',
    valid: true,
    value: index,
    feedback: 'ok',
    wallMs: 77_123,
    input: { index },
    output: index,
    logs: [],
    ...changes,
  };
}

function parse(text: string | undefined): {
  leftOut: number;
  cases: number;
  notRun: number;
  worstFirst: Record<string, unknown>[];
} {
  return JSON.parse(text ?? 'null');
}

describe('disclosedFiles()', () => {
  test('shows train cases and hides expected answers, seeds, times, validation cases and all of the test split', async () => {
    const evaluations = await evaluateAll();
    const files = disclosedFiles(evaluations, open);
    expect(Object.keys(files).sort()).toEqual(['train.json', 'validation.json']);
    const text = Object.values(files).join('');
    expect(text).toContain('CANARY_HELD_train_2');
    expect(text).toContain('OWN_OUTPUT_train');
    expect(text).not.toMatch(/CANARY_EXP|HELD_validation|HELD_test|OWN_OUTPUT_validation|OWN_OUTPUT_test/);
    expect(text).not.toMatch(/990017|990018|wallMs|case validation|case test/);
    expect(JSON.parse(files['validation.json'] ?? '')).toEqual({ score: 0.5 });
  });

  test('gives nothing of a test evaluation, even alone', async () => {
    const sealed = (await evaluateAll()).filter((one) => one.split === 'test');
    expect(disclosedFiles(sealed, open)).toEqual({});
  });

  test('is a policy: score, coarse, none', async () => {
    const evaluations = [
      evaluationOf([record(0)]),
      { ...evaluationOf([record(0, { input: 'HELD' })]), split: 'validation' as const },
    ];
    expect(disclosedFiles(evaluations, { train: 'score', validation: 'coarse' })).toEqual({
      'train.json': '{"score":0.123456,"valid":false}\n',
      'validation.json': '{"score":0.12}\n',
    });
    expect(disclosedFiles(evaluations, { train: 'none', validation: 'none' })).toEqual({});
  });

  test('does not depend on how long anything took', () => {
    const slow = evaluationOf([record(0, { wallMs: 1 }), record(1, { wallMs: 2 })]);
    const fast = { ...evaluationOf([record(0), record(1)]), wallMs: 5 };
    expect(disclosedFiles([slow], open)).toEqual(disclosedFiles([fast], open));
  });

  test('puts the worst cases first: failed, not run, then by value in the direction of the task', () => {
    const failed = record(3, { status: 'error', valid: false, value: 1e6, error: { code: 'program', message: 'no' } });
    const evaluation = evaluationOf([record(0), record(1), failed, record(4, { status: 'not-run', valid: false })]);
    const order = (better: 'lower' | 'higher') =>
      parse(disclosedFiles([{ ...evaluation, better }], open)['train.json']).worstFirst.map((one) => one['index']);
    expect(order('lower')).toEqual([3, 4, 1, 0]);
    expect(order('higher')).toEqual([3, 4, 0, 1]);
  });

  test('stays within its bytes and says how many cases were left out', () => {
    const cases = Array.from({ length: 100 }, (_, index) => record(index, { output: `é${'x'.repeat(900)}` }));
    const text = disclosedFiles([{ ...evaluationOf(cases), better: 'lower' }], open, { maxBytes: 20_000 })[
      'train.json'
    ];
    expect(Buffer.byteLength(text ?? '')).toBeLessThanOrEqual(20_000);
    const { leftOut, worstFirst, cases: all } = parse(text);
    expect(all).toBe(100);
    expect(worstFirst.length).toBeGreaterThan(10);
    expect(leftOut).toBe(100 - worstFirst.length);
    expect(worstFirst[0]).toMatchObject({ index: 99 });
  });

  test('clips outputs, logs and messages, and says so', () => {
    const big = record(0, {
      status: 'value',
      output: 'y'.repeat(10_000),
      logs: Array.from({ length: 500 }, (_, i) => `line ${i}`),
      error: { code: 'program', message: 'z'.repeat(9_000) },
    });
    const only = parse(disclosedFiles([evaluationOf([big])], open)['train.json']).worstFirst[0];
    expect(only).toMatchObject({ outputBytes: 10_002 });
    expect(only).not.toHaveProperty('output');
    expect(String(only?.['outputBegins']).length).toBe(4_000);
    expect(JSON.stringify(only?.['logs'])).toMatch(/lines left out/);
    expect(JSON.stringify(only).length).toBeLessThan(10_000);
  });
});
