import { hostname } from 'node:os';
import { z } from 'zod';
import type { DiskFolder } from './disk-folder.ts';
import { FolderError } from './mirror-errors.ts';

/** Whose view a folder is. The same three come back to the same folder, and no others. */
export interface JoinIdentity {
  readonly agent: string;
  readonly experiment: string;
  /** Null in a space without a run. */
  readonly run: string | null;
}

/** A change that the space did not take, and what became of it. */
export interface Refusal {
  readonly path: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly reason: string;
  /** Where the person's version is, if there is one and it did not stay where it was. */
  readonly kept: string | null;
}

/** A file that may be changed and whose text here the space does not take as it is. */
export interface Unsent {
  readonly path: string;
  readonly reason: string;
  readonly at: number;
}

/** What a mirror must know after a restart. */
export interface MirrorState {
  /** Path -> sha256 of what the folder and the space agreed on last. */
  readonly files: Readonly<Record<string, string>>;
  readonly refusals: readonly Refusal[];
  readonly unsent: readonly Unsent[];
  /** Path -> sha256 of what was sent since, its answer lost (null: a deletion). */
  readonly unanswered: Readonly<Record<string, readonly (string | null)[]>>;
  /** sha256 of the note as it was written last. */
  readonly note: string | null;
}

const SHA = z.string().regex(/^[0-9a-f]{64}$/u);
const STATE = z.object({
  files: z.record(z.string(), SHA),
  refusals: z.array(z.object({ path: z.string(), at: z.number(), reason: z.string(), kept: z.string().nullable() })),
  unsent: z.array(z.object({ path: z.string(), reason: z.string(), at: z.number() })),
  unanswered: z.record(z.string(), z.array(SHA.nullable())).default({}),
  note: SHA.nullable(),
});
const JOIN = z.object({ agent: z.string(), experiment: z.string(), run: z.string().nullable() });
const LOCK = z.object({ pid: z.int().positive(), host: z.string(), nonce: z.string(), at: z.number() });

export const EMPTY_STATE: MirrorState = { files: {}, refusals: [], unsent: [], unanswered: {}, note: null };

/** A lock that nobody renewed for this long is nobody's, milliseconds. */
export const LOCK_STALE_MS = 15_000;

/** The state of the last sync. What cannot be read counts as none: then every difference is a conflict, and both versions stay. */
export function readState(folder: Pick<DiskFolder, 'readMeta'>): MirrorState {
  return parsed(STATE, folder.readMeta('state.json')) ?? EMPTY_STATE;
}

export function writeState(folder: DiskFolder, state: MirrorState): void {
  folder.writeMeta('state.json', `${JSON.stringify(state, null, 1)}\n`);
}

/** Whose view the folder was made as; undefined where it was not. */
export function readJoin(folder: Pick<DiskFolder, 'readMeta'>): JoinIdentity | undefined {
  return parsed(JOIN, folder.readMeta('join.json'));
}

/**
 * Makes the folder this join's: an empty one, or one that it was before. @returns whether it was before.
 * @throws {FolderError} when it is neither; nothing was touched then.
 */
export function claimFolder(folder: DiskFolder, identity: JoinIdentity): boolean {
  const before = readJoin(folder);
  if (before !== undefined) {
    const same =
      before.agent === identity.agent && before.experiment === identity.experiment && before.run === identity.run;
    if (same) return true;
    const run = before.run === null ? '' : `, run ${before.run}`;
    throw new FolderError(folder.dir, { code: 'folder-taken', by: `${before.agent} of ${before.experiment}${run}` });
  }
  const entries = [...folder.names()].sort();
  if (entries.length > 0) throw new FolderError(folder.dir, { code: 'folder-not-empty', entries });
  folder.writeMeta('join.json', `${JSON.stringify(identity, null, 1)}\n`);
  return false;
}

/** Keeps two processes from keeping one folder in step. Renewed now and then; see {@link LOCK_STALE_MS}. */
export class FolderLock {
  readonly #folder: DiskFolder;
  readonly #nonce: string;

  /** @throws {FolderError} when another process has it. */
  constructor(folder: DiskFolder, nonce: string, now: number) {
    const held = lockOf(folder);
    if (held !== undefined && isHeld(held, now))
      throw new FolderError(folder.dir, { code: 'folder-busy', pid: held.pid });
    this.#folder = folder;
    this.#nonce = nonce;
    this.renew(now);
  }

  /** Is it still this process's? */
  mine(): boolean {
    return lockOf(this.#folder)?.nonce === this.#nonce;
  }

  renew(now: number): void {
    const lock = { pid: process.pid, host: hostname(), nonce: this.#nonce, at: now };
    this.#folder.writeMeta('lock.json', `${JSON.stringify(lock)}\n`);
  }

  release(): void {
    if (this.mine()) this.#folder.removeMeta('lock.json');
  }
}

function lockOf(folder: DiskFolder): z.infer<typeof LOCK> | undefined {
  return parsed(LOCK, folder.readMeta('lock.json'));
}

function isHeld(lock: z.infer<typeof LOCK>, now: number): boolean {
  if (Math.abs(now - lock.at) > LOCK_STALE_MS) return false;
  if (lock.host !== hostname()) return true;
  try {
    process.kill(lock.pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process: it lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function parsed<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    const result = schema.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
}
