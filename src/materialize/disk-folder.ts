import { createHash, randomBytes } from 'node:crypto';
import { type BigIntStats, existsSync, readdirSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  decode,
  errorCode,
  InTheWay,
  kindOf,
  linkNew,
  lstatOf,
  readRegular,
  signatureOf,
  unlinkIfThere,
} from './disk-files.ts';
import { META_DIRECTORY } from './disk-names.ts';
import { FolderRoot } from './folder-root.ts';

/** What is at a path of the folder. `signature` is different whenever the file may be. `at`: the path of what stands in the way. */
export type OnDisk =
  | { readonly kind: 'absent' }
  | { readonly kind: 'text'; readonly text: string; readonly sha256: string; readonly signature: string }
  /** A regular file whose content is no text of the space. */
  | { readonly kind: 'unfit'; readonly problem: string; readonly signature: string }
  /** A link, folder, pipe, socket or device; never opened. */
  | { readonly kind: 'odd'; readonly what: string; readonly at: string }
  | { readonly kind: 'unreadable'; readonly problem: string }
  /** It was being written while it was read. */
  | { readonly kind: 'unsettled' };

/** A file that was taken out of the folder's sight; see {@link DiskFolder.capture}. */
export interface Held {
  readonly id: string;
  /** What it is, as it was taken. */
  readonly disk: OnDisk;
}

/** What a scan saw. */
export interface ScannedEntry {
  readonly path: string;
  readonly signature: string;
}

/** Of a file of the mirror's own: a thousand files and their hashes are a tenth of one MiB. */
const MAX_META_BYTES = 16 * 1024 * 1024;
const DEEPEST = 64;
/** Says whose view a folder is; without it, it is nobody's. */
const MARKER = `${META_DIRECTORY}/join.json`;
/** What ends so is a copy of what the space has. */
const FRESH = '.new';
const HELD = `${META_DIRECTORY}/held`;
const SET_ASIDE = `${META_DIRECTORY}/set-aside`;

/** sha256 of a text's UTF-8 bytes, hex. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * A folder on disk that somebody else changes at any moment, and what may safely be done in it.
 *
 * No link is ever followed or written through ({@link FolderRoot}). Nothing is written in place and nothing is overwritten: a file comes whole, by a link that fails
 * where something is, and what has to make way is moved into `.hivemark/` first, looked at there, and only then disposed of. So
 * a save that happens at the same time is never lost. Calls are synchronous: they are short, and nothing of ours comes between.
 */
export class DiskFolder {
  readonly #root: FolderRoot;
  readonly #maxBytes: number;
  #asides = 0;

  private constructor(root: FolderRoot, maxBytes: number) {
    this.#root = root;
    this.#maxBytes = maxBytes;
  }

  /** Without links. */
  get dir(): string {
    return this.#root.dir;
  }

  /** Opens a folder, made (mode 0700) where there is none. @throws {FolderError} */
  static open(dir: string, maxBytes: number): DiskFolder {
    return new DiskFolder(FolderRoot.open(dir), maxBytes);
  }

  /** Nothing may be called after it. */
  close(): void {
    this.#root.close();
  }

  /** What is wrong with the folder as a whole, if something is: it vanished, is another, or nobody's view any more. */
  gone(): string | undefined {
    try {
      return this.#root.gone() ?? (this.#lstat(MARKER)?.isFile() === true ? undefined : `has lost its ${MARKER}`);
    } catch (error) {
      return `cannot be read any more (${errorCode(error)})`;
    }
  }

  /** Names in the folder itself. */
  names(): readonly string[] {
    return this.#root.within('', (base) => readdirSync(base)) ?? [];
  }

  /** What is at `path`; regular files up to the size limit are read. */
  read(path: string): OnDisk {
    return this.#read(path, this.#maxBytes);
  }

