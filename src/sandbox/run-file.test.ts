import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SandboxFileError, sandboxFile } from './run-file.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hivemark-run-file-'));
  await mkdir(join(folder, 'program', 'lib'), { recursive: true });
  await writeFile(join(folder, 'outside.ts'), "export const secret = 'outside';");
  await writeFile(join(folder, 'program', 'lib', 'double.ts'), 'export const double = (x: number): number => 2 * x;');
  await symlink(join(folder, 'outside.ts'), join(folder, 'program', 'link.ts'));
});
afterAll(() => rm(folder, { recursive: true }));

async function write(source: string): Promise<string> {
  const file = join(folder, 'program', 'task_agent.ts');
  await writeFile(file, source);
  return file;
}

it('runs forward of a file with what it imports from beside it', async () => {
  const file = await write(
    "import { double } from './lib/double.js';\nexport const forward = (input: { x: number }) => double(input.x);",
  );
  expect(await sandboxFile(file, { input: { x: 21 }, deadlineMs: 10_000 })).toMatchObject({
    status: 'value',
    value: 42,
    logs: [],
  });
});

it('ends a module that never loads with its deadline', async () => {
  const verdict = await sandboxFile(await write('for (;;);'), { deadlineMs: 300 });
  expect(verdict).toMatchObject({ status: 'timeout' });
  expect(verdict.wallMs).toBeLessThan(5_300);
});

it.each([
  '../outside.ts',
  './link.ts',
  '../outside',
  './gone.ts',
])('does not follow %s out of the folder', async (specifier) => {
  const file = await write(`import { secret } from '${specifier}';\nexport const forward = () => secret;`);
  const verdict = await sandboxFile(file, { deadlineMs: 10_000 });
  expect(verdict).toMatchObject({ status: 'error', error: { code: 'missing-module' } });
});

it('says which file it could not read', async () => {
  await expect(sandboxFile(join(folder, 'none.ts'))).rejects.toThrow(SandboxFileError);
  await expect(sandboxFile(join(folder, 'program'))).rejects.toThrow(/cannot read/);
});
