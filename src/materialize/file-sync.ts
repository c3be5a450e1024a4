import { errorCode, InTheWay } from './disk-files.ts';
import { type OnDisk, sha256Of } from './disk-folder.ts';
import { isConflictCopy, isLeftAlone } from './disk-names.ts';
import { Displacement } from './displacement.ts';
import { planMirror } from './mirror-plan.ts';
import type { PutAnswer, RemoteFile } from './mirror-remote.ts';
import type { SyncWorld } from './sync-world.ts';

/** What a person may put right in place: the path is theirs to change, the space does not take this text, or not now. */
const PASSING = new Set([
  'syntax',
  'file-too-large',
  'content',
  'rate-limit',
  'revoked',
  'restricted',
  'token-budget',
  'tool-budget',
  'blocked',
  'busy',
  'session-revoked',
]);
/** Of these, what time alone puts right. */
const WAITING = new Set(['rate-limit', 'blocked', 'busy']);
const EMPTY = sha256Of('');
const FLOOD_WINDOW_MS = 10_000;

type TextOnDisk = Extract<OnDisk, { kind: 'text' }>;

/**
 * Brings one file of a folder and of the space together, whatever has become of either. Called for one path at a time, in one
 * line; looks at everything anew each time, so that a call too many changes nothing and a call missed is made up for by the next.
 */
export class FileSync {
  /** How local files make way. */
  readonly displaced: Displacement;
  readonly #world: SyncWorld;
  readonly #missing = new Map<string, number>();
  readonly #emptied = new Map<string, number>();
  /** sha256 of refused new files -> when: a deletion of the same text is the other half of a refused rename. */
  readonly #strangers = new Map<string, number>();
  readonly #strangersAt: number[] = [];

  constructor(world: SyncWorld) {
    this.#world = world;
    this.displaced = new Displacement(world);
  }

