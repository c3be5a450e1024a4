import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSandbox } from '../../sandbox/create-sandbox.ts';
import type { Json, Sandbox } from '../../sandbox/sandbox.ts';
import { readJournal } from './journal.ts';
import { randomOf } from './seeded-choice.ts';
import type { SimulatedGeneration } from './test-space.ts';
import { simulate } from './test-space.ts';

const START = new URL('../../../experiments/tasks/prism_placement/agent/task_agent.ts', import.meta.url);
const GENERATIONS = 12;
const MEMORY_GB = 80;

interface Case {
  readonly gpuCount: number;
  readonly models: readonly {
    readonly id: number;
    readonly size: number;
    readonly req: number;
    readonly slo: number;
  }[];
}

/** The validation cases of prism_placement, drawn in sequence from one stream. */
function casesOf(seed: number): readonly Case[] {
  const random = randomOf(seed);
  const int = (from: number, to: number) => from + Math.floor(random() * (to - from + 1));
  return Array.from({ length: 50 }, () => {
    const gpuCount = int(5, 9);
    const models = Array.from({ length: 2 * gpuCount }, (_, id) => {
      const [size, req, slo] = [int(10, 29), int(1, 9), int(5, 9)];
      return { id, size, req, slo };
    });
    return { gpuCount, models };
  });
}

/** Demand per free GB of the worst GPU; infinite for an answer that places nothing or too much. */
function peakOf({ gpuCount, models }: Case, answer: Json | undefined): number {
  if (!Array.isArray(answer) || answer.length !== models.length) return Infinity;
  const peaks = Array.from({ length: gpuCount }, (_, gpu) => {
    const held = models.filter(({ id }) => answer[id] === gpu);
    const free = held.reduce((left, { size }) => left - size, MEMORY_GB);
    return free > 0 ? held.reduce((sum, { req, slo }) => sum + req / slo, 0) / free : Infinity;
  });
  return Math.max(...peaks);
}

/** The pooled lower bound of a case. */
function boundOf({ gpuCount, models }: Case): number {
  const free = models.reduce((left, { size }) => left - size, MEMORY_GB * gpuCount);
  return models.reduce((sum, { req, slo }) => sum + req / slo, 0) / free;
}

const CASES = casesOf(7002);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** All cases in one realm, since a realm for each costs more than the programs do. */
const ALL_CASES = `import { forward as answer } from './task_agent.ts';
export async function forward(cases, ctx) {
  const answers = [];
  for (const one of cases) answers.push(await answer(one, ctx));
  return answers;
}
`;

let sandbox: Sandbox;
let slowestMs = 0;
const known = new Map<string, number>();

async function evaluate(program: string): Promise<number> {
  const { code } = readJournal(program);
  const before = known.get(code);
  if (before !== undefined) return before;
  const input: Json = CASES.map(({ gpuCount, models }) => ({
    gpuCount,
    models: models.map((model) => ({ ...model })),
  }));
  const [verdict] = await sandbox.run({
    modules: { 'task_agent.ts': code, 'all_cases.ts': ALL_CASES },
    entry: 'all_cases.ts',
    cases: [{ seed: 1, next: (step) => (step === 0 ? input : undefined) }],
    limits: { computeMs: 5_000, caseMs: 5_000, wallMs: 30_000 },
  });
  slowestMs = Math.max(slowestMs, verdict?.wallMs ?? 0);
  const answers: Json = verdict?.status === 'value' ? verdict.value : [];
  const peaks = CASES.map((one, index) => peakOf(one, Array.isArray(answers) ? answers[index] : undefined));
  const score = sum(CASES.map(boundOf)) / sum(peaks);
  known.set(code, score);
  return score;
}

async function runOf(seed: number, ...personas: readonly string[]): Promise<readonly SimulatedGeneration[]> {
  const start = await readFile(START, 'utf8');
  const agents = personas.map((persona) => ({ name: persona, persona }));
  return simulate(agents, evaluate, { seed, generations: GENERATIONS, start });
}

function bestOf(history: readonly SimulatedGeneration[], agent: string): number {
  return Math.max(...history.flatMap((one) => (one.agent === agent ? [one.score] : [])));
}

beforeAll(() => {
  sandbox = createSandbox();
});
afterAll(() => sandbox.close());

test('on prism_placement a pair beats either persona alone, by what each takes from the other', async () => {
  const planner = await runOf(42, 'planner');
  const tuner = await runOf(42, 'tuner');
  const pair = await runOf(42, 'planner', 'tuner');

  const alone = Math.max(bestOf(planner, 'planner'), bestOf(tuner, 'tuner'));
  expect(alone).toBeGreaterThan(0.8);
  expect(alone).toBeLessThan(0.84);
  for (const agent of ['planner', 'tuner']) {
    expect(bestOf(pair, agent)).toBeGreaterThan(alone + 0.03);
    const { entries } = readJournal(pair.findLast((one) => one.agent === agent)?.program ?? '');
    const helped = entries.filter(({ key, outcome }) => key.startsWith('take:') && outcome?.startsWith('kept'));
    expect(helped.length).toBeGreaterThan(0);
  }
  // Some of what they try does not run, some lowers the score; none of it comes near a time limit.
  expect([...planner, ...tuner].filter(({ score }) => score === 0).length).toBeGreaterThan(0);
  expect(slowestMs).toBeLessThan(2_000);
}, 120_000);
