import { mkdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadTraces } from './load-traces.ts';
import { generation, ids, only, scored, tree } from './test-loading.ts';
import { hyperspaceAgent, openEvolveProgram } from './test-sources.ts';

describe('what is no trace', () => {
  test('an empty folder, a folder of something else and a path that is not there are named, the rest is read', async () => {
    const root = await tree({
      'notes/a.txt': 'x',
      'good/programs.jsonl': `${JSON.stringify(openEvolveProgram(0, 0, null))}\n`,
    });
    await mkdir(join(root, 'empty'));
    const [empty, notes, nowhere] = ['empty', 'notes', 'nowhere'].map((name) => join(root, name));
    const traces = await loadTraces([empty ?? '', notes ?? '', nowhere ?? '', join(root, 'good')]);
    expect(ids(traces)).toEqual(['good']);
    expect(traces.skipped).toEqual([
      { path: empty, what: 'path', why: 'no run of a known format in it' },
      { path: notes, what: 'path', why: 'no run of a known format in it' },
      { path: nowhere, what: 'path', why: 'no such file or folder' },
    ]);
  });

  test('links that leave the folder are not followed, and circles do not matter', async () => {
    const secret = await tree({
      'secret.py': 'SECRET = 1\n',
      'run/programs.jsonl': `${JSON.stringify(openEvolveProgram(0, 0, null))}\n`,
    });
    const root = await tree(
      hyperspaceAgent('a_vs_b/seed1/a', 'a', 1, [
        { code: 'x = 1\n', metadata: scored(0.5, 0.5) },
        { metadata: scored(0.5, 0.5) },
      ]),
    );
    await mkdir(join(root, 'a_vs_b/seed1/a/gen_1/repo'));
    await symlink(join(secret, 'secret.py'), join(root, 'a_vs_b/seed1/a/gen_1/repo/task_agent.py'));
    await symlink('../../gen_0/repo/task_agent.py', join(root, 'a_vs_b/seed1/a/gen_1/repo/meta_agent.py'));
    await symlink(join(secret, 'run'), join(root, 'elsewhere'));
    await symlink('.', join(root, 'circle'));
    const traces = await loadTraces([root]);
    const run = only(traces);
    expect(JSON.stringify(run)).not.toContain('SECRET');
    expect(generation(run, 'a/1').files).toEqual({ 'meta_agent.py': 'x = 1\n' });
    expect(traces.skipped.filter(({ why }) => why.includes('leaves the folder')).map(({ path }) => path)).toEqual(
      expect.arrayContaining(['elsewhere', 'a_vs_b/seed1/a/gen_1/repo/task_agent.py']),
    );
  });

  test('a run that is only a Git LFS pointer is an absent trace', async () => {
    const root = await tree({
      'x/programs.jsonl': 'version https://git-lfs.github.com/spec/v1\noid sha256:a3\nsize 9\n',
    });
    const traces = await loadTraces([root]);
    expect(traces.runs).toEqual([]);
    expect(traces.skipped.slice(0, 2)).toEqual([
      { path: 'x/programs.jsonl', what: 'file', why: expect.stringContaining('Git LFS pointer') },
      { path: 'x', what: 'run', why: 'none of its programs could be read' },
    ]);
  });

  test('two given folders with runs of one name keep both apart', async () => {
    const files = { 'r/programs.jsonl': `${JSON.stringify(openEvolveProgram(0, 0, null))}\n` };
    const [one, two] = [await tree(files), await tree(files)];
    const found = ids(await loadTraces([one, two]));
    expect(found).toEqual([`${basename(one)}/r`, `${basename(two)}/r`]);
  });

  test('ids that clash get the fewest folders above that tell them apart', async () => {
    const program = JSON.stringify(openEvolveProgram(0, 0, null));
    const root = await tree({
      'x/res/r/programs.jsonl': program,
      'x/res/q/programs.jsonl': program,
      'y/res/r/programs.jsonl': program,
    });
    const traces = await loadTraces([join(root, 'x/res'), join(root, 'y/res')]);
    expect([...ids(traces)].sort()).toEqual(['q', 'x/res/r', 'y/res/r']);
  });

  test('a folder that is given twice, by itself or within another, is read once and said', async () => {
    const root = await tree({ 'r/programs.jsonl': JSON.stringify(openEvolveProgram(0, 0, null)) });
    const within = join(root, 'r');
    await symlink(root, join(root, 'again'));
    const traces = await loadTraces([root, join(root, 'again'), within]);
    expect(ids(traces)).toEqual(['r']);
    expect(traces.skipped).toEqual([
      { path: join(root, 'again'), what: 'path', why: 'the same as one that was read before' },
      { path: within, what: 'run', why: 'the same as one that was read before' },
    ]);
  });

  test('what is skipped is named by the given path where there are several, and once', async () => {
    const files = { 'r/programs.jsonl': `${JSON.stringify(openEvolveProgram(0, 0, null))}\n{"half` };
    const root = await tree({ 'one/r/programs.jsonl': files['r/programs.jsonl'], 'two/programs.jsonl': '{"half' });
    const { skipped, skippedBy } = await loadTraces(['one', 'two'], { cwd: root });
    expect(skipped.map(({ path }) => path)).toEqual(['one/r/programs.jsonl', 'two/programs.jsonl', 'two', 'two']);
    expect(skippedBy['not JSON (half-written or damaged)']).toBe(2);
    expect((await loadTraces([join(root, 'two')])).skipped.map(({ path }) => path)).toEqual([
      'programs.jsonl',
      '.',
      join(root, 'two'),
    ]);
  });

  test('a run in a folder of another run is found', async () => {
    const program = JSON.stringify(openEvolveProgram(0, 0, null));
    const root = await tree({
      'outer/programs.jsonl': program,
      'outer/blobs/x/programs.jsonl': program,
      'outer/inner/deep/programs.jsonl': program,
      ...hyperspaceAgent('pair/a', 'a', 1, [{ code: 'x = 1\n', metadata: scored(0.5, 0.5) }]),
      ...hyperspaceAgent('pair/b', 'b', 1, [{ code: 'x = 2\n', metadata: scored(0.5, 0.5) }]),
      'pair/search/programs.jsonl': program,
    });
    expect([...ids(await loadTraces([root]))].sort()).toEqual(['outer', 'outer/inner/deep', 'pair', 'pair/search']);
  });

  test('an aborted signal stops', async () => {
    const root = await tree({});
    await expect(loadTraces([root], { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });
});
