import { randomUUID } from 'node:crypto';
import { type AppendPlan, keepEntry, planAppends, takeGroup, type WaitingAppend } from './append-plan.ts';
import { followHead, openRecord, type StoredRecord, type StoredRow } from './chain.ts';
import {
  CorruptLogError,
  GENESIS_HASH,
  type Log,
  type LogEntry,
  type LogHead,
  type LogRecord,
  LogUnavailableError,
  LogWriteError,
  StaleAppendError,
} from './log.ts';
import { parsePostgresUrl } from './postgres-address.ts';
import { PostgresConnection } from './postgres-connection.ts';
import { makeSpace, readEnd, readHead, type StoredHead } from './postgres-head.ts';
import { PostgresListener } from './postgres-listener.ts';
import { readPage } from './postgres-pages.ts';
import { prepareTables } from './postgres-schema.ts';
import { PostgresSession } from './postgres-session.ts';
import { PostgresWriter, TURN_MS } from './postgres-writer.ts';

export interface PostgresLogOptions {
  /** Which space of the database. @default the URL's parameter `space`, else `main` */
  readonly space?: string;
  /** `read`: changes nothing, needs the right to read only; `append` is refused. @default 'write' */
  readonly mode?: 'write' | 'read';
  /** What one statement may take before it is given up, waiting for other writers included. @default 10_000 */
  readonly statementTimeoutMs?: number;
  /** What making a connection may take. @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** How long an append or a read goes on trying while the server is away. @default 30_000 */
  readonly giveUpAfterMs?: number;
}

/** Stale appends in a row after which the log holds the space for the next one, so that a busy peer cannot starve this one. */
const PATIENCE = 2;

/**
 * Opens a space in a PostgreSQL database, making the tables if they are not there and `mode` is `write`. Any number of processes may
 * have it open for writing: the database lets one append at a time through, and refuses those that were decided on an older position.
 *
 * - `append` resolves only after the commit. When a commit's outcome is unknown (a connection cut, a server gone silent), the log connects
 *   again and finds out, or tries again; it never stores twice and never acknowledges what is not stored.
 * - The chain is checked as records are read: whoever reads from the first on, as a gate does when it opens, meets the first damaged one.
 * - `head` is what this log has heard of last: by its own appends, by `read`, and continuously while there is a `watch`.
 *
 * @throws {LogUnavailableError} when the server, database, space or right is not there; {CorruptLogError} when the space's end does not fit.
 */
export async function openPostgresLog(url: string, options: PostgresLogOptions = {}): Promise<Log> {
  const address = parsePostgresUrl(url, options.space);
  const timeouts = {
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 10_000,
  };
  const mode = options.mode ?? 'write';
  const open = (): Promise<PostgresSession> => PostgresSession.open(address, timeouts, mode === 'read');
  const session = await open();
  try {
    await prepareTables(session, address.place, mode === 'write');
    if (mode === 'write') await makeSpace(session, address);
    const head = await readEnd(session, address);
    return new PostgresLog(address.space, mode, head, session, open, options.giveUpAfterMs ?? 30_000);
  } catch (error) {
    await session.close();
    throw error;
  }
}

class PostgresLog implements Log {
  readonly #space: string;
  readonly #mode: 'write' | 'read';
  readonly #open: () => Promise<PostgresSession>;
  readonly #reader: PostgresConnection;
  readonly #writer: PostgresWriter;
  readonly #writerId = randomUUID();
  #head: LogHead;
  /** How often others moved the head: an append that was decided before the last time is stale, whatever position it names. */
  #epoch = 0;
  /** An append failed, and may count all the same: a head that this log wrote is then news to those who append. */
  #isInDoubt = false;
  /** The last record that was read or written here, to which the next one read must be chained. */
  #followed: LogHead | undefined;
  readonly #waiting: WaitingAppend[] = [];
  #running: Promise<void> | undefined;
  #staleInARow = 0;
  #turn: NodeJS.Timeout | undefined;
  #turnIsOver = false;
  readonly #watchers = new Set<(seq: number) => void>();
  #listener: PostgresListener | undefined;
  #stopped: Promise<void> | undefined;
  #closed = false;

  constructor(
    space: string,
    mode: 'write' | 'read',
    head: LogHead,
    session: PostgresSession,
    open: () => Promise<PostgresSession>,
    giveUpAfterMs: number,
  ) {
    this.#space = space;
    this.#mode = mode;
    this.#open = open;
    this.#head = { seq: head.seq, hash: head.hash };
    this.#reader = new PostgresConnection(open, giveUpAfterMs, session);
    this.#writer = new PostgresWriter(new PostgresConnection(open, giveUpAfterMs), space, this.#writerId);
  }

  head(): LogHead {
    return this.#head;
  }

