import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RemoteAwayError } from './mirror-remote.ts';
import { filesBelow, freshFolder, MemoryRemote, mirrorOf, until } from './test-mirror-remote.ts';

const VIEW = {
  'task_agent.ts': 'a\n',
  'meta_agent.ts': 'b\n',
  'evals/gen_1/report.md': 'score 0.5\n',
  'strategies/bob_gen1/task_agent.ts': 'peer\n',
};
const space = (): MemoryRemote => new MemoryRemote(VIEW, ['task_agent.ts', 'meta_agent.ts', 'new.ts']);
const posix = process.platform !== 'win32';
const linux = process.platform === 'linux';
const asideNames = (dir: string): readonly string[] => {
  const folder = join(dir, '.hivemark/set-aside');
  return existsSync(folder) ? readdirSync(folder) : [];
};

describe('a folder that vanishes', () => {
  test.each<[string, (dir: string) => void]>([
    ['deleted', (dir) => rmSync(dir, { recursive: true })],
    ['moved away', (dir) => renameSync(dir, `${dir}-moved`)],
    [
      'replaced by a link',
      (dir) => {
        renameSync(dir, `${dir}-moved`);
        symlinkSync(`${dir}-moved`, dir);
      },
    ],
    ['robbed of .hivemark', (dir) => rmSync(join(dir, '.hivemark'), { recursive: true })],
  ])('%s: the mirror stops with a typed error, and nothing is deleted in the space', async (_how, vanish) => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote, { limits: { heartbeatMs: 50, deleteAfterMs: 150 } });
    vanish(dir);
    await expect(mirror.done).rejects.toMatchObject({ name: 'FolderGoneError', code: 'folder-gone' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(Object.fromEntries(remote.files)).toEqual(VIEW);
    expect(remote.puts).toEqual([]);
    await mirror.close();
    rmSync(`${dir}-moved`, { recursive: true, force: true });
  });

  test('slowly, file after file: deletions wait, and are none once the folder is gone', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote, { limits: { heartbeatMs: 50, deleteAfterMs: 10_000 } });
    unlinkSync(join(dir, 'task_agent.ts'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    rmSync(dir, { recursive: true });
    await expect(mirror.done).rejects.toMatchObject({ code: 'folder-gone' });
    expect(remote.puts).toEqual([]);
  });

  test('emptied, but there: every file comes back', async () => {
    const remote = space();
    const { dir, mirror, notices } = await mirrorOf(remote, { limits: { deleteAfterMs: 100 } });
    for (const name of readdirSync(dir)) if (!name.startsWith('.')) rmSync(join(dir, name), { recursive: true });
    await until(() => notices.filter((notice) => notice.kind === 'put-back').length === 4);
    await mirror.settled();
    expect(Object.fromEntries(remote.files)).toEqual(VIEW);
    expect(filesBelow(dir).get('task_agent.ts')).toBe('a\n');
    expect(filesBelow(dir).get('HIVEMARK.md')).toContain('every file was deleted at once');
  });

  test('emptied file after file: the last one comes back with the first', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote, { limits: { deleteAfterMs: 2_000 } });
    unlinkSync(join(dir, 'meta_agent.ts'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    unlinkSync(join(dir, 'task_agent.ts'));
    await until(() => existsSync(join(dir, 'meta_agent.ts')));
    await mirror.settled();
    expect(remote.puts).toEqual([]);
    expect(Object.fromEntries(remote.files)).toEqual(VIEW);
    expect(filesBelow(dir).get('task_agent.ts')).toBe('a\n');
  });
});

