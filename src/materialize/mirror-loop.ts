import type { FSWatcher } from 'chokidar';
import type { DiskFolder } from './disk-folder.ts';
import { NOTE_FILE } from './disk-names.ts';
import { DueQueue } from './due-queue.ts';
import { FileSync } from './file-sync.ts';
import { watchFolder } from './folder-watch.ts';
import { Lookout } from './lookout.ts';
import { MirrorBook } from './mirror-book.ts';
import { FolderGoneError } from './mirror-errors.ts';
import type { DiskMirror, DiskMirrorOptions, MirrorLimits } from './mirror-options.ts';
import type { NoteStanding } from './mirror-note.ts';
import type { MirrorNotice } from './mirror-notice.ts';
import { MirrorVoice } from './mirror-voice.ts';
import { RemoteAwayError, type RemoteFile } from './mirror-remote.ts';
import type { FolderLock } from './mirror-state.ts';

/** Keeps one folder and one view in step: one thing at a time, whatever is due, until it is closed or has to stop. */
export class MirrorLoop implements DiskMirror {
  readonly dir: string;
  readonly done: Promise<void>;
  readonly #options: DiskMirrorOptions;
  readonly #limits: MirrorLimits;
  readonly #now: () => number;
  readonly #folder: DiskFolder;
  readonly #lock: FolderLock;
  readonly #book: MirrorBook;
  readonly #sync: FileSync;
  readonly #queue: DueQueue;
  readonly #lookout: Lookout;
  readonly #there = new Map<string, RemoteFile>();
  readonly #voice: MirrorVoice;
  readonly #idle: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  readonly #finished = Promise.withResolvers<void>();
  #relist = true;
  #rescan = true;
  #running: Promise<void> | undefined;
  /**
   * When to look at the whole folder after something changed in it: a watcher that has not yet seen a new file does not tell of
   * its end, and nothing of a pipe that took a file's place at once.
   */
  #scanAt = Infinity;
  /** The folder as a whole, or its note, is to be looked at. */
  #look = false;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt: number | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #watcher: FSWatcher | undefined;
  #unsubscribe: (() => void) | undefined;
  #away: { readonly since: number; readonly retryAt: number; readonly backoffMs: number } | undefined;
  #beats = 0;
  #closing: Promise<void> | undefined;
  #ended = false;

