import type { DiskFolder } from './disk-folder.ts';
import { isConflictCopy, isLeftAlone, isMeta, NOTE_FILE } from './disk-names.ts';
import type { DueQueue } from './due-queue.ts';
import type { MirrorBook } from './mirror-book.ts';
import type { MirrorLimits } from './mirror-options.ts';
import type { MirrorNotice } from './mirror-notice.ts';
import type { RemoteFile } from './mirror-remote.ts';
import { directoriesOf, unshowable } from './shown-files.ts';

interface LookoutWorld {
  readonly folder: DiskFolder;
  readonly book: MirrorBook;
  readonly there: Map<string, RemoteFile>;
  readonly queue: DueQueue;
  readonly limits: MirrorLimits;
  readonly now: () => number;
  readonly notice: (notice: MirrorNotice) => void;
}

/** Finds out which files are to be looked at: from events, from a look at the whole folder, from the list of the space. */
export class Lookout {
  readonly #world: LookoutWorld;
  /** Directories in which the view has files: looked into whatever they are called. */
  #directories = new Set<string>();

  constructor(world: LookoutWorld) {
    this.#world = world;
  }

  /** Nothing at or below it concerns the mirror. Names that are no UTF-8 cannot be told apart, and stay. */
  isSkipped(path: string): boolean {
    if (path === '' || path === NOTE_FILE) return false;
    if (path.includes('\u{FFFD}') || isMeta(path)) return true;
    if (this.#isKnown(path) || this.#directories.has(path)) return false;
    return isLeftAlone(path) && !isConflictCopy(path);
  }

  /** Marks what an event was about. @returns when it is due; `whole` for the folder itself and its note; nothing where nobody cares */
  changed(path: string, isDirectory: boolean): number | 'whole' | undefined {
    const { queue, limits, now } = this.#world;
    if (this.isSkipped(path)) return undefined;
    if (path === '' || path === NOTE_FILE) return 'whole';
    const known = this.#isKnown(path);
    // A directory is nothing but what is in it, of which there are events too.
    if (isDirectory && !known) return undefined;
    const delayMs = known ? limits.editAfterMs : limits.newAfterMs;
    queue.mark(path, now(), delayMs, known);
    return now() + delayMs;
  }

  /** Takes in what the space has now, and marks all that is different. */
  listed(files: readonly RemoteFile[]): void {
    const { there, book, queue, limits, now, notice } = this.#world;
    const shown = new Map<string, RemoteFile>();
    for (const file of files) {
      const problem = unshowable(file, limits.maxFileBytes);
      if (problem === undefined) shown.set(file.path, file);
      else notice({ kind: 'trouble', path: file.path, reason: problem });
    }
    for (const path of new Set([...there.keys(), ...shown.keys(), ...book.paths()])) {
      const file = shown.get(path);
      if (file === undefined) there.delete(path);
      else there.set(path, file);
      if (book.base(path) !== file?.sha256) queue.mark(path, now(), 0, true);
    }
    this.#directories = directoriesOf(there.keys());
  }

  /** Looks at the whole folder by signature; whatever is not as it was last is looked at. */
  scan(): void {
    const { there, book, queue, folder, limits } = this.#world;
    const now = this.#world.now();
    const missing = new Set([...book.paths(), ...there.keys()]);
    book.copies.clear();
    for (const { path, signature } of folder.scan((path) => this.isSkipped(path), limits.maxEntries)) {
      missing.delete(path);
      if (path === NOTE_FILE) continue;
      const known = this.#isKnown(path);
      if (!known && isConflictCopy(path)) book.copies.add(path);
      else if (book.signature(path) !== signature) {
        queue.mark(path, now, known ? 0 : limits.newAfterMs, known);
      }
    }
    for (const path of missing) queue.mark(path, now, 0, true);
  }

  #isKnown(path: string): boolean {
    return this.#world.there.has(path) || this.#world.book.base(path) !== undefined;
  }
}
