import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connectStdio, mixedConfig, newPlace, type Place } from './mcp-process.ts';
import { type Finished, runCli } from './run-cli.ts';

let place: Place;

beforeAll(async () => {
  place = await newPlace();
  await place.file('mixed.yaml', mixedConfig({}));
  await place.file('again.yaml', mixedConfig({}));
  const agents = 'agents: [{ name: a, model: scripted/planner }, { name: b, model: scripted/idle }]';
  await place.file('driven.yaml', `name: driven\ntask: sine_approx\n${agents}\n`);
  await place.file('typo.yaml', mixedConfig({}).replace('rounds:', 'ronds:'));
  await mkdir(join(place.dir, 'empty'));
});

/** Runs a command to its end; standard input is at its end from the start. */
function run(args: string, env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  return runCli(args.split(' '), { env: { ...place.env, ...env }, cwd: place.dir });
}

/** What was said last, without the line that points to the help. */
function lineOf({ stderr }: Finished): string {
  const lines = stderr.trim().split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('(hivemark --help')).join('\n');
}

describe('a command for outside agents that cannot be done ends with one line: what, which value, the way out', () => {
  it.each([
    ['mcp', 2, ['say what to serve', '--experiment', '--results']],
    ['mcp --experiment mixed.yaml --results empty --agent me', 2, ['say what to serve', '--results']],
    ['mcp --experiment mixed.yaml', 2, ['say as which agent', '--agent <name>']],
    [
      'mcp --experiment mixed.yaml --agent nobody --out refused',
      2,
      ['mixed', '"nobody"', 'its external agents are me'],
    ],
    [
      'mcp --experiment mixed.yaml --agent planner --out refused',
      2,
      ['planner', 'scripted/planner', 'its external agents are me'],
    ],
    ['mcp --experiment driven.yaml --agent me --out refused', 2, ['driven', '"me"', '{ name: me, external: mcp }']],
    [
      'mcp --experiment driven.yaml --http 127.0.0.1:0 --out refused',
      2,
      ['driven', 'no external agent', 'external: mcp'],
    ],
    ['mcp --experiment nowhere.yaml --agent me', 2, ['nowhere.yaml', 'give a config']],
    ['mcp --experiment typo.yaml --agent me', 2, ['ronds', 'did you mean "rounds"?']],
    ['mcp --experiment empty --agent me', 2, ['empty', 'no run and no experiment']],
    ['mcp --experiment mixed.yaml --http nonsense', 2, ['--http', 'nonsense', '127.0.0.1:8787']],
    ['mcp --experiment mixed.yaml --http 127.0.0.1:99999', 2, ['--http', '127.0.0.1:99999', '127.0.0.1:8787']],
    ['mcp --experiment mixed.yaml --http 0.0.0.0:0', 1, ['0.0.0.0', 'listen on 127.0.0.1']],
    ['mcp --experiment http://127.0.0.1:9/mcp --agent me', 2, ['http://127.0.0.1:9/mcp', 'HIVEMARK_TOKEN']],
    ['mcp --conformance', 2, ['--conformance', '--http 127.0.0.1:PORT']],
    ['mcp --results nowhere', 1, ['nowhere']],
    ['mcp --results empty --agent me', 2, ['--agent', '--experiment']],
    ['serve', 2, ['--http']],
    ['serve --http 127.0.0.1:0', 2, ['say what to serve', '--space sqlite:<file>', '--results']],
    ['serve --http 127.0.0.1:0 --space ftp://me:hunter2@there', 2, ['ftp:', 'sqlite:<file>', 'postgres://']],
    ['serve --http 127.0.0.1:0 --space sqlite:empty/no/s.db', 2, ['empty/no/s.db', 'there is no folder empty/no']],
    ['serve --http 127.0.0.1:0 --space postgres://me:hunter2@127.0.0.1:9/db', 1, ['127.0.0.1:9']],
    ['serve --http 127.0.0.1:0 --out refused driven.yaml', 2, ['driven', 'no external agent', 'external: mcp']],
    ['serve --http 127.0.0.1:0 nowhere.yaml', 2, ['nowhere.yaml']],
    ['serve --http 127.0.0.1:0 --max-sessions none --results empty', 2, ['--max-sessions', 'none', 'whole number']],
    ['serve --http 127.0.0.1:0 --out out mixed.yaml again.yaml', 2, ['two experiments are named mixed']],
  ] as const)(
    '%s',
    async (args, code, words) => {
      const finished = await run(args);
      for (const word of words) expect(lineOf(finished)).toContain(word);
      expect(finished.stdout).toBe('');
      expect(finished.stderr).not.toMatch(/ {4}at |unexpected failure|hunter2/u);
      expect(finished.code, finished.stderr).toBe(code);
    },
    60_000,
  );

  it('an experiment in which nobody may take part is not begun', () => {
    expect(existsSync(join(place.dir, 'refused'))).toBe(false);
  });

  it.each([
    'token me',
    'mcp --experiment mixed.yaml --agent me --out out2',
    'serve --http 127.0.0.1:0 --space sqlite:t.db',
  ])('a configuration folder that cannot be written: %s', async (args) => {
    const file = await place.file('not-a-folder', '');
    const { HIVEMARK_PRINCIPAL_TOKEN: _, ...env } = place.env;
    const finished = await runCli(args.split(' '), { env: { ...env, XDG_CONFIG_HOME: file }, cwd: place.dir });
    expect(finished.stderr).not.toMatch(/ {4}at |unexpected failure/u);
    expect(lineOf(finished)).toMatch(/configuration folder|file of tokens/u);
    expect([finished.code, finished.stdout]).toEqual([1, '']);
  }, 60_000);
});

describe('what a killed host left behind', () => {
  it.each([
    ['is damaged', 'not JSON'],
    ['says what nobody serves', '{"url":"http://127.0.0.1:9/mcp","pid":1}'],
    ['says nothing of use', '{}'],
  ])(
    'a host.json that %s is no host: the experiment is played here',
    async (_, text) => {
      const args = 'mcp --experiment mixed.yaml --agent me --out out3';
      expect((await run(args)).code).toBe(0);
      await writeFile(join(place.dir, 'out3', 'mixed', 'host.json'), text);
      const finished = await run(args);
      expect([finished.code, finished.stdout], finished.stderr).toEqual([0, '']);
      expect(finished.stderr).toContain('the experiment is played here');
      expect(await readdir(join(place.dir, 'out3'))).toEqual(['mixed']);
      expect(existsSync(join(place.dir, 'out3', 'mixed', 'host.json'))).toBe(false);
    },
    60_000,
  );
});

it('a client whose server is not there is told where it was looked for, and what to do', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = z.object({ port: z.number() }).parse(other.address());
  // At our end of a connection nobody listens, and nobody else can meanwhile.
  const held = connect(port, '127.0.0.1');
  await once(held, 'connect');
  const url = `http://127.0.0.1:${held.localPort}/mcp`;
  const env = { ...place.env, HIVEMARK_TOKEN: 'hma_x' };
  const problem: unknown = await connectStdio(['mcp', '--experiment', url, '--agent', 'me'], { ...place, env }).catch(
    (error: unknown) => error,
  );
  const told = z.object({ cause: z.object({ message: z.string() }) }).parse(problem).cause.message;
  held.destroy();
  other.close();
  expect(told).toContain(`${url} does not answer (ECONNREFUSED); is it running?`);
}, 60_000);
