import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../src/trace/run-folder.ts';
import { comparableMarks } from './read-marks.ts';
import type { Finished } from './run-cli.ts';
import { newFolder, runCli } from './run-cli.ts';

const RUN = 'a+b-s42-paired';
const SECRET = { HIVEMARK_SECRET: 's' };

interface Setting {
  readonly name: string;
  /** Of a and b. */
  readonly models: readonly [string, string];
  readonly task?: string;
  readonly seed?: number;
  readonly generations?: number;
}

let folder: string;
/** The recorded run's folder. */
let recorded: string;
let summary: RunSummary;
let marks: Awaited<ReturnType<typeof comparableMarks>>;

async function run(setting: Setting): Promise<Finished> {
  const { name, models, task = 'sine_approx', seed = 42, generations = 3 } = setting;
  const config = join(folder, `${name}.yaml`);
  const agents = ['a', 'b'].map((agent, i) => ({ name: agent, model: models[i] }));
  await writeFile(config, JSON.stringify({ name, task, agents, generations, seeds: [seed] }));
  return runCli(['run', config, '--out', folder, '--json'], { env: SECRET });
}

const replay = (name: string, path: string, more: Partial<Setting> = {}): Promise<Finished> =>
  run({ name, models: [`replay/${path}`, `replay/${path}`], ...more });

function onlyRun(finished: Finished): RunSummary {
  const [first] = (JSON.parse(finished.stdout) as { runs: RunSummary[] }).runs;
  if (first === undefined) throw new Error('no run');
  return first;
}

/** What a replay must repeat; its models go by other names. */
const figures = ({ agents, adoptions }: RunSummary) => ({
  agents: agents.map((agent) => ({ ...agent, model: '' })),
  adoptions,
});

/** A copy of the recording whose table of calls is `change`d. */
async function copyOfRecording(name: string, change: (calls: string) => string): Promise<string> {
  const copy = join(folder, name);
  await cp(recorded, copy, { recursive: true });
  await writeCalls(copy, change(await readFile(join(recorded, 'trace', 'calls.jsonl'), 'utf8')));
  return copy;
}

const writeCalls = (dir: string, text: string): Promise<void> => writeFile(join(dir, 'trace', 'calls.jsonl'), text);

beforeAll(async () => {
  folder = await newFolder();
  const finished = await run({ name: 'recorded', models: ['scripted/planner', 'scripted/tuner'] });
  expect(finished.code, finished.stderr).toBe(0);
  recorded = join(folder, 'recorded', RUN);
  summary = onlyRun(finished);
  marks = await comparableMarks(recorded);
}, 120_000);

describe('a replay of a recorded run', () => {
  it('leaves the same marks and figures, and says that it is one', async () => {
    const finished = await replay('again', recorded);
    expect(finished.code, finished.stderr).toBe(0);
    const dir = join(folder, 'again', RUN);
    expect(Object.keys(marks).sort()).toEqual(['a', 'b', 'runner/a', 'runner/b']);
    expect(await comparableMarks(dir)).toEqual(marks);
    const again = onlyRun(finished);
    expect(figures(again)).toEqual(figures(summary));
    // The scripted models do improve, and one takes from the other: equal figures are not equal for being empty.
    expect(Math.max(...again.agents.map(({ best }) => best.validation ?? 0))).toBeGreaterThan(0.4);
    for (const { model, scripted } of again.agents) {
      expect(model).toBe(`replay/${recorded}`);
      expect(scripted).toBe(true);
    }
    const file = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as Pick<RunSummary, 'agents'>;
    expect(file.agents.map(({ scripted }) => scripted)).toEqual([true, true]);
    expect(finished.stderr).toContain(`a = replay/${recorded} (scripted)`);
    expect((await runCli(['verify', dir])).code).toBe(0);
  }, 120_000);

  it('that was cut off goes on to the same marks', async () => {
    const config = join(folder, 'cut-off.yaml');
    const agents = ['a', 'b'].map((name) => ({ name, model: `replay/${recorded}` }));
    await writeFile(config, JSON.stringify({ name: 'cut-off', task: 'sine_approx', agents, generations: 3 }));
    let killed = false;
    await runCli(['run', config, '--out', folder, '--json'], {
      env: SECRET,
      onStderr: (text, kill) => {
        if (killed || !/round 2\/3/.test(text)) return;
        killed = true;
        kill('SIGKILL');
      },
    });
    expect(killed).toBe(true);
    const resumed = await runCli(['resume', join(folder, 'cut-off'), '--json'], { env: SECRET });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await comparableMarks(join(folder, 'cut-off', RUN))).toEqual(marks);
  }, 120_000);

  it.each([
    ['seed', { seed: 43 }, /recorded with the seed 42, but this run has the seed 43/],
    [
      'task',
      { task: 'prism_placement' },
      /recorded with the task sine_approx, but this run has the task prism_placement/,
    ],
  ] as const)(
    'with another %s is refused before anything is made',
    async (what, more, message) => {
      const finished = await replay(`other-${what}`, recorded, more);
      expect(finished.code).toBe(1);
      expect(finished.stderr).toMatch(message);
      expect(finished.stderr).not.toContain('    at ');
      expect(existsSync(join(folder, `other-${what}`))).toBe(false);
    },
    60_000,
  );

  it('whose requests differ stops at the first that does', async () => {
    const finished = await replay('longer', recorded, { generations: 4 });
    expect(finished.code).toBe(1);
    expect(onlyRun(finished).status).toMatch(/^stopped: replay\/.*: call 1 of \d+ asks something else/);
    expect(finished.stderr).toContain('hivemark resume');
    expect(finished.stderr).not.toContain('    at ');
  }, 120_000);

  it('of a recording cut in the middle stops where it ends, and goes on once it is whole', async () => {
    let whole = '';
    // Up to half of a line in the middle of a's second generation.
    const cut = await copyOfRecording('cut-recording', (calls) => {
      whole = calls;
      const at = calls.indexOf('{"id":"a/2/3"');
      expect(at).toBeGreaterThan(0);
      return calls.slice(0, at + 40);
    });
    const stopped = await replay('cut', cut);
    expect(stopped.code).toBe(1);
    expect(onlyRun(stopped).status).toMatch(
      /^stopped: replay\/.*: call \d+ was asked for, but the recording ends after/,
    );
    expect(stopped.stderr).toContain(`hivemark resume ${join(folder, 'cut')}`);
    expect(stopped.stderr).not.toContain('    at ');
    const dir = join(folder, 'cut', RUN);
    expect((await runCli(['verify', dir])).code).toBe(0);

    await writeCalls(cut, whole);
    const resumed = await runCli(['resume', join(folder, 'cut'), '--json'], { env: SECRET });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(figures(onlyRun(resumed))).toEqual(figures(summary));
    expect(await comparableMarks(dir)).toEqual(marks);
  }, 120_000);

  it('of a recording with a changed request names the call', async () => {
    const changed = await copyOfRecording('changed-recording', (calls) =>
      calls.replace(/("id":"b\/1\/2".*?"requestSha256":")[0-9a-f]{64}/, `$1${'0'.repeat(64)}`),
    );
    const finished = await replay('changed', changed);
    expect(finished.code).toBe(1);
    expect(onlyRun(finished).status).toMatch(/call 2 of \d+ asks something else .*recorded 000000000000/);
  }, 120_000);
});
