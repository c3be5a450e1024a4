import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CorruptLogError, LogWriteError } from './log.ts';
import { LOG_TABLE, openForReading, type ReadHandle, schemaProblem, SQLITE_BUSY, sqliteFaultOf } from './log-file.ts';

/** An open database and how to let go of it (and of the writer's lock). */
export interface Connection {
  readonly db: DatabaseSync;
  readonly release: () => Promise<void>;
}

/** @throws {CorruptLogError} when the file is not a log */
export async function connectForReading(file: string): Promise<Connection> {
  let handle: ReadHandle | undefined;
  try {
    handle = await openForReading(file);
    const problem = schemaProblem(handle.db);
    if (problem !== undefined) throw new CorruptLogError(1, problem);
    const { db, close } = handle;
    return { db, release: close };
  } catch (error) {
    await handle?.close();
    throw corruptionOf(error, 1);
  }
}

/**
 * Opens (or makes) a log's database as its only writer: WAL, synchronous FULL.
 *
 * @throws {LogWriteError} when another process is its writer or the file cannot be made; {CorruptLogError} when it is not a log
 */
export function connectForWriting(file: string): Connection {
  const path = resolve(file);
  const lock = takeLock(`${path}-lock`);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    db.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    if (db.prepare('SELECT count(*) AS n FROM sqlite_master').get()?.['n'] === 0) {
      db.exec(LOG_TABLE);
      syncFolder(dirname(path));
    }
    const problem = schemaProblem(db);
    if (problem !== undefined) throw new CorruptLogError(1, problem);
  } catch (error) {
    db?.close();
    lock.close();
    const corrupt = corruptionOf(error, 1);
    if (corrupt instanceof CorruptLogError) throw corrupt;
    throw new LogWriteError(`the log could not be opened for writing: ${reasonOf(error)}`, { cause: error });
  }
  const opened = db;
  return {
    db: opened,
    release: () => {
      if (opened.isOpen) opened.close();
      if (lock.isOpen) lock.close();
      return Promise.resolve();
    },
  };
}

/** An exclusive transaction on a sibling file, held open: readers of the log never touch it, and the kernel drops it with the process. */
function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path);
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    if (sqliteFaultOf(cause)?.code === SQLITE_BUSY) {
      throw new LogWriteError(
        'the log is open for writing in another process; wait for it or stop it, then try again',
        { cause },
      );
    }
    throw new LogWriteError(
      `the log could not be opened for writing: ${reasonOf(cause)}; is its folder there and writable?`,
      { cause },
    );
  }
}

/** Makes the names of new files durable, where the platform can sync a folder. */
function syncFolder(folder: string): void {
  let handle: number | undefined;
  try {
    handle = openSync(folder, 'r');
    fsyncSync(handle);
  } catch {
    // Windows cannot open a folder, and need not.
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

const CORRUPTING = new Set([11, 26]);

/** SQLite's word for damage as ours; anything else as it is. */
export function corruptionOf(error: unknown, seq: number): Error {
  const fault = sqliteFaultOf(error);
  if (fault !== undefined && CORRUPTING.has(fault.code)) return new CorruptLogError(seq, fault.text);
  return error instanceof Error ? error : new Error(String(error));
}

/** What went wrong, without the file's path. */
export function reasonOf(error: unknown): string {
  return sqliteFaultOf(error)?.text ?? (error instanceof Error ? error.message : String(error));
}
