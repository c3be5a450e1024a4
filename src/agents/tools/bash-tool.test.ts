import { describe, expect, test } from 'vitest';
import type { ShellJob } from '../../sandbox/sandbox.ts';
import { answeringShell, benchOf, OWN } from './test-guard.ts';

const run = { command: 'true' };

describe('bash', () => {
  test('gets the whole view and starts in its root', async () => {
    const jobs: ShellJob[] = [];
    const bench = benchOf({
      shell: (job) => {
        jobs.push(job);
        return answeringShell({})(job);
      },
    });
    await bench.call('bash', { command: 'ls' });
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({ command: 'ls', cwd: '/' });
    expect(Object.keys(jobs[0]?.files ?? {})).toEqual([
      '/evals/gen_1/train.json',
      '/meta_agent.ts',
      '/strategies/b_gen1/metadata.json',
      '/strategies/b_gen1/task_agent.ts',
      '/task_agent.ts',
    ]);
  });

  test('says exit code, output and errors; a failing command is no failing tool', async () => {
    const bench = benchOf({ shell: answeringShell({ exitCode: 2, stdout: 'out\n', stderr: 'err\n' }) });
    expect(await bench.call('bash', run)).toMatchObject({
      isError: false,
      text: 'exit code 2\n--- stdout\nout\n\n--- stderr\nerr\n',
    });
  });

  test('asks once to run and once per changed file, deletions first, and keeps what is allowed', async () => {
    const changed = {
      '/task_agent.ts': 'better',
      '/meta_agent.ts': null,
      '/strategies/b_gen1/task_agent.ts': 'mine',
      '/new.ts': 'n',
      '/evals/gen_1/train.json': null,
      '/tmp/x': 'scratch',
      '/ab/task_agent.ts': 'p',
    };
    const bench = benchOf({ shell: answeringShell({ changed }) });
    const answer = await bench.call('bash', run);
    expect(bench.records).toEqual([
      { tool: 'bash', operation: 'run' },
      { tool: 'bash', operation: 'delete', path: 'evals/gen_1/train.json', code: 'not-editable' },
      { tool: 'bash', operation: 'delete', path: 'meta_agent.ts', code: 'required-file' },
      { tool: 'bash', operation: 'write', path: 'ab/task_agent.ts', bytes: 1, code: 'not-editable' },
      { tool: 'bash', operation: 'write', path: 'new.ts', bytes: 1 },
      { tool: 'bash', operation: 'write', path: 'strategies/b_gen1/task_agent.ts', bytes: 4, code: 'not-editable' },
      { tool: 'bash', operation: 'write', path: 'task_agent.ts', bytes: 6 },
    ]);
    expect(answer.isError).toBe(false);
    expect(answer.wrote).toEqual(['new.ts', 'task_agent.ts']);
    expect(
      answer.text
        .split('\n')
        .slice(1)
        .map((line) => line.split(': ').slice(0, 2).join(': ')),
    ).toEqual([
      'not persisted: /evals/gen_1/train.json',
      'not persisted: /meta_agent.ts',
      'not persisted: /ab/task_agent.ts',
      'not persisted: /strategies/b_gen1/task_agent.ts',
    ]);
    expect(bench.workspace.changes().map(({ path, after }) => [path, after])).toEqual([
      ['new.ts', 'n'],
      ['task_agent.ts', 'better'],
    ]);
    expect(bench.textOf('tmp/x')).toBe('scratch');
  });

  test('asks for nothing where a file was written as it was', async () => {
    const bench = benchOf({ shell: answeringShell({ changed: { '/task_agent.ts': OWN['task_agent.ts'] } }) });
    expect(await bench.call('bash', run)).toMatchObject({ wrote: [], text: 'exit code 0' });
    expect(bench.records).toHaveLength(1);
  });

  test('keeps no file whose name is no canonical path', async () => {
    const changed = {
      '/a\nb': 'x',
      '/task_agent.ts.': 'x',
      '/../up': 'x',
      '//task_agent.ts': 'x',
      '/tmp/../new.ts': 'x',
    };
    const bench = benchOf({ shell: answeringShell({ changed }) });
    const answer = await bench.call('bash', run);
    expect(bench.records.slice(1).map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'malformed'));
    expect(answer.text).toContain('not persisted: "/a\\nb": ');
    expect(bench.workspace.changes()).toEqual([]);
  });

  test('keeps none of too many changed files, with one record for all', async () => {
    const changed = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`/f${index}`, 'x']));
    const bench = benchOf({ shell: answeringShell({ changed: { ...changed, '/new.ts': 'n' } }) });
    const answer = await bench.call('bash', run);
    expect(bench.records.map(({ code }) => code)).toEqual([undefined, 'malformed']);
    expect(answer.text).toBe('exit code 0\nnot persisted: all 10001 changed files: at most 100 per command');
    expect(bench.workspace.changes()).toEqual([]);
  });

  test('says what of the scratch space was not kept', async () => {
    const bench = benchOf({ shell: answeringShell({ changed: { '/tmp/big': 'x'.repeat(2 ** 20 + 1) } }) });
    expect((await bench.call('bash', run)).text).toContain('not kept: /tmp/big: it would be too much');
    expect(bench.records).toHaveLength(1);
  });

  test('counts as read what the command opened of the view, with the content before the command', async () => {
    const reads = ['/strategies/b_gen1/task_agent.ts', '/tmp/x', '/made/by/it', '/strategies/b_gen1/task_agent.ts'];
    const bench = benchOf({ shell: answeringShell({ reads }) });
    expect((await bench.call('bash', run)).reads.map(({ path }) => path)).toEqual(['strategies/b_gen1/task_agent.ts']);
    expect(bench.reads).toMatchObject([{ toolCall: 1, tool: 'bash' }]);
  });

  test.each([
    'timeout',
    'memory',
    'crash',
    'output-limit',
  ] as const)('keeps nothing of a command that ended by %s, and says so', async (status) => {
    const bench = benchOf({ shell: answeringShell({ status, changed: { '/new.ts': 'n' } }) });
    const answer = await bench.call('bash', run);
    expect(answer.isError).toBe(true);
    expect(answer.text).toContain('nothing it changed was kept');
    expect(bench.workspace.changes()).toEqual([]);
  });

  test('says that it failed, and no more, when the sandbox breaks', async () => {
    const secret = new Error('spawn /srv/secret ENOENT');
    const bench = benchOf({ shell: () => Promise.reject(secret) });
    const answer = await bench.call('bash', run);
    expect(answer).toMatchObject({ isError: true, reads: [], wrote: [] });
    expect(answer.text).toContain('the bash tool failed');
    expect(answer.text).not.toContain('secret');
    expect(bench.failures).toEqual([secret]);
  });

  test('clips what is long and says by how much', async () => {
    const bench = benchOf({ shell: answeringShell({ stdout: 'o'.repeat(50_000), stderr: 'e'.repeat(50_000) }) });
    const { text } = await bench.call('bash', run);
    expect(text.length).toBeLessThan(30_000);
    expect(text).toContain('o\n[clipped: 26000 more characters]\n--- stderr\n');
    expect(text).toMatch(/e\n\[clipped: 45000 more characters\]$/);
  });
});
