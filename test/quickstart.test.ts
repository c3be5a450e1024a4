import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../src/trace/run-folder.ts';
import { TRACE_TABLES } from '../src/trace/schema.ts';
import { decisionIn } from '../src/guard/decided.ts';
import { readRecords } from './read-marks.ts';
import type { Finished } from './run-cli.ts';
import { newFolder, runCli } from './run-cli.ts';

interface Document {
  readonly schemaVersion: number;
  readonly experiment: string;
  readonly wallMs: number;
  readonly runs: readonly RunSummary[];
}

describe('the quickstart', () => {
  let finished: Finished;
  let result: Document;
  let pair: RunSummary;

  beforeAll(async () => {
    finished = await runCli(['run', '--json', '--out', await newFolder()]);
    result = JSON.parse(finished.stdout) as Document;
    const [first] = result.runs;
    if (first === undefined) throw new Error('no runs');
    pair = first;
  }, 180_000);

  it('ends well, with one JSON document on stdout and progress on stderr', () => {
    expect(finished.code, finished.stderr).toBe(0);
    expect(finished.stdout.trim().split('\n')).toHaveLength(1);
    expect(finished.stderr).toContain('planner+tuner-s42-paired');
    expect(Object.keys(result)).toEqual(['schemaVersion', 'experiment', 'wallMs', 'runs']);
  });

  it('runs the pair first, then each agent alone', () => {
    expect(result.runs.map(({ arm, agents }) => `${arm}:${agents.map(({ name }) => name).join('+')}`)).toEqual([
      'paired:planner+tuner',
      'solo:planner',
      'solo:tuner',
    ]);
    expect(result.runs.every(({ status }) => status === 'done')).toBe(true);
  });

  it('has an adoption in each direction that came about by reading the peer and saying so', () => {
    for (const [agent, peer] of [
      ['planner', 'tuner'],
      ['tuner', 'planner'],
    ]) {
      const taken = pair.adoptions.filter((row) => row.agent === agent && row.peer === peer);
      expect(taken.length, `${agent} from ${peer}`).toBeGreaterThan(0);
      expect(taken.some(({ evidence }) => evidence.level === 'stated' && evidence.reads.length > 0)).toBe(true);
    }
  });

  it('pairing beats either persona alone', () => {
    const best = (run: RunSummary): number => Math.max(...run.agents.map((agent) => agent.best.validation ?? 0));
    for (const solo of result.runs.slice(1)) expect(best(pair)).toBeGreaterThan(best(solo) + 0.01);
  });

  it('says that its models are scripted', () => {
    expect(pair.agents.every(({ scripted }) => scripted)).toBe(true);
  });

  it('leaves the whole run folder', async () => {
    for (const file of ['run.json', 'marks.db', 'summary.json'])
      expect(existsSync(join(pair.dir, file)), file).toBe(true);
    for (const table of TRACE_TABLES) expect(existsSync(join(pair.dir, 'trace', `${table}.jsonl`)), table).toBe(true);
    const rows = async (table: string): Promise<Record<string, unknown>[]> =>
      (await readFile(join(pair.dir, 'trace', `${table}.jsonl`), 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(await rows('candidates')).toHaveLength(26);
    expect(await rows('adoptions')).toHaveLength(pair.adoptions.length);
    expect((await rows('exposures')).length).toBeGreaterThan(0);
    expect((await rows('runs')).length).toBe(1);
    expect((await rows('environments')).length).toBe(1);
    const reads = await rows('reads');
    expect(reads.some(({ path }) => String(path).startsWith('strategies/'))).toBe(true);
    for (const call of await rows('calls')) {
      const hash = String(call['replySha256']);
      expect(existsSync(join(pair.dir, 'trace', 'blobs', hash.slice(0, 2), hash))).toBe(true);
    }
  });

  it('leaves one decision record per tool call and write, and a log that verifies', async () => {
    const records = await readRecords(pair.dir);
    const decisions = records.filter(({ body }) => decisionIn(body) !== undefined);
    const marks = records.filter(({ body }) => body.type === 'mark');
    expect(decisions.length).toBeGreaterThan(marks.length);
    const verified = await runCli(['verify', pair.dir, '--json']);
    expect(JSON.parse(verified.stdout)).toEqual({ ok: true, records: records.length });
    expect(verified.code).toBe(0);
  }, 60_000);

  it('resume is content with a finished experiment', async () => {
    const again = await runCli(['resume', join(pair.dir, '..'), '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect((JSON.parse(again.stdout) as Document).runs).toEqual(result.runs);
  }, 60_000);
});
