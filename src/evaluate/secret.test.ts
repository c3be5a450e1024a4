import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configDirOf, fingerprint, loadSecret, SecretError, testSecretOf } from './secret.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hivemark-secret-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('testSecretOf() gives 32-bit seeds that depend on secret, task and label', () => {
  const seeds = [
    testSecretOf('s', 'a')('test-0'),
    testSecretOf('s', 'a')('test-1'),
    testSecretOf('s', 'b')('test-0'),
    testSecretOf('t', 'a')('test-0'),
  ];
  expect(new Set(seeds).size).toBe(4);
  for (const seed of seeds) expect(seed).toBe(seed >>> 0);
  expect(testSecretOf('s', 'a')('test-0')).toBe(seeds[0]);
});

test('testSecretOf() does not confuse where task ends and label begins', () => {
  expect(testSecretOf('s', 'ab')('c')).not.toBe(testSecretOf('s', 'a')('bc'));
});

test('fingerprint() tells secrets apart and contains neither', () => {
  expect(fingerprint('one')).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprint('one')).not.toBe(fingerprint('two'));
});

test('loadSecret() takes HIVEMARK_SECRET and touches no file', async () => {
  const configDir = join(dir, 'config');
  expect(await loadSecret({ env: { HIVEMARK_SECRET: 'given' }, configDir })).toEqual({
    secret: 'given',
    source: 'environment',
  });
  expect(await readdir(dir)).toEqual([]);
});

test('loadSecret() makes one file, private, and finds it again', async () => {
  const configDir = join(dir, 'a', 'b');
  const made = await loadSecret({ env: {}, configDir });
  expect(made.secret).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(join(configDir, 'secret'))).mode & 0o777).toBe(0o600);
  expect(await loadSecret({ env: { HIVEMARK_SECRET: '' }, configDir })).toEqual(made);
  expect(await readdir(configDir)).toEqual(['secret']);
});

test('loadSecret() called many times at once agrees on one secret', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => loadSecret({ env: {}, configDir: dir })));
  expect(new Set(all.map((one) => one.secret)).size).toBe(1);
  expect(await readdir(dir)).toEqual(['secret']);
  expect((await readFile(join(dir, 'secret'), 'utf8')).trim()).toBe(all[0]?.secret);
});

test('loadSecret() says what to do when the folder cannot be made or the file is empty', async () => {
  await writeFile(join(dir, 'plain'), '');
  const inPlain = loadSecret({ env: {}, configDir: join(dir, 'plain', 'hivemark') });
  await expect(inPlain).rejects.toThrow(SecretError);
  await expect(inPlain).rejects.toThrow(/Set HIVEMARK_SECRET/);
  await writeFile(join(dir, 'secret'), '\n');
  await expect(loadSecret({ env: {}, configDir: dir })).rejects.toThrow(/is empty/);
});

test('configDirOf() prefers XDG_CONFIG_HOME', () => {
  expect(configDirOf({ XDG_CONFIG_HOME: '/x', HOME: '/h' })).toBe(join('/x', 'hivemark'));
  expect(configDirOf({ HOME: '/h' })).toBe(join('/h', '.config', 'hivemark'));
});