  /** @throws {RemoteAwayError} when the space has to be asked and cannot be; the file is as it was, or on its way, and is to be tried again. */
  async sync(path: string): Promise<void> {
    try {
      await this.#sync(path).catch((error: unknown) => {
        if (!(error instanceof InTheWay)) throw error;
        this.displaced.evict(error.at, `${error.at} is ${error.what}, not a folder`);
        this.#world.again(path, 0);
      });
    } catch (error) {
      if (!isFileSystemError(error)) throw error;
      this.#trouble(path, `cannot be kept in step now (${errorCode(error)})`);
    }
  }

  async #sync(path: string): Promise<void> {
    const { folder, book, there } = this.#world;
    const remote = there.get(path);
    const base = book.base(path);
    const known = remote !== undefined || base !== undefined;
    const disk = folder.read(path);
    if (!known && isConflictCopy(path)) {
      if (disk.kind === 'absent') book.copies.delete(path);
      else book.copies.add(path);
      return;
    }
    if (!known && isLeftAlone(path)) return;
    if (disk.kind !== 'absent') this.#missing.delete(path);
    switch (disk.kind) {
      case 'unsettled':
        return this.#world.again(path, 25);
      case 'unreadable':
        return this.#trouble(path, disk.problem);
      case 'odd':
        if (!known && disk.what === 'a folder' && disk.at === path) return;
        return this.displaced.evict(
          disk.at,
          `${disk.at} is ${disk.what}, not ${disk.at === path ? 'a file' : 'a folder'}`,
        );
      case 'absent':
      case 'text':
      case 'unfit':
        return this.#decide(path, disk, remote, base);
    }
  }

  async #decide(
    path: string,
    disk: TextOnDisk | Extract<OnDisk, { kind: 'unfit' | 'absent' }>,
    remote: RemoteFile | undefined,
    base: string | undefined,
  ): Promise<void> {
    const { book } = this.#world;
    const there = remote?.sha256 ?? null;
    if (book.isOwn(path, there)) {
      book.agree(path, there);
      return this.#decide(path, disk, remote, book.base(path));
    }
    const action = planMirror({
      base: base ?? null,
      here: keyOf(disk),
      there,
      editable: remote?.editable ?? true,
    });
    switch (action) {
      case 'none':
      case 'settle':
        this.#missing.delete(path);
        book.agree(path, remote?.sha256 ?? null);
        book.seen(path, disk.kind === 'text' ? disk.signature : undefined);
        return;
      case 'take':
        return this.#take(path, disk, remote);
      case 'conflict':
        return this.displaced.conflict(path);
      case 'send':
        if (disk.kind === 'absent') return this.#sendDeletion(path, base, remote);
        if (disk.kind === 'unfit') return this.#unfit(path, disk, remote);
        return this.#sendText(path, disk, base, remote);
    }
  }

  async #sendText(
    path: string,
    disk: TextOnDisk,
    base: string | undefined,
    remote: RemoteFile | undefined,
  ): Promise<void> {
    const { book, limits, now, again } = this.#world;
    if (book.isHeldBack(path, disk.sha256, remote?.sha256)) return book.seen(path, disk.signature);
    if (disk.sha256 === EMPTY && base !== undefined) {
      const since = this.#emptied.get(path) ?? now();
      this.#emptied.set(path, since);
      if (now() - since < limits.emptyAfterMs) return again(path, limits.emptyAfterMs - (now() - since));
    }
    this.#emptied.delete(path);
    if (remote === undefined && base === undefined && this.#isFlooded()) {
      return this.displaced.evictUnasked(path);
    }
    const answer = await this.#put(path, disk.text, disk.sha256, base);
    if (answer.ok) {
      this.#arrived(path, answer.sha256, disk.sha256, Buffer.byteLength(disk.text));
      book.seen(path, disk.signature);
      return this.#world.notice({ kind: 'sent', path });
    }
    if (answer.code === 'conflict' && remote?.editable !== false) return this.#differs(path, answer);
    const waits = PASSING.has(answer.code);
    if (remote?.editable === true || waits) {
      const retry = WAITING.has(answer.code);
      return this.#holdBack(path, answer.message, retry ? undefined : disk.sha256, retry ? undefined : disk.signature);
    }
    if (remote === undefined) {
      this.#strangers.set(disk.sha256, now());
      this.#strangersAt.push(now());
    }
    this.displaced.putBack(path, disk.sha256, answer.message);
  }

  async #sendDeletion(path: string, base: string | undefined, remote: RemoteFile | undefined): Promise<void> {
    const { book, limits, now, again } = this.#world;
    const since = this.#missing.get(path) ?? now();
    this.#missing.set(path, since);
    const age = now() - since;
    if (age < limits.deleteAfterMs) return again(path, limits.deleteAfterMs - age);
    this.#world.assertThere();
    this.#missing.delete(path);
    const renamed = base !== undefined && now() - (this.#strangers.get(base) ?? -Infinity) < 5 * limits.deleteAfterMs;
    if (renamed) return this.displaced.restore(path, 'its new name was refused');
    if (remote?.editable === true && this.#allMissing()) return this.#restoreAll();
    const answer = await this.#put(path, null, null, base);
    if (answer.ok) {
      this.#arrived(path, answer.sha256, null, 0);
      book.seen(path, undefined);
      return this.#world.notice({ kind: 'deleted', path });
    }
    if (answer.code === 'conflict' && remote?.editable !== false) return this.#differs(path, answer);
    this.displaced.restore(path, answer.message);
  }

  async #put(path: string, text: string | null, sha256: string | null, base: string | undefined): Promise<PutAnswer> {
    try {
      return await this.#world.remote.put(path, text, base ?? null);
    } catch (error) {
      // It may have arrived all the same.
      this.#world.book.unanswered(path, sha256);
      throw error;
    }
  }

  async #take(path: string, disk: OnDisk, remote: RemoteFile | undefined): Promise<void> {
    const { book, folder, there } = this.#world;
    this.#missing.delete(path);
    const here = disk.kind === 'text' ? disk.sha256 : undefined;
    if (remote === undefined) {
      if (!this.displaced.makeWay(path, here)) return;
      folder.prune(path);
      book.agree(path, null);
      return this.#world.notice({ kind: 'removed', path });
    }
    const text = await this.#world.remote.read(path);
    if (text === undefined) {
      there.delete(path);
      return this.#world.again(path, 0);
    }
    const sha256 = sha256Of(text);
    if (sha256 !== remote.sha256) there.set(path, { ...remote, sha256, bytes: Buffer.byteLength(text) });
    if (text.includes('\0')) {
      // It could not be told from a file that somebody spoilt.
      there.delete(path);
      return this.#world.notice({ kind: 'trouble', path, reason: 'has NUL characters in it and is not shown' });
    }
    const fresh = folder.prepare(text, remote.editable ? 0o600 : 0o400);
    let placed = false;
    try {
      if (here !== undefined && !this.displaced.makeWay(path, here)) return;
      placed = folder.place(fresh, path);
      if (!placed) return this.#world.again(path, 0);
    } finally {
      if (!placed) folder.discard(fresh);
    }
    book.agree(path, sha256);
    book.seen(path, folder.signature(path));
    this.#world.notice({ kind: 'received', path });
  }

  /** The space has another version than was thought. */
  #differs(path: string, answer: Extract<PutAnswer, { ok: false }>): void {
    const { there, relist, again } = this.#world;
    const known = there.get(path);
    if (answer.now === null) there.delete(path);
    else if (answer.now !== undefined && known !== undefined) {
      there.set(path, { ...known, sha256: answer.now.sha256, bytes: Buffer.byteLength(answer.now.text) });
    } else relist();
    again(path, 20);
  }

  #unfit(path: string, disk: Extract<OnDisk, { kind: 'unfit' }>, remote: RemoteFile | undefined): void {
    const { book } = this.#world;
    if (remote?.editable !== true) return this.displaced.evict(path, disk.problem);
    if (book.isHeldBack(path, disk.signature, remote.sha256)) return book.seen(path, disk.signature);
    this.displaced.owe(path, disk.problem);
    this.#holdBack(path, disk.problem, disk.signature, disk.signature);
  }

  /** What a person made of a file that may be changed stays where it is until it is saved anew, or (no `key`) until the next scan. */
  #holdBack(path: string, reason: string, key: string | undefined, signature: string | undefined): void {
    const { book, there, now, notice } = this.#world;
    book.seen(path, signature);
    if (book.holdBack({ path, reason, at: now() }, key, there.get(path)?.sha256))
      notice({ kind: 'held-back', path, reason });
  }

  #arrived(path: string, sha256: string | null, sent: string | null, bytes: number): void {
    const { book, there } = this.#world;
    if (sha256 === null) there.delete(path);
    else there.set(path, { editable: true, kind: 'own', ...there.get(path), path, sha256, bytes });
    book.agree(path, sent);
    if (sha256 !== sent) this.#world.again(path, 0);
  }

  #trouble(path: string, reason: string): void {
    // Without a signature it is looked at again with the next scan.
    this.#world.book.seen(path, undefined);
    this.#world.notice({ kind: 'trouble', path, reason });
  }

  /** Is there none left of several files that may be changed? */
  #allMissing(): boolean {
    const editable = this.#editable();
    return editable.length > 1 && editable.every((path) => this.#world.folder.read(path).kind === 'absent');
  }

  /** All of them, whichever is due first: once one is back, those that went a moment later would pass for deleted one by one. */
  #restoreAll(): void {
    for (const path of this.#editable()) {
      this.#missing.delete(path);
      this.displaced.restore(path, 'every file was deleted at once, taken for an accident; delete them one by one');
    }
  }

  #editable(): readonly string[] {
    return [...this.#world.there.values()].filter((file) => file.editable).map((file) => file.path);
  }

  #isFlooded(): boolean {
    const { now, limits } = this.#world;
    for (const [sha256, at] of this.#strangers) if (now() - at > FLOOD_WINDOW_MS) this.#strangers.delete(sha256);
    while (now() - (this.#strangersAt[0] ?? Infinity) > FLOOD_WINDOW_MS) this.#strangersAt.shift();
    return this.#strangersAt.length >= limits.maxStrangers;
  }
}

function keyOf(disk: TextOnDisk | Extract<OnDisk, { kind: 'unfit' | 'absent' }>): string | null {
  if (disk.kind === 'absent') return null;
  return disk.kind === 'text' ? disk.sha256 : `unfit ${disk.signature}`;
}

function isFileSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error && 'path' in error;
}
