import type { LogEntry, LogRecord } from '../space/log.ts';
import { type Log, StaleAppendError } from '../space/log.ts';
import { GateClosedError } from './gate-closed-error.ts';

/** Decisions and marks of one batch before it is appended. */
export interface Batch {
  readonly entries: LogEntry[];
}

/** One call that waits for its turn. */
export interface Task<B extends Batch> {
  /**
   * Decides on the batch's view and adds what it leaves behind. Runs again on a fresh batch when the log had moved on. One that throws fails
   * alone.
   */
  stage(batch: B): void;
  /** The batch that it was staged on last is durable. */
  done(): void;
  /** The batch could not be committed. */
  fail(error: Error): void;
  /** Nobody waits for it: it may be committed a little later, with what comes after it. */
  readonly lazy?: boolean;
}

export interface CommitPort<B extends Batch> {
  readonly log: Log;
  /** Position the index stands at. */
  seq(): number;
  /** A fresh batch over the committed view. */
  createBatch(): B;
  /** Everything of the batch is staged. */
  staged(batch: B): void;
  /** The batch is durable as `records`: fold it in; nobody has been told yet. */
  committed(batch: B, records: readonly LogRecord[]): void;
  /** Nothing of the batch came to be: the log had moved on. */
  dropped(batch: B): void;
  /** Folds in records that others wrote. */
  catchUp(records: readonly LogRecord[]): void;
}

/** Tasks of one batch: bounds one transaction. */
const MOST_PER_BATCH = 512;
/** How long a lazy task may be put off. */
const LAZY_MS = 25;

/**
 * The one queue of a gate: take what waits, stage all of it, one append, fold it in, then acknowledge. If the append or the fold fails,
 * nothing further is accepted: every task waiting and every later one fails with a {@link GateClosedError}.
 */
export class CommitQueue<B extends Batch> {
  readonly #port: CommitPort<B>;
  #waiting: Task<B>[] = [];
  #running: Promise<void> | undefined;
  #behind = false;
  #lazyTimer: NodeJS.Timeout | undefined;
  #closed: GateClosedError | undefined;
  readonly #onFailure: () => void;

  constructor(port: CommitPort<B>, onFailure: () => void) {
    this.#port = port;
    this.#onFailure = onFailure;
  }

  get closed(): GateClosedError | undefined {
    return this.#closed;
  }

  push(task: Task<B>): void {
    if (this.#closed !== undefined) {
      task.fail(this.#closed);
      return;
    }
    this.#waiting.push(task);
    if (task.lazy === true && this.#running === undefined && this.#waiting.length < MOST_PER_BATCH)
      this.#lazyTimer ??= setTimeout(() => this.#start(), LAZY_MS);
    else this.#start();
  }

  #start(): void {
    clearTimeout(this.#lazyTimer);
    this.#lazyTimer = undefined;
    this.#running ??= this.#run();
  }

  /** Others wrote to the log: fold it in when the batch at hand is done. */
  follow(): void {
    if (this.#closed !== undefined) return;
    this.#behind = true;
    this.#start();
  }

  /** Refuses further tasks and resolves when those accepted are done. */
  async drain(): Promise<void> {
    this.#closed ??= new GateClosedError('the gate was closed');
    if (this.#waiting.length > 0) this.#start();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Calls of one turn of the event loop share a batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 || this.#behind) {
      const tasks = this.#waiting.length > MOST_PER_BATCH ? this.#waiting.splice(0, MOST_PER_BATCH) : this.#waiting;
      if (tasks === this.#waiting) this.#waiting = [];
      try {
        if (this.#behind) await this.#catchUp();
        await this.#commit(tasks);
      } catch (cause) {
        this.#stop(tasks, cause);
        return;
      }
      acknowledge(tasks);
    }
    this.#running = undefined;
  }

  /** Leaves in `tasks` those that are durable now; the others have failed, each alone. */
  async #commit(tasks: Task<B>[]): Promise<void> {
    while (tasks.length > 0) {
      const batch = this.#port.createBatch();
      if (!this.#stage(batch, tasks)) continue;
      try {
        const records = batch.entries.length === 0 ? [] : await this.#port.log.append(this.#port.seq(), batch.entries);
        this.#port.committed(batch, records);
        return;
      } catch (error) {
        if (!(error instanceof StaleAppendError)) throw error;
        this.#port.dropped(batch);
      }
      await this.#catchUp();
    }
  }

  /**
   * Stages tasks; false, with nothing staged, when one of them threw: it alone fails and is taken out, the others are to be staged again.
   */
  #stage(batch: B, tasks: Task<B>[]): boolean {
    for (let i = 0; i < tasks.length; i += 1) {
      const task = tasks[i];
      try {
        task?.stage(batch);
      } catch (error) {
        this.#port.dropped(batch);
        tasks.splice(i, 1);
        task?.fail(error instanceof Error ? error : new Error('the guard could not decide', { cause: error }));
        return false;
      }
    }
    this.#port.staged(batch);
    return true;
  }

  async #catchUp(): Promise<void> {
    this.#behind = false;
    let page: LogRecord[] = [];
    for await (const record of this.#port.log.read(this.#port.seq() + 1)) {
      page.push(record);
      if (page.length < MOST_PER_BATCH) continue;
      this.#port.catchUp(page);
      page = [];
    }
    this.#port.catchUp(page);
  }

  #stop(tasks: readonly Task<B>[], cause: unknown): void {
    const failure = new GateClosedError('the gate closed because a commit failed', { cause });
    this.#closed = failure;
    clearTimeout(this.#lazyTimer);
    this.#lazyTimer = undefined;
    this.#running = undefined;
    this.#onFailure();
    const rest = this.#waiting;
    this.#waiting = [];
    for (const task of [...tasks, ...rest]) task.fail(failure);
  }
}

function acknowledge(tasks: readonly Pick<Task<never>, 'done'>[]): void {
  for (const task of tasks) task.done();
}
