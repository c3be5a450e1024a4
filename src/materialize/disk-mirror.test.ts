import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MIRROR_LIMITS } from './mirror-options.ts';
import { filesBelow, freshFolder, MemoryRemote, mirrorOf, until } from './test-mirror-remote.ts';

const A = 'export const a = 1;\n';
const B = 'export const b = 2;\n';
const REPORT = 'score 0.5\n';
const PEER = 'export const peer = 3;\n';

function space(): MemoryRemote {
  return new MemoryRemote(
    {
      'task_agent.ts': A,
      'meta_agent.ts': B,
      'evals/gen_1/report.md': REPORT,
      'strategies/bob_gen1/task_agent.ts': PEER,
    },
    ['task_agent.ts', 'meta_agent.ts', 'new.ts'],
  );
}

const asides = (dir: string): readonly string[] =>
  [...filesBelow(dir, '.hivemark')].filter(([path]) => path.includes('/set-aside/')).map(([, text]) => text);
const note = (dir: string): string => readFileSync(join(dir, 'HIVEMARK.md'), 'utf8');

describe('a folder', () => {
  test('shows the view, its note and nothing else', async () => {
    const { dir } = await mirrorOf(space());
    const files = filesBelow(dir);
    expect([...files.keys()].filter((path) => !path.startsWith('.hivemark/')).sort()).toEqual([
      'HIVEMARK.md',
      'evals/gen_1/report.md',
      'meta_agent.ts',
      'strategies/bob_gen1/task_agent.ts',
      'task_agent.ts',
    ]);
    expect(files.get('task_agent.ts')).toBe(A);
    expect(statSync(join(dir, 'task_agent.ts')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'evals/gen_1/report.md')).mode & 0o777).toBe(0o400);
    expect(statSync(join(dir, 'evals')).mode & 0o777).toBe(0o700);
    expect(note(dir)).toContain('`task_agent.ts`, `meta_agent.ts`');
  });

  test('sends an edit, and shows a change of the space', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    writeFileSync(join(dir, 'task_agent.ts'), 'edited\n');
    await until(() => remote.files.get('task_agent.ts') === 'edited\n');
    remote.write('strategies/bob_gen2/task_agent.ts', 'better\n');
    remote.write('strategies/bob_gen1/task_agent.ts', null);
    await until(() => readdirSync(join(dir, 'strategies')).join() === 'bob_gen2');
    await mirror.settled();
    expect(remote.puts).toEqual([{ path: 'task_agent.ts', text: 'edited\n', code: 'ok' }]);
  });

  test('sends a file that may come to be, and its deletion', async () => {
    const remote = space();
    const { dir } = await mirrorOf(remote);
    writeFileSync(join(dir, 'new.ts'), 'new\n');
    await until(() => remote.files.get('new.ts') === 'new\n');
    unlinkSync(join(dir, 'new.ts'));
    await until(() => !remote.files.has('new.ts'));
    expect(remote.puts.map(({ path, code }) => `${path} ${code}`)).toEqual(['new.ts ok', 'new.ts ok']);
  });

  test('keeps a byte order mark and CRLF as they are', async () => {
    const remote = space();
    const { dir } = await mirrorOf(remote);
    const text = '\u{FEFF}one\r\ntwo\r\n';
    writeFileSync(join(dir, 'task_agent.ts'), text);
    await until(() => remote.files.get('task_agent.ts') === text);
    remote.write('task_agent.ts', `${text}three\r\n`);
    await until(() => readFileSync(join(dir, 'task_agent.ts'), 'utf8') === `${text}three\r\n`);
    expect(remote.puts.length).toBe(1);
  });
});

