import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadTraces } from '../trace/importers/load-traces.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import { writeRunFile } from '../trace/run-folder.ts';
import { TRACE_SCHEMA_VERSION } from '../trace/schema.ts';
import { makeTestFolder } from '../trace/test-folder.ts';
import { ROWS } from '../trace/test-rows.ts';
import { readAdoptionRecords } from './adoption-records.ts';
import { readRunCalls } from './run-calls.ts';

async function runFolder(): Promise<string> {
  const root = await makeTestFolder();
  await mkdir(join(root, 'trace'));
  await writeRunFile(root, {
    schemaVersion: TRACE_SCHEMA_VERSION,
    id: 'r',
    experiment: 'demo',
    task: 't',
    seed: 7,
    arm: 'paired',
    agents: [{ name: 'a', model: 'scripted/a', scripted: true }],
    generations: 2,
    config: {},
    versions: {},
    priceTable: {},
    machine: {},
    secretFingerprint: 'x',
    status: 'done',
    anchors: [],
    startedAt: 1,
  });
  return root;
}

it('a call log whose reading was given up is read again for the next who asks', async () => {
  const root = await runFolder();
  for (const table of ['candidates', 'calls'] as const)
    await writeFile(join(root, `trace/${table}.jsonl`), `${JSON.stringify(ROWS[table])}\n`);
  const { runs } = await loadTraces([root]);
  for (const run of runs) {
    await expect(readRunCalls(run, new SkipLog(), AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect((await readRunCalls(run, new SkipLog())).calls).toHaveLength(1);
  }
  expect(runs).toHaveLength(1);
});

it('a bad line of a run of ours is named once, by one path, whichever reader meets it', async () => {
  const root = await runFolder();
  const bad = '{"half\n';
  await writeFile(join(root, 'trace/candidates.jsonl'), `${JSON.stringify(ROWS.candidates)}\n`);
  for (const table of ['evaluations', 'calls', 'reads', 'adoptions', 'exposures'])
    await writeFile(join(root, `trace/${table}.jsonl`), bad);
  const skips = new SkipLog();
  const { runs } = await loadTraces([root], { skips });
  expect(runs).toHaveLength(1);
  for (const run of runs) {
    await readRunCalls(run, skips);
    await readAdoptionRecords([run], skips);
    await readAdoptionRecords([run], skips);
    const again = new SkipLog();
    await readAdoptionRecords([run], again);
    expect(again.named).toEqual([]);
  }
  const lines = skips.named.filter(({ what }) => what === 'line');
  expect(lines.map(({ path, line }) => `${path}:${line}`).sort()).toEqual(
    ['adoptions', 'calls', 'evaluations', 'exposures', 'reads'].map((table) => `trace/${table}.jsonl:1`),
  );
  expect(skips.counts['not JSON (half-written or damaged)']).toBe(5);
});
