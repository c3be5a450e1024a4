import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Surroundings } from './output.ts';
import { REPORT_FILE, writeRunReports } from './run-report.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hivemark-run-report-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A folder that the importers can read: one agent of a hyperspace tree. */
function leaveRun(): void {
  const generation = join(dir, 'a_vs_b', 'seed1', 'a', 'gen_0');
  mkdirSync(join(generation, 'repo'), { recursive: true });
  writeFileSync(join(generation, 'metadata.json'), JSON.stringify({ generation: 0, val_score: 0.5, train_score: 0.5 }));
  writeFileSync(join(generation, 'repo', 'task_agent.py'), 'def forward():\n    return 1\n');
  writeFileSync(join(dir, 'summary.json'), '{}');
}

function world(signal = new AbortController().signal): { readonly world: Surroundings; readonly told: string[] } {
  const told: string[] = [];
  const output = { out: () => undefined, err: (text: string) => told.push(text), interactive: false, columns: 80 };
  return { world: { output, env: {}, cwd: dir, signal }, told };
}

describe('writeRunReports()', () => {
  it('leaves a report, and makes none again while the run is what it was', async () => {
    leaveRun();
    const { world: surroundings, told } = world();
    const file = join(dir, REPORT_FILE);
    await writeRunReports([dir], surroundings);
    expect(told).toEqual([]);
    expect(readFileSync(file, 'utf8')).toContain('<section id="scores"');
    writeFileSync(file, 'mine');
    await writeRunReports([dir], surroundings);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    const later = new Date(Date.now() + 60_000);
    utimesSync(join(dir, 'summary.json'), later, later);
    await writeRunReports([dir], surroundings);
    expect(readFileSync(file, 'utf8')).toContain('<section id="scores"');
  });

  it('tells what it could not do, with the way out, and throws nothing', async () => {
    const { world: surroundings, told } = world();
    await writeRunReports([join(dir, 'gone')], surroundings);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('has no report.html');
    expect(told[0]).toContain('hivemark analyze all');
    leaveRun();
    mkdirSync(join(dir, REPORT_FILE));
    utimesSync(join(dir, REPORT_FILE), 0, 0);
    await writeRunReports([dir], surroundings);
    expect(told).toHaveLength(2);
  });

  it('does nothing once the user has had enough', async () => {
    leaveRun();
    const { world: surroundings, told } = world(AbortSignal.abort());
    await writeRunReports([dir], surroundings);
    expect(existsSync(join(dir, REPORT_FILE))).toBe(false);
    expect(told).toEqual([]);
  });
});
