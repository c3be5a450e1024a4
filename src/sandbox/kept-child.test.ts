import { spawn } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { createSandbox } from './create-sandbox.ts';
import { DisposableChild } from './disposable-child.ts';
import { KeptChild } from './kept-child.ts';
import type { Parser } from './sandbox.ts';

const sandbox = createSandbox({ poolSize: 0, shellPoolSize: 0 });
afterAll(() => sandbox.close());

function withParser<T>(use: (parser: Parser) => Promise<T>): Promise<T> {
  const parser = sandbox.openParser();
  return use(parser).finally(() => parser.close());
}

describe('openParser()', () => {
  it.each([
    ['types', 'a.ts', 'export function forward(x: number): number { return x; }'],
    ['a body that would throw, loop or end the process', 'a.js', 'for (;;) throw process.exit(1);'],
    ['an import that leads nowhere', 'a.ts', "import { x } from './gone.ts';\nexport const y = x;"],
    ['a file without forward', 'a.js', 'export const a = 1;'],
    ['an empty file', 'a.ts', ''],
  ])('lets %s pass and runs nothing', (_, path, source) =>
    withParser(async (parser) => expect(await parser.parse(path, source)).toBeUndefined()));

  it.each([
    ['syntax', 'meta_agent.ts', 'const a = 1;\nexport function forward( {', 'meta_agent.ts:2'],
    ['syntax', 'task_agent.js', 'let a = 1;\nlet a = 2;', 'task_agent.js:2'],
    ['syntax', 'lib/x.ts', 'let a = 1;\nlet a = 2;', 'lib/x.ts:2'],
    ['unsupported-typescript', 'meta_agent.ts', 'namespace A { export const b = 1; }', 'meta_agent.ts:1'],
  ])('says %s of %s and where', (code, path, source, where) =>
    withParser(async (parser) => {
      const problem = await parser.parse(path, source);
      expect(problem).toMatchObject({ code });
      expect(problem?.message).toContain(where);
    }));

  it('answers each question with its own answer, also those asked at once', () =>
    withParser(async (parser) => {
      const sources = Array.from({ length: 20 }, (_, i) =>
        i % 3 === 0 ? `const a${i} = ;` : `const a${i}: number = ${i};`,
      );
      const problems = await Promise.all(sources.map((source, i) => parser.parse(`f${i}.ts`, source)));
      expect(problems.map((problem) => problem?.message.slice(0, 6))).toEqual(
        sources.map((_, i) => (i % 3 === 0 ? `f${i}.ts`.padEnd(6, ':') : undefined)),
      );
    }));

  it('refuses what nests too deeply for the stripper, and still lets what is right pass', () =>
    withParser(async (parser) => {
      const deep = `export const a: number = ${'('.repeat(200_000)}1;`;
      for (const n of [1, 2, 3, 4]) {
        expect(await parser.parse('deep.ts', `${deep}${n}`)).toMatchObject({ code: 'syntax' });
        expect(await parser.parse('next.ts', `const a: number = ${n};`)).toBeUndefined();
      }
    }));

  it('rejects with the reason of its signal, under way and while it waits for its turn, and goes on', () =>
    withParser(async (parser) => {
      await parser.parse('warm.ts', 'const a: number = 1;');
      const controller = new AbortController();
      const first = parser.parse('a.ts', 'const a: number = 1;\n'.repeat(20_000), controller.signal);
      const second = parser.parse('b.ts', 'const b: number = 1;', controller.signal);
      setImmediate(() => controller.abort(new Error('enough')));
      await expect(first).rejects.toThrow('enough');
      await expect(second).rejects.toThrow('enough');
      expect(await parser.parse('c.ts', 'const c: number = 1;')).toBeUndefined();
    }));

  it('says so after it was closed', () =>
    withParser(async (parser) => {
      parser.close();
      await expect(parser.parse('a.ts', '')).rejects.toThrow('the parser is closed');
    }));
});

describe('openShell()', () => {
  const FILES = { '/a.txt': 'one\n' };

  it('gives each command the files it is given and nothing that another left', async () => {
    const shell = sandbox.openShell();
    try {
      const first = await shell.run({
        command: 'X=1; cd /tmp; echo two > /b.txt; cat /a.txt; f() { echo f; }',
        files: FILES,
      });
      expect(first).toMatchObject({ stdout: 'one\n', changed: { '/b.txt': 'two\n' }, reads: ['/a.txt'] });
      const second = await shell.run({ command: 'pwd; echo "[$X]"; ls /; f', files: { '/c.txt': '' } });
      expect(second).toMatchObject({ stdout: expect.stringMatching(/^\/\n\[\]\n/u), reads: [], exitCode: 127 });
      expect(second.stdout).toContain('c.txt');
      expect(second.stdout).not.toMatch(/[ab]\.txt/u);
    } finally {
      shell.close();
    }
  });

  it('begins every command with the same luck', async () => {
    const shell = sandbox.openShell();
    try {
      const drawn = [1, 2, 3].map(() => shell.run({ command: 'echo $RANDOM $RANDOM', files: {} }));
      const [first, ...others] = (await Promise.all(drawn)).map(({ stdout }) => stdout);
      expect(first).toMatch(/^\d+ \d+\n$/u);
      expect(others).toEqual([first, first]);
    } finally {
      shell.close();
    }
  });

  it('goes on in another child after a command that was stopped', async () => {
    const shell = sandbox.openShell();
    try {
      const stopped = await shell.run({ command: 'sleep 30', files: FILES, limits: { wallMs: 200 } });
      expect(stopped).toMatchObject({ status: 'timeout', changed: {} });
      expect(await shell.run({ command: 'cat /a.txt', files: FILES })).toMatchObject({
        status: 'done',
        stdout: 'one\n',
      });
    } finally {
      shell.close();
    }
    await expect(shell.run({ command: 'true', files: {} })).rejects.toThrow('the shell session is closed');
  });
});

describe('KeptChild', () => {
  const taken: DisposableChild[] = [];
  const take = async (): Promise<DisposableChild> => {
    const script = "console.log('ready'); process.stdin.resume();";
    const child = new DisposableChild(
      spawn(process.execPath, ['-e', script], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    taken.push(child);
    await child.ready;
    return child;
  };
  const kept = new KeptChild(take, 'it');
  const pid = (child: DisposableChild): Promise<number | undefined> => Promise.resolve(child.pid);

  it('is one child for many uses, another one after one that threw or killed it, none after close', async () => {
    const first = await kept.use(undefined, pid);
    expect(await Promise.all([kept.use(undefined, pid), kept.use(undefined, pid)])).toEqual([first, first]);
    await expect(kept.use(undefined, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    const second = await kept.use(undefined, pid);
    await kept.use(undefined, async (child) => child.kill());
    await kept.use(undefined, pid);
    expect(second).not.toBe(first);
    expect(taken).toHaveLength(3);
    await Promise.all(Array.from({ length: 64 }, () => kept.use(undefined, pid)));
    expect(taken).toHaveLength(4);
    kept.close();
    await expect(kept.use(undefined, pid)).rejects.toThrow('it is closed');
    await Promise.all(taken.map(({ gone }) => gone));
  });
});
