import { errorCode } from './disk-files.ts';
import type { DiskFolder } from './disk-folder.ts';
import { conflictCopyOf } from './disk-names.ts';
import type { SyncWorld } from './sync-world.ts';

/**
 * How files of a person's make way without being lost: captured first, looked at then, and kept wherever they are not plainly
 * what the space has. What could not be offered to the space is owed to its record.
 */
export class Displacement {
  readonly #world: SyncWorld;
  /** Files that made way and are still looked at, by id. */
  readonly #held = new Map<string, { readonly path: string; readonly sha256: string; readonly until: number }>();
  readonly #owed = new Map<string, string>();
  #unasked = 0;

  constructor(world: SyncWorld) {
    this.#world = world;
  }

  /** Puts on record what could not be offered. */
  async payOwed(): Promise<void> {
    const { remote } = this.#world;
    if (this.#unasked > 0) {
      const many = this.#unasked;
      await remote.refuse('.', `${many} more changes at once; set aside unasked`);
      this.#unasked -= many;
    }
    for (const [path, problem] of this.#owed) {
      await remote.refuse(path, problem);
      this.#owed.delete(path);
    }
  }

  /** Lets go of files that made way, unless somebody wrote into them since. @returns when there is more to do. */
  releaseHeld(now: number): number | undefined {
    let next: number | undefined;
    for (const [id, { path, sha256, until }] of this.#held) {
      if (until > now) {
        next = Math.min(next ?? until, until);
        continue;
      }
      this.#held.delete(id);
      this.#letGo(id, path, sha256);
    }
    return next;
  }

  #letGo(id: string, path: string, sha256: string): void {
    const { folder, notice } = this.#world;
    try {
      const disk = folder.inspect(id);
      if (disk.kind === 'text' && disk.sha256 === sha256) folder.discard(id);
      else if (disk.kind !== 'absent') this.#keepCopy(id, path);
    } catch (error) {
      // It stays where it is, and is dealt with at the next start.
      notice({ kind: 'trouble', path, reason: `left a copy in .hivemark/held (${errorCode(error)})` });
    }
  }

  /** Deals with what a process that ended in the middle left behind. */
  recover(): void {
    const { folder, book, there } = this.#world;
    const known = new Set([...there.values()].map((file) => file.sha256));
    for (const path of book.paths()) known.add(book.base(path) ?? '');
    for (const id of folder.leftovers()) {
      const disk = folder.inspect(id);
      if (disk.kind === 'text' && known.has(disk.sha256)) folder.discard(id);
      else this.#refused(id, 'was left by a sync that did not end', folder.setAside(id, id, this.#date()));
    }
  }

  /** Takes the version with `expected` out of the way. @returns false when another was there: it is back, or kept. */
  makeWay(path: string, expected: string | undefined): boolean {
    const { book, folder, limits, now, again } = this.#world;
    book.forget(path);
    const held = folder.capture(path);
    if (held === undefined) return true;
    if (held.disk.kind === 'text' && held.disk.sha256 === expected) {
      this.#held.set(held.id, { path, sha256: held.disk.sha256, until: now() + limits.holdMs });
      return true;
    }
    if (held.disk.kind === 'odd' || !folder.place(held.id, path)) this.#keepCopy(held.id, path);
    // Saved while we were at it: known again by what it was made from.
    else if (expected !== undefined) book.agree(path, expected);
    again(path, 0);
    return false;
  }

  /** Both sides changed the file: what is here is kept beside it, so that the space's version may come. */
  conflict(path: string): void {
    const { book, folder, again } = this.#world;
    book.forget(path);
    const held = folder.capture(path);
    if (held !== undefined) this.#keepCopy(held.id, path);
    again(path, 0);
  }

  /** A refused text makes way for what the space has, and is kept. */
  putBack(path: string, sha256: string, reason: string): void {
    const { book, folder, again } = this.#world;
    book.forget(path);
    const held = folder.capture(path);
    again(path, 0);
    if (held === undefined) return;
    // Saved again since it was read: that is another question.
    const newer = held.disk.kind === 'text' && held.disk.sha256 !== sha256;
    if (newer && folder.place(held.id, path)) return;
    this.#refused(path, reason, folder.setAside(held.id, path, this.#date()));
    folder.prune(path);
  }

  /** A file that is missing comes back. */
  restore(path: string, reason: string): void {
    this.#world.book.forget(path);
    this.#refused(path, reason, null);
    this.#world.again(path, 0);
  }

  /** What is no file of the view, or stands where a folder should be, makes way; the refusal goes on record. */
  evict(at: string, reason: string): void {
    if (this.#owed.size < this.#world.limits.maxStrangers) this.#owed.set(at, reason);
    else this.#unasked += 1;
    this.#evict(at, reason);
  }

  /** One of very many: it makes way, and they go on record together. */
  evictUnasked(at: string): void {
    this.#unasked += 1;
    this.#evict(at, 'is one of very many new files');
  }

  /** Puts on record, later, what cannot be offered. */
  owe(path: string, problem: string): void {
    this.#owed.set(path, problem);
  }

  #evict(at: string, reason: string): void {
    const { folder, book, there, again } = this.#world;
    const below = [...new Set([...there.keys(), ...book.paths()])].filter(
      (path) => path === at || path.startsWith(`${at}/`),
    );
    for (const path of below) book.forget(path);
    const held = folder.capture(at);
    if (held !== undefined) this.#refused(at, reason, folder.setAside(held.id, at, this.#date()));
    for (const path of below) again(path, 0);
  }

  /** Gives what is held a name beside `path`; what is no file is set aside. */
  #keepCopy(id: string, path: string): void {
    const { folder, book, there } = this.#world;
    const disk = folder.inspect(id);
    for (let n = 1; disk.kind !== 'odd' && n < 10_000; n += 1) {
      const copy = conflictCopyOf(path, n);
      if (there.has(copy) || !placedBeside(folder, id, copy)) continue;
      book.copies.add(copy);
      return this.#world.notice({ kind: 'conflict', path, copy });
    }
    this.#refused(path, 'was changed here and in the space', folder.setAside(id, path, this.#date()));
  }

  #refused(path: string, reason: string, kept: string | null): void {
    this.#world.book.record({ path, reason, kept, at: this.#world.now() });
    this.#world.notice({ kind: 'put-back', path, reason, kept });
  }

  #date(): Date {
    return new Date(this.#world.now());
  }
}

function placedBeside(folder: DiskFolder, id: string, copy: string): boolean {
  try {
    return folder.place(id, copy);
  } catch {
    return false;
  }
}