  #read(path: string, maxBytes: number): OnDisk {
    try {
      return this.#root.within(dirOf(path), (base) => readIn(base, path, maxBytes)) ?? { kind: 'absent' };
    } catch (error) {
      if (error instanceof InTheWay) return { kind: 'odd', what: error.what, at: error.at };
      return { kind: 'unreadable', problem: `cannot be read (${errorCode(error)})` };
    }
  }

  /** Different whenever the file at `path` may be; undefined where no regular file is. */
  signature(path: string): string | undefined {
    try {
      const stat = this.#lstat(path);
      return stat?.isFile() === true ? signatureOf(stat) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Writes a text out of sight, whole, for `place`; what fails (a full disk) fails here, before anything made way. */
  prepare(text: string, mode: number): string {
    return this.#root.making(HELD, (held) => {
      const id = `${randomBytes(8).toString('hex')}${FRESH}`;
      try {
        writeFileSync(`${held}/${id}`, text, { flag: 'wx', mode });
      } catch (error) {
        unlinkIfThere(`${held}/${id}`);
        throw error;
      }
      return id;
    });
  }

  /**
   * Puts what is held where nothing is; directories are made as needed.
   * @returns false where something is (or came to be); it is held still.
   */
  place(id: string, path: string): boolean {
    return this.#root.making(HELD, (held) =>
      this.#root.making(dirOf(path), (base) => {
        if (!linkNew(`${held}/${id}`, `${base}/${nameOf(path)}`)) return false;
        unlinkIfThere(`${held}/${id}`);
        return true;
      }),
    );
  }

  /**
   * Takes whatever is at `path` out of sight, and says what it was. The inode is the same: what a program writes that has the file
   * open goes on into it. The caller disposes of it by `place`, `setAside` or `discard`.
   * @returns undefined where nothing is. @throws when it cannot be moved.
   */
  capture(path: string): Held | undefined {
    const id = randomBytes(8).toString('hex');
    const taken = this.#root.making(HELD, (held) =>
      this.#root.within(dirOf(path), (base) => {
        try {
          renameSync(`${base}/${nameOf(path)}`, `${held}/${id}`);
          return true;
        } catch (error) {
          if (errorCode(error) === 'ENOENT') return false;
          throw error;
        }
      }),
    );
    return taken === true ? { id, disk: this.inspect(id) } : undefined;
  }

  /** What is held under `id` now. */
  inspect(id: string): OnDisk {
    return this.read(`${HELD}/${id}`);
  }

  /** Keeps what is held for the person. @returns where, as a path of the folder. */
  setAside(id: string, path: string, at: Date): string {
    const stamp = at.toISOString().replaceAll(':', '-');
    return this.#root.making(HELD, (held) =>
      this.#root.making(SET_ASIDE, (aside) => {
        for (;;) {
          this.#asides += 1;
          const name = `${stamp}-${this.#asides}-${shortName(nameOf(path))}`;
          if (existsSync(`${aside}/${name}`)) continue;
          renameSync(`${held}/${id}`, `${aside}/${name}`);
          return `${SET_ASIDE}/${name}`;
        }
      }),
    );
  }

  /** Deletes what is held; only for what is known to be elsewhere. */
  discard(id: string): void {
    this.#root.making(HELD, (held) => unlinkIfThere(`${held}/${id}`));
  }

  /** What is held: more than nothing at the start means that a process ended in the middle of something. */
  leftovers(): readonly string[] {
    const ids = this.#root.within(HELD, (held) => readdirSync(held)) ?? [];
    for (const id of ids) if (id.endsWith(FRESH)) this.discard(id);
    return ids.filter((id) => !id.endsWith(FRESH));
  }

  /** Removes the directories of `path` that have become empty. */
  prune(path: string): void {
    for (let directory = dirOf(path); directory !== ''; directory = dirOf(directory)) {
      try {
        this.#root.within(dirOf(directory), (base) => rmdirSync(`${base}/${nameOf(directory)}`));
      } catch {
        return;
      }
    }
  }

  /** Everything in the folder that is no directory, with signatures; `skip` leaves paths and what is below them out. */
  scan(skip: (path: string) => boolean, maxEntries: number): readonly ScannedEntry[] {
    const found: ScannedEntry[] = [];
    const walk = (directory: string, depth: number): void => {
      if (depth > DEEPEST) return;
      const below: string[] = [];
      try {
        this.#root.within(directory, (base) => {
          for (const name of readdirSync(base)) {
            const path = directory === '' ? name : `${directory}/${name}`;
            if (found.length >= maxEntries || skip(path)) continue;
            const stat = lstatOf(`${base}/${name}`);
            if (stat?.isDirectory() === true) below.push(path);
            else if (stat !== undefined) found.push({ path, signature: signatureOf(stat) });
          }
        });
      } catch {
        // A directory that went away or may not be read: what is known of it is asked for one by one.
      }
      for (const path of below) walk(path, depth + 1);
    };
    walk('', 0);
    return found;
  }

  /** Text of a file of the mirror's own; undefined where there is none. */
  readMeta(name: string): string | undefined {
    const disk = this.#read(`${META_DIRECTORY}/${name}`, MAX_META_BYTES);
    return disk.kind === 'text' ? disk.text : undefined;
  }

  /** Writes a file of the mirror's own whole, over what was there. */
  writeMeta(name: string, text: string): void {
    this.#root.making(META_DIRECTORY, (meta) => {
      const fresh = `${meta}/${name}.${randomBytes(4).toString('hex')}.tmp`;
      try {
        writeFileSync(fresh, text, { flag: 'wx', mode: 0o600 });
        renameSync(fresh, `${meta}/${name}`);
      } finally {
        unlinkIfThere(fresh);
      }
    });
  }

  removeMeta(name: string): void {
    this.#root.within(META_DIRECTORY, (meta) => unlinkIfThere(`${meta}/${name}`));
  }

  #lstat(path: string): BigIntStats | undefined {
    return this.#root.within(dirOf(path), (base) => lstatOf(`${base}/${nameOf(path)}`));
  }
}

function readIn(base: string, path: string, maxBytes: number): OnDisk {
  const file = `${base}/${nameOf(path)}`;
  const seen = lstatOf(file);
  if (seen === undefined) return { kind: 'absent' };
  if (!seen.isFile()) return { kind: 'odd', what: kindOf(seen), at: path };
  if (seen.size > BigInt(maxBytes)) {
    const problem = `is ${seen.size} bytes, more than the ${maxBytes} that a folder sends`;
    return { kind: 'unfit', problem, signature: signatureOf(seen) };
  }
  const got = readRegular(file, maxBytes);
  if (got === 'unsettled') return { kind: 'unsettled' };
  const { bytes, signature } = got;
  const text = decode(bytes);
  if (text === undefined) return { kind: 'unfit', problem: 'is not UTF-8 text', signature };
  return { kind: 'text', text, sha256: sha256Of(text), signature };
}

function dirOf(path: string): string {
  const directory = dirname(path);
  return directory === '.' ? '' : directory;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function shortName(name: string): string {
  return Buffer.byteLength(name) > 150 ? `${name.slice(0, 40)}...` : name;
}
