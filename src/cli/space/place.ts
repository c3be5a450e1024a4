import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CorruptLogError, type Log, LogUnavailableError, LogWriteError } from '../../space/log.ts';
import { reasonOf } from '../../space/log-connection.ts';
import { isPostgresUrl, parsePostgresUrl } from '../../space/postgres-address.ts';
import { type Surroundings, UsageError } from '../output.ts';
import { oneLine } from './terminal-text.ts';

/** Where a space is kept. */
export type SpacePlace =
  | {
      readonly kind: 'file';
      readonly file: string;
      /** The folder of the run whose space it is. */
      readonly runDir?: string;
      /** As the user named it. */
      readonly name: string;
    }
  | {
      readonly kind: 'postgres';
      /** Holds the password: never shown. */
      readonly url: string;
      readonly name: string;
    };

const LOG_FILE = 'marks.db';
const FORMS = "a run's folder, a marks.db, an experiment's folder with one run, or postgres://...";
/** Runs named when a folder holds several. */
const NAMED = 10;

/**
 * The space that `where` names; without it, that of `HIVEMARK_DATABASE_URL`, else that of the working directory.
 *
 * @throws {UsageError} when there is none there, or several
 * @throws {LogUnavailableError} for a PostgreSQL address that is malformed; neither ever shows a credential
 */
export async function findSpace(
  where: string | undefined,
  { cwd, env }: Pick<Surroundings, 'cwd' | 'env'>,
): Promise<SpacePlace> {
  const text = where ?? (env['HIVEMARK_DATABASE_URL'] || '.');
  if (isPostgresUrl(text)) {
    const { place, space } = parsePostgresUrl(text);
    return { kind: 'postgres', url: text, name: `${space} at ${place}` };
  }
  // Some other address: it may hold a password.
  if (/^[a-z][a-z0-9+.-]+:\/\//iu.test(text)) throw new UsageError(`that address is not one of a space; give ${FORMS}`);
  const path = resolve(cwd, text);
  const name = oneLine(text);
  if (!existsSync(path)) throw new UsageError(`there is nothing at ${name}; give ${FORMS}`);
  const found = statSync(path).isDirectory() ? await fileIn(path, name) : path;
  const runDir = dirname(found);
  const isRun = basename(found) === LOG_FILE && existsSync(join(runDir, 'run.json'));
  return { kind: 'file', file: found, name, ...(isRun ? { runDir } : {}) };
}

async function fileIn(folder: string, name: string): Promise<string> {
  if (existsSync(join(folder, LOG_FILE))) return join(folder, LOG_FILE);
  const inside = (await readdir(folder)).filter((entry) => existsSync(join(folder, entry, LOG_FILE))).sort();
  const [only] = inside;
  if (only === undefined) throw new UsageError(`there is no space in ${name}; give ${FORMS}`);
  if (inside.length === 1) return join(folder, only, LOG_FILE);
  const named = inside.slice(0, NAMED).map((entry) => `\n  ${oneLine(join(name, entry))}`);
  const more = inside.length > NAMED ? `\n  ... ${inside.length} in all` : '';
  throw new UsageError(`${name} holds ${inside.length} spaces; name one of them:${named.join('')}${more}`);
}

/** Opens a space's log for reading, beside whoever writes it. @throws {LogUnavailableError} {CorruptLogError} */
export async function openForReading(place: SpacePlace): Promise<Log> {
  if (place.kind === 'postgres') {
    const { openPostgresLog } = await import('../../space/postgres-log.ts');
    return openPostgresLog(place.url, { mode: 'read' });
  }
  const { openSqliteLog } = await import('../../space/sqlite-log.ts');
  try {
    return await openSqliteLog(place.file, { mode: 'read' });
  } catch (cause) {
    if (cause instanceof CorruptLogError) throw cause;
    throw new LogUnavailableError(`the space at ${place.name} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** Opens a space's log for writing. @throws {LogWriteError} when another process writes it (SQLite) */
export async function openForWriting(place: SpacePlace): Promise<Log> {
  if (place.kind === 'postgres') {
    const { openPostgresLog } = await import('../../space/postgres-log.ts');
    return openPostgresLog(place.url);
  }
  const { openSqliteLog } = await import('../../space/sqlite-log.ts');
  try {
    return await openSqliteLog(place.file);
  } catch (cause) {
    if (!(cause instanceof LogWriteError)) throw cause;
    const goOn = place.runDir === undefined ? '' : '. A run that is stopped with Ctrl-C goes on with `hivemark resume`';
    throw new LogWriteError(
      `${cause.message}${goOn}. Looking (stats, marks, needs, barriers, export) works meanwhile`,
      {
        cause,
      },
    );
  }
}
