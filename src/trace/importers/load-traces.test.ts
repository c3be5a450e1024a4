import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
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
    expect(found[0]).toBe('r');
    expect(found[1]).toMatch(/^hivemark-trace-.*\/r$/);
    expect(new Set(ids(await loadTraces([one, two, two]))).size).toBe(3);
  });

  test('an aborted signal stops', async () => {
    const root = await tree({});
    await expect(loadTraces([root], { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });
});
