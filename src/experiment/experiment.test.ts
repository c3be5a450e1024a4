import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Model, ModelReply, ModelRequest } from '../agents/model.ts';
import type { RunSummary } from '../trace/run-folder.ts';
import { loadTable } from '../trace/trace-reader.ts';
import { parseConfig } from './config.ts';
import type { ExperimentInput } from './config.ts';
import { createExperiment } from './experiment-folder.ts';
import { playExperiment } from './experiment.ts';

const SINE = (body: string): string =>
  `export function forward(input: { x: number[] }) {\n  return input.x.map((x) => ${body});\n}\n`;
const TAYLOR = SINE('x - x ** 3 / 6 + x ** 5 / 120');

/** What the model of one agent does in generation `n`: tool calls in order, then a closing text. Plays no part of a language model. */
type Play = (n: number, request: ModelRequest) => readonly (readonly [string, Record<string, string>])[];

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((dir) => rm(dir, { recursive: true, force: true }))));

function modelOf(play: Play): Model {
  return {
    name: 'scripted/test',
    identity: 'scripted/test',
    scripted: true,
    complete(request): Promise<ModelReply> {
      const instruction = request.messages.find(({ role }) => role === 'user');
      const n = Number(
        /generation (\d+)/u.exec(instruction !== undefined && 'text' in instruction ? instruction.text : '')?.[1],
      );
      const first = !request.messages.some(({ role }) => role === 'assistant');
      const calls = first ? play(n, request) : [];
      return Promise.resolve({
        text: first ? `generation ${n}, with a look at strategies/` : 'done',
        toolCalls: calls.map(([name, args], i) => ({ id: `c${i}`, name, arguments: args })),
        stopReason: calls.length > 0 ? 'tool-calls' : 'end',
        usage: { inputTokens: 10, outputTokens: 5 },
        attempts: 1,
      });
    },
  };
}

/** So that no test keeps a token in the configuration folder of whoever runs it. */
const ENV = { HIVEMARK_PRINCIPAL_TOKEN: 'hmp_of-tests-and-long-enough-for-them' };

async function play(plays: Readonly<Record<string, Play>>, more: Partial<ExperimentInput> = {}): Promise<RunSummary> {
  const out = await mkdtemp(join(tmpdir(), 'hivemark-experiment-'));
  folders.push(out);
  const config = parseConfig(
    {
      name: 'x',
      task: 'sine_approx',
      agents: Object.keys(plays).map((name) => ({ name, model: 'scripted/test' })),
      generations: 3,
      ...more,
    },
    'x',
  );
  const openModel = ({ agent }: { readonly agent: string }): Promise<Model> =>
    Promise.resolve(modelOf(plays[agent] ?? (() => [])));
  const folder = await createExperiment(config, out, { env: ENV, publicSecret: true, openModel });
  const result = await playExperiment(folder, {
    env: ENV,
    signal: new AbortController().signal,
    onEvent: () => {},
    openModel,
  });
  if (result.stop !== undefined) throw result.stop.error;
  const [run] = result.runs;
  if (run === undefined) throw new Error('no run');
  return run;
}

