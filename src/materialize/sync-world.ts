import type { DiskFolder } from './disk-folder.ts';
import type { MirrorBook } from './mirror-book.ts';
import type { MirrorNotice } from './mirror-notice.ts';
import type { MirrorRemote, RemoteFile } from './mirror-remote.ts';

/** Times in milliseconds, sizes in bytes. */
export interface SyncLimits {
  /** A file that is missing this long was deleted; shorter, it is being saved. */
  readonly deleteAfterMs: number;
  /** A file that became empty is believed after this long: most are being written. */
  readonly emptyAfterMs: number;
  /** How long a file that made way is looked at for a program that still writes into it. */
  readonly holdMs: number;
  readonly maxFileBytes: number;
  /** New files that were refused in ten seconds; more are set aside without asking, and put on record as one. */
  readonly maxStrangers: number;
}

/** What one file's sync needs of the mirror around it. */
export interface SyncWorld {
  readonly folder: DiskFolder;
  readonly remote: MirrorRemote;
  readonly book: MirrorBook;
  /** The view as the space has it, as far as known; only what a folder can show. */
  readonly there: Map<string, RemoteFile>;
  readonly limits: SyncLimits;
  readonly now: () => number;
  /** Looks at `path` again. */
  readonly again: (path: string, delayMs: number) => void;
  /** The space's list is not what it was. */
  readonly relist: () => void;
  /** Throws when the folder is gone: nothing missing in it is a deletion then. */
  readonly assertThere: () => void;
  readonly notice: (notice: MirrorNotice) => void;
}
