import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeFileAtomic } from './atomic-file.ts';
import { makeTestFolder } from './test-folder.ts';

describe('writeFileAtomic()', () => {
  it('makes missing folders and leaves nothing but the file', async () => {
    const folder = await makeTestFolder();
    await writeFileAtomic(join(folder, 'a', 'b.json'), 'one');
    await writeFileAtomic(join(folder, 'a', 'b.json'), 'two');
    expect(await readdir(join(folder, 'a'))).toEqual(['b.json']);
    expect(await readFile(join(folder, 'a', 'b.json'), 'utf8')).toBe('two');
  });

  it('leaves the old file and no temporary one when it cannot finish', async () => {
    const folder = await makeTestFolder();
    await mkdir(join(folder, 'taken'));
    await expect(writeFileAtomic(join(folder, 'taken'), 'x')).rejects.toThrow(/taken/);
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('ends with one whole content when writes overlap', async () => {
    const folder = await makeTestFolder();
    const contents = Array.from({ length: 20 }, (_, n) => String(n).repeat(50_000));
    await writeFile(join(folder, 'f'), 'old');
    await Promise.all(contents.map((content) => writeFileAtomic(join(folder, 'f'), content)));
    expect(contents).toContain(await readFile(join(folder, 'f'), 'utf8'));
    expect(await readdir(folder)).toEqual(['f']);
  });
});
