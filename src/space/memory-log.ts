import { openRecord, sealEntry, type StoredRecord } from './chain.ts';
import {
  GENESIS_HASH,
  type Log,
  type LogEntry,
  type LogHead,
  type LogRecord,
  LogWriteError,
  StaleAppendError,
} from './log.ts';

/** A log in memory: the twin that tests and short-lived spaces use. It keeps the exact text of every body, and nothing outlives it. */
export function createMemoryLog(): Log {
  return new MemoryLog();
}

class MemoryLog implements Log {
  readonly #records: StoredRecord[] = [];
  readonly #keys = new Set<string>();
  #closed = false;

  head(): LogHead {
    const last = this.#records.at(-1);
    return last === undefined ? { seq: 0, hash: GENESIS_HASH } : { seq: last.seq, hash: last.hash };
  }

  append(expectedSeq: number, entries: readonly LogEntry[]): Promise<readonly LogRecord[]> {
    try {
      return Promise.resolve(this.#append(expectedSeq, entries));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new LogWriteError(String(error)));
    }
  }

  #append(expectedSeq: number, entries: readonly LogEntry[]): readonly LogRecord[] {
    if (this.#closed) throw new LogWriteError('the log is closed');
    let head = this.head();
    if (head.seq !== expectedSeq) throw new StaleAppendError(expectedSeq, head.seq);
    const fresh = new Set<string>();
    const sealed: StoredRecord[] = [];
    const appended: LogRecord[] = [];
    for (const entry of entries) {
      if (this.#keys.has(entry.key) || fresh.has(entry.key)) continue;
      const stored = sealEntry(head, entry);
      fresh.add(entry.key);
      sealed.push(stored);
      appended.push({ seq: stored.seq, hash: stored.hash, key: entry.key, body: entry.body });
      head = stored;
    }
    for (const stored of sealed) {
      this.#records.push(stored);
      this.#keys.add(stored.key);
    }
    return appended;
  }

  async *read(fromSeq = 1): AsyncIterable<LogRecord> {
    const end = this.#records.length;
    for (let i = Math.max(1, fromSeq) - 1; i < end; i += 1) {
      const stored = this.#records[i];
      if (stored !== undefined) yield openRecord(stored);
    }
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}