  /** Appends of one turn of the event loop, and those that come while a commit is under way, share the next transaction. */
  append(expectedSeq: number, entries: readonly LogEntry[]): Promise<readonly LogRecord[]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new LogWriteError('the log is closed');
      if (this.#mode === 'read') throw new LogWriteError('the log is open for reading only');
      this.#waiting.push({ expectedSeq, epoch: this.#epoch, entries: entries.map(keepEntry), resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0 || this.#turnIsOver) {
      if (this.#turnIsOver) await this.#endTurn();
      const group = takeGroup(this.#waiting);
      try {
        if (group.length > 0) await this.#commit(group);
      } catch (error) {
        this.#isInDoubt = true;
        const failure = error instanceof Error ? error : new LogWriteError(String(error));
        for (const { reject } of group) reject(failure);
      }
    }
    this.#running = undefined;
  }

  async #commit(group: readonly WaitingAppend[]): Promise<void> {
    const known = new Set<string>();
    for (;;) {
      const plan = planAppends(group, this.#head, this.#epoch, known);
      if (plan.sealed.length === 0) {
        await this.#settle(plan);
        return;
      }
      const stored = await this.#writer.store(this.#head, plan.sealed);
      // Whatever came of it, it used up the turn.
      this.#dropTurn();
      if (stored.what === 'stored') {
        this.#isInDoubt = false;
        this.#keepOwn(plan.sealed);
        await this.#settle(plan);
        return;
      }
      if (stored.what === 'moved') this.#learn(stored.head);
      else for (const key of stored.keys) known.add(key);
    }
  }

  async #settle({ accepted, stale }: AppendPlan): Promise<void> {
    if (accepted.length > 0) {
      this.#staleInARow = 0;
    } else if (stale.some(({ of }) => of.expectedSeq <= this.#head.seq)) {
      this.#staleInARow += 1;
      // Without a turn the append is stale all the same; whether the server is away is said by the read that follows.
      if (this.#staleInARow >= PATIENCE) await this.#takeTurn().catch(() => undefined);
    }
    for (const { of, appended } of accepted) of.resolve(appended);
    for (const { of, actualSeq } of stale)
      of.reject(new StaleAppendError(of.expectedSeq, accepted.length > 0 ? actualSeq : this.#head.seq));
  }

  #keepOwn(sealed: readonly StoredRecord[]): void {
    const last = sealed.at(-1);
    if (last === undefined || last.seq <= this.#head.seq) return;
    if (this.#followed?.seq === this.#head.seq) this.#followed = { seq: last.seq, hash: last.hash };
    this.#head = { seq: last.seq, hash: last.hash };
  }

  async #takeTurn(): Promise<void> {
    this.#learn(await this.#writer.takeTurn());
    this.#dropTurn();
    this.#turn = setTimeout(() => {
      this.#turnIsOver = true;
      this.#running ??= this.#run();
    }, TURN_MS).unref();
  }

  /** The turn was used, or begins anew. */
  #dropTurn(): void {
    clearTimeout(this.#turn);
    this.#turnIsOver = false;
  }

  async #endTurn(): Promise<void> {
    this.#turnIsOver = false;
    await this.#writer.giveUpTurn();
  }

  /** The head as the database said; older than what is known when the answer crossed an append of ours. */
  #learn({ seq, hash, writer }: StoredHead): void {
    if (seq <= this.#head.seq) return;
    this.#head = { seq, hash };
    if (writer === this.#writerId && !this.#isInDoubt) return;
    this.#epoch += 1;
    for (const tell of this.#watchers) tell(seq);
  }

  async *read(fromSeq = 1): AsyncIterable<LogRecord> {
    if (this.#closed) throw new LogUnavailableError('the log is closed');
    const newest = await this.#reader.use((session) => readHead(session, this.#space));
    this.#learn(newest);
    let next = Math.max(1, fromSeq);
    let before = this.#recordBefore(next);
    let ahead = next <= newest.seq ? this.#fetch(next, newest.seq) : undefined;
    while (ahead !== undefined) {
      const page = await ahead;
      const last = page.at(-1);
      if (last === undefined) throw new CorruptLogError(next, 'missing');
      const following = Number(last.seq) + 1;
      // The database prepares the next page while this one is worked on.
      ahead = following <= newest.seq ? this.#fetch(following, newest.seq) : undefined;
      for (const row of page) {
        const step = followHead(before ?? { seq: next - 1, hash: String(row.prev) }, row);
        if (!step.ok) throw new CorruptLogError(next, step.reason);
        before = { seq: step.record.seq, hash: step.record.hash };
        next = before.seq + 1;
        yield openRecord(step.record);
      }
      this.#followed = before;
    }
  }

  /** What the record at `seq` must be chained to, if that is known here. */
  #recordBefore(seq: number): LogHead | undefined {
    if (seq === 1) return { seq: 0, hash: GENESIS_HASH };
    return this.#followed?.seq === seq - 1 ? this.#followed : undefined;
  }

  #fetch(from: number, to: number): Promise<readonly StoredRow[]> {
    const page = this.#reader.use((session) => readPage(session, this.#space, from, to));
    // Whoever stops reading does not wait for it.
    page.catch(() => undefined);
    return page;
  }

  watch(onHead: (seq: number) => void): () => void {
    const watcher = (seq: number): void => onHead(seq);
    this.#watchers.add(watcher);
    if (!this.#closed) this.#listener ??= new PostgresListener(this.#open, this.#space, (head) => this.#learn(head));
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      this.#stopped = this.#listener?.stop();
      this.#listener = undefined;
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#dropTurn();
    await Promise.all([this.#writer.close(), this.#reader.close(), this.#listener?.stop(), this.#stopped]);
    this.#watchers.clear();
  }
}
