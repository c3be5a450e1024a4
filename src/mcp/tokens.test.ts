import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TokenFileError } from './token-file.ts';
import { TokenBook } from './tokens.ts';

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hivemark-tokens-'));
  file = join(folder, 'config', 'tokens.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a token speaks for its agent until it expires', async () => {
  let now = 1_000_000;
  const book = new TokenBook(file, () => now);
  const { token, record } = await book.issue('claude', 1000);
  expect(token).toMatch(/^hma_[\w-]{43}$/u);
  expect(record).toMatchObject({ agent: 'claude', createdAt: 1_000_000, expiresAt: 1_001_000, revokedAt: null });
  expect(await book.check(token)).toEqual({ name: 'claude' });
  now = 1_000_999;
  expect(await book.check(token)).toEqual({ name: 'claude' });
  now = 1_001_000;
  expect(await book.check(token)).toEqual({ problem: 'expired' });
  expect(await book.check(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toEqual({ problem: 'unknown' });
  expect(await book.check('')).toEqual({ problem: 'unknown' });
});

test('an agent may have several tokens; revoking takes all of them and nobody else its own', async () => {
  const book = new TokenBook(file);
  const [one, two, other] = [await book.issue('a'), await book.issue('a'), await book.issue('b')];
  expect(await book.revoke('a')).toHaveLength(2);
  expect(await book.revoke('a')).toHaveLength(0);
  expect(await book.check(one.token)).toEqual({ problem: 'revoked' });
  expect(await book.check(two.token)).toEqual({ problem: 'revoked' });
  expect(await book.check(other.token)).toEqual({ name: 'b' });
  expect((await book.list()).map(({ agent, revokedAt }) => [agent, revokedAt !== null])).toEqual([
    ['a', true],
    ['a', true],
    ['b', false],
  ]);
});

test('the file is for its owner only and holds no token', async () => {
  const { token } = await new TokenBook(file).issue('a');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'config'))).mode & 0o777).toBe(0o700);
  expect(await readFile(file, 'utf8')).not.toContain(token.slice(4, 20));
});

test('what one book does, another over the same file knows soon', async () => {
  const [host, person] = [new TokenBook(file), new TokenBook(file)];
  const { token } = await person.issue('a');
  expect(await host.check(token)).toEqual({ name: 'a' });
  await person.revoke('a');
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(await host.check(token)).toEqual({ problem: 'revoked' });
});

test('a token that is good no more is forgotten after 90 days', async () => {
  let now = 0;
  const book = new TokenBook(file, () => now);
  const { token } = await book.issue('a', 1000);
  now = 89 * 86_400_000;
  await book.issue('b');
  expect(await book.check(token)).toEqual({ problem: 'expired' });
  now = 91 * 86_400_000;
  await book.issue('b');
  expect(await book.check(token)).toEqual({ problem: 'unknown' });
  expect(await book.list()).toHaveLength(2);
});

test('two processes that issue at the same time lose nothing', async () => {
  const code = `
    const { TokenBook } = await import(${JSON.stringify(new URL('./tokens.ts', import.meta.url).href)});
    const book = new TokenBook(process.argv[1]);
    for (let i = 0; i < 15; i++) await book.issue(process.argv[2] + i);
  `;
  const run = (name: string) =>
    new Promise<number | null>((resolve) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', code, file, name], { stdio: 'inherit' });
      child.on('close', resolve);
    });
  expect(await Promise.all([run('p'), run('q')])).toEqual([0, 0]);
  expect(await new TokenBook(file).list()).toHaveLength(30);
});

test('the lock of a process that died is taken away, that of one that lives is waited for', async () => {
  const book = new TokenBook(file);
  await book.issue('a');
  await writeFile(`${file}.lock`, 'dead');
  const long = Date.now() / 1000 - 60;
  await utimes(`${file}.lock`, long, long);
  await book.issue('b');
  await writeFile(`${file}.lock`, 'alive');
  setTimeout(() => void rm(`${file}.lock`), 300);
  const at = Date.now();
  await book.issue('c');
  expect(Date.now() - at).toBeGreaterThan(250);
  expect(await book.list()).toHaveLength(3);
});

test('a damaged file, one that cannot be read, and a name that is none are refused in words', async () => {
  const book = new TokenBook(file);
  await expect(book.issue('No Agent')).rejects.toThrow('No Agent');
  const { token } = await book.issue('a');
  await writeFile(file, '{"version":1,"tokens":[{"agent":"a","sha256":"x"}]}');
  await new Promise((resolve) => setTimeout(resolve, 250));
  await expect(book.check(token)).rejects.toThrow('damaged (tokens.0.sha256)');
  await writeFile(file, 'not json');
  await expect(book.list()).rejects.toThrow(TokenFileError);
  await expect(book.issue('b')).rejects.toThrow('damaged');
  expect(await readFile(file, 'utf8')).toBe('not json');
  await expect(new TokenBook(join(file, 'below')).issue('a')).rejects.toThrow('XDG_CONFIG_HOME');
});
