import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../../src/evaluate/evaluate-program.ts';
import { runInProcess } from '../../../src/evaluate/test-run.ts';
import type { Json } from '../../../src/sandbox/sandbox.ts';
import checks from './checks.json' with { type: 'json' };
import { judgePacking, minSlack, parsePacking, task } from './task.ts';

const { best_strict: best, grid_5x5_plus_gap: grid, field_initial_program: initial } = checks;

function slackOf(output: unknown): number {
  const packing = parsePacking(output);
  if (typeof packing === 'string') throw new Error(packing);
  return minSlack(packing).slack;
}

function evaluate(output: Json) {
  const { run } = runInProcess(() => output);
  return evaluateProgram({ task, split: 'train', secret: () => 0, modules: {}, run });
}

const inflated = { ...best, radii: best.radii.map((radius) => radius + 5e-7) };
const overlapping = { ...best, radii: best.radii.map((radius, i) => (i === 0 ? radius + 1e-5 : radius)) };

describe('circle_packing_26 reproduces the published values of', () => {
  test('the best packing known, strictly valid', async () => {
    const { valid, score, metrics } = await evaluate({ centers: best.centers, radii: best.radii });
    expect(valid).toBe(true);
    expect(metrics).toEqual({ sum: expect.closeTo(best.sum, 12), validField: 1 });
    expect(score).toBeCloseTo(best.sum / 2.635983, 12);
    expect((metrics['sum'] ?? 0) / 2.635).toBeCloseTo(best.score_2_635, 12);
    expect(slackOf(best)).toBeCloseTo(best.min_slack, 15);
  });

  test('the grid with a circle in a gap, whose slack is floating-point noise', async () => {
    const { valid, metrics } = await evaluate({ centers: grid.centers, radii: grid.radii });
    expect(valid).toBe(true);
    expect(metrics['sum']).toBeCloseTo(grid.sum, 12);
    expect(slackOf(grid)).toBeCloseTo(grid.min_slack, 16);
    expect(slackOf(grid)).toBeLessThan(0);
  });

  test('the initial program', async () => {
    const { valid, metrics } = await evaluate({ centers: initial.centers, radii: initial.radii });
    expect(valid).toBe(true);
    expect(metrics['sum']).toBeCloseTo(initial.sum, 12);
    expect((metrics['sum'] ?? 0) / 2.635).toBeCloseTo(initial.score_2_635, 12);
    expect(slackOf(initial)).toBeCloseTo(initial.min_slack, 16);
  });

  test('the packing inflated within the usual tolerance: valid for the field, 0 here', async () => {
    expect(inflated.radii.reduce((sum, radius) => sum + radius, 0)).toBeCloseTo(checks.tolerance_inflated.sum, 12);
    expect(slackOf(inflated)).toBeCloseTo(checks.tolerance_inflated.min_slack, 14);
    const { valid, score, metrics } = await evaluate({ centers: inflated.centers, radii: inflated.radii });
    expect({ valid, score, metrics }).toEqual({ valid: false, score: 0, metrics: { sum: 0, validField: 1 } });
  });

  test('an overlap, invalid for everybody', async () => {
    expect(slackOf(overlapping)).toBeCloseTo(checks.invalid_overlap.min_slack, 14);
    const { valid, score, metrics } = await evaluate({ centers: overlapping.centers, radii: overlapping.radii });
    expect({ valid, score, metrics }).toEqual({ valid: false, score: 0, metrics: { sum: 0, validField: 0 } });
  });
});

describe('circle_packing_26', () => {
  test('forgives 1e-12 and no more', () => {
    const touching = (extra: number) => ({
      centers: grid.centers,
      radii: grid.radii.map((radius, i) => (i === 0 ? radius + extra : radius)),
    });
    expect(judgePacking({ status: 'value', output: touching(0.9e-12) }).valid).toBe(true);
    expect(judgePacking({ status: 'value', output: touching(1.1e-12) }).valid).toBe(false);
  });

  test('gives 0 for everything that is not 26 centres and 26 radii of finite numbers', () => {
    const { centers, radii } = best;
    const bad: Json[] = [
      null,
      [],
      'text',
      {},
      { centers },
      { centers, radii: radii.slice(1) },
      { centers: centers.slice(1), radii },
      { centers, radii: [...radii, 0] },
      { centers: centers.map(([x]) => [x ?? 0]), radii },
      { centers: centers.map((pair) => [...pair, 0]), radii },
      { centers, radii: radii.map(String) },
      { centers, radii: radii.map(() => null) },
      { centers, radii: radii.map((radius, i) => (i === 3 ? -1e-13 : radius)) },
    ];
    for (const output of bad)
      expect(judgePacking({ status: 'value', output })).toMatchObject({ valid: false, value: 0 });
    const nan = { centers, radii: radii.map(() => Number.NaN) };
    expect(judgePacking({ status: 'value', output: nan })).toMatchObject({ valid: false, value: 0 });
    expect(judgePacking({ status: 'timeout' })).toMatchObject({ valid: false, value: 0 });
  });

  test('scores all splits on the same single case', () => {
    for (const split of ['train', 'validation', 'test'] as const) {
      const cases = task.cases(split, () => 1);
      expect(cases.map((one) => [one.seed, one.next(0, undefined), one.next(1, {})])).toEqual([[26, {}, undefined]]);
    }
  });
});
