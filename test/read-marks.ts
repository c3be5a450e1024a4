import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { LogRecord } from '../src/space/log.ts';
import { openSqliteLog } from '../src/space/sqlite-log.ts';
import type { Mark } from '../src/space/marks.ts';

/** All records of a run's log, read beside whoever may be writing it. */
export async function readRecords(dir: string): Promise<LogRecord[]> {
  const log = await openSqliteLog(join(dir, 'marks.db'), { mode: 'read' });
  const records: LogRecord[] = [];
  for await (const record of log.read()) records.push(record);
  await log.close();
  return records;
}

/**
 * Marks as a run's determinism promises them: by agent, in order, ids included, without the time they were written.
 */
export async function comparableMarks(dir: string): Promise<Record<string, Omit<Mark, 'createdAt'>[]>> {
  const byAgent: Record<string, Omit<Mark, 'createdAt'>[]> = {};
  for (const { body } of await readRecords(dir)) {
    if (body.type !== 'mark') continue;
    const { createdAt: _, ...rest } = body.mark;
    // The runner writes for each agent in a session of its own, named in the id.
    const author =
      rest.agent === 'runner'
        ? `runner/${
            rest.id
              .split('/')
              .at(-2)
              ?.replace(/^g\d+-/, '') ?? ''
          }`
        : rest.agent;
    (byAgent[author] ??= []).push(rest);
  }
  return byAgent;
}

/** Opens a log's database for tampering. */
export function tamper(dir: string, change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(join(dir, 'marks.db'));
  try {
    change(db);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}