describe.runIf(posix)('links', () => {
  test('in the place of a file is set aside, unread and unwritten', async () => {
    const remote = space();
    const outside = join(freshFolder(), 'secret');
    writeFileSync(outside, 'TOP SECRET');
    const { dir, mirror } = await mirrorOf(remote);
    unlinkSync(join(dir, 'task_agent.ts'));
    symlinkSync(outside, join(dir, 'task_agent.ts'));
    symlinkSync(outside, join(dir, 'new.ts'));
    await until(() => remote.refused.length === 2);
    await mirror.settled();
    expect(lstatSync(join(dir, 'task_agent.ts')).isFile()).toBe(true);
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe('a\n');
    expect([...remote.history].join()).not.toContain('SECRET');
    expect(readFileSync(outside, 'utf8')).toBe('TOP SECRET');
    const kept = asideNames(dir).map((name) => readlinkSync(join(dir, '.hivemark/set-aside', name)));
    expect(kept).toEqual([outside, outside]);
  });

  test('in the place of a folder: nothing is written behind it', async () => {
    const remote = space();
    const outside = freshFolder();
    const { dir, mirror } = await mirrorOf(remote);
    rmSync(join(dir, 'strategies'), { recursive: true });
    symlinkSync(outside, join(dir, 'strategies'));
    remote.write('strategies/eve_gen9/task_agent.ts', 'from the space\n');
    await until(() => existsSync(join(dir, 'strategies/eve_gen9/task_agent.ts')) && remote.refused.length === 1);
    await mirror.settled();
    expect(readdirSync(outside)).toEqual([]);
    expect(lstatSync(join(dir, 'strategies')).isDirectory()).toBe(true);
    expect(filesBelow(dir).get('strategies/bob_gen1/task_agent.ts')).toBe('peer\n');
  });

  test('swapped in and out without pause: nothing is ever written or read behind it', async () => {
    const remote = space();
    const outside = freshFolder();
    mkdirSync(join(outside, 'bob_gen1'));
    writeFileSync(join(outside, 'bob_gen1/task_agent.ts'), 'TOP SECRET');
    const { dir, mirror } = await mirrorOf(remote);
    let swaps = 0;
    for (let round = 0; round < 150; round += 1) {
      try {
        renameSync(join(dir, 'strategies'), join(dir, '.real'));
        symlinkSync(outside, join(dir, 'strategies'));
        remote.write('strategies/bob_gen1/task_agent.ts', `round ${round}\n`);
        await new Promise((resolve) => setTimeout(resolve, round % 4));
        unlinkSync(join(dir, 'strategies'));
        renameSync(join(dir, '.real'), join(dir, 'strategies'));
        swaps += 1;
      } catch {
        // The mirror was faster: it has set the link aside and made the folder anew.
        rmSync(join(dir, '.real'), { recursive: true, force: true });
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await mirror.settled();
    expect(swaps + asideNames(dir).length).toBeGreaterThan(20);
    expect(filesBelow(outside)).toEqual(new Map([['bob_gen1/task_agent.ts', 'TOP SECRET']]));
    expect([...remote.history, ...remote.puts.map((put) => put.text)].join()).not.toContain('SECRET');
  });

  test("as the mirror's own folder: refused", async () => {
    const dir = freshFolder();
    const outside = freshFolder();
    symlinkSync(outside, join(dir, '.hivemark'));
    await expect(mirrorOf(space(), { dir })).rejects.toMatchObject({ name: 'FolderError' });
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe.runIf(posix)('what is no file', () => {
  test('a pipe, a socket and a folder are set aside and never opened', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    unlinkSync(join(dir, 'task_agent.ts'));
    execFileSync('mkfifo', [join(dir, 'task_agent.ts'), join(dir, 'pipe')]);
    unlinkSync(join(dir, 'meta_agent.ts'));
    mkdirSync(join(dir, 'meta_agent.ts'));
    writeFileSync(join(dir, 'meta_agent.ts/.inside'), 'inside\n');
    await until(() => remote.refused.length >= 3);
    await mirror.settled();
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe('a\n');
    expect(readFileSync(join(dir, 'meta_agent.ts'), 'utf8')).toBe('b\n');
    expect([...filesBelow(dir, '.hivemark').values()]).toContain('inside\n');
    expect(remote.files.get('meta_agent.ts')).toBe('b\n');
  });

  test('a file where folders should be makes way', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    rmSync(join(dir, 'evals'), { recursive: true });
    writeFileSync(join(dir, 'evals'), 'in the way\n');
    await until(() => filesBelow(dir).get('evals/gen_1/report.md') === 'score 0.5\n');
    await mirror.settled();
    expect([...filesBelow(dir, '.hivemark').values()]).toContain('in the way\n');
  });
});

/** Runs as nobody where the tests run as root, whom no permission keeps out. */
const AS_NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
const UNREADABLE = `
  import { chmodSync, writeFileSync } from 'node:fs';
  const [url, dir] = process.argv.slice(1);
  const { openDiskMirror } = await import(url);
  const { createHash } = await import('node:crypto');
  const sha256 = (text) => createHash('sha256').update(text).digest('hex');
  let text = 'a\\n';
  const puts = [], troubles = [];
  const remote = {
    list: async () => [{ path: 'a.ts', sha256: sha256(text), bytes: text.length, editable: true, kind: 'own' }],
    read: async () => text,
    put: async (path, next) => { puts.push(next); text = next; return { ok: true, sha256: sha256(next) }; },
    refuse: async () => {},
    onChange: () => () => {},
  };
  const mirror = await openDiskMirror({
    dir, remote, identity: { agent: 'ada', experiment: 'x', run: null }, limits: { deleteAfterMs: 50 },
    onNotice: (notice) => { if (notice.kind === 'trouble') troubles.push(notice.reason); },
  });
  writeFileSync(dir + '/a.ts', 'hidden\\n');
  chmodSync(dir + '/a.ts', 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await mirror.settled();
  const before = [...puts];
  chmodSync(dir + '/a.ts', 0o600);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await mirror.settled();
  await mirror.close();
  console.log(JSON.stringify({ before, after: puts, troubles }));
`;

/** Where the checkout lies in somebody's home, nobody cannot even start. */
const startable =
  linux &&
  spawnSync(process.execPath, ['-e', `fs.readFileSync(${JSON.stringify(import.meta.filename)})`], AS_NOBODY).status ===
    0;

test.runIf(startable)('a file that may not be read is no deletion: it is told, and sent once it can be', () => {
  const dir = freshFolder();
  chmodSync(dir, 0o777);
  const url = new URL('./disk-mirror.ts', import.meta.url).href;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', UNREADABLE, url, join(dir, 'view')], {
    ...AS_NOBODY,
    cwd: '/',
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(JSON.parse(out)).toEqual({ before: [], after: ['hidden\n'], troubles: ['cannot be read (EACCES)'] });
});

describe('the space away', () => {
  test('edits wait, are told of, and are sent when it is back; conflicts of that time keep both', async () => {
    const remote = space();
    const { dir, mirror, notices } = await mirrorOf(remote, { limits: { firstBackoffMs: 20, longestBackoffMs: 40 } });
    remote.away = true;
    writeFileSync(join(dir, 'task_agent.ts'), 'edited without a space\n');
    await until(() => notices.some((notice) => notice.kind === 'away'));
    await until(() => readFileSync(join(dir, 'HIVEMARK.md'), 'utf8').includes('cannot be reached'));
    writeFileSync(join(dir, 'meta_agent.ts'), 'mine\n');
    writeFileSync(join(dir, 'stranger.ts'), 'stranger\n');
    await new Promise((resolve) => setTimeout(resolve, 150));
    remote.files.set('meta_agent.ts', 'theirs\n');
    remote.away = false;
    await until(() => notices.some((notice) => notice.kind === 'back'));
    await mirror.settled();
    expect(remote.files.get('task_agent.ts')).toBe('edited without a space\n');
    expect(filesBelow(dir).get('meta_agent.ts')).toBe('theirs\n');
    expect(filesBelow(dir).get('meta_agent.conflict-1.ts')).toBe('mine\n');
    expect([...filesBelow(dir, '.hivemark').values()]).toContain('stranger\n');
    expect(readFileSync(join(dir, 'HIVEMARK.md'), 'utf8')).not.toContain('cannot be reached');
    expect(notices.filter((notice) => notice.kind === 'away').length).toBe(1);
  });

  test('at the moment of each call: nothing is lost, whichever fails', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote, { limits: { firstBackoffMs: 5, longestBackoffMs: 10 } });
    let calls = 0;
    let cut = 0;
    const list = remote.list.bind(remote);
    const read = remote.read.bind(remote);
    const put = remote.put.bind(remote);
    const flaky =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>, after: boolean) =>
      async (...args: A): Promise<R> => {
        calls += 1;
        const fails = calls % 3 === 0;
        if (fails) cut += 1;
        if (fails && !after) remote.away = true;
        try {
          const answer = await call(...args);
          // The answer is lost on its way: it was done all the same.
          if (fails && after) remote.away = true;
          return fails && after ? await list().then(() => answer) : answer;
        } finally {
          remote.away = false;
        }
      };
    remote.list = flaky(list, false);
    remote.read = flaky(read, false);
    remote.put = flaky(put, true);
    for (let n = 0; n < 20; n += 1) {
      writeFileSync(join(dir, 'task_agent.ts'), `version ${n}\n`);
      remote.write('strategies/bob_gen1/task_agent.ts', `peer ${n}\n`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await mirror.settled();
    expect(cut).toBeGreaterThan(5);
    expect(remote.files.get('task_agent.ts')).toBe('version 19\n');
    expect(filesBelow(dir).get('strategies/bob_gen1/task_agent.ts')).toBe('peer 19\n');
    expect(mirror.conflicts()).toEqual([]);
  });

  describe.each<[string, string | null]>([
    ['a change', 'sent\n'],
    ['a deletion', null],
  ])('after %s that arrived, its answer lost', (_what, sent) => {
    /** Takes the next change and is away from then on. */
    const loseTheAnswer = (remote: MemoryRemote): void => {
      const put = remote.put.bind(remote);
      remote.put = async (...args) => {
        remote.put = put;
        await put(...args);
        remote.away = true;
        throw new RemoteAwayError('the answer was lost');
      };
    };
    const change = (dir: string, text: string | null): void => {
      if (text === null) unlinkSync(join(dir, 'task_agent.ts'));
      else writeFileSync(join(dir, 'task_agent.ts'), text);
    };
    const limits = { firstBackoffMs: 20, longestBackoffMs: 40, deleteAfterMs: 20 };

    test.each([
      'the same process',
      'the next process',
    ])('%s takes it for its own: the next edit follows it', async (who) => {
      const remote = space();
      loseTheAnswer(remote);
      const first = await mirrorOf(remote, { limits });
      change(first.dir, sent);
      await until(() => first.notices.some((notice) => notice.kind === 'away'));
      expect(remote.files.get('task_agent.ts')).toBe(sent ?? undefined);
      change(first.dir, 'and then\n');
      if (who === 'the next process') await first.mirror.close();
      remote.away = false;
      const { mirror } = who === 'the next process' ? await mirrorOf(remote, { dir: first.dir, limits }) : first;
      await mirror.settled();
      expect(remote.files.get('task_agent.ts')).toBe('and then\n');
      expect(mirror.conflicts()).toEqual([]);
    });

    test('a change by somebody else on top of it is a conflict with the next edit, as ever', async () => {
      const remote = space();
      loseTheAnswer(remote);
      const { dir, mirror, notices } = await mirrorOf(remote, { limits });
      change(dir, sent);
      await until(() => notices.some((notice) => notice.kind === 'away'));
      change(dir, 'and then\n');
      remote.write('task_agent.ts', 'theirs\n');
      remote.away = false;
      await mirror.settled();
      expect(remote.files.get('task_agent.ts')).toBe('theirs\n');
      expect(filesBelow(dir).get('task_agent.conflict-1.ts')).toBe('and then\n');
    });
  });

  test('for good: the mirror stops with what the remote said, the folder stays', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    remote.list = () => Promise.reject(new Error('the token was revoked'));
    writeFileSync(join(dir, 'task_agent.ts'), 'kept\n');
    remote.write('meta_agent.ts', 'x\n');
    await expect(mirror.done).rejects.toThrow('the token was revoked');
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe('kept\n');
  });
});

describe('floods', () => {
  test('10 000 new files: bounded asking, nothing lost, an edit still gets through', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    const from = Date.now();
    for (let n = 0; n < 10_000; n += 1) writeFileSync(join(dir, `junk-${n}.txt`), `junk ${n}\n`);
    writeFileSync(join(dir, 'task_agent.ts'), 'in the flood\n');
    await until(() => remote.files.get('task_agent.ts') === 'in the flood\n', 120_000);
    await mirror.settled();
    expect(asideNames(dir).length).toBe(10_000);
    expect(readdirSync(dir).filter((name) => name.startsWith('junk'))).toEqual([]);
    const asked = remote.puts.filter(({ path }) => path.startsWith('junk')).length;
    expect(asked).toBeGreaterThanOrEqual(64);
    // Of each ten seconds, however long a disk takes over so many files.
    expect(asked).toBeLessThanOrEqual(64 * (1 + Math.floor((Date.now() - from) / 10_000)));
    expect(remote.refused.some(({ problem }) => /\d+ more changes/u.test(problem))).toBe(true);
  }, 240_000);

  test('5 000 saves of one file: few puts, the last one wins', async () => {
    const remote = space();
    remote.latencyMs = 5;
    const { dir, mirror } = await mirrorOf(remote);
    for (let n = 0; n < 5_000; n += 1) {
      writeFileSync(join(dir, 'task_agent.ts'), `save ${n}\n`);
      if (n % 250 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await mirror.settled();
    await until(() => remote.files.get('task_agent.ts') === 'save 4999\n');
    expect(remote.puts.length).toBeLessThan(100);
    expect(remote.puts.every(({ code }) => code === 'ok')).toBe(true);
    // Some file systems write a file that was emptied and filled to the disk at once.
  }, 120_000);
});

describe('times and names', () => {
  test("a lock that is old is nobody's, and who lost it stops", async () => {
    const remote = space();
    const first = await mirrorOf(remote, { limits: { heartbeatMs: 60_000 } });
    const lock = join(first.dir, '.hivemark/lock.json');
    const held = JSON.parse(readFileSync(lock, 'utf8')) as { at: number };
    writeFileSync(lock, JSON.stringify({ ...held, at: held.at - 60_000 }));
    utimesSync(lock, 0, 0);
    await mirrorOf(remote, { dir: first.dir });
    writeFileSync(join(first.dir, 'task_agent.ts'), 'x\n');
    await expect(first.mirror.done).rejects.toThrow('by another process');
  });

  test('names that the space must not use are not shown', async () => {
    const remote = space();
    for (const path of [
      '../outside.ts',
      '/abs.ts',
      'a//b',
      '.hivemark/join.json',
      'HIVEMARK.md',
      '.git/hooks/x',
      'nul.ts',
    ])
      remote.files.set(path, path === 'nul.ts' ? 'a\0b' : 'hostile\n');
    const { dir, mirror } = await mirrorOf(remote);
    await mirror.settled();
    expect([...filesBelow(dir).values()].join()).not.toContain('hostile');
    expect(existsSync(join(dir, '../outside.ts'))).toBe(false);
    expect(filesBelow(dir).has('nul.ts')).toBe(false);
    expect(filesBelow(dir).get('HIVEMARK.md')).toContain('is not shown');
    expect(remote.puts).toEqual([]);
  });

  test('a name that differs only by case is refused, and the file stays', async () => {
    const remote = space();
    const { dir, mirror } = await mirrorOf(remote);
    writeFileSync(join(dir, 'Task_Agent.ts'), 'other\n');
    await until(() => remote.puts.length === 1 || remote.files.get('task_agent.ts') === 'other\n');
    await mirror.settled();
    expect(readFileSync(join(dir, 'task_agent.ts'), 'utf8')).toBe(remote.files.get('task_agent.ts'));
  });
});
