import type { DiskFolder } from './disk-folder.ts';
import type { MirrorBook } from './mirror-book.ts';
import { writeNote } from './mirror-note-file.ts';
import type { NoteStanding } from './mirror-note.ts';
import type { MirrorNotice } from './mirror-notice.ts';
import type { RemoteFile } from './mirror-remote.ts';
import type { JoinIdentity } from './mirror-state.ts';

interface VoiceWorld {
  readonly folder: DiskFolder;
  readonly book: MirrorBook;
  readonly identity: JoinIdentity;
  readonly now: () => number;
  readonly onNotice: ((notice: MirrorNotice) => void) | undefined;
}

const MOST_REMARKS = 100;

/** What a mirror tells people: each thing as it happens, and the note in the folder. Troubles are told once, until they end. */
export class MirrorVoice {
  readonly #world: VoiceWorld;
  /** Path -> trouble; the empty path is the folder itself. */
  readonly #troubles = new Map<string, string>();
  /** Where the agent stands, for the note. */
  standing: NoteStanding | undefined;

  constructor(world: VoiceWorld) {
    this.#world = world;
  }

  notice(notice: MirrorNotice): void {
    if (notice.kind === 'trouble') {
      if (this.#troubles.get(notice.path) === notice.reason) return;
      if (this.#troubles.size >= MOST_REMARKS) this.#troubles.delete([...this.#troubles.keys()][0] ?? '');
      this.#troubles.set(notice.path, notice.reason);
    } else if ('path' in notice) this.#troubles.delete(notice.path);
    this.#world.onNotice?.(notice);
  }

  hasTrouble(path: string): boolean {
    return this.#troubles.has(path);
  }

  /** Brings the note up to date. @throws when it cannot be written */
  write(files: Iterable<RemoteFile>, awaySince: number | undefined): void {
    const { folder, book, identity, now } = this.#world;
    writeNote(folder, book, now(), {
      identity,
      awaySince,
      standing: this.standing,
      editable: [...files].filter((file) => file.editable).map((file) => file.path),
      unsent: book.unsent(),
      conflicts: [...book.copies].sort(),
      refusals: book.refusals(),
      remarks: [...this.#troubles].map(([path, reason]) => (path === '' ? reason : `${path} ${reason}`)),
    });
  }
}
