import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newFolder, runCli } from './run-cli.ts';

test('a run leaves a report in its folder, and keeps standard output to its document', async () => {
  const out = await newFolder();
  const { code, stdout } = await runCli([
    'run',
    '--models',
    'scripted/tuner',
    '--generations',
    '1',
    '--out',
    out,
    '--json',
  ]);
  expect(code).toBe(0);
  const { runs }: { runs: { dir: string }[] } = JSON.parse(stdout);
  expect(runs.length).toBeGreaterThan(0);
  for (const { dir } of runs) {
    const page = readFileSync(join(dir, 'report.html'), 'utf8');
    expect(page).toContain('<section id="scores"');
    expect(page).toContain('scripted');
  }
}, 120_000);
