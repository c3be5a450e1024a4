import { afterAll, describe, expect, it } from 'vitest';
import { createSandbox } from './create-sandbox.ts';
import type { ShellJob, ShellResult } from './sandbox.ts';

const sandbox = createSandbox({ poolSize: 0 });
afterAll(() => sandbox.close());

const FILES = {
  '/agents/a/task_agent.ts': 'export const forward = () => 1;\n// café €\n',
  '/agents/a/notes.md': 'one\ntwo\n',
  '/strategies/b_gen1/task_agent.ts': 'export const forward = () => 2;\n',
  '/strategies/b_gen1/metadata.json': '{}',
};
const shell = (command: string, rest: Partial<ShellJob> = {}): Promise<ShellResult> =>
  sandbox.shell({ command, files: FILES, cwd: '/agents/a', ...rest });

describe('shell()', () => {
  it('runs a command over the files and gives text as it is', async () => {
    const result = await shell('cat task_agent.ts | tail -1; pwd; nosuch');
    expect(result).toMatchObject({ status: 'done', exitCode: 127, stdout: '// café €\n/agents/a\n', changed: {} });
    expect(result.stderr).toContain('nosuch: command not found');
  });

  it('proposes what changed: new, edited, removed and moved files, and only those', async () => {
    const { changed } = await shell(
      "sed -i 's/1/11/' task_agent.ts; echo three >> notes.md; mkdir lib; echo x > lib/new.ts; rm ../../strategies/b_gen1/metadata.json; touch task_agent.ts; mv ../../strategies/b_gen1/task_agent.ts peer.ts",
    );
    expect(changed).toEqual({
      '/agents/a/task_agent.ts': 'export const forward = () => 11;\n// café €\n',
      '/agents/a/notes.md': 'one\ntwo\nthree\n',
      '/agents/a/lib/new.ts': 'x\n',
      '/agents/a/peer.ts': 'export const forward = () => 2;\n',
      '/strategies/b_gen1/task_agent.ts': null,
      '/strategies/b_gen1/metadata.json': null,
    });
  });

  it('a file written back with the same text is not a change', async () => {
    expect((await shell('cat notes.md > t; cat t > notes.md; rm t')).changed).toEqual({});
  });

  it.each([
    ['cat', 'cat /strategies/b_gen1/task_agent.ts', ['/strategies/b_gen1/task_agent.ts']],
    ['a redirection', 'wc -l < ../../strategies/b_gen1/task_agent.ts', ['/strategies/b_gen1/task_agent.ts']],
    [
      'a search',
      'grep -rl forward /strategies',
      ['/strategies/b_gen1/metadata.json', '/strategies/b_gen1/task_agent.ts'],
    ],
    ['a copy', 'cp /strategies/b_gen1/task_agent.ts mine.ts', ['/strategies/b_gen1/task_agent.ts']],
    [
      'a copied folder',
      'cp -r /strategies/b_gen1 mine',
      ['/strategies/b_gen1/metadata.json', '/strategies/b_gen1/task_agent.ts'],
    ],
    ['a moved file', 'mv /strategies/b_gen1/task_agent.ts mine.ts; cat mine.ts', ['/strategies/b_gen1/task_agent.ts']],
    ['listing only', 'ls -la /strategies/b_gen1; find / -name "*.ts"; stat notes.md; test -s notes.md', []],
    ['writing only', 'echo x > notes.md', []],
  ])('notes what %s opened', async (_, command, reads) => {
    expect((await shell(command)).reads).toEqual(reads);
  });

  it('has a frozen clock, a seeded $RANDOM, an environment and a host of its own', async () => {
    const [first, second] = [
      await shell('date -u +%FT%TZ; echo $RANDOM $RANDOM; env | sort; hostname'),
      await shell('date -u +%FT%TZ; echo $RANDOM $RANDOM; env | sort; hostname'),
    ];
    expect(first.stdout).toBe(second.stdout);
    expect(first.stdout).toMatch(/^2026-01-01T00:00:00Z\n/);
  });

  it('shows bytes that are not UTF-8 as changed, with replacement characters', async () => {
    const { changed } = await shell('echo aGn/Pv8= | base64 -d > raw.bin');
    expect(changed['/agents/a/raw.bin']).toBe('hi\uFFFD>\uFFFD');
  });

  it('gives up output over its cap, and changes over theirs', async () => {
    const loud = await shell('echo x > n.ts; cat notes.md notes.md', { limits: { outputBytes: 10 } });
    expect(loud).toMatchObject({ status: 'output-limit', stdout: 'one\ntwo\non', changed: {} });
    const wide = await shell("printf '%5000d' 1 > big.txt", { limits: { changedBytes: 4_000 } });
    expect(wide).toMatchObject({ status: 'output-limit', changed: {}, exitCode: 1 });
    expect(wide.stderr).toContain('5000 bytes');
  });

  it('carries large trees both ways', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`/agents/a/f${i}.ts`, `${'é'.repeat(5_000)}${i}`]),
    );
    const result = await shell('for f in f1*.ts; do echo more >> $f; done', { files });
    expect(result.status).toBe('done');
    expect(Object.keys(result.changed)).toHaveLength(111);
    expect(result.changed['/agents/a/f1.ts']).toBe(`${'é'.repeat(5_000)}1more\n`);
  });

  it('rejects with the reason of its signal', async () => {
    const controller = new AbortController();
    const running = shell('sleep 20', { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await expect(running).rejects.toThrow('enough');
  });
});
