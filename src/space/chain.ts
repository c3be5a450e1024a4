import { hash } from 'node:crypto';
import { CorruptLogError, type LogEntry, type LogHead, type LogRecord } from './log.ts';
import { parseBody } from './record-body.ts';

const LONGEST_KEY = 1024;

/** A record as it is stored: the body as the exact text that was hashed. */
export interface StoredRecord {
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
  readonly key: string;
  readonly body: string;
}

/** A record as a database hands it out, nothing checked. */
export type StoredRow = { readonly [F in keyof StoredRecord]: unknown };

/** sha256, hex, over the previous hash, the position, the key and the body's text, framed so that none can run into another. */
export function chainHash(prev: string, seq: number, key: string, body: string): string {
  return hash('sha256', `${prev}\n${seq}\n${key.length}\n${key}\n${body}`);
}

/** @throws {TypeError} for a key that a log cannot hold: empty, overlong, ill-formed, or with a NUL in it. */
export function assertKey(key: string): void {
  if (key !== '' && key.length <= LONGEST_KEY && key.isWellFormed() && !key.includes('\0')) return;
  throw new TypeError(
    `a log key must be 1 to ${LONGEST_KEY} well-formed characters: ${JSON.stringify(key.slice(0, 80))}`,
  );
}

/** The record that follows `head`. @throws {TypeError} for a key that a log cannot hold. */
export function sealEntry(head: LogHead, entry: LogEntry): StoredRecord {
  assertKey(entry.key);
  return sealText(head, entry.key, JSON.stringify(entry.body));
}

/** The record that follows `head`, of a key that was checked and a body's exact text. */
export function sealText(head: LogHead, key: string, body: string): StoredRecord {
  const seq = head.seq + 1;
  return { seq, prev: head.hash, hash: chainHash(head.hash, seq, key, body), key, body };
}

/** The row as the record that follows `head`, or why it does not. */
export function followHead(
  head: LogHead,
  row: StoredRow,
): { readonly ok: true; readonly record: StoredRecord } | { readonly ok: false; readonly reason: string } {
  const { seq, prev, hash: stored, key, body } = row;
  const problem = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });
  if (seq !== head.seq + 1) return problem(`missing: the next record is ${String(seq)}`);
  if (typeof prev !== 'string' || typeof stored !== 'string' || typeof key !== 'string' || typeof body !== 'string')
    return problem('a column is not text');
  if (prev !== head.hash) return problem('its previous hash is not the hash of the record before it');
  if (stored !== chainHash(prev, seq, key, body)) return problem('its hash does not fit its content');
  return { ok: true, record: { seq, prev, hash: stored, key, body } };
}

/** A stored record as the log hands it out. @throws {CorruptLogError} when its body is not one of a log. */
export function openRecord(stored: Omit<StoredRecord, 'prev'>): LogRecord {
  try {
    return { seq: stored.seq, hash: stored.hash, key: stored.key, body: parseBody(stored.body) };
  } catch (cause) {
    throw new CorruptLogError(
      stored.seq,
      `its body is not readable (${cause instanceof Error ? cause.name : 'unknown'})`,
    );
  }
}
