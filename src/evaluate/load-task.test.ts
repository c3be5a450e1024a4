import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listTasks, loadTask, TaskError } from './load-task.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hivemark-task-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const goodTask = `export const task = {
  name: 'own', title: 'Own', statement: 'Do.', seedScore: 0, stage: { cases: 1, threshold: 0 }, limits: {},
  cases: () => [], score: () => ({ valid: false, score: 0, metrics: {}, feedback: '' }),
};`;

async function writeTask(name: string, module: string, file = 'task.ts'): Promise<string> {
  const folder = join(dir, name);
  await mkdir(join(folder, 'agent', 'lib'), { recursive: true });
  await writeFile(join(folder, file), module);
  await writeFile(join(folder, 'agent', 'task_agent.ts'), 'export function forward() {}');
  await writeFile(join(folder, 'agent', 'lib', 'a.ts'), 'export const a = 1;');
  return folder;
}

async function refusal(nameOrPath: string): Promise<TaskError> {
  const thrown: unknown = await loadTask(nameOrPath, { cwd: dir }).catch((error: unknown) => error);
  if (!(thrown instanceof TaskError)) throw new Error(`expected a TaskError, got ${String(thrown)}`);
  return thrown;
}

describe('the tasks of the package', () => {
  test('are listed, and each loads with its initial program', async () => {
    const names = await listTasks();
    expect(names).toEqual(expect.arrayContaining(['circle_packing_26', 'prism_placement', 'sine_approx']));
    for (const name of names) {
      const { task, files } = await loadTask(name);
      expect(task.name).toBe(name);
      expect(files['task_agent.ts']).toContain('export async function forward');
    }
  });

  test('take the shared files they do not bring themselves', async () => {
    const { files } = await loadTask('sine_approx', {
      defaultFiles: { 'meta_agent.ts': '// shared', 'task_agent.ts': '// not used' },
    });
    expect(files['meta_agent.ts']).toBe('// shared');
    expect(files['task_agent.ts']).toContain('approximate');
  });
});

describe('a task of the user', () => {
  test('loads from a folder by path, absolute or relative, as task.ts or task.js', async () => {
    const folder = await writeTask('own', goodTask);
    const { task, files } = await loadTask(folder);
    expect(task.name).toBe('own');
    expect(Object.keys(files).sort()).toEqual(['lib/a.ts', 'task_agent.ts']);
    await writeTask('own-js', goodTask, 'task.js');
    expect((await loadTask('./own-js', { cwd: dir })).task.name).toBe('own');
  });

  test('does not bring files that its agent folder only links to', async () => {
    const folder = await writeTask('own', goodTask);
    await symlink('/etc/hostname', join(folder, 'agent', 'host.ts'));
    expect(Object.keys((await loadTask(folder)).files)).not.toContain('host.ts');
  });
});

describe('loadTask() refuses with a way out:', () => {
  test('an unknown name, naming the nearest known first', async () => {
    const error = await refusal('circle-packing');
    expect(error).toMatchObject({ code: 'task', task: 'circle-packing' });
    expect(error.message).toMatch(/no task "circle-packing".*nearest known: circle_packing_26/);
  });

  test('a folder that is no task', async () => {
    await mkdir(join(dir, 'empty'));
    expect((await refusal('empty')).message).toMatch(/neither task.ts nor task.js/);
  });

  test('a module that does not parse', async () => {
    expect((await refusal(await writeTask('broken', 'export const task = {'))).message).toMatch(/Cannot load task.ts/);
  });

  test('a module without a task', async () => {
    expect((await refusal(await writeTask('none', 'export const other = 1;'))).message).toMatch(/does not export/);
  });

  test('a task of the wrong shape, naming the field', async () => {
    const noScore = await writeTask('no-score', goodTask.replace('score: () =>', 'scorer: () =>'));
    expect((await refusal(noScore)).message).toMatch(/`score`: must be a function/);
    const badLimit = await writeTask('bad-limit', goodTask.replace('limits: {}', 'limits: { computeMS: 5 }'));
    expect((await refusal(badLimit)).message).toMatch(/`limits`: .*computeMS/);
    const badStage = await writeTask('bad-stage', goodTask.replace('cases: 1', 'cases: 0'));
    expect((await refusal(badStage)).message).toMatch(/`stage.cases`/);
  });

  test('a folder without an initial program', async () => {
    const folder = await writeTask('no-agent', goodTask);
    await rm(join(folder, 'agent'), { recursive: true });
    expect((await refusal(folder)).message).toMatch(/needs agent\/task_agent.ts/);
  });
});
