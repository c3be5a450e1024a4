import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hyperspaceAgent, openEvolveProgram, writeTree } from '../trace/importers/test-sources.ts';
import { makeTestFolder } from '../trace/test-folder.ts';
import { type BlameFlags, blameCommand } from './blame-command.ts';
import { type ExitCode, UsageError } from './output.ts';

const SEED = 'def forward(x):\n    total = start_value(x)\n    return total\n';
const PEERS = `${SEED}\ndef relax_by_halves(x, steps):\n    for step in range(steps):\n        x = x - slope_at(x, step) / 2\n    return x\n`;

async function runs(): Promise<string> {
  const root = await makeTestFolder();
  const made = (code: string, score: number): { code: string; metadata: unknown } => ({
    code,
    metadata: { valid: true, train_score: score, val_score: score },
  });
  for (const seed of [1, 2]) {
    await writeTree(root, {
      ...hyperspaceAgent(`a_vs_b/seed${seed}/a`, 'a', seed, [made(SEED, 0.1), made(SEED, 0.1), made(PEERS, 0.6)]),
      ...hyperspaceAgent(`a_vs_b/seed${seed}/b`, 'b', seed, [made(SEED, 0.1), made(PEERS, 0.6), made(PEERS, 0.6)]),
    });
  }
  return join(root, 'a_vs_b');
}

async function blame(
  args: readonly [run: string, agent: string, generation: number | string, file?: string],
  flags: BlameFlags = {},
  colour = false,
): Promise<{ readonly code: ExitCode; readonly out: string; readonly err: string }> {
  let [out, err] = ['', ''];
  const code = await blameCommand(args[0], args[1], String(args[2]), args[3], flags, {
    output: {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      interactive: false,
      colour,
      columns: 100,
    },
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

test('hivemark blame names the peer and generation of lines that came from there', async () => {
  const run = join(await runs(), 'seed1');
  const { code, out } = await blame([run, 'a', 2, 'task_agent.py'], { json: true });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    agent: 'a',
    generation: 2,
    lines: expect.arrayContaining([
      expect.objectContaining({ text: '    total = start_value(x)', origin: 'initial' }),
      expect.objectContaining({ text: '    for step in range(steps):', origin: 'peer', agent: 'b', generation: 1 }),
    ]),
  });
});

test('in the terminal it has colours only where they are shown, and a page where one is asked for', async () => {
  const run = join(await runs(), 'seed1');
  const plain = (await blame([run, 'a', 2])).out;
  expect(plain).toMatch(/^p\S* +b\/1 .*for step in range/m);
  expect(plain).not.toContain('\u001b[');
  expect((await blame([run, 'a', 2], {}, true)).out).toContain('\u001b[');
  const file = join(run, 'blame.html');
  expect((await blame([run, 'a', 2], { html: file })).code).toBe(0);
  expect(await readFile(file, 'utf8')).toContain('for step in range(steps):');
});

test.each<[string, readonly [string, number, string?], string]>([
  ['an agent', ['c', 1], 'it has a, b'],
  ['a generation', ['a', 9], 'from 0 to 2'],
  ['a file', ['a', 1, 'notes.py'], 'has no notes.py; it has task_agent.py, meta_agent.py'],
])('%s that is not there is refused with what there is', async (_, [agent, generation, file], hint) => {
  const run = join(await runs(), 'seed1');
  const refused = blame(file === undefined ? [run, agent, generation] : [run, agent, generation, file]);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(hint);
});

test('the program is named by its file however it was asked for', async () => {
  const run = join(await runs(), 'seed1');
  const asked = [
    [run, 'a', 2] as const,
    [run, 'a', 2, 'task_agent.py'] as const,
    [run, 'a', 'a/2', 'program'] as const,
  ];
  for (const args of asked) {
    const { out } = await blame(args, { json: true });
    expect(JSON.parse(out)).toMatchObject({ file: 'task_agent.py', program: 'a/2', generation: 2 });
  }
});

test('where programs share an iteration the best-scored is taken and said; ids and best are understood', async () => {
  const root = await makeTestFolder();
  const rows = [
    openEvolveProgram(0, 0, null),
    openEvolveProgram(3, 1, 0),
    openEvolveProgram(7, 1, 0),
    openEvolveProgram(5, 2, 0),
  ];
  await writeTree(root, { 'programs.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join('') });
  const asked = async (which: number | string) => {
    const { out, err } = await blame([root, 'search', which], { json: true });
    return { ...(JSON.parse(out) as Record<string, unknown>), err };
  };
  expect(await asked(1)).toMatchObject({
    program: 'p7',
    note: expect.stringContaining('2 programs share generation 1'),
    err: expect.stringContaining('p7'),
  });
  expect(await asked('p3')).toMatchObject({ program: 'p3', generation: 1 });
  expect(await asked('best')).toMatchObject({ program: 'p7' });
  expect(await asked(2)).not.toHaveProperty('note');
  await expect(asked('p9')).rejects.toThrow('has no program with the id "p9"');
});

test('a folder of several runs is refused with their names, one of nothing exits 1', async () => {
  const several = blame([await runs(), 'a', 1]);
  await expect(several).rejects.toThrow(/holds 2 runs.*\n {2}seed1\n {2}seed2/);
  expect((await blame([await makeTestFolder(), 'a', 1])).code).toBe(1);
});
