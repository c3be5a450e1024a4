import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { comparableMarks } from './read-marks.ts';
import { newFolder, runCli } from './run-cli.ts';

const CONFIG = `
name: short
task: prism_placement
agents:
  - { name: planner, model: scripted/planner }
  - { name: tuner, model: scripted/tuner }
generations: 4
seeds: [42]
`;
const RUN = 'planner+tuner-s42-paired';

/** Children of sandboxes whose parent is gone, on the whole machine. */
function orphans(): string[] {
  const { stdout } = spawnSync('ps', ['-eo', 'ppid,pid,args'], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => /^\s*1\s.*(isolate|shell)-child/.test(line));
}

describe('a run that was stopped', () => {
  let dir: string;
  let config: string;
  let undisturbed: Awaited<ReturnType<typeof comparableMarks>>;
  let before: readonly string[];

  beforeAll(async () => {
    before = orphans();
    dir = await newFolder();
    config = join(dir, 'short.yaml');
    await writeFile(config, CONFIG);
    const whole = await runCli(['run', config, '--out', join(dir, 'whole'), '--json'], {
      env: { HIVEMARK_SECRET: 's' },
    });
    expect(whole.code, whole.stderr).toBe(0);
    undisturbed = await comparableMarks(join(dir, 'whole', 'short', RUN));
  }, 120_000);

  // The moments: right after the start, in the middle of a round, and between rounds.
  for (const [signal, moment] of [
    ['SIGKILL', /4 generations;/],
    ['SIGKILL', /round 1\/4 {2}planner/],
    ['SIGKILL', /round 3\/4/],
    ['SIGINT', /round 2\/4/],
  ] as const) {
    it(`by ${signal} after ${moment.source} goes on to the same marks as an undisturbed one`, async () => {
      const out = await newFolder();
      let killed = false;
      const cut = await runCli(['run', config, '--out', out, '--json'], {
        env: { HIVEMARK_SECRET: 's' },
        onStderr: (text, kill) => {
          if (!killed && moment.test(text)) {
            killed = true;
            kill(signal);
          }
        },
      });
      expect(killed).toBe(true);
      expect(cut.code).toBe(signal === 'SIGINT' ? 130 : null);
      const resumed = await runCli(['resume', join(out, 'short'), '--json'], { env: { HIVEMARK_SECRET: 's' } });
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(await comparableMarks(join(out, 'short', RUN))).toEqual(undisturbed);
      const verified = await runCli(['verify', join(out, 'short', RUN)]);
      expect(verified.code, verified.stdout).toBe(0);
    }, 120_000);
  }

  it('needs the secret it was started with', async () => {
    const other = await runCli(['resume', join(dir, 'whole', 'short')], { env: { HIVEMARK_SECRET: 'other' } });
    expect(other.code).toBe(1);
    expect(other.stderr).toContain('HIVEMARK_SECRET');
  });

  it('leaves no child processes behind', async () => {
    // What was killed a moment ago, here or by tests beside this one, may not be gone yet.
    const left = (): string[] => orphans().filter((line) => !before.includes(line));
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
  });
});
