import { describe, expect, test } from 'vitest';
import { testSecretOf } from '../../../src/evaluate/secret.ts';
import type { Json } from '../../../src/sandbox/sandbox.ts';
import checks from './checks.json' with { type: 'json' };
import { judgeApproximation, samplePoints, task } from './task.ts';

const references: Record<string, (x: number) => number> = {
  x: (x) => x,
  '0': () => 0,
  'Taylor degree 11': (x) => {
    let term = x;
    let sum = x;
    for (let k = 1; k <= 5; k++) {
      term *= (-x * x) / (2 * k * (2 * k + 1));
      sum += term;
    }
    return sum;
  },
};

function pointsOf(split: 'train' | 'validation' | 'test', secret = 's'): readonly number[] {
  const [only] = task.cases(split, testSecretOf(secret, task.name));
  const input = only?.next(0, undefined);
  if (typeof input !== 'object' || input === null || !('x' in input) || !Array.isArray(input.x)) throw new Error();
  return input.x;
}

describe('sine_approx reproduces the published score of', () => {
  for (const { name, score } of checks) {
    test(`f(x) = ${name}`, () => {
      const [only] = task.cases('train', () => 0);
      const f = references[name];
      if (only === undefined || f === undefined) throw new Error(name);
      const judged = only.judge({ status: 'value', output: pointsOf('train').map(f) });
      expect(judged.value).toBeCloseTo(score, 12);
      const total = task.score([only], [judged]);
      expect(total).toMatchObject({ valid: true, score: judged.value });
      expect(total.metrics['loss']).toBeCloseTo(1 / score - 1, 10);
    });
  }
});

describe('sine_approx', () => {
  test('samples 161 points in [-pi, pi], other ones for each split and secret', () => {
    const all = [pointsOf('train'), pointsOf('validation'), pointsOf('test'), pointsOf('test', 'other')];
    for (const xs of all) {
      expect(xs).toHaveLength(161);
      expect(xs.every((x) => Math.abs(x) <= Math.PI)).toBe(true);
    }
    expect(new Set(all.map((xs) => xs[80])).size).toBe(4);
    expect(pointsOf('test')).toEqual(pointsOf('test'));
    expect(pointsOf('train')).toEqual(samplePoints(0));
  });

  test('gives 1 to the sine itself and 0 to everything that is not 161 numbers of at most 10', () => {
    const xs = samplePoints(0);
    expect(judgeApproximation(xs, { status: 'value', output: xs.map(Math.sin) })).toMatchObject({
      valid: true,
      value: 1,
    });
    const ys = xs.map(() => 0);
    const bad: Json[] = [
      null,
      {},
      'text',
      [],
      ys.slice(1),
      [...ys, 0],
      ys.map(String),
      ys.map(() => null),
      ys.map((y, i) => (i === 7 ? 10.001 : y)),
      ys.map((y, i) => (i === 7 ? [y] : y)),
      ys.map((y, i) => (i === 160 ? Number.NaN : y)),
      ys.map((y, i) => (i === 160 ? -Infinity : y)),
    ];
    for (const output of bad) expect(judgeApproximation(xs, { status: 'value', output }).valid).toBe(false);
    expect(judgeApproximation(xs, { status: 'crash' })).toMatchObject({ valid: false, value: 0 });
    const none = task.score(
      task.cases('train', () => 0),
      [judgeApproximation(xs, { status: 'error' })],
    );
    expect(none).toMatchObject({ valid: false, score: 0 });
  });
});