describe('an edit where none may be', () => {
  test('is put back, kept aside, on record and in the note', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    chmodSync(join(dir, 'evals/gen_1/report.md'), 0o600);
    writeFileSync(join(dir, 'evals/gen_1/report.md'), 'score 0.99\n');
    await until(() => remote.puts.length === 1);
    await mirror.settled();
    expect(readFileSync(join(dir, 'evals/gen_1/report.md'), 'utf8')).toBe(REPORT);
    expect(remote.puts).toEqual([{ path: 'evals/gen_1/report.md', text: 'score 0.99\n', code: 'not-editable' }]);
    expect(asides(dir)).toEqual(['score 0.99\n']);
    expect(note(dir)).toContain('`evals/gen_1/report.md`: refused');
  });

  test('a new file, a deletion and a rename too', async () => {
    const remote = space();
    // A rename is known for one in five times this.
    const { dir, mirror } = await mirrorOf(remote, { limits: { deleteAfterMs: 1_500 } });
    writeFileSync(join(dir, 'stranger.ts'), 'stranger\n');
    unlinkSync(join(dir, 'evals/gen_1/report.md'));
    renameSync(join(dir, 'task_agent.ts'), join(dir, 'renamed.ts'));
    await until(() => remote.puts.length === 3);
    await mirror.settled();
    expect(remote.puts.map(({ path, text, code }) => `${path} ${text === null} ${code}`).sort()).toEqual([
      'evals/gen_1/report.md true not-editable',
      'renamed.ts false not-editable',
      'stranger.ts false not-editable',
    ]);
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe(A);
    expect(readFileSync(join(dir, 'evals/gen_1/report.md'), 'utf8')).toBe(REPORT);
    expect([...filesBelow(dir).keys()].filter((path) => /^(?:stranger|renamed)/u.test(path))).toEqual([]);
    expect([...asides(dir)].sort()).toEqual([A, 'stranger\n'].sort());
    expect(remote.files.get('task_agent.ts')).toBe(A);
  });

  test('a text that the guard refuses in a file that may be changed stays where it is', async () => {
    const remote = space();
    remote.judge = (_path, text) =>
      text.includes('(((') ? { code: 'syntax', message: 'refused: does not parse' } : undefined;
    const { dir, mirror } = await mirrorOf(remote);
    writeFileSync(join(dir, 'task_agent.ts'), '(((\n');
    await until(() => mirror.unsent().length === 1);
    await mirror.settled();
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe('(((\n');
    expect(remote.puts.length).toBe(1);
    expect(note(dir)).toContain('## Not in the space');
    writeFileSync(join(dir, 'task_agent.ts'), 'fine\n');
    await until(() => remote.files.get('task_agent.ts') === 'fine\n');
    await mirror.settled();
    expect(mirror.unsent()).toEqual([]);
    expect(note(dir)).not.toContain('## Not in the space');
  });

  test('what is no text is not sent: kept in place where it may be changed, set aside elsewhere, on record', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote, { limits: { maxFileBytes: 64 * 1024 } });
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x41]);
    writeFileSync(join(dir, 'task_agent.ts'), bytes);
    writeFileSync(join(dir, 'picture.png'), bytes);
    writeFileSync(join(dir, 'large.txt'), 'x'.repeat(65 * 1024));
    await until(() => remote.refused.length === 3);
    await mirror.settled();
    expect(remote.refused.map(({ path }) => path).sort()).toEqual(['large.txt', 'picture.png', 'task_agent.ts']);
    expect(remote.puts).toEqual([]);
    expect(readFileSync(join(dir, 'task_agent.ts'))).toEqual(bytes);
    expect(remote.files.get('task_agent.ts')).toBe(A);
    expect(asides(dir).length).toBe(2);
  });
});

describe('a conflict', () => {
  test("keeps both: the file has the space's, a copy beside it the person's", async () => {
    const remote = space();
    const { dir, mirror, notices } = await mirrorOf(remote);
    remote.latencyMs = 40;
    remote.write('task_agent.ts', 'theirs\n');
    writeFileSync(join(dir, 'task_agent.ts'), 'mine\n');
    await until(() => notices.some((notice) => notice.kind === 'conflict'));
    await mirror.settled();
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe('theirs\n');
    expect(readFileSync(join(dir, 'task_agent.conflict-1.ts'), 'utf8')).toBe('mine\n');
    expect(remote.files.get('task_agent.ts')).toBe('theirs\n');
    expect(mirror.conflicts()).toEqual(['task_agent.conflict-1.ts']);
    expect(note(dir)).toContain('`task_agent.conflict-1.ts`');
    unlinkSync(join(dir, 'task_agent.conflict-1.ts'));
    await until(() => mirror.conflicts().length === 0);
    await mirror.settled();
    expect(note(dir)).not.toContain('conflict-1');
    expect(remote.puts.filter(({ path }) => path.includes('conflict'))).toEqual([]);
  });

  test('a change there wins over a deletion here; a change here outlives a deletion there', async () => {
    const remote = space();
    const first = await mirrorOf(remote);
    await first.mirror.close();
    unlinkSync(join(first.dir, 'task_agent.ts'));
    remote.write('task_agent.ts', 'theirs\n');
    writeFileSync(join(first.dir, 'meta_agent.ts'), 'mine\n');
    remote.write('meta_agent.ts', null);
    const { dir } = await mirrorOf(remote, { dir: first.dir });
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe('theirs\n');
    expect(readFileSync(join(dir, 'meta_agent.conflict-1.ts'), 'utf8')).toBe('mine\n');
    expect(remote.puts).toEqual([]);
  });
});

