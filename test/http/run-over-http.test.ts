import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../src/trace/run-folder.ts';
import { readTable } from '../../src/trace/trace-reader.ts';
import type { CallRow } from '../../src/trace/schema.ts';
import { comparableMarks } from '../read-marks.ts';
import type { Finished } from '../run-cli.ts';
import { newFolder, runCli } from '../run-cli.ts';
import type { Act, FakeProvider, Turn } from './fake-provider.ts';
import { startFakeProvider } from './fake-provider.ts';

const OPEN_KEY = 'sk-open-test-0123456789abcdef';
const CLAUDE_KEY = 'sk-ant-test-fedcba9876543210';
const KEYS = { HIVEMARK_API_KEY: OPEN_KEY, ANTHROPIC_API_KEY: CLAUDE_KEY };
const SECRET = { HIVEMARK_SECRET: 's' };
const CLAUDE = 'anthropic/claude-sonnet-4-6';
const OPEN = 'openai-compatible/org/fake-model';
/** USD per million tokens of the model that no table knows. */
const PRICE = { input: 2, output: 8, cachedInput: 1 };
const RUN = 'claude+open-s42-paired';

const turn = (said: Turn): Act => ({ kind: 'turn', ...said });
const tool = (id: string, name: string, args: unknown) => ({ id, name, arguments: JSON.stringify(args) });
const editor = (id: string, args: unknown) => tool(id, 'editor', args);
/** A refusal that says when to come back, which is at once, and repeats the key it was sent. */
const refusal = (status: number, key: string): Act => ({
  kind: 'status',
  status,
  headers: { 'retry-after': '0' },
  message: `no capacity for ${key}`,
});

const program = (lines: readonly string[]): string => `function approximate(x: number): number {
${lines.map((line) => `  ${line}\n`).join('')}}

export async function forward(input: { x: number[] }): Promise<number[]> {
  return input.x.map(approximate);
}
`;
const TO_FIFTH = [
  'const square = x * x;',
  'const cube = x * square;',
  'const fifth = cube * square;',
  'const toThird = x - cube / 6;',
  'const toFifth = toThird + fifth / 120;',
];
const SEVENTH = 'const seventh = fifth * square;';
const THREE_TERMS = [...TO_FIFTH, 'return toFifth;'];
const FIVE_TERMS = [...TO_FIFTH, SEVENTH, 'return toFifth - seventh / 5040 + (seventh * square) / 362880;'];
const create = (id: string, lines: readonly string[]) =>
  editor(id, { command: 'create', path: 'task_agent.ts', file_text: program(lines) });

/** Calls that cannot be run: an unknown tool, arguments cut short. */
const badCalls = [
  tool('c3', 'web_search', { query: 'sine' }),
  { id: 'c4', name: 'editor', arguments: '{"command":"create","path":' },
];
const half: Turn = { text: 'Now I write.', toolCalls: [create('lost', THREE_TERMS)] };

/** What the models say: each generation is one chat, ended by an answer without tool calls. */
const OPEN_ACTS: readonly (readonly Act[])[] = [
  [
    turn({
      text: 'I look at my program and at my peers first.',
      toolCalls: [
        editor('c1', { command: 'view', path: 'task_agent.ts' }),
        editor('c2', { command: 'view', path: 'strategies' }),
      ],
      usage: { input: 2000, output: 60, cached: 500 },
    }),
    refusal(429, OPEN_KEY),
    turn({ toolCalls: badCalls }),
    { kind: 'cut', turn: half, afterFrames: 5, how: 'end' },
    turn({ text: 'Now I write.', toolCalls: [create('c5', THREE_TERMS)], usage: { input: 3000, output: 200 } }),
    turn({ text: 'Three terms of the series.' }),
  ],
  [
    turn({
      text: 'One more term.',
      toolCalls: [
        editor('d1', {
          command: 'str_replace',
          path: 'task_agent.ts',
          old_str: 'return toFifth;',
          new_str: `${SEVENTH}\n  return toFifth - seventh / 5040;`,
        }),
      ],
    }),
    turn({ text: 'Four terms.' }),
  ],
];
const CLAUDE_ACTS: readonly (readonly Act[])[] = [
  [
    turn({
      reasoning: 'What do I have?',
      text: 'I look around.',
      toolCalls: [
        tool('c1', 'bash', { command: 'cat task_agent.ts; ls evals' }),
        editor('c2', { command: 'view', path: 'evals' }),
      ],
      usage: { input: 2000, output: 60, cached: 500, written: 1000 },
    }),
    refusal(429, CLAUDE_KEY),
    turn({ toolCalls: badCalls }),
    { kind: 'cut', turn: half, afterFrames: 5, how: 'destroy' },
    turn({
      text: 'A start.',
      toolCalls: [create('c5', ['return x - (x * x * x) / 6;'])],
      usage: { input: 3000, output: 200 },
    }),
    turn({ text: 'Two terms of the series.' }),
  ],
  [
    turn({
      text: 'What has my peer got?',
      toolCalls: [editor('d1', { command: 'view', path: 'strategies/open_gen1/task_agent.ts' })],
    }),
    turn({ text: "I take open's polynomial and add two terms.", toolCalls: [create('d2', FIVE_TERMS)] }),
    turn({ text: 'Five terms, after open.' }),
  ],
];
const TOOL_CALLS = { open: 6, claude: 7 };

