import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBlobStore } from '../blob-store.ts';
import { type RunFile, writeRunFile } from '../run-folder.ts';
import type { CallRow, CandidateRow, EvaluationRow, TraceTables } from '../schema.ts';
import { TRACE_SCHEMA_VERSION } from '../schema.ts';
import { collect, makeTestFolder } from '../test-folder.ts';
import { ROWS } from '../test-rows.ts';
import { forEachCall, readCalls } from './calls.ts';
import { loadTraces } from './load-traces.ts';
import { SkipLog } from './skip-log.ts';

const PROGRAM = 'export async function forward(input, ctx) {\n  return 1;\n}\n';
const META = 'export async function forward(facts, ctx) {}\n';

const runFile = (agents: readonly string[]): RunFile => ({
  schemaVersion: TRACE_SCHEMA_VERSION,
  id: 'r',
  experiment: 'demo',
  task: 'sine_approx',
  seed: 7,
  arm: 'paired',
  agents: agents.map((name) => ({ name, model: `scripted/${name}`, scripted: true })),
  generations: 2,
  config: {},
  versions: {},
  priceTable: {},
  machine: {},
  secretFingerprint: 'x',
  status: 'done',
  anchors: [],
  startedAt: 1,
});

async function writeTable<T extends keyof TraceTables>(
  run: string,
  table: T,
  rows: readonly TraceTables[T][],
): Promise<void> {
  await writeFile(join(run, 'trace', `${table}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** `<root>/demo/a+b-s7-paired`, a run of two agents. */
async function nativeRun(
  agents: readonly string[] = ['a', 'b'],
): Promise<{ readonly root: string; readonly run: string }> {
  const root = await makeTestFolder();
  const run = join(root, 'demo', 'a+b-s7-paired');
  await mkdir(join(run, 'trace'), { recursive: true });
  await writeRunFile(run, runFile(agents));
  const blobs = openBlobStore(run);
  const sources = { 'meta_agent.ts': await blobs.write(META), 'task_agent.ts': await blobs.write(PROGRAM) };
  const candidate = (agent: string, generation: number, over: Partial<CandidateRow> = {}): CandidateRow => ({
    id: `${agent}/${generation}`,
    agent,
    generation,
    parents: generation === 0 ? [] : [`${agent}/${generation - 1}`],
    status: 'accepted',
    sources,
    createdAt: 1,
    published: generation === 0,
    ...over,
  });
  const evaluation = (candidateId: string, over: Partial<EvaluationRow> = {}): EvaluationRow => ({
    ...ROWS.evaluations,
    candidate: candidateId,
    statuses: { value: 4 },
    ...over,
  });
  const call = (id: string, over: Partial<CallRow> = {}): CallRow => ({
    ...ROWS.calls,
    id,
    agent: id.split('/')[0] ?? '',
    generation: Number(id.split('/')[1]),
    inputTokens: 100,
    outputTokens: 10,
    usd: 0.25,
    ...over,
  });
  await writeTable(run, 'candidates', [
    candidate('a', 0),
    candidate('b', 0),
    candidate('b', 1, { status: 'failed', reason: 'the program is invalid: no case was answered' }),
    candidate('a', 1),
    candidate('a', 2, { status: 'copy' }),
    candidate('b', 2, { status: 'failed', reason: 'the meta agent did not run: x (program)' }),
  ]);
  await writeTable(run, 'evaluations', [
    evaluation('a/0'),
    evaluation('a/0', { split: 'test', score: 0.4 }),
    evaluation('b/0'),
    evaluation('b/1', { valid: false, score: 0, statuses: { error: 4 } }),
    evaluation('a/1', { score: 0.01 }),
    evaluation('a/2'),
  ]);
  const said = await blobs.write(
    JSON.stringify({
      attempts: 1,
      stopReason: 'tool-calls',
      text: 'I look.',
      toolCalls: [{ id: '1', name: 'bash', arguments: { command: 'ls' } }],
      usage: { inputTokens: 100, outputTokens: 10 },
    }),
  );
  const asked = await blobs.write(
    JSON.stringify({
      messages: [
        { role: 'user', text: 'improve' },
        { role: 'assistant', text: '', toolCalls: [] },
        { role: 'tool', callId: '0', text: 'no such file', isError: true },
      ],
      tools: [{ name: 'bash' }],
    }),
  );
  await writeTable(run, 'calls', [
    call('a/1/1', { requestSha256: asked, replySha256: said }),
    call('b/1/1/failed-99', { requestSha256: asked, replySha256: '', error: 'unavailable: gone' }),
    call('a/1/2', { requestSha256: asked, replySha256: 'c'.repeat(64) }),
  ]);
  return { root, run };
}

test('a run of ours is read with sources, scores, causes and what each generation cost', async () => {
  const { root } = await nativeRun();
  const { runs, skipped } = await loadTraces([root]);
  expect(skipped).toEqual([]);
  expect(runs).toHaveLength(1);
  expect(runs[0]).toMatchObject({
    id: 'demo/a+b-s7-paired',
    format: 'native',
    pairing: 'a+b',
    task: 'sine_approx',
    seed: 7,
    arm: 'paired',
    agents: [
      { name: 'a', model: 'scripted/a', scripted: true },
      { name: 'b', model: 'scripted/b', scripted: true },
    ],
  });
  const [a, b] = runs[0]?.agents ?? [];
  expect(a?.generations[0]).toEqual({
    id: 'a/0',
    generation: 0,
    parents: [],
    code: PROGRAM,
    mainFile: 'task_agent.ts',
    files: { 'meta_agent.ts': META },
    language: 'typescript',
    valid: true,
    published: true,
    scores: { validation: 0.5, test: 0.4 },
  });
  expect(a?.generations.map(({ cause, copy, tokens, usd }) => [cause, copy, tokens, usd])).toEqual([
    [undefined, undefined, undefined, undefined],
    ['wrong-answers', undefined, 220, 0.5],
    [undefined, true, undefined, undefined],
  ]);
  expect(b?.generations.map(({ valid, cause }) => [valid, cause])).toEqual([
    [true, undefined],
    [false, 'cannot-run'],
    [false, 'no-candidate'],
  ]);
});

test('damage costs what is damaged: a line, a blob, a table', async () => {
  const { root, run } = await nativeRun();
  await appendFile(join(run, 'trace', 'candidates.jsonl'), '{"id": "a/3"}\n{"half');
  const blobs = openBlobStore(run);
  const hash = await blobs.write(META);
  await writeFile(join(run, 'trace/blobs', hash.slice(0, 2), hash), 'tampered');
  await rm(join(run, 'trace', 'evaluations.jsonl'));
  const { runs, skipped } = await loadTraces([root]);
  expect(runs[0]?.agents.map(({ generations }) => generations.length)).toEqual([3, 3]);
  expect(runs[0]?.agents[0]?.generations[0]).toMatchObject({ code: PROGRAM, scores: {} });
  expect(runs[0]?.agents[0]?.generations[0]?.files).toBeUndefined();
  expect(skipped.map(({ path, line, why }) => [path, line, why])).toEqual([
    ['demo/a+b-s7-paired/trace/candidates.jsonl', 7, 'not a row of its table'],
    ['demo/a+b-s7-paired/trace/candidates.jsonl', 8, 'not JSON (half-written or damaged)'],
    ['demo/a+b-s7-paired/a/0/meta_agent.ts', undefined, 'its blob is damaged'],
  ]);
  expect(skipped[0]?.detail).toContain('agent');
});

test.each<[string, (run: string) => Promise<void>, string]>([
  ['two agents with one name', (run) => writeRunFile(run, runFile(['a', 'a'])), 'two agents have the same name'],
  ['a half-written run.json', (run) => writeFile(join(run, 'run.json'), '{"schemaVersion": 1,'), 'not JSON'],
  ['a newer schema', (run) => writeRunFile(run, { ...runFile(['a', 'b']), schemaVersion: 999 }), 'schema version 999'],
])('%s costs the run and says why', async (_, damage, why) => {
  const { root, run } = await nativeRun();
  await damage(run);
  const { runs, skipped } = await loadTraces([root]);
  expect(runs).toEqual([]);
  expect(skipped[0]?.what).toBe('run');
  expect(`${skipped[0]?.why} ${skipped[0]?.detail}`).toContain(why);
});

test('its calls are streamed with what was said and which tools were called', async () => {
  const { root } = await nativeRun();
  const [run] = (await loadTraces([root])).runs;
  if (run === undefined) throw new Error('no run');
  const skips = new SkipLog();
  const calls = await collect(readCalls(run, { skips }));
  expect(calls).toEqual([
    expect.objectContaining({
      agent: 'a',
      generation: 1,
      number: 1,
      tokens: 110,
      usd: 0.25,
      text: 'I look.',
      tools: [{ name: 'bash', arguments: '{"command":"ls"}' }],
      results: ['no such file'],
      file: 'trace/calls.jsonl',
      line: 1,
    }),
    expect.objectContaining({ agent: 'b', number: 1, error: 'unavailable: gone', line: 2 }),
    expect.objectContaining({ agent: 'a', number: 2, line: 3 }),
  ]);
  expect(skips.named).toEqual([
    { path: 'trace/calls.jsonl', line: 3, what: 'reply', why: 'its blob is missing or damaged' },
  ]);
  let bare = 0;
  await forEachCall(run, ({ text }) => void (bare += text === undefined ? 1 : 0), { replies: false });
  expect(bare).toBe(3);
});
