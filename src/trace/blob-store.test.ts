import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBlobStore, sha256 } from './blob-store.ts';
import { makeTestFolder } from './test-folder.ts';

const ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

describe('the blob store', () => {
  it('keeps a text under its sha256, byte for byte', async () => {
    const folder = await makeTestFolder();
    const blobs = openBlobStore(folder);
    expect(await blobs.write('abc')).toBe(ABC);
    expect(await readFile(join(folder, 'trace', 'blobs', 'ba', ABC), 'utf8')).toBe('abc');
    const bytes = Uint8Array.of(0xff, 0xfe, 0, 13, 10, 0x80);
    expect(await blobs.readBytes(await blobs.write(bytes))).toEqual(Buffer.from(bytes));
    const text = '\ufeffa\r\n\0😀';
    expect(await blobs.read(await blobs.write(text))).toBe(text);
    expect(await blobs.write('')).toBe(sha256(''));
    expect(await blobs.read(sha256(''))).toBe('');
  });

  it('hashes what it stores, also for text that UTF-8 cannot carry', async () => {
    const blobs = openBlobStore(await makeTestFolder());
    const hash = await blobs.write('lone \ud800');
    expect(hash).toBe(sha256('lone \ud800'));
    expect(await blobs.read(hash)).toBe('lone \ufffd');
  });

  it('writes the same content once, at the same time and again later', async () => {
    const folder = await makeTestFolder();
    const blobs = openBlobStore(folder);
    await Promise.all(Array.from({ length: 30 }, () => blobs.write('abc')));
    const path = join(folder, 'trace', 'blobs', 'ba', ABC);
    const { ino } = await stat(path);
    await openBlobStore(folder).write('abc');
    expect((await stat(path)).ino).toBe(ino);
    expect(await readdir(join(folder, 'trace', 'blobs', 'ba'))).toEqual([ABC]);
  });

  it('refuses to give out a damaged blob, and replaces it when it is written again', async () => {
    const folder = await makeTestFolder();
    await openBlobStore(folder).write('abc');
    await writeFile(join(folder, 'trace', 'blobs', 'ba', ABC), 'abd');
    const blobs = openBlobStore(folder);
    await expect(blobs.read(ABC)).rejects.toMatchObject({ name: 'BlobError', code: 'blob-damaged', hash: ABC });
    await blobs.write('abc');
    expect(await blobs.read(ABC)).toBe('abc');
  });

  it('names a missing blob, and takes nothing but a sha256 for a name', async () => {
    const blobs = openBlobStore(await makeTestFolder());
    await expect(blobs.read(ABC)).rejects.toMatchObject({ code: 'blob-missing' });
    for (const name of ['', '../../run.json', ABC.toUpperCase(), `${ABC}\n`]) {
      await expect(blobs.read(name)).rejects.toMatchObject({ code: 'blob-name' });
    }
  });

  it('tries again after a write that failed', async () => {
    const folder = await makeTestFolder();
    const blobs = openBlobStore(join(folder, 'run'));
    await writeFile(join(folder, 'run'), 'in the way');
    await expect(blobs.write('abc')).rejects.toThrow(/EEXIST|ENOTDIR/);
    await rm(join(folder, 'run'));
    expect(await blobs.read(await blobs.write('abc'))).toBe('abc');
  });
});
