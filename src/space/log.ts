import type { Json, Mark, MarkId } from './marks.ts';

/** The hash that the first record of a log is chained to. */
export const GENESIS_HASH = '0'.repeat(64);

/**
 * What the log can hold. `mark`, `decision` and `event` come from the gate: an allowed write is one record, the mark with the call
 * that let it in; `define` declares scopes and grants; `row` is one row of a trace table, opaque to the space, so that traces are
 * readers of the log and a second truth nowhere.
 */
export type EntryBody =
  | { readonly type: 'mark'; readonly mark: Mark; readonly call?: Json }
  | { readonly type: 'decision'; readonly decision: Json }
  /** Something that changes what the guard remembers; the intents in `withdraws` count for nothing from here on. */
  | { readonly type: 'event'; readonly event: Json; readonly withdraws?: readonly MarkId[] }
  | { readonly type: 'define'; readonly what: 'scope' | 'grant'; readonly value: Json }
  | { readonly type: 'row'; readonly table: string; readonly row: Json };

/** One entry to append. `key` is made by the client: an append whose key is already in the log changes nothing. */
export interface LogEntry {
  readonly key: string;
  readonly body: EntryBody;
}

/** An entry as stored. `hash` = sha256 over the previous hash, the position, the key and the body's exact text. */
export interface LogRecord extends LogEntry {
  /** 1-based, without gaps. */
  readonly seq: number;
  readonly hash: string;
}

/** A place in the log: the last record's position and hash; `{ seq: 0, hash: GENESIS_HASH }` for an empty log. */
export interface LogHead {
  readonly seq: number;
  readonly hash: string;
}

/**
 * An append-only, totally ordered, hash-chained log.
 *
 * - `append` is atomic: all entries of a call or none; it resolves only after they are durable (for SQLite: synced).
 * - Entries whose `key` is already stored are skipped (an idempotent retry); the rest is appended in order.
 * - `expectedSeq` is the head the caller decided on. @throws StaleAppendError when the head has moved on.
 * - `read` yields records in order, in bounded memory, from `fromSeq` (inclusive, default 1) to the head at the time of the call.
 * - `head` is the newest record this log object knows of: where other processes write too, it may be behind until `watch` says so.
 * - `watch` (only where other processes may write) calls `onHead` when the head moved by records of others, with its position, until the
 *   function it returned is called. Positions grow; several moves may be told as one.
 */
export interface Log {
  head(): LogHead;
  append(expectedSeq: number, entries: readonly LogEntry[]): Promise<readonly LogRecord[]>;
  read(fromSeq?: number): AsyncIterable<LogRecord>;
  watch?(onHead: (seq: number) => void): () => void;
  close(): Promise<void>;
}

/** The log has moved past the position the caller decided on: catch up, decide again, append again. */
export class StaleAppendError extends Error {
  override readonly name = 'StaleAppendError';
  readonly code = 'stale-append';
  readonly expectedSeq: number;
  readonly actualSeq: number;
  constructor(expectedSeq: number, actualSeq: number) {
    super(`append expected the log at ${expectedSeq}, it is at ${actualSeq}`);
    this.expectedSeq = expectedSeq;
    this.actualSeq = actualSeq;
  }
}

/** A record does not fit its chain: `seq` is the first bad one. */
export class CorruptLogError extends Error {
  override readonly name = 'CorruptLogError';
  readonly code = 'corrupt-log';
  readonly seq: number;
  readonly reason: string;
  constructor(seq: number, reason: string) {
    super(`log record ${seq} is damaged: ${reason}`);
    this.seq = seq;
    this.reason = reason;
  }
}

/** The place where a log is kept cannot be used: unreachable, not there, no rights, another version. Says what to do; never a credential. */
export class LogUnavailableError extends Error {
  override readonly name = 'LogUnavailableError';
  readonly code = 'log-unavailable';
}

/** The log could not be written (disk full, closed, locked); nothing of the append was acknowledged. */
export class LogWriteError extends Error {
  override readonly name = 'LogWriteError';
  readonly code = 'log-write';
}