let openServer: FakeProvider;
let claudeServer: FakeProvider;
let folder: string;
let finished: Finished;
const dir = (name: string): string => join(folder, name, RUN);

/** Writes a config of both agents; without servers, of replays of `models`. */
async function configFile(name: string, agents: readonly Record<string, unknown>[]): Promise<string> {
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, JSON.stringify({ name, task: 'sine_approx', agents, generations: 2, budget: { usd: 1 } }));
  return file;
}

const openAgent = (server: FakeProvider) => ({
  name: 'open',
  model: OPEN,
  baseUrl: `${server.origin}/v1`,
  price: PRICE,
});

function onlyRun({ stdout }: Finished): RunSummary {
  const [first] = (JSON.parse(stdout) as { runs: RunSummary[] }).runs;
  if (first === undefined) throw new Error('no run');
  return first;
}

async function callsOf(name: string, agent: string): Promise<CallRow[]> {
  const rows: CallRow[] = [];
  for await (const row of readTable(dir(name), 'calls')) if (row.agent === agent) rows.push(row);
  return rows;
}

/** The bytes of every file below a folder, by path. */
async function filesBelow(root: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = new Map<string, Buffer>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.set(path, await readFile(path));
  }
  return files;
}

/** Where a key is left on disk or on a terminal. */
async function placesOfKeys(name: string, ...outputs: readonly Finished[]): Promise<string[]> {
  const files = await filesBelow(join(folder, name));
  const holding = (text: string): string[] =>
    [...files].filter(([, bytes]) => bytes.includes(text)).map(([path]) => path);
  // What was said and who said it is found, so a key would be.
  const [log, words] = [holding(OPEN), holding('Three terms of the series.')];
  if (!log.includes(join(dir(name), 'marks.db')) || words.length === 0) throw new Error('the search finds nothing');
  return [OPEN_KEY, CLAUDE_KEY].flatMap((key) => [
    ...holding(key),
    ...outputs.filter(({ stdout, stderr }) => `${stdout}${stderr}`.includes(key)).map(({ stderr }) => stderr),
  ]);
}

beforeAll(async () => {
  folder = await newFolder();
  [openServer, claudeServer] = await Promise.all([
    startFakeProvider(...OPEN_ACTS.flat()),
    startFakeProvider(...CLAUDE_ACTS.flat()),
  ]);
  const config = await configFile('whole', [
    { name: 'claude', model: CLAUDE, baseUrl: claudeServer.origin },
    openAgent(openServer),
  ]);
  finished = await runCli(['run', config, '--out', folder, '--json'], { env: { ...SECRET, ...KEYS } });
}, 120_000);
afterAll(async () => {
  await Promise.all([openServer.close(), claudeServer.close()]);
});

