import { existsSync, statSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** What SQLite says it ran into. */
export interface SqliteFault {
  /** Primary result code: 5 busy, 10 I/O, 11 corrupt, 13 full, 26 not a database ... @see https://www.sqlite.org/rescode.html */
  readonly code: number;
  readonly text: string;
}

/** The fault behind an error of `node:sqlite`; undefined for any other error. */
export function sqliteFaultOf(error: unknown): SqliteFault | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  const text = 'errstr' in error && typeof error.errstr === 'string' ? error.errstr : error.message;
  return { code: error.errcode & 0xff, text };
}

export const SQLITE_BUSY = 5;

/** The one table of a log. @see experiment design, "What a run leaves" */
export const LOG_TABLE = `CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  prev TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL
)`;

/** A database opened without writing to its folder; `close` removes what was made to read it. */
export interface ReadHandle {
  readonly db: DatabaseSync;
  readonly close: () => Promise<void>;
}

/**
 * Opens a log's database for reading, beside a live writer or without one, in a folder that may be read-only. What is read is
 * what was committed when a statement starts. The database and its write-ahead log are never changed:
 * with no write-ahead log the file is opened as immutable; with one that a writer keeps (or kept until it was killed) it is joined through
 * the writer's shared memory; where that is gone (a copied folder) a private copy is read.
 *
 * @throws an error of `node:sqlite` or of the file system when the file cannot be opened.
 */
export async function openForReading(file: string): Promise<ReadHandle> {
  const path = resolve(file);
  statSync(path);
  const wal = `${path}-wal`;
  if (!existsSync(wal) || statSync(wal).size === 0) {
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    const db = new DatabaseSync(url, { readOnly: true });
    return { db, close: () => Promise.resolve(db.close()) };
  }
  if (existsSync(`${path}-shm`)) {
    const joined = joinWriter(path);
    if (joined !== undefined) return { db: joined, close: () => Promise.resolve(joined.close()) };
  }
  const folder = await mkdtemp(join(tmpdir(), 'hivemark-log-'));
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'marks.db');
    await copyFile(path, copy);
    await copyFile(wal, `${copy}-wal`);
    const db = new DatabaseSync(copy);
    return {
      db,
      close: () => {
        db.close();
        return drop();
      },
    };
  } catch (error) {
    await drop();
    throw error;
  }
}

function joinWriter(path: string): DatabaseSync | undefined {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    return db;
  } catch (error) {
    db.close();
    // 8 read-only, 14 cannot open: the shared memory cannot be used from here.
    const code = sqliteFaultOf(error)?.code;
    if (code === 8 || code === 14) return undefined;
    throw error;
  }
}

/** Whether `db` holds a log's table, and nothing that could change its records behind its back. */
export function schemaProblem(db: DatabaseSync): string | undefined {
  const objects = db.prepare('SELECT type, name, tbl_name FROM sqlite_master').all();
  if (!objects.some(({ type, name }) => type === 'table' && name === 'log')) return 'there is no table log in it';
  const stranger = objects.find(({ type }) => type === 'trigger' || type === 'view');
  if (stranger !== undefined)
    return `a ${String(stranger['type'])} ${String(stranger['name'])} does not belong in a log`;
  const columns = db.prepare("SELECT name FROM pragma_table_xinfo('log')").all();
  const names = columns.map(({ name }) => String(name)).join(' ');
  return names === 'seq hash prev key body' ? undefined : `the table log has the columns ${names}`;
}
