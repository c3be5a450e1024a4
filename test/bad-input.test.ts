import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteLog } from '../src/space/sqlite-log.ts';
import type { RunSummary } from '../src/trace/run-folder.ts';
import { comparableMarks, readRecords, tamper } from './read-marks.ts';
import { newFolder, runCli } from './run-cli.ts';

const SECRET = { HIVEMARK_SECRET: 'test' };

async function configFile(text: string): Promise<string> {
  const file = join(await newFolder(), 'x.yaml');
  await writeFile(file, text);
  return file;
}

const agents = (a = 'scripted/planner', b = 'scripted/idle'): string =>
  `agents: [{ name: a, model: ${a} }, { name: b, model: ${b} }]\n`;

describe('a config that cannot be run is refused with what is wrong and the way out', () => {
  it.each([
    ['a missing task', `name: x\ntask: prism_placment\n${agents()}`, 2, 'prism_placement'],
    ['an unknown provider', `name: x\ntask: sine_approx\n${agents('opnai/gpt-5')}`, 2, 'openai'],
    ['an unknown persona', `name: x\ntask: sine_approx\n${agents('scripted/plannr')}`, 2, 'planner'],
    [
      'a provider without a key',
      `name: x\ntask: sine_approx\n${agents('anthropic/claude-sonnet-4-6')}`,
      2,
      'ANTHROPIC_API_KEY',
    ],
    [
      'a replay file that is not there',
      `name: x\ntask: sine_approx\n${agents('replay/nowhere.jsonl')}`,
      1,
      'nowhere.jsonl',
    ],
    ['an unknown key', `name: x\ntask: sine_approx\ngenrations: 3\n${agents()}`, 2, 'did you mean "generations"?'],
    [
      'a USD budget nobody can count',
      `name: x\ntask: sine_approx\nbudget: { usd: 1 }\nagents: [{ name: a, model: openai-compatible/my-model, baseUrl: "http://127.0.0.1:1/v1" }, { name: b, model: scripted/idle }]\n`,
      2,
      'price',
    ],
  ])(
    '%s',
    async (_, text, code, hint) => {
      const out = await newFolder();
      const finished = await runCli(['run', await configFile(text), '--out', out], { env: SECRET });
      expect(finished.stderr).toContain(hint);
      expect(finished.stderr).not.toContain('    at ');
      expect(finished.code, finished.stderr).toBe(code);
      const validated = await runCli(['validate', await configFile(text)], { env: SECRET });
      expect(validated.code).toBe(code);
    },
    60_000,
  );

  it('a file that is not there, an unknown flag, an unknown command', async () => {
    const missing = await runCli(['run', 'nowhere.yaml']);
    expect([missing.code, missing.stderr.includes('no such file')]).toEqual([2, true]);
    const flag = await runCli(['run', '--generatons', '3']);
    expect([flag.code, flag.stderr.includes('--generations')]).toEqual([2, true]);
    const command = await runCli(['rnu']);
    expect([command.code, command.stderr.includes('run')]).toEqual([2, true]);
    const number = await runCli(['run', '--generations', 'many']);
    expect([number.code, number.stderr.includes('whole number')]).toEqual([2, true]);
  }, 60_000);

  it('an unwritable results folder', async () => {
    const dir = await newFolder();
    await writeFile(join(dir, 'file'), '');
    const finished = await runCli(['run', '--out', join(dir, 'file', 'results')]);
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('--out');
    // Node's recursive mkdir never returns from there.
    const proc = await runCli(['run', '--out', '/proc/hivemark/results']);
    expect([proc.code, proc.stderr.includes('--out')]).toEqual([1, true]);
  }, 60_000);

  it('resume of a folder that is no run', async () => {
    const finished = await runCli(['resume', await newFolder()]);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toContain('no run and no experiment');
  });
});