describe('a run over HTTP', () => {
  it('ends well through a rate limit, a cut stream and calls that cannot be run', async () => {
    expect(finished.code, finished.stderr).toBe(0);
    const faults = { turn: 6, 'status-429': 1 };
    expect(openServer.fired).toEqual({ ...faults, 'cut-end': 1 });
    expect(claudeServer.fired).toEqual({ ...faults, turn: 7, 'cut-destroy': 1 });
    expect(onlyRun(finished).status).toBe('done');
    expect((await runCli(['verify', dir('whole')])).code).toBe(0);
  });

  it('asks with the key, and answers every tool call of a reply', () => {
    for (const { headers } of openServer.seen) expect(headers['authorization']).toBe(`Bearer ${OPEN_KEY}`);
    for (const { headers } of claudeServer.seen) expect(headers['authorization']).toBe(`Bearer ${CLAUDE_KEY}`);
    const lastOfFirst = JSON.stringify(openServer.seen[5]?.body);
    for (const id of ['c1', 'c2', 'c3', 'c4', 'c5']) expect(lastOfFirst).toContain(`"tool_call_id":"${id}"`);
    expect(lastOfFirst).toContain('there is no tool named');
    expect(lastOfFirst).toContain('are not one JSON object');
    expect(lastOfFirst).not.toContain('lost');
    const claudes = JSON.stringify(claudeServer.seen[5]?.body);
    for (const id of ['c1', 'c2', 'c3', 'c4', 'c5']) expect(claudes).toContain(`"tool_use_id":"${id}"`);
    expect(claudes).toContain('What do I have?');
    expect(claudes).not.toContain('lost');
  });

  it('improves both programs, generation by generation, and sees who took what from whom', async () => {
    const scores: Record<string, number[]> = { claude: [], open: [] };
    for await (const row of readTable(dir('whole'), 'evaluations')) {
      if (row.split === 'validation') scores[row.agent]?.push(row.score);
    }
    for (const [agent, own] of Object.entries(scores)) {
      expect(own, agent).toHaveLength(3);
      expect(own, agent).toEqual([...new Set(own)].sort((a, b) => a - b));
    }
    const { agents, adoptions } = onlyRun(finished);
    for (const { best, scripted, denials, name } of agents) {
      expect(best.generation, name).toBe(2);
      expect(best.test, name).toBeGreaterThan(0.5);
      expect(scripted).toBe(false);
      expect(denials, name).toBe(2);
    }
    expect(agents.map(({ model }) => model)).toEqual([CLAUDE, OPEN]);
    expect(
      adoptions.map(({ agent, peer, peerGeneration, evidence }) => [agent, peer, peerGeneration, evidence.level]),
    ).toEqual([['claude', 'open', 1, 'stated']]);
  });

  it('has every call on record with its usage, its price and its attempts', async () => {
    const inShort = (rows: readonly CallRow[]) =>
      rows.map((row) => [
        row.id,
        row.attempts,
        row.stopReason,
        row.toolCalls,
        row.inputTokens,
        row.cachedInputTokens,
        row.outputTokens,
      ]);
    const open = await callsOf('whole', 'open');
    expect(inShort(open)).toEqual([
      ['open/1/1', 1, 'tool-calls', 2, 2000, 500, 60],
      ['open/1/2', 2, 'tool-calls', 2, 100, 0, 20],
      ['open/1/3', 2, 'tool-calls', 1, 3000, 0, 200],
      ['open/1/4', 1, 'end', 0, 100, 0, 20],
      ['open/2/1', 1, 'tool-calls', 1, 100, 0, 20],
      ['open/2/2', 1, 'end', 0, 100, 0, 20],
    ]);
    const claude = await callsOf('whole', 'claude');
    expect(inShort(claude)).toEqual([
      ['claude/1/1', 1, 'tool-calls', 2, 2000, 500, 60],
      ['claude/1/2', 2, 'tool-calls', 2, 100, 0, 20],
      ['claude/1/3', 2, 'tool-calls', 1, 3000, 0, 200],
      ['claude/1/4', 1, 'end', 0, 100, 0, 20],
      ['claude/2/1', 1, 'tool-calls', 1, 100, 0, 20],
      ['claude/2/2', 1, 'tool-calls', 1, 100, 0, 20],
      ['claude/2/3', 1, 'end', 0, 100, 0, 20],
    ]);
    // 1500 fresh, 500 cached, 60 out; 500 fresh, 500 cached, 1000 written to the cache, 60 out.
    expect(open[0]?.usd).toBeCloseTo((1500 * 2 + 500 * 1 + 60 * 8) / 1e6, 12);
    expect(claude[0]?.usd).toBeCloseTo((500 * 3 + 500 * 0.3 + 1000 * 3.75 + 60 * 15) / 1e6, 12);
    expect(open[5]?.usd).toBeCloseTo((100 * 2 + 20 * 8) / 1e6, 12);
    expect(
      open.every(({ model, provider, scripted }) => model === OPEN && provider === 'openai-compatible' && !scripted),
    ).toBe(true);
    for (const [name, rows] of [
      ['open', open],
      ['claude', claude],
    ] as const) {
      const agent = onlyRun(finished).agents.find((one) => one.name === name);
      expect(agent?.usd).toBeCloseTo(
        rows.reduce((sum, { usd }) => sum + usd, 0),
        12,
      );
      expect(agent?.tokens).toBe(rows.reduce((sum, row) => sum + row.inputTokens + row.outputTokens, 0));
    }
  });

  it('has one decision for every tool call, of those that could not be run too', async () => {
    const uses: Record<string, [string, string | undefined][]> = { claude: [], open: [] };
    for await (const { agent, call, subject, code } of readTable(dir('whole'), 'decisions')) {
      if (call === 'use') uses[agent]?.push([(subject as { tool: string }).tool, code]);
    }
    expect(uses['open']).toEqual([
      ['editor', undefined],
      ['editor', undefined],
      ['web_search', 'malformed'],
      ['editor', 'malformed'],
      ['editor', undefined],
      ['editor', undefined],
    ]);
    expect(uses['claude']).toEqual([
      ['bash', undefined],
      ['editor', undefined],
      ['web_search', 'malformed'],
      ['editor', 'malformed'],
      ['editor', undefined],
      ['editor', undefined],
      ['editor', undefined],
    ]);
    for (const agent of ['open', 'claude'] as const) {
      const made = (await callsOf('whole', agent)).reduce((sum, { toolCalls }) => sum + toolCalls, 0);
      expect([made, uses[agent]?.length]).toEqual([TOOL_CALLS[agent], TOOL_CALLS[agent]]);
    }
  });

  it('leaves no key anywhere', async () => {
    expect(await placesOfKeys('whole', finished)).toEqual([]);
  });
});