describe('how editors save', () => {
  const EMPTY_MS = 60;
  const GONE_MS = 150;
  const edits: Readonly<Record<string, (dir: string, file: string, text: string) => Promise<void>>> = {
    'vim: swap file, 4913, backup by rename, new file, backup gone': async (dir, file, text) => {
      writeFileSync(join(dir, `.${file}.swp`), 'b0VIM');
      writeFileSync(join(dir, '4913'), '');
      unlinkSync(join(dir, '4913'));
      renameSync(join(dir, file), join(dir, `${file}~`));
      writeFileSync(join(dir, file), text);
      unlinkSync(join(dir, `${file}~`));
      unlinkSync(join(dir, `.${file}.swp`));
    },
    'emacs: lock link, auto-save, backup, write': async (dir, file, text) => {
      symlinkSync('ada@host.1234:1', join(dir, `.#${file}`));
      writeFileSync(join(dir, `#${file}#`), text);
      renameSync(join(dir, file), join(dir, `${file}~`));
      writeFileSync(join(dir, file), text);
      unlinkSync(join(dir, `#${file}#`));
      unlinkSync(join(dir, `.#${file}`));
    },
    'VS Code: truncate, then write in pieces': async (dir, file, text) => {
      writeFileSync(join(dir, file), '');
      await new Promise((resolve) => setTimeout(resolve, EMPTY_MS));
      for (const line of text.split(/(?<=\n)/u)) appendFileSync(join(dir, file), line);
    },
    'JetBrains: safe write': async (dir, file, text) => {
      writeFileSync(join(dir, `${file}___jb_tmp___`), text);
      renameSync(join(dir, file), join(dir, `${file}___jb_old___`));
      renameSync(join(dir, `${file}___jb_tmp___`), join(dir, file));
      unlinkSync(join(dir, `${file}___jb_old___`));
    },
    'sed -i and Claude Code: temporary file, rename': async (dir, file, text) => {
      writeFileSync(join(dir, `${file}.tmp.4711.1700000000`), text);
      renameSync(join(dir, `${file}.tmp.4711.1700000000`), join(dir, file));
    },
    [`a slow one: gone for ${GONE_MS} ms`]: async (dir, file, text) => {
      unlinkSync(join(dir, file));
      await new Promise((resolve) => setTimeout(resolve, GONE_MS));
      writeFileSync(join(dir, file), text);
    },
  };

  test('files are given twice the time that the slow ones below take', () => {
    expect(MIRROR_LIMITS.emptyAfterMs).toBeGreaterThanOrEqual(2 * EMPTY_MS);
    expect(MIRROR_LIMITS.deleteAfterMs).toBeGreaterThanOrEqual(2 * GONE_MS);
  });

  test.each(Object.keys(edits))('%s: one change, nothing else', async (name) => {
    const remote = space();
    // An editor that this process is too busy to be is no slow editor.
    const limits = { emptyAfterMs: 20 * EMPTY_MS, deleteAfterMs: 20 * GONE_MS };
    const { dir, mirror } = await mirrorOf(remote, { limits });
    const edit = edits[name];
    await edit?.(dir, 'task_agent.ts', 'line 1\nline 2\nline 3\n');
    await until(() => remote.puts.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await mirror.settled();
    expect(remote.files.get('task_agent.ts')).toBe('line 1\nline 2\nline 3\n');
    expect(remote.puts).toEqual([{ path: 'task_agent.ts', text: 'line 1\nline 2\nline 3\n', code: 'ok' }]);
    expect(remote.refused).toEqual([]);
    expect(asides(dir)).toEqual([]);
    expect(mirror.conflicts()).toEqual([]);
  });

  test('what tools keep beside a program is neither sent nor touched', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    mkdirSync(join(dir, '.git/objects'), { recursive: true });
    writeFileSync(join(dir, '.git/objects/x'), 'x');
    mkdirSync(join(dir, 'node_modules/y'), { recursive: true });
    writeFileSync(join(dir, 'node_modules/y/index.js'), 'y');
    writeFileSync(join(dir, '.env'), 'z');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await mirror.settled();
    expect(remote.puts).toEqual([]);
    expect(filesBelow(dir).get('node_modules/y/index.js')).toBe('y');
    expect(filesBelow(dir).get('.git/objects/x')).toBe('x');
  });

  test('a hard link is read, and never written through', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    const outside = join(freshFolder(), 'outside.ts');
    linkSync(join(dir, 'task_agent.ts'), outside);
    writeFileSync(outside, 'through the link\n');
    writeFileSync(join(dir, 'meta_agent.ts'), 'so that somebody looks\n');
    await until(() => remote.files.get('meta_agent.ts') !== B);
    await mirror.settled();
    expect(remote.files.get('task_agent.ts')).toBe('through the link\n');
    remote.write('task_agent.ts', 'from the space\n');
    await until(() => readFileSync(join(dir, 'task_agent.ts'), 'utf8') === 'from the space\n');
    expect(readFileSync(outside, 'utf8')).toBe('through the link\n');
  });
});

