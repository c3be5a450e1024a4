import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeTestFolder } from '../trace/test-folder.ts';
import { tokenSha256 } from '../guard/principal-token.ts';
import { findPrincipalToken, makePrincipal, PrincipalTokenError } from './principal-file.ts';

const MINE = 'hmp_a-token-of-thirty-two-letters';

test('a token is made and kept once a space, readable for its user alone', async () => {
  const env = { XDG_CONFIG_HOME: await makeTestFolder() };
  const [first, second] = [await makePrincipal(env), await makePrincipal(env)];
  expect(first).not.toBe(second);
  const folder = join(env.XDG_CONFIG_HOME, 'hivemark', 'principals');
  expect((await readdir(folder)).sort()).toEqual([first, second].sort());
  for (const sha256 of [first, second]) {
    const token = (await readFile(join(folder, sha256), 'utf8')).trim();
    expect(tokenSha256(token)).toBe(sha256);
    expect((await stat(join(folder, sha256))).mode & 0o777).toBe(0o600);
    expect(await findPrincipalToken(sha256, env)).toBe(token);
  }
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test('a token of the environment leaves no file, and is found before any', async () => {
  const env = { XDG_CONFIG_HOME: await makeTestFolder(), HIVEMARK_PRINCIPAL_TOKEN: `${MINE} ` };
  expect(await makePrincipal(env)).toBe(tokenSha256(MINE));
  expect(await readdir(env.XDG_CONFIG_HOME)).toEqual([]);
  expect(await findPrincipalToken(tokenSha256(MINE), env)).toBe(MINE);
});

test('a file that is named comes first; the token of another principal is refused without being shown', async () => {
  const folder = await makeTestFolder();
  const file = join(folder, 'token');
  await writeFile(file, 'hmp_other\n');
  const env = { XDG_CONFIG_HOME: folder, HIVEMARK_PRINCIPAL_TOKEN: MINE };
  expect(await findPrincipalToken(tokenSha256('hmp_other'), env, file)).toBe('hmp_other');
  const refused = findPrincipalToken(tokenSha256(MINE), env, file);
  await expect(refused).rejects.toThrow(PrincipalTokenError);
  await expect(refused).rejects.not.toThrow(/hmp_/);
});

test('what is missing or cannot be kept says what to set', async () => {
  const folder = await makeTestFolder();
  const env = { XDG_CONFIG_HOME: folder };
  await expect(findPrincipalToken(tokenSha256('x'), env)).rejects.toThrow(/HIVEMARK_PRINCIPAL_TOKEN.*--token-file/);
  await expect(findPrincipalToken(tokenSha256('x'), env, join(folder, 'none'))).rejects.toThrow(/--token-file/);
  const short = makePrincipal({ ...env, HIVEMARK_PRINCIPAL_TOKEN: 'hunter2' });
  await expect(short).rejects.toThrow(/7 characters.*32/);
  await expect(short).rejects.not.toThrow(/hunter2/);
  await mkdir(join(folder, 'hivemark'));
  await writeFile(join(folder, 'hivemark', 'principals'), 'a file in the way');
  await expect(makePrincipal(env)).rejects.toThrow(/HIVEMARK_PRINCIPAL_TOKEN.*XDG_CONFIG_HOME/);
});
