import { closeSync, openSync, readFileSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, MemoryRemote, mirrorOf, type TestMirror, until } from './test-mirror-remote.ts';

const space = (): MemoryRemote =>
  new MemoryRemote({ 'task_agent.ts': 'first\n', 'report.md': 'r\n' }, ['task_agent.ts', 'new.ts']);

/** Does something at the very moment of one call of the remote, once. */
function during(remote: MemoryRemote, call: 'read' | 'put', act: () => void): () => boolean {
  let fired = false;
  const strike = (): void => {
    if (fired) return;
    fired = true;
    act();
  };
  const read = remote.read.bind(remote);
  const put = remote.put.bind(remote);
  if (call === 'read')
    remote.read = async (path) => {
      const text = await read(path);
      strike();
      return text;
    };
  else
    remote.put = async (path, text, expected) => {
      const answer = await put(path, text, expected);
      strike();
      return answer;
    };
  return () => fired;
}

const texts = ({ dir }: TestMirror): readonly string[] => [...filesBelow(dir).values()];

describe('a save at the very moment', () => {
  test('that a file is replaced from the space: both versions are kept', async () => {
    const remote = space();
    const one = await mirrorOf(remote);
    const fired = during(remote, 'read', () => writeFileSync(join(one.dir, 'task_agent.ts'), 'mine\n'));
    remote.write('task_agent.ts', 'theirs\n');
    await until(() => one.notices.some((notice) => notice.kind === 'conflict'));
    await one.mirror.settled();
    expect(fired()).toBe(true);
    expect(readFileSync(join(one.dir, 'task_agent.ts'), 'utf8')).toBe('theirs\n');
    expect(texts(one)).toContain('mine\n');
  });

  test('that a file is removed by the space: it is kept', async () => {
    const remote = space();
    const one = await mirrorOf(remote);
    remote.write('task_agent.ts', null);
    writeFileSync(join(one.dir, 'task_agent.ts'), 'mine\n');
    await until(() => one.notices.some((notice) => notice.kind === 'conflict'));
    await one.mirror.settled();
    expect(texts(one)).toContain('mine\n');
    expect(remote.files.has('task_agent.ts')).toBe(false);
  });

  test('that a new file comes from the space: both are kept', async () => {
    const remote = space();
    const one = await mirrorOf(remote);
    const fired = during(remote, 'read', () => writeFileSync(join(one.dir, 'new.ts'), 'mine\n'));
    remote.write('new.ts', 'theirs\n');
    await until(() => one.notices.some((notice) => notice.kind === 'conflict'));
    await one.mirror.settled();
    expect(fired()).toBe(true);
    expect(readFileSync(join(one.dir, 'new.ts'), 'utf8')).toBe('theirs\n');
    expect(texts(one)).toContain('mine\n');
  });

  test('that the one before is refused: the newer one is asked about too, and both are kept', async () => {
    const remote = space();
    const one = await mirrorOf(remote);
    const file = join(one.dir, 'report.md');
    const fired = during(remote, 'put', () => {
      unlinkSync(file);
      writeFileSync(file, 'second try\n');
    });
    unlinkSync(file);
    writeFileSync(file, 'first try\n');
    await until(() => remote.puts.length === 2);
    await one.mirror.settled();
    expect(fired()).toBe(true);
    expect(remote.puts.map(({ text }) => text)).toEqual(['first try\n', 'second try\n']);
    expect(readFileSync(file, 'utf8')).toBe('r\n');
    expect(texts(one)).toContain('second try\n');
  });

  test('that the one before is sent: both get there, in order', async () => {
    const remote = space();
    const one = await mirrorOf(remote);
    const fired = during(remote, 'put', () => writeFileSync(join(one.dir, 'task_agent.ts'), 'second\n'));
    writeFileSync(join(one.dir, 'task_agent.ts'), 'one\n');
    await until(() => remote.files.get('task_agent.ts') === 'second\n');
    await one.mirror.settled();
    expect(fired()).toBe(true);
    expect(remote.puts.map(({ text, code }) => `${text?.trim()} ${code}`)).toEqual(['one ok', 'second ok']);
  });

  test('through a file that was open before it was replaced: what was written into it is kept', async () => {
    const remote = space();
    let open: number | undefined;
    const one = await mirrorOf(remote, {
      limits: { holdMs: 200 },
      onNotice: ({ kind }) => {
        if (kind !== 'received' || open === undefined) return;
        writeSync(open, 'written late\n', 0);
        closeSync(open);
        open = undefined;
      },
    });
    open = openSync(join(one.dir, 'task_agent.ts'), 'r+');
    remote.write('task_agent.ts', 'theirs\n');
    await until(() => one.notices.some((notice) => notice.kind === 'conflict'));
    await one.mirror.settled();
    expect(texts(one)).toContain('written late\n');
    expect(remote.files.get('task_agent.ts')).toBe('theirs\n');
  });

  test('that the person writes into the note: what was written is set aside', async () => {
    const remote = space();
    const one = await mirrorOf(remote);
    writeFileSync(join(one.dir, 'HIVEMARK.md'), 'my notes\n');
    await until(() => readFileSync(join(one.dir, 'HIVEMARK.md'), 'utf8').startsWith('#'));
    expect(texts(one)).toContain('my notes\n');
    expect(remote.puts).toEqual([]);
  });
});

test('an edit is in the space within 150 ms, as editors save', async () => {
  const remote = space();
  const { dir } = await mirrorOf(remote);
  const file = join(dir, 'task_agent.ts');
  const took: number[] = [];
  for (let n = 0; n < 30; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const text = `version ${n}\n`.repeat(200);
    const start = performance.now();
    if (n % 2 === 0) writeFileSync(file, text);
    else {
      writeFileSync(`${file}.tmp`, text);
      unlinkSync(file);
      writeFileSync(file, text);
    }
    await until(() => remote.files.get('task_agent.ts') === text);
    took.push(performance.now() - start);
  }
  took.sort((a, b) => a - b);
  if (process.env['HIVEMARK_SHOW'] !== undefined) console.log(took.map((ms) => Math.round(ms)).join(' '));
  expect(took[15]).toBeLessThan(150);
});
