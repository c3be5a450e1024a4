import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fc, test as property } from '@fast-check/vitest';
import { InMemoryFs, type IFileSystem } from 'just-bash';
import { describe, expect, it, vi } from 'vitest';
import { ShellFiles } from './shell-files.ts';

const GIVEN = { '/agents/a/p.ts': 'one\n', '/agents/a/lib/q.ts': 'café €\n', '/peer/r.ts': 'three\n' };
const MIB = 1024 * 1024;
const tree = (maxTotalBytes = MIB): ShellFiles => new ShellFiles(GIVEN, maxTotalBytes);
/** What this process holds once what nobody holds is gone. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let i = 0; i < 3; i++) {
    collect();
    // The bytes of buffers are given back by another thread.
    await pause(10);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('ShellFiles', () => {
  it('has the given files, the folders that lead to them, and nothing else', () => {
    expect(tree().getAllPaths()).toEqual([
      '/',
      '/agents',
      '/peer',
      '/agents/a',
      '/peer/r.ts',
      '/agents/a/lib',
      '/agents/a/p.ts',
      '/agents/a/lib/q.ts',
    ]);
    expect(tree().changes()).toEqual({});
  });

  it('keeps every byte, in every encoding', async () => {
    const files = tree();
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    await files.writeFile('/b', all);
    expect(new Uint8Array(await files.readFileBuffer('/b'))).toEqual(all);
    expect(await files.readFile('/b', 'binary')).toBe(String.fromCharCode(...all));
    await files.writeFile('/c', await files.readFile('/b', 'hex'), 'hex');
    await files.appendFile('/c', await files.readFile('/b', { encoding: 'base64' }), { encoding: 'base64' });
    expect(new Uint8Array(await files.readFileBuffer('/c'))).toEqual(Uint8Array.from([...all, ...all]));
    await files.writeFile('/d', '\uFEFFé\0');
    expect(await files.readFile('/d')).toBe('\uFEFFé\0');
    expect((await files.stat('/d')).size).toBe(6);
  });

  it('gives copies: what is done to bytes that were read or written stays outside', async () => {
    const files = tree();
    const written = bytes(1, 2);
    await files.writeFile('/b', written);
    await files.appendFile('/b', written);
    written.fill(9);
    (await files.readFileBuffer('/b')).fill(8);
    expect(new Uint8Array(await files.readFileBuffer('/b'))).toEqual(bytes(1, 2, 1, 2));
  });

  it('tells changes: new, changed and missing files, not folders, not what the shell furnishes', async () => {
    const files = tree();
    files.writeFileSync('/bin/ls', '#!');
    files.mkdirSync('/proc/self/fd', { recursive: true });
    await files.writeFile('/agents/a/p.ts', 'two\n');
    await files.writeFile('/agents/a/raw', bytes(0x68, 0x69, 0xfe, 0x3e, 0xff));
    await files.mkdir('/empty');
    await files.mv('/peer/r.ts', '/agents/a/r.ts');
    expect(files.changes()).toEqual({
      '/agents/a/p.ts': 'two\n',
      '/agents/a/r.ts': 'three\n',
      '/agents/a/raw': 'hi\uFFFD>\uFFFD',
      '/peer/r.ts': null,
    });
  });

  it('does not take a byte order mark, half a character or a name of the language for a change', () => {
    const odd = { '/a/bom.ts': '\uFEFFx', '/a/half.ts': 'x\uD800', '/a/__proto__': 'y', '/bin/own': 'z' };
    const files = new ShellFiles(odd, MIB);
    expect(files.changes()).toEqual({});
    files.writeFileSync('/bin/own', 'zz');
    expect(files.changes()).toEqual({ '/bin/own': 'zz' });
  });

  it('notes given files as opened when they are read, copied or moved, by whatever path', async () => {
    const files = tree();
    await files.stat('/agents/a/p.ts');
    await files.readdir('/agents/a');
    await files.writeFile('/new', 'x');
    await files.readFile('/new');
    await expect(files.readFile('/missing')).rejects.toThrow('ENOENT');
    files.changes();
    expect(files.opened).toEqual([]);
    await files.readFile('//agents/./b/../a/p.ts');
    expect(files.opened).toEqual(['/agents/a/p.ts']);
    await files.cp('/agents/a/lib', '/copy', { recursive: true });
    await files.mv('/peer', '/moved');
    expect(files.opened).toEqual(['/agents/a/lib/q.ts', '/agents/a/p.ts', '/peer/r.ts']);
  });

  it.each([
    ['/../../agents/a/p.ts', '/agents/a/p.ts'],
    ['agents//a/./lib/../p.ts/', '/agents/a/p.ts'],
    ['', '/'],
    ['/..', '/'],
    ['/agents/a/..%2fp.ts', '/agents/a/..%2fp.ts'],
    ['\\agents\\a', '/\\agents\\a'],
    ['C:/x', '/C:/x'],
  ])('never leaves the root: %j is %s', async (path, whole) => {
    expect(tree().resolvePath('/', path)).toBe(whole);
    const files = tree();
    const there = new Set(files.getAllPaths()).has(whole);
    expect(await files.exists(path)).toBe(there);
    expect(await files.realpath(path).catch(() => whole)).toBe(whole);
  });

  it('has no links of any kind, and says so', async () => {
    const files = tree();
    await expect(files.symlink('/peer', '/s')).rejects.toThrow("EACCES: there are no links in this tree, symlink '/s'");
    await expect(files.link('/peer/r.ts', '/h')).rejects.toThrow('EACCES');
    await expect(files.readlink('/peer/r.ts')).rejects.toThrow('EINVAL');
    await expect(files.readlink('/none')).rejects.toThrow('ENOENT');
    expect(files.changes()).toEqual({});
  });

  it('keeps permission bits and times and shows them, and enforces none', async () => {
    const files = tree();
    const at = new Date(Date.UTC(2020, 1, 2));
    await files.chmod('/agents/a/p.ts', 0o000);
    await files.utimes('/agents/a/p.ts', at, at);
    await files.chmod('/agents', 0o000);
    await files.appendFile('/agents/a/p.ts', '');
    await files.cp('/agents/a/p.ts', '/copy');
    expect(await files.stat('/copy')).toMatchObject({ mode: 0o000, isFile: true, isDirectory: false, size: 4 });
    expect(await files.stat('/agents')).toMatchObject({ mode: 0o000, isDirectory: true });
    await files.writeFile('/agents/a/p.ts', 'x');
    expect(await files.stat('/agents/a/p.ts')).toMatchObject({ mode: 0o000, size: 1 });
    await files.rm('/agents', { recursive: true });
    expect(await files.exists('/agents')).toBe(false);
  });

  it.each<[string, string, (files: ShellFiles) => Promise<unknown>]>([
    ['reading a folder', "EISDIR: illegal operation on a directory, read '/peer'", (f) => f.readFile('/peer')],
    ['reading what is not there', "ENOENT: no such file or directory, open '/x'", (f) => f.readFile('/x')],
    ['reading below a file', 'ENOENT', (f) => f.readFile('/peer/r.ts/x')],
    ['writing over a folder', 'EISDIR', (f) => f.writeFile('/peer', 'x')],
    ['adding to a folder', 'EISDIR', (f) => f.appendFile('/peer', 'x')],
    ['writing below a file', 'ENOTDIR', (f) => f.writeFile('/peer/r.ts/x', 'x')],
    ['a folder where a file is', 'EEXIST', (f) => f.mkdir('/peer/r.ts', { recursive: true })],
    ['a folder below a file', 'ENOTDIR', (f) => f.mkdir('/peer/r.ts/x', { recursive: true })],
    ['a folder twice', 'EEXIST', (f) => f.mkdir('/peer')],
    ['a folder in none', 'ENOENT', (f) => f.mkdir('/x/y')],
    ['listing a file', 'ENOTDIR', (f) => f.readdir('/peer/r.ts')],
    ['listing what is not there', 'ENOENT', (f) => f.readdir('/x')],
    ['removing a full folder', 'ENOTEMPTY', (f) => f.rm('/peer')],
    ['removing what is not there', 'ENOENT', (f) => f.rm('/x', { recursive: true })],
    ['removing the root', 'EPERM', (f) => f.rm('/', { recursive: true, force: true })],
    ['copying a folder as a file', 'EISDIR', (f) => f.cp('/peer', '/x')],
    ['copying a folder into itself', 'EINVAL', (f) => f.cp('/agents', '/agents/a/b', { recursive: true })],
    ['copying the root into itself', 'EINVAL', (f) => f.cp('/', '/x', { recursive: true })],
    ['copying over a folder', 'EISDIR', (f) => f.cp('/peer/r.ts', '/agents')],
    ['moving a folder into itself', 'EINVAL', (f) => f.mv('/agents', '/agents/a/b')],
    ['moving a folder over one that leads to it', 'ENOTEMPTY', (f) => f.mv('/agents/a', '/agents')],
    ['moving the root', 'EINVAL', (f) => f.mv('/', '/x')],
    ['moving a file below itself', 'ENOTDIR', (f) => f.mv('/peer/r.ts', '/peer/r.ts/x')],
    ['moving a file over a folder', 'EISDIR', (f) => f.mv('/peer/r.ts', '/agents')],
    ['moving what is not there', 'ENOENT', (f) => f.mv('/x', '/y')],
    ['a null byte', 'ENOENT: path contains null byte', (f) => f.writeFile('/a\0b', 'x')],
    ['a name too long', 'ENAMETOOLONG', (f) => f.writeFile(`/${'n'.repeat(256)}`, 'x')],
    ['a path too long', 'ENAMETOOLONG', (f) => f.mkdir('/d'.repeat(2_049), { recursive: true })],
  ])('%s is refused, and leaves every file as it was', async (_, message, attempt) => {
    const files = tree();
    await expect(attempt(files)).rejects.toThrow(message);
    expect(files.changes()).toEqual({});
  });

  it('holds no more bytes than its room, and gives room back', async () => {
    const files = new ShellFiles({ '/given': 'x'.repeat(40) }, 100);
    await files.writeFile('/a', 'x'.repeat(60));
    await expect(files.appendFile('/a', 'x')).rejects.toThrow(
      'ENOSPC: no space left, files may have 100 bytes together',
    );
    await expect(files.cp('/a', '/b')).rejects.toThrow('ENOSPC');
    await expect(files.writeFile('/given', 'x'.repeat(41))).rejects.toThrow('ENOSPC');
    await files.mv('/a', '/b');
    await files.writeFile('/b', 'y'.repeat(59));
    await files.writeFile('/c', 'z');
    await files.mv('/c', '/b');
    expect(files.changes()).toEqual({ '/b': 'z' });
    await files.writeFile('/d', 'é'.repeat(29));
    await expect(files.writeFile('/e', '0001', 'hex')).rejects.toThrow('ENOSPC');
    await files.rm('/given');
    await files.writeFile('/e', '0001', 'hex');
  });

  it('holds no more entries than its room, and keeps nothing of what was removed', async () => {
    const files = tree();
    const fill = async (): Promise<void> => {
      for (let i = 0; i < 40_000; i++) await files.mkdir(`/agents/n${i}`);
    };
    await expect(fill()).rejects.toThrow('ENOSPC: no space left, there may be 32768 files and folders');
    await files.rm('/agents', { recursive: true });
    const before = await heldBytes();
    for (let i = 0; i < 400; i++) {
      await files.writeFile('/n/removed', new Uint8Array(MIB / 2));
      await files.mv('/n/removed', '/n/replaced');
      await files.rm('/n', { recursive: true });
    }
    await vi.waitFor(async () => expect((await heldBytes()) - before).toBeLessThan(100 * MIB), 10_000);
  });

  it('goes as deep as a path can, and comes back', async () => {
    const files = tree();
    await files.mkdir('/z'.repeat(2_048), { recursive: true });
    await files.rm('/z', { recursive: true });
    const deep = '/d'.repeat(500);
    await files.writeFile('/f', 'x');
    await files.mv('/f', `${deep}/f`);
    await files.cp('/d', '/e', { recursive: true });
    expect(await files.readFile(`/e${deep.slice(2)}/f`)).toBe('x');
    await files.rm('/d', { recursive: true });
    await files.rm('/e', { recursive: true });
    expect(files.changes()).toEqual({});
  });
});

type Op =
  | { readonly op: 'writeFile' | 'appendFile'; readonly a: string; readonly data: Uint8Array }
  | {
      readonly op: 'mkdir' | 'rm' | 'readFileBuffer' | 'readdir' | 'exists';
      readonly a: string;
      readonly flag: boolean;
    }
  | { readonly op: 'cp' | 'mv'; readonly a: string; readonly b: string };

const somePath = fc
  .array(fc.constantFrom('x', 'y', 'z', '.', '..'), { minLength: 1, maxLength: 4 })
  .map((names) => `/${names.join('/')}`);
const someOp: fc.Arbitrary<Op> = fc.oneof(
  fc.record({
    op: fc.constantFrom('writeFile' as const, 'appendFile' as const),
    a: somePath,
    data: fc.uint8Array({ maxLength: 12 }),
  }),
  fc.record({
    op: fc.constantFrom(
      'mkdir' as const,
      'rm' as const,
      'readFileBuffer' as const,
      'readdir' as const,
      'exists' as const,
    ),
    a: somePath,
    flag: fc.boolean(),
  }),
  fc.record({ op: fc.constantFrom('cp' as const, 'mv' as const), a: somePath, b: somePath }),
);

async function apply(fs: IFileSystem, op: Op): Promise<string> {
  const run = async (): Promise<unknown> => {
    if (op.op === 'cp') return fs.cp(op.a, op.b, { recursive: true });
    if (op.op === 'mv') return fs.mv(op.a, op.b);
    if (op.op === 'writeFile' || op.op === 'appendFile') return fs[op.op](op.a, op.data);
    if (op.op === 'mkdir') return fs.mkdir(op.a, { recursive: op.flag });
    if (op.op === 'rm') return fs.rm(op.a, { recursive: op.flag });
    if (op.op === 'readFileBuffer') return [...(await fs.readFileBuffer(op.a))];
    return fs[op.op](op.a);
  };
  try {
    return JSON.stringify((await run()) ?? null);
  } catch (error) {
    return error instanceof Error ? error.message : 'not an error';
  }
}

async function contents(fs: IFileSystem): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (path: string): Promise<void> => {
    for (const name of await fs.readdir(path)) {
      const at = fs.resolvePath(path, name);
      const { isDirectory, size } = await fs.stat(at);
      if (isDirectory) await visit(at);
      found[at] = isDirectory ? 'folder' : `${size} ${await fs.readFile(at, 'hex')}`;
    }
  };
  await visit('/');
  return found;
}

/** just-bash's own tree lets a file have entries below it and be written over a folder, and the root be removed: not a tree any more. */
async function breaksTheirs(fs: IFileSystem, op: Op): Promise<boolean> {
  if (op.op === 'readFileBuffer' || op.op === 'readdir' || op.op === 'exists') return false;
  const [from, to] = [op.a, 'b' in op ? op.b : op.a].map((path) => fs.resolvePath('/', path));
  if (from === undefined || to === undefined || from === '/' || to === '/') return true;
  // Moving what is not there to where it is.
  if (op.op === 'mv' && from === to) return true;
  const isFile = async (path: string): Promise<boolean> => (await fs.exists(path)) && (await fs.stat(path)).isFile;
  const names = to.split('/');
  for (let i = 2; i < names.length; i++) if (await isFile(names.slice(0, i).join('/'))) return true;
  if (op.op === 'rm' || op.op === 'mkdir' || !(await fs.exists(from))) {
    return (op.op === 'writeFile' || op.op === 'appendFile') && (await fs.exists(to)) && !(await isFile(to));
  }
  if (op.op !== 'cp' && op.op !== 'mv') return !(await isFile(to));
  // Trees laid over one another may meet file against folder anywhere inside.
  return (await fs.exists(to)) && !((await isFile(from)) && (await isFile(to)));
}

