import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBlobStore } from '../trace/blob-store.ts';
import { hyperspaceAgent, pythonProgram, writeTree } from '../trace/importers/test-sources.ts';
import { type RunFile, writeRunFile } from '../trace/run-folder.ts';
import { TRACE_SCHEMA_VERSION, TRACE_TABLES, type TraceTables } from '../trace/schema.ts';
import { makeTestFolder } from '../trace/test-folder.ts';
import { ROWS } from '../trace/test-rows.ts';

/** What a hidden case was: must be in no answer. */
export const HIDDEN_CASE = 'hidden-case-42';
export const GENERATIONS = 6;
export const DECISIONS = 230;
/** Id of the paired run. */
export const PAIR = 'demo/a+b-s7-paired';
export const HYPER = 'pub/x_vs_y/seed1';

const META = 'export async function forward(facts, ctx) {}\n';

/** A program of six functions; `taken` has a peer's instead of its own from the third on. */
export function programText(agent: string, generation: number, taken = false): string {
  const who = taken ? 'b' : agent;
  const functions = Array.from(
    { length: 6 },
    (_, n) =>
      `function ${who}Step${n}(value) {\n  const scaled${n} = value * ${n + generation}.25 + Math.sin(${n}.5);\n  return scaled${n} > ${n} ? scaled${n} - ${n}.125 : Math.abs(scaled${n});\n}\n`,
  );
  return `${functions.join('\n')}\nexport function forward(input) {\n  return ${who}Step0(${who}Step1(input.x)) + ${generation};\n}\n`;
}

export const RUN_FILE: RunFile = {
  schemaVersion: TRACE_SCHEMA_VERSION,
  id: 'a+b-s7-paired',
  experiment: 'demo',
  task: 'sine_approx',
  seed: 7,
  arm: 'paired',
  agents: [
    { name: 'a', model: 'scripted/a', scripted: true },
    { name: 'b', model: 'replay//home/somebody/recordings/b.jsonl', scripted: true },
  ],
  generations: GENERATIONS - 1,
  config: { task: '/home/somebody/tasks/sine', name: 'demo', url: 'https://models.example/v1/chat' },
  versions: { hivemark: '0.1.0' },
  priceTable: {},
  machine: {},
  secretFingerprint: 'x',
  status: 'done',
  anchors: [],
  startedAt: 1,
};

export async function writeTable<T extends keyof TraceTables>(
  run: string,
  table: T,
  rows: readonly TraceTables[T][],
): Promise<void> {
  await writeFile(join(run, 'trace', `${table}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** A run of ours by `file`, with programs, an adoption of b/2 by a/3, and every table. */
export async function writeRun(dir: string, file: RunFile = RUN_FILE): Promise<void> {
  await mkdir(join(dir, 'trace'), { recursive: true });
  await writeRunFile(dir, file);
  const blobs = openBlobStore(dir);
  const detail = await blobs.write(JSON.stringify({ cases: [HIDDEN_CASE] }));
  const names = file.agents.map(({ name }) => name);
  const meta = await blobs.write(META);
  const candidates: TraceTables['candidates'][] = [];
  const evaluations: TraceTables['evaluations'][] = [];
  const calls: TraceTables['calls'][] = [];
  for (let generation = 0; generation < GENERATIONS; generation++) {
    for (const agent of names) {
      const id = `${agent}/${generation}`;
      const text = await blobs.write(programText(agent, generation, agent === 'a' && generation >= 3));
      candidates.push({
        ...ROWS.candidates,
        id,
        agent,
        generation,
        parents: generation === 0 ? [] : [`${agent}/${generation - 1}`],
        status: generation === 4 ? 'rejected' : 'accepted',
        sources: { 'meta_agent.ts': meta, 'task_agent.ts': text },
        published: generation !== 4,
      });
      for (const split of ['train', 'validation'] as const) {
        const score = generation / 10 + (split === 'train' ? 0.05 : 0);
        evaluations.push({ ...ROWS.evaluations, candidate: id, agent, generation, split, score, detail });
      }
      calls.push({
        ...ROWS.calls,
        id: `${id}/1`,
        agent,
        generation,
        model: `m-${agent}`,
        inputTokens: 10 * generation,
      });
    }
  }
  await writeTable(dir, 'runs', [ROWS.runs]);
  await writeTable(dir, 'candidates', candidates);
  await writeTable(dir, 'evaluations', evaluations);
  await writeTable(dir, 'calls', calls);
  await writeTable(dir, 'edges', [
    ...candidates.flatMap(({ id, parents }) => parents.map((from) => ({ from, to: id, kind: 'parent' as const }))),
    ...(names.includes('b') ? [{ from: 'b/2', to: 'a/3', kind: 'adoption' as const }] : []),
  ]);
  await writeTable(dir, 'exposures', [
    { ...ROWS.exposures, id: 'x1', agent: 'a', round: 3, peer: 'b', peerGeneration: 2 },
    { ...ROWS.exposures, id: 'x2', agent: 'b', round: 3, peer: 'a', peerGeneration: 2 },
  ]);
  await writeTable(dir, 'reads', [
    { ...ROWS.reads, id: 'a/2/1/task_agent.ts', agent: 'a', generation: 2 },
    {
      ...ROWS.reads,
      id: 'a/3/4/strategies/b_gen2/task_agent.ts',
      agent: 'a',
      generation: 3,
      toolCall: 4,
      tool: 'editor',
    },
  ]);
  const evidence = {
    level: 'stated' as const,
    exposures: ['x1'],
    reads: ['a/3/4/strategies/b_gen2/task_agent.ts'],
    statement: { call: 'a/3/1', text: 'I take what b does' },
  };
  await writeTable(dir, 'adoptions', [
    {
      ...ROWS.adoptions,
      id: 'a/3<b/2',
      agent: 'a',
      generation: 3,
      peer: 'b',
      peerGeneration: 2,
      evidence,
      before: 0.2,
      after: 0.3,
    },
  ]);
  await writeTable(
    dir,
    'decisions',
    Array.from({ length: DECISIONS }, (_, n) => decisionRow(n)),
  );
  for (const table of TRACE_TABLES) {
    if (table === 'contexts' || table === 'environments') await writeTable(dir, table, [ROWS[table]] as never);
  }
}

/** Every seventh was denied. */
export function decisionRow(n: number): TraceTables['decisions'] {
  const { code: _, denial: __, ...allowed } = ROWS.decisions;
  const base = n % 7 === 0 ? ROWS.decisions : { ...allowed, verdict: 'allow' };
  return { ...base, id: `d${n}`, agent: n % 2 === 0 ? 'a' : 'b', at: n };
}

/** `demo/a+b-s7-paired` and `demo/a-s7-solo` (still running), and `pub/x_vs_y/seed1` of hyperspace. */
export async function makeResults(): Promise<string> {
  const root = await makeTestFolder();
  await writeRun(join(root, PAIR));
  const [first] = RUN_FILE.agents;
  await writeRun(join(root, 'demo/a-s7-solo'), {
    ...RUN_FILE,
    id: 'a-s7-solo',
    arm: 'solo',
    agents: first ? [first] : [],
    status: 'running',
  });
  const scored = (n: number) => ({
    code: pythonProgram(n),
    metadata: { valid: true, train_score: n / 10, val_score: n / 10 },
  });
  await writeTree(root, {
    ...hyperspaceAgent('pub/x_vs_y/seed1/x', 'model-x', 1, [scored(1), scored(2)]),
    ...hyperspaceAgent('pub/x_vs_y/seed1/y', 'model-y', 1, [scored(3), scored(4)]),
  });
  return root;
}
