import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Verification } from '../space/chain-walk.ts';
import type { Log } from '../space/log.ts';
import { isPostgresUrl, parsePostgresUrl } from '../space/postgres-address.ts';
import { openPostgresLog } from '../space/postgres-log.ts';
import { openSqliteLog } from '../space/sqlite-log.ts';
import { verifyLog } from '../space/verify-log.ts';
import { verifyPostgresLog } from '../space/verify-postgres-log.ts';
import type { Anchor } from '../trace/run-folder.ts';
import { readRunFile } from '../trace/run-folder.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The database that a new experiment's spaces go to: the config's, else `HIVEMARK_DATABASE_URL`; undefined for SQLite. */
export function databaseFor(space: string | undefined, env: Env): string | undefined {
  const url = space ?? env['HIVEMARK_DATABASE_URL'];
  return url === undefined || url === '' ? undefined : url;
}

/** An address as it may be written down: without its password. Anything that is no such address comes back as it is. */
export function withoutPassword(url: string): string {
  if (!isPostgresUrl(url) || !URL.canParse(url)) return url;
  const address = new URL(url);
  address.password = '';
  return address.href;
}

/** The address of a space of its own for a new run: what `run.json` says. Random at its end, since several machines share a database. */
export function newRunSpace(database: string, experiment: string, run: string): string {
  const address = new URL(withoutPassword(database));
  const name = `${experiment}/${run}`.replace(/[^A-Za-z0-9._/-]/gu, '-').slice(0, 80);
  address.searchParams.set('space', `${name}/${randomBytes(6).toString('hex')}`);
  return address.href;
}

/**
 * An address with the password that it was written down without: that of the same database in `database` (the config at hand) or in
 * `HIVEMARK_DATABASE_URL`. Where neither has one, PGPASSWORD or a password file may.
 */
function withPassword(address: string, database: string | undefined, env: Env): string {
  const url = new URL(address);
  for (const known of [database, env['HIVEMARK_DATABASE_URL']]) {
    if (known === undefined || !isPostgresUrl(known) || !URL.canParse(known)) continue;
    const other = new URL(known);
    if (other.password === '' || parsePostgresUrl(known).place !== parsePostgresUrl(address).place) continue;
    url.username = other.username;
    url.password = other.password;
    break;
  }
  return url.href;
}

/**
 * Opens the log of a run's folder wherever it is: its own `marks.db`, or the space that `run.json` names.
 *
 * @throws {LogWriteError} {CorruptLogError} {LogUnavailableError}
 */
export async function openRunLog(
  dir: string,
  env: Env,
  options: { readonly mode?: 'write' | 'read'; readonly database?: string | undefined } = {},
): Promise<Log> {
  const { mode = 'write', database } = options;
  const { space } = await readRunFile(dir);
  if (space === undefined) return openSqliteLog(join(dir, 'marks.db'), { mode });
  return openPostgresLog(withPassword(space, database, env), { mode });
}

/** Checks a run's log, wherever it is, against its chain and the anchors in `run.json`. */
export async function verifyRunLog(dir: string, env: Env, anchors: readonly Anchor[]): Promise<Verification> {
  const { space } = await readRunFile(dir);
  if (space === undefined) return verifyLog(join(dir, 'marks.db'), anchors);
  return verifyPostgresLog(withPassword(space, undefined, env), anchors);
}
