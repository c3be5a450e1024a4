import { cp, mkdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeTestFolder } from '../test-folder.ts';
import { loadTraces } from './load-traces.ts';
import { generation, only, scored, stampsOf } from './test-loading.ts';
import { hyperspaceAgent, pythonProgram, shinkaDatabase, writeTree } from './test-sources.ts';

describe('ShinkaEvolve', () => {
  test('is read with what sits in the write-ahead log, and nothing is written beside it', async () => {
    const root = await makeTestFolder();
    const db = await shinkaDatabase(join(root, 'live/programs.sqlite'), 10);
    onTestFinished(() => db.close());
    const copied = await makeTestFolder();
    await cp(join(root, 'live'), join(copied, 'cold'), { recursive: true, filter: (path) => !path.endsWith('-shm') });
    expect((await stat(join(copied, 'cold/programs.sqlite-wal'))).size).toBeGreaterThan(0);
    const before = await stampsOf(copied);
    const run = only(await loadTraces([copied]));
    expect(await stampsOf(copied)).toEqual(before);
    expect(run).toMatchObject({ id: 'cold', format: 'shinkaevolve' });
    expect(run.agents[0]?.generations).toHaveLength(10);
    expect(generation(run, 's3')).toMatchObject({
      generation: 3,
      parents: ['s2'],
      code: pythonProgram(3),
      valid: true,
      scores: { validation: 0.3, public: 0.5, private: 0.25 },
      usd: 0.01,
    });
    expect(generation(run, 's4')).toMatchObject({ valid: false, cause: 'cannot-run' });
  });

  test('without a write-ahead log it is opened as it lies', async () => {
    const root = await makeTestFolder();
    (await shinkaDatabase(join(root, 'evolution_db.sqlite'), 3)).close();
    const before = await stampsOf(root);
    expect(only(await loadTraces([root])).agents[0]?.generations).toHaveLength(3);
    expect(await stampsOf(root)).toEqual(before);
  });

  test('a write-ahead log that is a link out of the folder is not copied', async () => {
    const root = await makeTestFolder();
    const outside = await makeTestFolder();
    const db = await shinkaDatabase(join(outside, 'programs.sqlite'), 10);
    onTestFinished(() => db.close());
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    await cp(join(outside, 'programs.sqlite'), join(root, 'programs.sqlite'));
    db.exec("UPDATE programs SET code = 'SECRET'");
    await symlink(join(outside, 'programs.sqlite-wal'), join(root, 'programs.sqlite-wal'));
    const traces = await loadTraces([root]);
    expect(JSON.stringify(traces.runs)).not.toContain('SECRET');
    expect(generation(only({ ...traces, skipped: [] }), 's3').code).toBe(pythonProgram(3));
    expect(traces.skipped).toContainEqual(
      expect.objectContaining({ path: 'programs.sqlite-wal', why: expect.stringContaining('leaves the folder') }),
    );
  });

  test('a write-ahead log too large to be copied is left out and said, the database is read', async () => {
    const root = await makeTestFolder();
    (await shinkaDatabase(join(root, 'programs.sqlite'), 3)).close();
    const wal = join(root, 'programs.sqlite-wal');
    await writeFile(wal, 'x');
    await truncate(wal, 1024 ** 3 + 1);
    const traces = await loadTraces([root]);
    expect(only(traces).agents[0]?.generations).toHaveLength(3);
    expect(traces.skipped).toEqual([
      { path: 'programs.sqlite-wal', what: 'write-ahead log', why: 'larger than the limit for one file' },
    ]);
  });

  test('a truncated file, a file that is none and a database of something else say so', async () => {
    const root = await makeTestFolder();
    (await shinkaDatabase(join(root, 'cut/programs.sqlite'), 400)).close();
    await truncate(join(root, 'cut/programs.sqlite'), 20_000);
    await writeTree(root, { 'none/programs.sqlite': 'hello', 'both/cache.db': 'x' });
    await writeTree(
      join(root, 'both'),
      hyperspaceAgent('a', 'a', 1, [{ code: 'x = 1\n', metadata: scored(0.5, 0.5) }]),
    );
    await mkdir(join(root, 'other'));
    (await shinkaDatabase(join(root, 'other/cache.db'), 0)).exec('DROP TABLE programs');
    const { runs, skipped } = await loadTraces([root]);
    const saved = runs.find(({ id }) => id === 'cut')?.agents[0]?.generations ?? [];
    expect(saved.length).toBeGreaterThan(10);
    expect(saved.length).toBeLessThan(400);
    expect(saved[3]).toMatchObject({ id: 's3', code: pythonProgram(3), scores: { validation: 0.3 } });
    expect(skipped).toContainEqual(
      expect.objectContaining({ path: 'cut/programs.sqlite', what: 'the rest of the programs' }),
    );
    expect(skipped.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['cut/programs.sqlite', 'none/programs.sqlite']),
    );
    for (const { why } of skipped.filter(({ path }) => path.endsWith('programs.sqlite')))
      expect(why).toBe('a damaged or truncated SQLite file');
    expect(skipped.map(({ path }) => path)).not.toContain('other/cache.db');
  });
});
