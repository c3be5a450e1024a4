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
  const { key } = entry;
  assertKey(key);
  const body = JSON.stringify(entry.body);
  const seq = head.seq + 1;
  return { seq, prev: head.hash, hash: chainHash(head.hash, seq, key, body), key, body };
}

/** Why a row as read does not follow `head`; undefined when it does. */
export function linkProblem(
  head: LogHead,
  row: Readonly<Record<string, unknown>>,
): { readonly seq: number; readonly reason: string } | undefined {
  const seq = head.seq + 1;
  if (row['seq'] !== seq) return { seq, reason: `missing: the next record is ${String(row['seq'])}` };
  const { prev, key, body } = row;
  if (
    typeof prev !== 'string' ||
    typeof row['hash'] !== 'string' ||
    typeof key !== 'string' ||
    typeof body !== 'string'
  ) {
    return { seq, reason: 'a column is not text' };
  }
  if (prev !== head.hash) return { seq, reason: 'its previous hash is not the hash of the record before it' };
  if (row['hash'] !== chainHash(prev, seq, key, body)) return { seq, reason: 'its hash does not fit its content' };
  return undefined;
}

/** A stored record as the log hands it out. @throws {CorruptLogError} when its body is not one of a log. */
export function openRecord(stored: StoredRecord): LogRecord {
  try {
    return { seq: stored.seq, hash: stored.hash, key: stored.key, body: parseBody(stored.body) };
  } catch (cause) {
    throw new CorruptLogError(
      stored.seq,
      `its body is not readable (${cause instanceof Error ? cause.name : 'unknown'})`,
    );
  }
}
