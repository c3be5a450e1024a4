import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';

/** A database opened without writing to its folder; `close` removes what was made to read it. */
export interface SqliteReading {
  readonly db: DatabaseSync;
  readonly close: () => Promise<void>;
}

/** How often a database that is being written is copied again until it held still. */
const COPY_TRIES = 5;

/**
 * Opens somebody else's SQLite file for reading, in a folder that may be read-only, and never changes anything there: no journal,
 * no shared-memory file. Without a write-ahead log the file is opened as immutable; with one, a private copy of both is read, so
 * that what sits in the log only is there too.
 *
 * @param wal - its write-ahead log, known to lie where it may be read; undefined: there is none, or none that may be
 * @throws an error of `node:sqlite` or of the file system; a damaged file may show only when it is queried
 */
export async function openSqliteReading(file: string, wal: string | undefined): Promise<SqliteReading> {
  if (wal === undefined || (await stampOf(wal)).size === 0) {
    const url = pathToFileURL(file);
    url.searchParams.set('immutable', '1');
    const db = new DatabaseSync(url, { readOnly: true });
    return { db, close: () => Promise.resolve(db.close()) };
  }
  const folder = await mkdtemp(join(tmpdir(), 'hivemark-import-'));
  const drop = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const copy = join(folder, 'copy.db');
    for (let tries = 1; ; tries++) {
      const before = [await stampOf(file), await stampOf(wal)];
      await copyFile(file, copy);
      await copyFile(wal, `${copy}-wal`);
      const after = [await stampOf(file), await stampOf(wal)];
      if (JSON.stringify(before) === JSON.stringify(after)) break;
      if (tries === COPY_TRIES) throw new Error('it is being written to faster than it can be copied; try again later');
    }
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

async function stampOf(file: string): Promise<{ readonly size: number; readonly changedAt: number }> {
  try {
    const { size, mtimeMs } = await stat(file);
    return { size, changedAt: mtimeMs };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { size: 0, changedAt: 0 };
    throw error;
  }
}
