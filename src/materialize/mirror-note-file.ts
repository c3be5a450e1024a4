import { type DiskFolder, sha256Of } from './disk-folder.ts';
import { NOTE_FILE } from './disk-names.ts';
import type { MirrorBook } from './mirror-book.ts';
import { type NoteFacts, noteText } from './mirror-note.ts';

/** Writes `HIVEMARK.md` where it is not as it should be. What a person wrote into it is set aside. */
export function writeNote(folder: DiskFolder, book: MirrorBook, now: number, facts: NoteFacts): void {
  const text = noteText(facts);
  const sha256 = sha256Of(text);
  const disk = folder.read(NOTE_FILE);
  if (disk.kind === 'text' && disk.sha256 === sha256) return book.noted(sha256);
  const fresh = folder.prepare(text, 0o600);
  const held = disk.kind === 'absent' ? undefined : folder.capture(NOTE_FILE);
  if (held !== undefined) {
    if (held.disk.kind === 'text' && held.disk.sha256 === book.note) folder.discard(held.id);
    else {
      const kept = folder.setAside(held.id, NOTE_FILE, new Date(now));
      book.record({ path: NOTE_FILE, at: now, reason: 'is written by hivemark alone', kept });
    }
  }
  if (folder.place(fresh, NOTE_FILE)) book.noted(sha256);
  else folder.discard(fresh);
}
