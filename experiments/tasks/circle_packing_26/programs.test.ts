import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluateSource, evaluateSources, readPrograms } from '../../../src/evaluate/test-programs.ts';
import { createSandbox } from '../../../src/sandbox/create-sandbox.ts';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import checks from './checks.json' with { type: 'json' };
import { task } from './task.ts';

let sandbox: Sandbox;
let initial = '';
beforeAll(async () => {
  sandbox = createSandbox();
  initial = await readFile(new URL('./agent/task_agent.ts', import.meta.url), 'utf8');
});
afterAll(() => sandbox.close());

const impatient = { ...task, limits: { ...task.limits, computeMs: 1_000, caseMs: 1_000 } };

test('the initial program places and sizes its circles exactly as published', async () => {
  const evaluation = await evaluateSource(task, initial, sandbox.run);
  const { centers, radii, sum } = checks.field_initial_program;
  expect(evaluation).toMatchObject({ valid: true, stagePassed: true });
  expect(evaluation.metrics['sum']).toBeCloseTo(sum, 13);
  expect(evaluation.score).toBeCloseTo(task.seedScore, 4);
  const { output } = evaluation.cases[0] ?? {};
  expect(output).toEqual({
    centers: centers.map((pair) => pair.map((value) => expect.closeTo(value, 14))),
    radii: radii.map((value) => expect.closeTo(value, 14)),
  });
});

test('honest programs are accepted, quick and slow', async () => {
  const best = JSON.stringify({ centers: checks.best_strict.centers, radii: checks.best_strict.radii });
  const programs = {
    initial,
    best: `export const forward = () => (${best});`,
    slow: `export async function forward() { let x = 0; for (let i = 0; i < 2e8; i++) x += i; return ${best}; }`,
    'tiny circles': `export const forward = (_input, ctx) => ({
      centers: Array.from({ length: 26 }, (_, i) => [(i + 0.5) / 26, 0.25 + ctx.random() / 2]),
      radii: Array(26).fill(0.01) });`,
  };
  const results = await evaluateSources(task, programs, sandbox.run);
  const accepted = [...results.values()].filter((one) => one.valid && one.score > 0).length;
  console.info(`circle_packing_26: honest programs accepted ${accepted} of ${results.size}`);
  expect(accepted).toBe(results.size);
});

test('every negative program scores 0', { timeout: 120_000 }, async () => {
  const results = await evaluateSources(
    impatient,
    await readPrograms(new URL('./negative/', import.meta.url)),
    sandbox.run,
  );
  const passed = [...results].filter(([, one]) => one.score !== 0 || one.valid).map(([name]) => name);
  console.info(`circle_packing_26: negative programs caught ${results.size - passed.length} of ${results.size}`);
  expect(passed).toEqual([]);
  expect(results.size).toBeGreaterThanOrEqual(20);
});
