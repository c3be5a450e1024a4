import type { NoteStanding } from './mirror-note.ts';
import type { MirrorNotice } from './mirror-notice.ts';
import type { MirrorRemote } from './mirror-remote.ts';
import type { JoinIdentity } from './mirror-state.ts';
import type { SyncLimits } from './sync-world.ts';

/** Times in milliseconds. */
export interface MirrorLimits extends SyncLimits {
  /** A file that is known is looked at this long after its last event; a new one after `newAfterMs`. */
  readonly editAfterMs: number;
  readonly newAfterMs: number;
  /** A file that is written without end is looked at this often. */
  readonly maxHoldMs: number;
  readonly maxPaths: number;
  readonly maxEntries: number;
  readonly heartbeatMs: number;
  /** How long after a change of its own the mirror looks at the whole folder. */
  readonly afterwardsMs: number;
  /** Heartbeats between two looks at the whole folder, for events that the system lost. */
  readonly beatsPerScan: number;
  /** Heartbeats between two looks at the space's list, for changes that were not told. */
  readonly beatsPerList: number;
  readonly firstBackoffMs: number;
  readonly longestBackoffMs: number;
}

export const MIRROR_LIMITS: MirrorLimits = {
  editAfterMs: 12,
  newAfterMs: 80,
  maxHoldMs: 250,
  maxPaths: 4096,
  maxEntries: 20_000,
  heartbeatMs: 2_000,
  afterwardsMs: 300,
  beatsPerScan: 3,
  beatsPerList: 15,
  firstBackoffMs: 250,
  longestBackoffMs: 10_000,
  deleteAfterMs: 400,
  emptyAfterMs: 120,
  holdMs: 1_500,
  maxFileBytes: 1024 * 1024,
  maxStrangers: 64,
};

export interface DiskMirrorOptions {
  /** Made where there is none; else empty, or this same join's from before. */
  readonly dir: string;
  readonly remote: MirrorRemote;
  readonly identity: JoinIdentity;
  readonly onNotice?: (notice: MirrorNotice) => void;
  readonly limits?: Partial<MirrorLimits>;
  /** Epoch milliseconds. @default Date.now */
  readonly now?: () => number;
}

/** An agent's view as a folder on disk, kept in step both ways until it is closed. */
export interface DiskMirror {
  /** Without links. */
  readonly dir: string;
  /** Resolves once it was closed; rejects when the mirror had to stop: `FolderGoneError`, or what the remote threw. */
  readonly done: Promise<void>;
  /** What the note says of the run. */
  tell(standing: NoteStanding): void;
  /** Looks at everything anew and resolves when both sides agree on all that can be agreed on. Rejects when the mirror stopped. */
  settled(): Promise<void>;
  /** Files whose text here the space does not take. */
  unsent(): readonly { readonly path: string; readonly reason: string }[];
  /** Copies that conflicts left. */
  conflicts(): readonly string[];
  /** Ends what is under way, leaves the folder as it is. Safe to call twice. */
  close(): Promise<void>;
}
