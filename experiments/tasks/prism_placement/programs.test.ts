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
const patient = { ...task, limits: { ...task.limits, computeMs: 60_000, caseMs: 10_000 } };

/** Annealing with moves and swaps on the largest pressure, written as a pass for the initial program. */
const annealing = `
function anneal(placement: number[], input: Input, random: () => number): number[] {
  const { gpuCount, models } = input;
  const demand = new Array<number>(gpuCount).fill(0);
  const size = new Array<number>(gpuCount).fill(0);
  models.forEach((model, i) => { demand[placement[i]] += model.req / model.slo; size[placement[i]] += model.size; });
  const worst = () => Math.max(...demand.map((sum, gpu) =>
    size[gpu] > memoryGb ? Infinity : size[gpu] === memoryGb ? 1e6 : sum / (memoryGb - size[gpu])));
  const put = (i: number, gpu: number) => {
    const model = models[i];
    demand[placement[i]] -= model.req / model.slo; size[placement[i]] -= model.size;
    placement[i] = gpu;
    demand[gpu] += model.req / model.slo; size[gpu] += model.size;
  };
  let now = worst();
  let best = now;
  let kept = [...placement];
  const steps = 2000;
  for (let step = 0; step < steps; step++) {
    const temperature = 0.003 * (1 - step / steps) + 1e-6;
    const i = Math.floor(random() * models.length);
    const j = Math.floor(random() * models.length);
    const from = placement[i];
    const to = random() < 0.5 ? placement[j] : Math.floor(random() * gpuCount);
    const swapped = to === placement[j] && i !== j;
    put(i, to);
    if (swapped) put(j, from);
    const next = worst();
    if (next <= now || random() < Math.exp((now - next) / temperature)) {
      now = next;
      if (now < best) { best = now; kept = [...placement]; }
    } else {
      if (swapped) put(j, to);
      put(i, from);
    }
  }
  return kept;
}
`;

test('the initial program scores 0.6920 on train in the sandbox, exactly the published pressure', async () => {
  const evaluation = await evaluateSource(patient, initial, sandbox.run);
  expect(evaluation).toMatchObject({ valid: true, stagePassed: true });
  expect(evaluation.metrics['meanPressure']).toBeCloseTo(0.05161388700938038, 15);
  expect(evaluation.score).toBeCloseTo(task.seedScore, 4);
  expect((await evaluateSource(patient, initial, sandbox.run, 'validation')).metrics['meanPressure']).toBeCloseTo(
    0.050946698337672416,
    15,
  );
  expect((await evaluateSource(patient, initial, sandbox.run, 'test')).metrics['validCases']).toBe(150);
});

test('honest programs are accepted, quick and slow, and the skeleton takes a pass', async () => {
  const programs = {
    initial,
    annealing: initial.replace('const passes: Pass[] = [];', `${annealing}\nconst passes: Pass[] = [anneal];`),
    slow: initial.replace('let placement =', 'const end = Array(200_000).fill(1.5).map(Math.sqrt);\n  let placement ='),
    javascript: 'export const forward = (input) => input.models.map((_, i) => i % input.gpuCount);',
  };
  const results = await evaluateSources(patient, programs, sandbox.run);
  const accepted = [...results.values()].filter((one) => one.valid && one.score > 0).length;
  console.info(`prism_placement: honest programs accepted ${accepted} of ${results.size}`);
  expect(accepted).toBe(results.size);
  expect(results.get('annealing')?.score).toBeGreaterThan(0.8);
  expect(results.get('annealing')?.score).toBeLessThanOrEqual(task.bestKnown ?? 0);
  expect(results.get('slow')?.score).toBe(results.get('initial')?.score);
  const again = await evaluateSource(patient, programs.annealing, sandbox.run);
  expect(again.score).toBe(results.get('annealing')?.score);
});

test('every negative program scores 0', { timeout: 120_000 }, async () => {
  const programs: Readonly<Record<string, string>> = {
    ...(await readPrograms(new URL('./negative/', import.meta.url))),
    'syntax-error': 'export function forward( { return 1',
    'no-module': '',
  };
  const impatient = { ...task, limits: { ...task.limits, computeMs: 2_000, caseMs: 500 } };
  const results = await evaluateSources(impatient, programs, sandbox.run);
  const passed = [...results].filter(([, one]) => one.score !== 0 || one.valid).map(([name]) => name);
  console.info(`prism_placement: negative programs caught ${results.size - passed.length} of ${results.size}`);
  expect(passed).toEqual([]);
  expect(results.size).toBeGreaterThanOrEqual(25);
  for (const one of results.values()) expect(one.cases).toHaveLength(50);
  // The two that answer what is easy pass the stage, and nothing else.
  for (const name of ['skips-hard-cases', 'throws-on-hard-cases']) {
    expect(await evaluateSource(patient, programs[name] ?? '', sandbox.run)).toMatchObject({
      score: 0,
      stagePassed: true,
      metrics: { validCases: 36 },
    });
  }
});
