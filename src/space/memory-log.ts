import type { Json, Mark } from './marks.ts';
import { assertKey, chainHash, openRecord, type StoredRecord } from './chain.ts';
import {
  type EntryBody,
  GENESIS_HASH,
  type Log,
  type LogEntry,
  type LogHead,
  type LogRecord,
  LogWriteError,
  StaleAppendError,
} from './log.ts';

/**
 * A log in memory: the twin that tests, benches and short-lived spaces use. Nothing outlives it. Marks are kept as they are (they are
 * deeply frozen), everything else as its exact text; the chain is computed up to a record when somebody asks for its hash.
 */
export function createMemoryLog(): Log {
  return new MemoryLog();
}

class MemoryLog implements Log {
  readonly #keys: string[] = [];
  readonly #known = new Set<string>();
  /** A mark as it was given, any other body's text. */
  readonly #bodies: (Mark | string)[] = [];
  /** The calls of marks, at the places of the marks. */
  readonly #calls: (Json | undefined)[] = [];
  /** Hashes of the records from the first on, as far as they were asked for. */
  readonly #hashes: string[] = [];
  readonly #hashOf = (seq: number): string => this.#hashAt(seq);
  #closed = false;

  head(): LogHead {
    const seq = this.#keys.length;
    return { seq, hash: this.#hashAt(seq) };
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
    if (this.#keys.length !== expectedSeq) throw new StaleAppendError(expectedSeq, this.#keys.length);
    // Whatever can be refused is refused before anything is kept.
    const kept = entries.map(({ key, body }) => {
      assertKey(key);
      return isKept(body) ? body.mark : JSON.stringify(body);
    });
    const appended: LogRecord[] = [];
    for (let i = 0; i < entries.length; i += 1) {
      const entry = entries[i];
      const body = kept[i];
      if (entry === undefined || body === undefined) continue;
      const before = this.#known.size;
      if (this.#known.add(entry.key).size === before) continue;
      this.#keys.push(entry.key);
      this.#bodies.push(body);
      this.#calls.push(entry.body.type === 'mark' ? entry.body.call : undefined);
      appended.push(new MemoryRecord(this.#keys.length, entry.key, entry.body, this.#hashOf));
    }
    return appended;
  }

  #hashAt(seq: number): string {
    while (this.#hashes.length < seq) {
      const i = this.#hashes.length;
      this.#hashes.push(chainHash(this.#hashes[i - 1] ?? GENESIS_HASH, i + 1, this.#keys[i] ?? '', this.#textAt(i)));
    }
    return this.#hashes[seq - 1] ?? GENESIS_HASH;
  }

  #textAt(i: number): string {
    const mark = this.#bodies[i];
    if (typeof mark === 'string') return mark;
    const call = this.#calls[i];
    return JSON.stringify(call === undefined ? { type: 'mark', mark } : { type: 'mark', mark, call });
  }

  async *read(fromSeq = 1): AsyncIterable<LogRecord> {
    const end = this.#keys.length;
    for (let seq = Math.max(1, fromSeq); seq <= end; seq += 1) yield openRecord(this.#storedAt(seq));
  }

  #storedAt(seq: number): StoredRecord {
    const hash = this.#hashAt(seq);
    return { seq, prev: this.#hashAt(seq - 1), hash, key: this.#keys[seq - 1] ?? '', body: this.#textAt(seq - 1) };
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }
}

/** Whether a body is kept as it is: a mark that nobody can change, and a call of a number at most. */
function isKept(body: EntryBody): body is Extract<EntryBody, { type: 'mark' }> {
  return body.type === 'mark' && Object.isFrozen(body.mark) && typeof body.call !== 'object';
}

/** A record whose hash is computed when it is read. */
class MemoryRecord implements LogRecord {
  readonly seq: number;
  readonly key: string;
  readonly body: EntryBody;
  readonly #hashAt: (seq: number) => string;

  constructor(seq: number, key: string, body: EntryBody, hashAt: (seq: number) => string) {
    this.seq = seq;
    this.key = key;
    this.body = body;
    this.#hashAt = hashAt;
  }

  get hash(): string {
    return this.#hashAt(this.seq);
  }
}
