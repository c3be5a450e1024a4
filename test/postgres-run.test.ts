import { readFile, readdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTestPostgres, TEST_PASSWORD } from '../src/space/test-postgres.ts';
import { newFolder, runCli } from './run-cli.ts';

const config = (space: string): string => `
name: shared
task: sine_approx
agents:
  - { name: planner, model: scripted/planner }
generations: 2
seeds: [7]
arms: [solo]
${space === '' ? '' : `space: ${JSON.stringify(space)}`}
`;
const RUN = 'planner-s7-solo';
const server = await startTestPostgres();

describe.skipIf(server === undefined)('a run whose space is in PostgreSQL', () => {
  const url = server?.url() ?? '';

  it.each([
    ['named by the config', url, {}],
    ['named by HIVEMARK_DATABASE_URL', '', { HIVEMARK_DATABASE_URL: url }],
  ])(
    '%s leaves its tables in the folder, its log in the database, its password nowhere',
    async (_, space, env) => {
      const out = await newFolder();
      const file = join(out, 'shared.yaml');
      await writeFile(file, config(space));
      const run = await runCli(['run', file, '--out', out, '--json'], { env: { HIVEMARK_SECRET: 's', ...env } });
      expect(run.code, run.stderr).toBe(0);
      const dir = join(out, 'shared', RUN);
      expect(existsSync(join(dir, 'marks.db'))).toBe(false);
      const kept = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as { space: string };
      expect(new URL(kept.space).searchParams.get('space')).toMatch(/^shared\/planner-s7-solo\/[0-9a-f]{12}$/);
      const secrets = [TEST_PASSWORD, encodeURIComponent(TEST_PASSWORD)];
      for (const name of await readdir(join(out, 'shared'), { recursive: true, withFileTypes: true })) {
        if (!name.isFile()) continue;
        const text = await readFile(join(name.parentPath, name.name), 'utf8');
        for (const secret of secrets) expect(text.includes(secret), name.name).toBe(false);
      }
      const known = { HIVEMARK_DATABASE_URL: url, HIVEMARK_SECRET: 's' };
      const verified = await runCli(['verify', dir, '--json'], { env: known });
      expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true });
      const again = await runCli(['resume', join(out, 'shared'), '--json'], { env: known });
      expect(again.code, again.stderr).toBe(0);
      const stranger = await runCli(['verify', dir, '--json'], { env: {} });
      expect(JSON.parse(stranger.stdout)).toMatchObject({ ok: false });
      expect(stranger.stdout).not.toContain(TEST_PASSWORD);
    },
    120_000,
  );

  it('goes on after kill -9 where it was, in the database', async () => {
    const out = await newFolder();
    const file = join(out, 'shared.yaml');
    await writeFile(file, config(url));
    const env = { HIVEMARK_SECRET: 's', HIVEMARK_DATABASE_URL: url };
    let killed = false;
    await runCli(['run', file, '--out', out, '--json'], {
      env,
      onStderr: (text, kill) => {
        if (killed || !/round 1\/2/.test(text)) return;
        killed = true;
        kill('SIGKILL');
      },
    });
    expect(killed).toBe(true);
    const resumed = await runCli(['resume', join(out, 'shared'), '--json'], { env });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect((await runCli(['verify', join(out, 'shared', RUN)], { env })).code).toBe(0);
  }, 120_000);

  it('that cannot be reached says so, without the password, and leaves no folder', async () => {
    const out = await newFolder();
    const file = join(out, 'shared.yaml');
    await writeFile(file, config('postgres://someone:hunter2@127.0.0.1:1/nowhere'));
    const run = await runCli(['run', file, '--out', join(out, 'r'), '--json'], { env: { HIVEMARK_SECRET: 's' } });
    expect(run.code).not.toBe(0);
    expect(run.stderr).toContain('127.0.0.1:1');
    expect(`${run.stdout}${run.stderr}`).not.toContain('hunter2');
  }, 120_000);
});
