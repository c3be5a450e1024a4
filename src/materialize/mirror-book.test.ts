import { expect, onTestFinished, test } from 'vitest';
import { DiskFolder, sha256Of } from './disk-folder.ts';
import { MirrorBook } from './mirror-book.ts';
import { readState } from './mirror-state.ts';
import { freshFolder } from './test-mirror-remote.ts';

function book(): { folder: DiskFolder; book: MirrorBook } {
  const folder = DiskFolder.open(freshFolder(), 1024);
  onTestFinished(() => folder.close());
  return { folder, book: new MirrorBook(folder) };
}

test('forget() is on disk when it returns: a crash after it makes no deletion of a file that was taken out', () => {
  const one = book();
  one.book.agree('a.ts', sha256Of('a'));
  one.book.agree('b.ts', sha256Of('b'));
  one.book.save();
  one.book.forget('a.ts');
  expect(readState(one.folder).files).toEqual({ 'b.ts': sha256Of('b') });
  expect(new MirrorBook(one.folder).base('a.ts')).toBeUndefined();
});

test('a refusal is told once for one text over one version, and again for another', () => {
  const { book: one } = book();
  const unsent = { path: 'a.ts', reason: 'does not parse', at: 1 };
  expect(one.holdBack(unsent, 'k1', 't1')).toBe(true);
  expect(one.isHeldBack('a.ts', 'k1', 't1')).toBe(true);
  expect(one.isHeldBack('a.ts', 'k1', 't2')).toBe(false);
  expect(one.holdBack({ ...unsent, at: 2 }, 'k1', 't2')).toBe(false);
  expect(one.holdBack(unsent, 'k2', 't2')).toBe(true);
  one.agree('a.ts', sha256Of('x'));
  expect(one.unsent()).toEqual([]);
});

test('refusals are kept to the last fifty, and survive', () => {
  const one = book();
  for (let at = 0; at < 80; at += 1) one.book.record({ path: `f${at}`, at, reason: 'no', kept: null });
  one.book.save();
  const { refusals } = readState(one.folder);
  expect(refusals.length).toBe(50);
  expect(refusals.at(-1)?.path).toBe('f79');
});