const create = (path: string, text: string): readonly [string, Record<string, string>] => [
  'editor',
  { command: 'create', path, file_text: text },
];
describe('an experiment', () => {
  it('publishes on strict improvement alone, and shows it to the peer one round later', async () => {
    const run = await play({
      a: (n) => (n === 1 ? [create('task_agent.ts', TAYLOR)] : []),
      b: (n) => (n === 1 ? [] : [['bash', { command: 'cp strategies/a_gen*/task_agent.ts task_agent.ts' }]]),
    });
    const exposures = await loadTable(run.dir, 'exposures');
    expect(
      exposures.rows
        .filter(({ agent, file }) => agent === 'b' && file.endsWith('task_agent.ts'))
        .map(({ round, peerGeneration }) => [round, peerGeneration]),
    ).toEqual([
      [1, 0],
      [2, 1],
      [3, 1],
    ]);
    const { rows } = await loadTable(run.dir, 'candidates');
    expect(rows.filter(({ agent }) => agent === 'a').map(({ published, status }) => [published, status])).toEqual([
      [true, 'accepted'],
      [true, 'accepted'],
      [false, 'copy'],
      [false, 'copy'],
    ]);
    expect(run.agents.map(({ best }) => best.validation)).toEqual([
      run.agents[0]?.best.validation,
      run.agents[0]?.best.validation,
    ]);
  }, 60_000);

  it('shows nothing of the peers when sharing is off', async () => {
    const look: Play = () => [['bash', { command: 'ls -R /' }]];
    const run = await play(
      { a: (n) => [create('task_agent.ts', SINE(`x * 0.${n}`))], b: look },
      { arms: ['sharing-off'] },
    );
    expect((await loadTable(run.dir, 'exposures')).rows).toEqual([]);
    expect(run.adoptions).toEqual([]);
    const { rows: calls } = await loadTable(run.dir, 'calls');
    const blobs = await Promise.all(
      calls
        .filter(({ agent }) => agent === 'b')
        .map(({ requestSha256: hash }) => readFile(join(run.dir, 'trace', 'blobs', hash.slice(0, 2), hash), 'utf8')),
    );
    expect(blobs.length).toBeGreaterThan(3);
    expect(blobs.some((text) => text.includes('a_gen'))).toBe(false);
  }, 60_000);

  it('runs the meta agent that an agent wrote for itself, and falls back when it breaks', async () => {
    const own = `export async function forward(facts, ctx) {
      await ctx.chat('MY OWN WORDS for generation ' + facts.generation);
      if (facts.generation === 3) throw new Error('broke on purpose');
    }\n`;
    const run = await play(
      { a: (n) => (n === 1 ? [create('meta_agent.ts', own)] : []) },
      { arms: ['solo'], generations: 4 },
    );
    const { rows } = await loadTable(run.dir, 'contexts');
    const instructions = await Promise.all(
      rows.map(async ({ instructionSha256: hash = '' }) =>
        readFile(join(run.dir, 'trace', 'blobs', hash.slice(0, 2), hash), 'utf8'),
      ),
    );
    expect(instructions.map((text) => text.startsWith('MY OWN WORDS'))).toEqual([false, true, true, true]);
    const candidates = await loadTable(run.dir, 'candidates');
    expect(candidates.rows.map(({ status }) => status)).toEqual(['accepted', 'copy', 'copy', 'failed', 'copy']);
    expect(candidates.rows[3]?.reason).toContain('broke on purpose');
  }, 60_000);

  it('tells an agent in its next view what was refused', async () => {
    let seen = '';
    await play(
      {
        a: (n, request) => {
          if (n === 2) seen = request.messages.map((message) => ('text' in message ? message.text : '')).join('\n');
          return n === 1
            ? [create('evals/gen_0/train.json', '{"score":1}'), create('task_agent.ts', 'export function forward( {')]
            : [];
        },
      },
      { arms: ['solo'], generations: 2 },
    );
    expect(seen).toContain('task_agent.ts');
    expect(seen).toMatch(/What went wrong last time[\s\S]*refused/u);
  }, 60_000);

  it.each([
    ['keep', [true, true]],
    ['rollback-invalid', [false, true]],
    ['rollback-best', [false, false]],
  ] as const)(
    'onRegression %s decides what is built upon',
    async (onRegression, [invalidStays, worseStays]) => {
      const invalid = 'export function forward() { return null; }\n';
      const worse = SINE('0.9 * x');
      const seen: Record<number, string> = {};
      const look = create('/tmp/x', '');
      const run = await play(
        {
          a: (n) =>
            n === 1
              ? [create('task_agent.ts', TAYLOR)]
              : n === 2
                ? [create('task_agent.ts', invalid)]
                : n === 4
                  ? [create('task_agent.ts', worse)]
                  : [look],
        },
        { arms: ['solo'], generations: 5, onRegression },
      );
      const { rows } = await loadTable(run.dir, 'candidates');
      for (const row of rows) seen[row.generation] = row.sources['task_agent.ts'] ?? '';
      expect(seen[3] === seen[2]).toBe(invalidStays);
      expect(seen[5] === seen[4]).toBe(worseStays);
      expect(seen[5] === seen[1]).toBe(!worseStays);
    },
    60_000,
  );
});
