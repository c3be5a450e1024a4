import type { DatabaseSync } from 'node:sqlite';
import { linkProblem } from './chain.ts';
import { GENESIS_HASH, type LogHead } from './log.ts';
import { openForReading, type ReadHandle, schemaProblem, sqliteFaultOf } from './log-file.ts';

export interface BadRecord {
  /** 1-based position of the first bad record. */
  readonly seq: number;
  readonly reason: string;
}

/** `records`: how many were found good, or are there at all when the log is whole. */
export interface Verification {
  readonly ok: boolean;
  readonly records: number;
  readonly firstBad?: BadRecord;
}

/**
 * Checks a log's file against its own chain and against anchors kept elsewhere, writing nothing: any record changed in any column,
 * removed, swapped or inserted makes it fail, and so does a tail cut before the last anchor or a chain that was made anew.
 * Damage is an answer, never an exception: a file that is missing, not SQLite, truncated, or without the table too.
 */
export async function verifyLog(file: string, anchors: readonly LogHead[] = []): Promise<Verification> {
  let handle: ReadHandle;
  try {
    handle = await openForReading(file);
  } catch (error) {
    return bad(0, 1, `the log could not be opened: ${reasonOf(error)}`);
  }
  try {
    return verify(handle.db, anchors);
  } catch (error) {
    return bad(0, 1, `the log could not be read: ${reasonOf(error)}`);
  } finally {
    await handle.close().catch(() => undefined);
  }
}

function verify(db: DatabaseSync, anchors: readonly LogHead[]): Verification {
  const schema = schemaProblem(db);
  if (schema !== undefined) return bad(0, 1, schema);
  const anchored = Map.groupBy(anchors, ({ seq }) => seq);
  const newest = anchors.reduce((max, { seq }) => Math.max(max, seq), 0);
  let head: LogHead = { seq: 0, hash: GENESIS_HASH };
  let vouched = 0;
  try {
    for (const row of db.prepare('SELECT * FROM log ORDER BY seq').iterate()) {
      const problem = linkProblem(head, row);
      if (problem !== undefined) return bad(head.seq, problem.seq, problem.reason);
      head = { seq: Number(row['seq']), hash: String(row['hash']) };
      const here = anchored.get(head.seq);
      if (here === undefined) continue;
      if (here.some(({ hash }) => hash !== head.hash)) {
        const since = vouched === head.seq - 1 ? '' : `; it, or a record after ${vouched}, was replaced`;
        return bad(vouched, head.seq, `it is not the record that was anchored${since}`);
      }
      vouched = head.seq;
    }
  } catch (error) {
    return bad(head.seq, head.seq + 1, `unreadable: ${reasonOf(error)}`);
  }
  if (newest > head.seq)
    return bad(head.seq, head.seq + 1, `missing: the log was anchored at ${newest} and ends at ${head.seq}`);
  const index = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (index !== 'ok') return bad(head.seq, rowNamedIn(String(index)), `the file is damaged: ${String(index)}`);
  return { ok: true, records: head.seq };
}

function bad(records: number, seq: number, reason: string): Verification {
  return { ok: false, records, firstBad: { seq, reason } };
}

/** SQLite's integrity check names the row where it can (`row 12 missing from index ...`). */
function rowNamedIn(report: string): number {
  return Number(/row (\d+)/u.exec(report)?.[1] ?? 1);
}

/** Never the file's path: a report may travel. */
function reasonOf(error: unknown): string {
  const fault = sqliteFaultOf(error);
  if (fault !== undefined) return fault.text;
  if (error instanceof Error && 'code' in error)
    return error.code === 'ENOENT' ? 'there is no such file' : String(error.code);
  return error instanceof Error ? error.name : 'unknown';
}