describe('a provider that stays down', () => {
  it('stops the run, resumable; once it is back the run ends with the same marks, and can be replayed offline', async () => {
    const [first, second] = OPEN_ACTS;
    const [replaced, ...rest] = second ?? [];
    if (first === undefined || replaced === undefined) throw new Error('nothing scripted');
    const down = Array.from({ length: 6 }, () => refusal(503, OPEN_KEY));
    const open = await startFakeProvider(...first, replaced, ...down);
    const claude = await startFakeProvider(...(CLAUDE_ACTS[0] ?? []), { kind: 'stall', afterFrames: 2 });
    const back = await startFakeProvider(...(CLAUDE_ACTS[1] ?? []));
    try {
      const config = await configFile('down', [{ name: 'claude', model: CLAUDE }, openAgent(open)]);
      const env = (server: FakeProvider) => ({ ...SECRET, ...KEYS, ANTHROPIC_BASE_URL: server.origin });
      const stopped = await runCli(['run', config, '--out', folder, '--json'], { env: env(claude) });
      expect(stopped.code, stopped.stderr).toBe(1);
      expect(onlyRun(stopped).status).toMatch(
        /^stopped: .*127\.0\.0\.1.* failed \(503\): no capacity for \[key\] \(gave up after 6 attempts\)/,
      );
      expect(stopped.stderr).toContain(`go on with: hivemark resume ${join(folder, 'down')}`);
      expect(stopped.stderr).not.toContain('    at ');
      // The round before stands, with its scores.
      expect(onlyRun(stopped).agents.map(({ generations, best }) => [generations, best.generation])).toEqual([
        [1, 1],
        [1, 1],
      ]);
      expect((await runCli(['verify', dir('down')])).code).toBe(0);
      const failed = (await callsOf('down', 'open')).at(-1);
      expect(failed).toMatchObject({ attempts: 6, stopReason: 'error', usd: 0, inputTokens: 0 });
      expect(failed?.error).toMatch(/^unavailable: /);
      expect(await placesOfKeys('down', stopped)).toEqual([]);

      const asked = open.seen.length;
      open.script(...rest);
      const resumed = await runCli(['resume', join(folder, 'down'), '--json'], { env: env(back) });
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(onlyRun(resumed).status).toBe('done');
      // The call that was answered before is not paid for again.
      expect(open.seen.length - asked).toBe(rest.length);
      expect(await comparableMarks(dir('down'))).toEqual(await comparableMarks(dir('whole')));
      expect((await runCli(['verify', dir('down')])).code).toBe(0);
      expect(await placesOfKeys('down', resumed)).toEqual([]);
    } finally {
      await Promise.all([open.close(), claude.close(), back.close()]);
    }

    const replay = await configFile(
      'replayed',
      ['claude', 'open'].map((name) => ({ name, model: `replay/${dir('down')}` })),
    );
    const replayed = await runCli(['run', replay, '--out', folder, '--json'], { env: SECRET });
    expect(replayed.code, replayed.stderr).toBe(0);
    expect(await comparableMarks(dir('replayed'))).toEqual(await comparableMarks(dir('whole')));
    // Language models' words, but nobody was paid for them this time.
    expect(onlyRun(replayed).agents.map(({ scripted, usd }) => [scripted, usd])).toEqual([
      [false, 0],
      [false, 0],
    ]);
  }, 180_000);
});