describe('a folder that comes back', () => {
  test('sends what was edited meanwhile, with its base, and shows what changed there', async () => {
    const remote = space();
    const first = await mirrorOf(remote);
    await first.mirror.close();
    writeFileSync(join(first.dir, 'task_agent.ts'), 'edited while away\n');
    remote.write('meta_agent.ts', 'changed there\n');
    const { dir } = await mirrorOf(remote, { dir: first.dir });
    expect(remote.files.get('task_agent.ts')).toBe('edited while away\n');
    expect(readFileSync(join(dir, 'meta_agent.ts'), 'utf8')).toBe('changed there\n');
    expect(remote.puts.length).toBe(1);
  });

  test('without its state loses nothing: what differs is kept as a copy', async () => {
    const remote = space();
    const first = await mirrorOf(remote);
    await first.mirror.close();
    writeFileSync(join(first.dir, 'task_agent.ts'), 'mine\n');
    writeFileSync(join(first.dir, '.hivemark/state.json'), '{ torn');
    const { dir } = await mirrorOf(remote, { dir: first.dir });
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe(A);
    expect(readFileSync(join(dir, 'task_agent.conflict-1.ts'), 'utf8')).toBe('mine\n');
  });

  test('a process that died in the middle of a replacement: no deletion is sent, the text is kept', async () => {
    const remote = space();
    const first = await mirrorOf(remote);
    await first.mirror.close();
    // As a crash leaves it: forgotten, taken out, not yet replaced.
    const state = JSON.parse(readFileSync(join(first.dir, '.hivemark/state.json'), 'utf8')) as {
      files: Record<string, string>;
    };
    delete state.files['task_agent.ts'];
    writeFileSync(join(first.dir, '.hivemark/state.json'), JSON.stringify(state));
    writeFileSync(join(first.dir, 'task_agent.ts'), 'unknown to the space\n');
    renameSync(join(first.dir, 'task_agent.ts'), join(first.dir, '.hivemark/held/0123456789abcdef'));
    writeFileSync(join(first.dir, '.hivemark/held/fedcba9876543210.new'), 'half');
    const { dir } = await mirrorOf(remote, { dir: first.dir });
    expect(remote.puts).toEqual([]);
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe(A);
    expect(asides(dir)).toEqual(['unknown to the space\n']);
    expect(readdirSync(join(dir, '.hivemark/held'))).toEqual([]);
  });

  test('is refused for another agent, while it is in use, and where something else is', async () => {
    const remote = space();
    const { dir } = await mirrorOf(remote);
    await expect(mirrorOf(remote, { dir })).rejects.toMatchObject({ code: 'folder-busy' });
    const full = freshFolder();
    writeFileSync(join(full, 'thesis.tex'), 'mine');
    await expect(mirrorOf(remote, { dir: full })).rejects.toMatchObject({
      code: 'folder-not-empty',
      message: expect.stringContaining('thesis.tex'),
    });
    expect(readdirSync(full)).toEqual(['thesis.tex']);
    const file = join(full, 'thesis.tex');
    await expect(mirrorOf(remote, { dir: file })).rejects.toMatchObject({ code: 'folder-unusable' });
    rmSync(join(dir, '.hivemark/lock.json'));
  });
});
