import type { DatabaseSync } from 'node:sqlite';
import { badRecord, ChainWalk, type Verification } from './chain-walk.ts';
import type { LogHead } from './log.ts';
import { openForReading, type ReadHandle, schemaProblem, sqliteFaultOf } from './log-file.ts';
import { SqlitePages } from './sqlite-pages.ts';

export type { BadRecord, Verification } from './chain-walk.ts';

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
    return badRecord(0, 1, `the log could not be opened: ${reasonOf(error)}`);
  }
  try {
    return verify(handle.db, anchors);
  } catch (error) {
    return badRecord(0, 1, `the log could not be read: ${reasonOf(error)}`);
  } finally {
    await handle.close().catch(() => undefined);
  }
}

function verify(db: DatabaseSync, anchors: readonly LogHead[]): Verification {
  const schema = schemaProblem(db);
  if (schema !== undefined) return badRecord(0, 1, schema);
  const walk = new ChainWalk(anchors);
  try {
    for (const row of new SqlitePages(db).rows()) {
      const found = walk.follow(row);
      if (found !== undefined) return found;
    }
  } catch (error) {
    return walk.unreadable(`unreadable: ${reasonOf(error)}`);
  }
  const whole = walk.finish();
  if (!whole.ok) return whole;
  const index = db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (index === 'ok') return whole;
  return badRecord(whole.records, rowNamedIn(String(index)), `the file is damaged: ${String(index)}`);
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
