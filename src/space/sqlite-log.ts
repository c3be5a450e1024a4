import type { StatementSync } from 'node:sqlite';
import { followHead, openRecord, sealEntry, type StoredRecord } from './chain.ts';
import {
  CorruptLogError,
  GENESIS_HASH,
  type Log,
  type LogEntry,
  type LogHead,
  type LogRecord,
  LogWriteError,
  StaleAppendError,
} from './log.ts';
import { type Connection, connectForReading, connectForWriting, corruptionOf, reasonOf } from './log-connection.ts';
import { SqlitePages } from './sqlite-pages.ts';

export interface SqliteLogOptions {
  /** `read`: works beside a live writer and changes nothing; `append` is refused. @default 'write' */
  readonly mode?: 'write' | 'read';
}

interface Waiting {
  readonly sealed: readonly StoredRecord[];
  readonly appended: readonly LogRecord[];
  readonly resolve: (records: readonly LogRecord[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Opens a log in an SQLite file (WAL, synchronous FULL), made if it is not there and `mode` is `write`, and walks its whole chain.
 * One process at a time has it open for writing; the lock is the operating system's and ends with the process, however it ends.
 *
 * @throws {LogWriteError} when another writer has it open or the file cannot be made.
 * @throws {CorruptLogError} when the file is not a log or a record does not fit its chain; the first bad one is named.
 */
export async function openSqliteLog(file: string, options: SqliteLogOptions = {}): Promise<Log> {
  const mode = options.mode ?? 'write';
  const connection = mode === 'read' ? await connectForReading(file) : connectForWriting(file);
  try {
    return new SqliteLog(connection, mode);
  } catch (error) {
    await connection.release();
    throw corruptionOf(error, 1);
  }
}

class SqliteLog implements Log {
  readonly #connection: Connection;
  readonly #mode: 'write' | 'read';
  readonly #insert: StatementSync;
  readonly #hasKey: StatementSync;
  readonly #last: StatementSync;
  readonly #pages: SqlitePages;
  /** The last durable record, and the last one that waits to become so. */
  #head: LogHead;
  #staged: LogHead;
  readonly #stagedKeys = new Set<string>();
  #waiting: Waiting[] = [];
  #closed = false;

  constructor(connection: Connection, mode: 'write' | 'read') {
    this.#connection = connection;
    this.#mode = mode;
    const { db } = connection;
    this.#insert = db.prepare('INSERT INTO log (seq, hash, prev, key, body) VALUES (?, ?, ?, ?, ?)');
    this.#hasKey = db.prepare('SELECT 1 FROM log WHERE key = ?');
    this.#last = db.prepare('SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1');
    this.#pages = new SqlitePages(db);
    this.#head = walkChain(this.#pages);
    this.#staged = this.#head;
  }

  head(): LogHead {
    return this.#mode === 'read' && !this.#closed ? this.#storedHead() : this.#head;
  }

  /** Appends of one turn of the event loop share one transaction; each is checked against the head that the ones before it will leave. */
  append(expectedSeq: number, entries: readonly LogEntry[]): Promise<readonly LogRecord[]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw new LogWriteError('the log is closed');
      if (this.#mode === 'read') throw new LogWriteError('the log is open for reading only');
      if (this.#staged.seq !== expectedSeq) throw new StaleAppendError(expectedSeq, this.#staged.seq);
      const { sealed, appended } = this.#seal(entries);
      if (this.#waiting.length === 0) setImmediate(() => this.#flush());
      this.#waiting.push({ sealed, appended, resolve, reject });
      for (const { key } of sealed) this.#stagedKeys.add(key);
      const last = sealed.at(-1);
      if (last !== undefined) this.#staged = { seq: last.seq, hash: last.hash };
    });
  }

  #seal(entries: readonly LogEntry[]): { readonly sealed: StoredRecord[]; readonly appended: LogRecord[] } {
    const sealed: StoredRecord[] = [];
    const appended: LogRecord[] = [];
    const fresh = new Set<string>();
    let head = this.#staged;
    for (const entry of entries) {
      const { key, body } = entry;
      if (fresh.has(key) || this.#stagedKeys.has(key) || this.#hasKey.get(key) !== undefined) continue;
      const stored = sealEntry(head, entry);
      fresh.add(key);
      sealed.push(stored);
      appended.push({ seq: stored.seq, hash: stored.hash, key, body });
      head = stored;
    }
    return { sealed, appended };
  }

  #flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    this.#stagedKeys.clear();
    if (group.length === 0) return;
    const { db } = this.#connection;
    try {
      if (group.some(({ sealed }) => sealed.length > 0)) {
        db.exec('BEGIN IMMEDIATE');
        for (const { sealed } of group) {
          for (const { seq, hash, prev, key, body } of sealed) this.#insert.run(seq, hash, prev, key, body);
        }
        // With synchronous FULL this returns only once the write-ahead log is synced.
        db.exec('COMMIT');
      }
      this.#head = this.#staged;
    } catch (cause) {
      const failure = new LogWriteError(
        `the log could not be written: ${reasonOf(cause)}; nothing of this append counts`,
        { cause },
      );
      this.#giveUp();
      for (const { reject } of group) reject(failure);
      return;
    }
    for (const { resolve, appended } of group) resolve(appended);
  }

  /** Back to what is stored, so that the log can be read, and written once there is room again. */
  #giveUp(): void {
    const { db } = this.#connection;
    try {
      if (db.isTransaction) db.exec('ROLLBACK');
      this.#head = this.#storedHead();
      this.#staged = this.#head;
    } catch {
      this.#closed = true;
    }
  }

  #storedHead(): LogHead {
    const row = this.#last.get();
    return row === undefined ? { seq: 0, hash: GENESIS_HASH } : { seq: Number(row['seq']), hash: String(row['hash']) };
  }

  async *read(fromSeq = 1): AsyncIterable<LogRecord> {
    const end = this.head().seq;
    let next = Math.max(1, fromSeq);
    try {
      for (const { seq, hash, key, body } of this.#pages.rows(next, end)) {
        if (seq !== next) break;
        // Checked at opening or written by this log.
        yield openRecord({ seq: next, hash: String(hash), key: String(key), body: String(body) });
        next += 1;
      }
    } catch (error) {
      throw corruptionOf(error, next);
    }
    if (next <= end) throw new CorruptLogError(next, 'missing');
  }

  async close(): Promise<void> {
    if (this.#closed && !this.#connection.db.isOpen) return;
    if (!this.#closed) this.#flush();
    this.#closed = true;
    await this.#connection.release();
  }
}

/** @throws {CorruptLogError} */
function walkChain(pages: SqlitePages): LogHead {
  let head: LogHead = { seq: 0, hash: GENESIS_HASH };
  try {
    for (const row of pages.rows()) {
      const step = followHead(head, row);
      if (!step.ok) throw new CorruptLogError(head.seq + 1, step.reason);
      head = step.record;
    }
  } catch (error) {
    throw corruptionOf(error, head.seq + 1);
  }
  return { seq: head.seq, hash: head.hash };
}
