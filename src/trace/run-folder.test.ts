import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  parseRunStatus,
  type RunFile,
  readRunFile,
  readSchemaVersion,
  readSummary,
  type SummaryFile,
  stoppedStatus,
  writeRunFile,
  writeSummary,
} from './run-folder.ts';
import { makeTestFolder } from './test-folder.ts';

const RUN: RunFile = {
  schemaVersion: 1,
  id: 'demo/a+b-s42-paired',
  experiment: 'demo',
  task: 'sine_approx',
  seed: 42,
  arm: 'paired',
  agents: [{ name: 'a', model: 'scripted/one', scripted: true }],
  generations: 12,
  config: { generations: 12 },
  versions: { hivemark: '0.1.0', node: '24.21.0' },
  priceTable: {},
  machine: { platform: 'linux', cpus: 2 },
  secretFingerprint: 'abcd',
  status: 'running',
  anchors: [{ seq: 9, hash: 'f'.repeat(64), round: 1 }],
  startedAt: 1,
};

const SUMMARY: SummaryFile = {
  schemaVersion: 1,
  dir: 'a+b-s42-paired',
  task: 'sine_approx',
  seed: 42,
  arm: 'paired',
  status: 'done',
  agents: [
    {
      name: 'a',
      model: 'scripted/one',
      scripted: true,
      generations: 12,
      invalid: 1,
      best: { generation: 7, train: 0.8, validation: 0.7, test: null },
      adoptions: 1,
      denials: 2,
      tokens: 1234,
      usd: 0,
    },
  ],
  adoptions: [
    {
      agent: 'a',
      generation: 5,
      peer: 'b',
      peerGeneration: 4,
      evidence: { level: 'read', exposures: ['e'], reads: ['r'] },
      reuse: 0.6,
      share: null,
      before: 0.3,
      after: 0.7,
    },
  ],
};

describe('run.json and summary.json', () => {
  it('come back as they were written, and leave no other file', async () => {
    const folder = await makeTestFolder();
    await writeRunFile(folder, RUN);
    await writeRunFile(folder, { ...RUN, status: 'done', endedAt: 2 });
    await writeSummary(folder, SUMMARY);
    expect(await readRunFile(folder)).toEqual({ ...RUN, status: 'done', endedAt: 2 });
    expect(await readSummary(folder)).toEqual(SUMMARY);
    expect(await readSchemaVersion(folder)).toBe(1);
    expect((await readdir(folder)).sort()).toEqual(['run.json', 'summary.json']);
  });

  it('say which file and which field is wrong', async () => {
    const folder = await makeTestFolder();
    await expect(readRunFile(folder)).rejects.toMatchObject({
      name: 'RunFolderError',
      code: 'missing',
      file: 'run.json',
    });
    expect(await readSchemaVersion(folder)).toBeUndefined();
    await writeFile(join(folder, 'run.json'), '{"schemaVersion": 1,');
    await expect(readRunFile(folder)).rejects.toThrow('cannot read run.json: not JSON');
    await writeFile(join(folder, 'run.json'), JSON.stringify({ ...RUN, anchors: [{ seq: -1, hash: '', round: 0 }] }));
    await expect(readRunFile(folder)).rejects.toThrow(/run\.json: anchors\.0\.seq: /);
    await writeFile(join(folder, 'run.json'), JSON.stringify({ ...RUN, status: 'paused' }));
    await expect(readRunFile(folder)).rejects.toThrow(/status: not one of "running", "done", "stopped: <why>"/);
  });

  it('are not written when malformed: the old file stays', async () => {
    const folder = await makeTestFolder();
    await writeRunFile(folder, RUN);
    const before = await readFile(join(folder, 'run.json'), 'utf8');
    await expect(writeRunFile(folder, { ...RUN, seed: Number.NaN })).rejects.toMatchObject({ code: 'malformed' });
    expect(await readFile(join(folder, 'run.json'), 'utf8')).toBe(before);
  });

  it('keep fields of a later version when they are written back', async () => {
    const folder = await makeTestFolder();
    await writeFile(join(folder, 'run.json'), JSON.stringify({ ...RUN, mood: 'sunny' }));
    await writeRunFile(folder, { ...(await readRunFile(folder)), status: 'done' });
    expect(await readRunFile(folder)).toMatchObject({ mood: 'sunny', status: 'done' });
  });
});

describe('a run status', () => {
  it('is taken apart', () => {
    expect(parseRunStatus('running')).toEqual({ state: 'running' });
    expect(parseRunStatus('done')).toEqual({ state: 'done' });
    expect(parseRunStatus(stoppedStatus('budget: usd 5.01 of 5'))).toEqual({
      state: 'stopped',
      why: 'budget: usd 5.01 of 5',
    });
  });

  it('keeps its reason on one line', () => {
    expect(stoppedStatus('disk\n full ')).toBe('stopped: disk full');
  });
});