describe('a run in trouble stays whole', () => {
  it('a corrupt log is refused by record, and nothing is written to it', async () => {
    const out = await newFolder();
    const config = await configFile(`name: x\ntask: sine_approx\ngenerations: 2\n${agents()}`);
    expect((await runCli(['run', config, '--out', out], { env: SECRET })).code).toBe(0);
    const dir = join(out, 'x', 'a+b-s42-paired');
    const run = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as object;
    await writeFile(join(dir, 'run.json'), JSON.stringify({ ...run, status: 'running' }));
    tamper(dir, (db) => db.exec(`UPDATE log SET body = replace(body, '0', '1') WHERE seq = 7`));
    const resumed = await runCli(['resume', join(out, 'x')], { env: SECRET });
    expect(resumed.code).toBe(1);
    expect(resumed.stderr).toContain('record 7');
    const verified = await runCli(['verify', dir, '--json']);
    expect(verified.code).toBe(1);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: false, firstBad: { seq: 7 } });
  }, 60_000);

  it('a log with its tail cut before the last anchor is not gone on from', async () => {
    const out = await newFolder();
    const config = await configFile(`name: x\ntask: sine_approx\ngenerations: 2\n${agents()}`);
    expect((await runCli(['run', config, '--out', out], { env: SECRET })).code).toBe(0);
    const dir = join(out, 'x', 'a+b-s42-paired');
    const run = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as object;
    await writeFile(join(dir, 'run.json'), JSON.stringify({ ...run, status: 'running' }));
    const table = await readFile(join(dir, 'trace', 'calls.jsonl'), 'utf8');
    tamper(dir, (db) => db.exec('DELETE FROM log WHERE seq > 20'));
    const resumed = await runCli(['resume', dir], { env: SECRET });
    expect(resumed.code).toBe(1);
    expect(resumed.stderr).toContain('record 21');
    expect(await readFile(join(dir, 'trace', 'calls.jsonl'), 'utf8')).toBe(table);
    expect(JSON.parse((await runCli(['verify', dir, '--json'])).stdout)).toMatchObject({
      ok: false,
      firstBad: { seq: 21 },
    });
  }, 60_000);

  it('a record added after a finished run is found, however well it is chained', async () => {
    const out = await newFolder();
    const config = await configFile(`name: x\ntask: sine_approx\ngenerations: 1\n${agents()}`);
    expect((await runCli(['run', config, '--out', out], { env: SECRET })).code).toBe(0);
    const dir = join(out, 'x', 'a+b-s42-paired');
    const log = await openSqliteLog(join(dir, 'marks.db'));
    const { seq } = log.head();
    await log.append(seq, [{ key: 'late', body: { type: 'row', table: 'late', row: null } }]);
    await log.close();
    const verified = await runCli(['verify', dir, '--json']);
    expect(verified.code).toBe(1);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: false, firstBad: { seq: seq + 1 } });
  }, 60_000);

  it('a reader of the progress that goes away does not end the run', async () => {
    const out = await newFolder();
    const config = await configFile(`name: x\ntask: sine_approx\ngenerations: 1\n${agents()}`);
    const finished = await runCli(['run', config, '--out', out, '--json'], { env: SECRET, closeStderr: true });
    expect(finished.code).toBe(0);
    expect(JSON.parse(finished.stdout)).toMatchObject({ runs: [{ status: 'done' }] });
  }, 60_000);

  it('a second process is refused while a run is open', async () => {
    const out = await newFolder();
    const config = await configFile(`name: x\ntask: prism_placement\ngenerations: 3\n${agents()}`);
    let second: Promise<{ code: number | null; stderr: string }> | undefined;
    const first = await runCli(['run', config, '--out', out], {
      env: SECRET,
      onStderr: (text, kill) => {
        if (second !== undefined || !/round 1\/3/.test(text)) return;
        // It stands still with its run open until the second has come to its end, however slow that is.
        kill('SIGSTOP');
        second = runCli(['resume', join(out, 'x')], { env: SECRET }).finally(() => kill('SIGCONT'));
      },
    });
    expect(first.code, first.stderr).toBe(0);
    const refused = await second;
    expect(refused?.code).toBe(1);
    expect(refused?.stderr).toMatch(/another process|in use|locked/u);
  }, 60_000);

  it("a task whose evaluator throws stops the run, resumable, with the task's name", async () => {
    const dir = await newFolder();
    await mkdir(join(dir, 'broken', 'agent'), { recursive: true });
    await writeFile(join(dir, 'broken', 'agent', 'task_agent.ts'), 'export function forward() { return 1; }\n');
    await writeFile(
      join(dir, 'broken', 'task.ts'),
      `export const task = {
        name: 'broken', title: 'x', statement: 'x', seedScore: 0, stage: { cases: 1, threshold: 0 }, limits: {},
        cases: () => [{ seed: 1, next: (step) => (step === 0 ? {} : undefined), judge: () => { throw new Error('judge broke'); } }],
        score: () => ({ valid: true, score: 1, metrics: {}, feedback: '' }),
      };\n`,
    );
    const config = join(dir, 'x.yaml');
    await writeFile(config, `name: x\ntask: ./broken\ngenerations: 2\n${agents()}`);
    const out = join(dir, 'out');
    const finished = await runCli(['run', config, '--out', out, '--json'], { env: SECRET });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('broken');
    const document = JSON.parse(finished.stdout) as { runs: RunSummary[] };
    expect(document.runs[0]?.status).toMatch(/^stopped: .*broken/u);
    expect((await runCli(['verify', join(out, 'x', 'a+b-s42-paired')])).code).toBe(0);
  }, 60_000);

  it('a budget is a hard stop with exit code 3, and resumable', async () => {
    const out = await newFolder();
    const config = await configFile(`name: x\ntask: sine_approx\ngenerations: 4\nbudget: { calls: 9 }\n${agents()}`);
    const finished = await runCli(['run', config, '--out', out, '--json'], { env: SECRET });
    expect(finished.code, finished.stderr).toBe(3);
    expect((JSON.parse(finished.stdout) as { runs: RunSummary[] }).runs[0]?.status).toMatch(
      /^stopped: budget of 9 calls/u,
    );
    const calls = (await readRecords(join(out, 'x', 'a+b-s42-paired'))).filter(
      ({ body }) => body.type === 'row' && body.table === 'calls',
    );
    // One call of the other agent may be under way when the limit is reached.
    expect(calls.length).toBeGreaterThanOrEqual(9);
    expect(calls.length).toBeLessThanOrEqual(10);
    expect((await runCli(['resume', join(out, 'x')], { env: SECRET })).code).toBe(3);
  }, 60_000);

  it('a vandal harms nobody but itself', async () => {
    const out = await newFolder();
    const config = await configFile(
      `name: x\ntask: sine_approx\ngenerations: 12\n${agents('scripted/vandal', 'scripted/planner')}`,
    );
    const finished = await runCli(['run', config, '--out', out, '--json'], { env: SECRET });
    expect(finished.code, finished.stderr).toBe(0);
    const [pair] = (JSON.parse(finished.stdout) as { runs: RunSummary[] }).runs;
    const [vandal, planner] = pair?.agents ?? [];
    expect(vandal?.generations).toBe(12);
    expect(vandal?.denials).toBeGreaterThan(5);
    expect(vandal?.invalid).toBeGreaterThan(2);
    expect(planner?.denials).toBe(0);
    expect(planner?.best.validation).toBeGreaterThan(0.5);
    const dir = join(out, 'x', 'a+b-s42-paired');
    const marks = await comparableMarks(dir);
    expect(marks['a']?.every((mark) => mark.scope === 'agents/a')).toBe(true);
    const codes = new Set(
      (await readRecords(dir)).flatMap(({ body }) => {
        if (body.type !== 'decision') return [];
        const { denial } = body.decision as { denial?: { code: string } };
        return denial === undefined ? [] : [denial.code];
      }),
    );
    for (const code of ['required-file', 'syntax', 'not-editable']) expect(codes, code).toContain(code);
    expect((await runCli(['verify', dir])).code).toBe(0);
  }, 180_000);
});