  constructor(
    options: DiskMirrorOptions,
    limits: MirrorLimits,
    now: () => number,
    folder: DiskFolder,
    lock: FolderLock,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#now = now;
    this.#folder = folder;
    this.#lock = lock;
    this.dir = folder.dir;
    this.done = this.#finished.promise;
    // Whoever does not ask is not to be ended by it.
    this.done.catch(() => undefined);
    this.#book = new MirrorBook(folder);
    this.#voice = new MirrorVoice({
      folder,
      book: this.#book,
      now,
      identity: options.identity,
      onNotice: options.onNotice,
    });
    this.#queue = new DueQueue(limits);
    this.#lookout = new Lookout({
      folder,
      limits,
      now,
      book: this.#book,
      there: this.#there,
      queue: this.#queue,
      notice: (notice) => this.#notice(notice),
    });
    this.#sync = new FileSync({
      folder,
      limits,
      now,
      remote: options.remote,
      book: this.#book,
      there: this.#there,
      again: (path, delayMs) => this.#queue.mark(path, now(), delayMs, true),
      relist: () => (this.#relist = true),
      assertThere: () => this.#assertThere(),
      notice: (notice) => this.#notice(notice),
    });
  }

  async start(): Promise<void> {
    await this.#list();
    this.#sync.displaced.recover();
    // Before there are events: of files that come and go while it starts to watch, a watcher tells nothing.
    await this.settled();
    this.#watcher = await watchFolder(this.dir, {
      isSkipped: (path) => this.#lookout.isSkipped(path),
      onEvent: (path, isDirectory) => this.#changed(path, isDirectory),
      // Some changes in quick succession come to nothing in a watcher's eyes.
      onStir: () => this.#lookAfterwards(),
      onError: (problem) => {
        // What the system cannot tell us, the heartbeat finds.
        this.#notice({ kind: 'trouble', path: '', reason: `the folder cannot be watched (${problem})` });
        this.#rescan = true;
        this.#kick();
      },
    });
    this.#unsubscribe = this.#options.remote.onChange(() => {
      this.#relist = true;
      this.#kick();
    });
    this.#heartbeat = setInterval(() => this.#beat(), this.#limits.heartbeatMs);
    // Changes between the list and the subscription are not told.
    this.#relist = true;
    await this.settled();
  }

  tell(standing: NoteStanding): void {
    this.#voice.standing = standing;
    if (!this.#ended && this.#running === undefined) this.#tidy();
  }

  settled(): Promise<void> {
    if (this.#ended) return this.done;
    this.#rescan = true;
    this.#relist = true;
    return new Promise((resolve, reject) => {
      this.#idle.push({ resolve, reject });
      this.#kick();
    });
  }

  unsent(): readonly { readonly path: string; readonly reason: string }[] {
    return this.#book.unsent();
  }

  conflicts(): readonly string[] {
    return [...this.#book.copies].sort();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end(undefined);
    return this.#closing;
  }

  #changed(path: string, isDirectory: boolean): void {
    if (this.#ended) return;
    const due = this.#lookout.changed(path, isDirectory);
    if (due === 'whole') this.#look = true;
    // A flood of events costs no more than the marking.
    if (due === 'whole' || (due !== undefined && (this.#wakesAt === undefined || this.#wakesAt > due))) this.#kick();
  }

  #lookAfterwards(): void {
    if (this.#scanAt !== Infinity || this.#ended) return;
    this.#scanAt = this.#now() + this.#limits.afterwardsMs;
    if (this.#wakesAt === undefined || this.#wakesAt > this.#scanAt) this.#kick();
  }

  #beat(): void {
    this.#beats += 1;
    if (this.#beats % this.#limits.beatsPerScan === 0 || this.#voice.hasTrouble('')) this.#rescan = true;
    if (this.#beats % this.#limits.beatsPerList === 0) this.#relist = true;
    if (this.#problem() === undefined) this.#lock.renew(this.#now());
    else this.#look = true;
    this.#kick();
  }

  /** Runs what is due, now or when it is; one at a time. */
  #kick(): void {
    if (this.#ended || this.#running !== undefined) return;
    clearTimeout(this.#timer);
    this.#wakesAt = undefined;
    const now = this.#now();
    const work = this.#relist || this.#rescan ? now : (this.#queue.nextAt() ?? Infinity);
    if (this.#scanAt <= now) {
      this.#scanAt = Infinity;
      this.#rescan = true;
      return this.#kick();
    }
    const held = this.#sync.displaced.releaseHeld(now) ?? Infinity;
    const at = Math.min(held, this.#scanAt, Math.max(work, this.#away?.retryAt ?? 0));
    if (!this.#look && at > now) {
      if (at === Infinity) return;
      this.#wakesAt = at;
      this.#timer = setTimeout(() => this.#kick(), Math.max(1, at - now));
      return;
    }
    this.#look = false;
    this.#running = this.#run()
      .catch((error: unknown) => this.#stop(error))
      .finally(() => {
        this.#running = undefined;
        this.#kick();
      });
  }

  async #run(): Promise<void> {
    this.#assertThere();
    try {
      // While the space is away only the folder itself is looked after.
      while (!this.#ended && (this.#away?.retryAt ?? 0) <= this.#now()) {
        await this.#turn();
        if (this.#away !== undefined) this.#back();
        if (this.#relist || this.#rescan) continue;
        if (this.#queue.isDrained()) {
          this.#rescan = true;
          continue;
        }
        const next = this.#queue.nextAt();
        if (next === undefined || next > this.#now()) break;
      }
    } catch (error) {
      if (!(error instanceof RemoteAwayError)) throw error;
      this.#leave(error);
    }
    this.#tidy();
    if (this.#queue.size > 0 || this.#relist || this.#rescan || this.#away !== undefined) return;
    for (const { resolve } of this.#idle.splice(0)) resolve();
  }

  async #turn(): Promise<void> {
    if (this.#relist) await this.#list();
    if (this.#rescan) {
      this.#rescan = false;
      this.#lookout.scan();
    }
    const due = this.#queue.take(this.#now());
    for (const [index, path] of due.entries()) {
      if (this.#ended) return;
      try {
        await this.#sync.sync(path);
      } catch (error) {
        for (const left of due.slice(index)) this.#queue.mark(left, this.#now(), 0, true);
        throw error;
      }
    }
    await this.#sync.displaced.payOwed();
  }

  async #list(): Promise<void> {
    this.#relist = false;
    try {
      this.#lookout.listed(await this.#options.remote.list());
    } catch (error) {
      this.#relist = true;
      throw error;
    }
  }

  #problem(): string | undefined {
    return this.#folder.gone() ?? (this.#lock.mine() ? undefined : 'is kept in step by another process now');
  }

  #assertThere(): void {
    const problem = this.#problem();
    if (problem !== undefined) throw new FolderGoneError(this.dir, problem);
  }

  #leave(error: RemoteAwayError): void {
    const { firstBackoffMs, longestBackoffMs } = this.#limits;
    const before = this.#away;
    const backoffMs = before === undefined ? firstBackoffMs : Math.min(2 * before.backoffMs, longestBackoffMs);
    const now = this.#now();
    this.#away = { since: before?.since ?? now, retryAt: now + backoffMs, backoffMs };
    if (before === undefined) this.#notice({ kind: 'away', reason: error.message });
    this.#relist = true;
  }

  #back(): void {
    this.#away = undefined;
    this.#relist = true;
    this.#rescan = true;
    this.#notice({ kind: 'back' });
  }

  #notice(notice: MirrorNotice): void {
    if (notice.kind === 'received' || notice.kind === 'put-back') this.#lookAfterwards();
    this.#voice.notice(notice);
  }

  /** Brings the note and the state up to date; a full disk is no reason to stop. */
  #tidy(): void {
    try {
      if (this.#problem() !== undefined) return;
      this.#lock.renew(this.#now());
      this.#voice.write(this.#there.values(), this.#away?.since);
      this.#book.save();
    } catch (error) {
      const reason = `cannot be written (${error instanceof Error ? error.message : 'unknown'})`;
      this.#notice({ kind: 'trouble', path: NOTE_FILE, reason });
    }
  }

  #stop(error: unknown): void {
    this.#closing ??= this.#end(error);
  }

  async #end(error: unknown): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearInterval(this.#heartbeat);
    this.#unsubscribe?.();
    // A run that stops itself is not waited for by itself.
    if (error === undefined) await this.#running;
    await this.#watcher?.close();
    if (this.#problem() === undefined) {
      this.#sync.displaced.releaseHeld(Infinity);
      this.#tidy();
      this.#lock.release();
    }
    this.#folder.close();
    const reason = error ?? new Error('the folder was closed');
    for (const { reject } of this.#idle.splice(0)) reject(reason);
    if (error === undefined) this.#finished.resolve();
    else this.#finished.reject(error);
  }
}
