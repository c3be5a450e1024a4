import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluateSource, evaluateSources, readPrograms } from '../../../src/evaluate/test-programs.ts';
import { createSandbox } from '../../../src/sandbox/create-sandbox.ts';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import { task } from './task.ts';

let sandbox: Sandbox;
let initial = '';
beforeAll(async () => {
  sandbox = createSandbox();
  initial = await readFile(new URL('./agent/task_agent.ts', import.meta.url), 'utf8');
});
afterAll(() => sandbox.close());

/** On a busy machine a program may not be let run for seconds, which must not count here. */
const patient = { ...task, limits: { ...task.limits, computeMs: 10_000, caseMs: 10_000 } };

test('honest programs are accepted, and the initial one scores as published', async () => {
  const programs = {
    initial,
    zero: 'export const forward = (input: { x: number[] }) => input.x.map(() => 0);',
    taylor: initial.replace('return x;', 'const q = x * x; return x * (1 - (q / 6) * (1 - (q / 20) * (1 - q / 42)));'),
    'spoils its own input': 'export const forward = (input) => input.x.fill(0);',
  };
  const results = await evaluateSources(patient, programs, sandbox.run);
  const accepted = [...results.values()].filter((one) => one.valid && one.score > 0).length;
  console.info(`sine_approx: honest programs accepted ${accepted} of ${results.size}`);
  expect(accepted).toBe(results.size);
  expect(results.get('initial')?.score).toBeCloseTo(0.10452066243703832, 12);
  expect(results.get('taylor')?.score).toBeGreaterThan(0.7);
  // Points made easy in the realm are not the points that are judged.
  expect(results.get('spoils its own input')?.score).toBe(results.get('zero')?.score);
});

test('the realm has no sine: Math.sin and its relatives are gone', async () => {
  const source = `export const forward = (input) =>
    input.x.map(() => Object.getOwnPropertyNames(Math).filter((name) => /sin|cos|tan|exp/.test(name)).length);`;
  const { cases } = await evaluateSource(patient, source, sandbox.run);
  expect(cases[0]).toMatchObject({ status: 'value', output: Array(161).fill(0) });
});

test('every negative program scores 0', { timeout: 120_000 }, async () => {
  const results = await evaluateSources(task, await readPrograms(new URL('./negative/', import.meta.url)), sandbox.run);
  const passed = [...results].filter(([, one]) => one.score !== 0 || one.valid).map(([name]) => name);
  console.info(`sine_approx: negative programs caught ${results.size - passed.length} of ${results.size}`);
  expect(passed).toEqual([]);
  expect(results.size).toBeGreaterThanOrEqual(20);
});