describe('ShellFiles beside the tree of just-bash itself', () => {
  property.prop([fc.array(someOp, { maxLength: 40 })], { numRuns: 400 })(
    'the same calls give the same answers, the same listing and the same contents',
    async (ops) => {
      const [ours, theirs] = [new ShellFiles({}, MIB), new InMemoryFs()];
      for (const op of ops) {
        if (await breaksTheirs(theirs, op)) continue;
        expect(await apply(ours, op)).toBe(await apply(theirs, op));
      }
      expect(await contents(ours)).toEqual(await contents(theirs));
      expect(ours.getAllPaths().sort()).toEqual(theirs.getAllPaths().sort());
    },
  );

  property.prop([fc.array(someOp, { maxLength: 60 })], { numRuns: 300 })(
    'whatever is called, it stays a tree, within its room, and accounts for every byte',
    async (ops) => {
      const files = new ShellFiles({}, 60);
      for (const op of ops) await apply(files, op);
      const all = await contents(files);
      const held = Object.values(all).reduce(
        (sum, text) => sum + (text === 'folder' ? 0 : Number.parseInt(text, 10)),
        0,
      );
      expect(held).toBeLessThanOrEqual(60);
      await files.writeFile('/rest', 'x'.repeat(60 - held)).catch((error: unknown) => {
        expect(String(error)).toMatch(/EISDIR|ENOTDIR/);
      });
      if (!Object.hasOwn(all, '/rest')) await expect(files.appendFile('/rest', 'x')).rejects.toThrow('ENOSPC');
    },
  );
});
