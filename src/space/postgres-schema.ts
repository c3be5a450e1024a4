import { LogUnavailableError } from './log.ts';
import { type PostgresSession, StatementError } from './postgres-session.ts';

const VERSION = 1;
/** Taken while the tables are made, so that two processes that open a new database at once do not trip over each other. */
const MAKING = 7_365_501_263;

/**
 * The tables of a log: one database holds several spaces. `spaces` has one row a space, where it ends, and is what writers take turns
 * on. `key_id` is the key's sha256: a key may be longer than an index takes.
 */
const TABLES = `
CREATE SCHEMA IF NOT EXISTS hivemark;
CREATE TABLE hivemark.format (version INTEGER NOT NULL);
CREATE TABLE hivemark.spaces (
  space TEXT PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL,
  writer TEXT NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE hivemark.log (
  space TEXT NOT NULL,
  seq BIGINT NOT NULL,
  hash TEXT NOT NULL,
  prev TEXT NOT NULL,
  key TEXT NOT NULL,
  key_id BYTEA NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (space, seq),
  UNIQUE (space, key_id)
);
INSERT INTO hivemark.format VALUES (${VERSION})`;

const COLUMNS = 'space seq hash prev key key_id body';

/** Makes the tables where there are none, if it may. @throws {LogUnavailableError} when they are not there or not as this version needs them. */
export async function prepareTables(session: PostgresSession, place: string, mayMake: boolean): Promise<void> {
  try {
    const encoding = (await session.query('SHOW server_encoding'))[0]?.[0];
    if (encoding !== 'UTF8')
      throw new LogUnavailableError(
        `the database at ${place} is encoded in ${String(encoding)} and cannot hold every text; make one with ENCODING 'UTF8'`,
      );
    if (mayMake && !(await isMade(session))) await makeTables(session);
    const problem = await tablesProblem(session);
    if (problem !== undefined) throw new LogUnavailableError(`the log at ${place} cannot be used: ${problem}`);
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    const advice = error.sqlState === '42501' ? '; let its owner open it once, or grant what is missing' : '';
    throw new LogUnavailableError(`the log at ${place} cannot be used: ${error.message} (${error.sqlState})${advice}`);
  }
}

/** Asked of the catalogue as a table: `to_regclass` may remember, within a transaction, that there was nothing. */
async function isMade(session: PostgresSession): Promise<boolean> {
  const found = await session.query(
    `SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     WHERE nspname = 'hivemark' AND relname = 'format'`,
  );
  return found.length === 1;
}

async function makeTables(session: PostgresSession): Promise<void> {
  try {
    await session.run(`BEGIN; SELECT pg_advisory_xact_lock(${MAKING})`);
    if (!(await isMade(session))) await session.run(TABLES);
    await session.run('COMMIT');
  } catch (error) {
    if (!session.lost) await session.run('ROLLBACK');
    throw error;
  }
}

/** Whether the tables are those of this version, with nothing that could change records behind a log's back. */
export async function tablesProblem(session: PostgresSession): Promise<string | undefined> {
  if (!(await isMade(session))) return 'there is no log in this database; open it for writing once';
  const versions = await session.query('SELECT version FROM hivemark.format');
  const version = Number(versions[0]?.[0]);
  if (versions.length !== 1 || version !== VERSION)
    return `its tables are of version ${versions.map(([v]) => String(v)).join(', ') || 'none'}, this release knows version ${VERSION}`;
  const [found] = await session.query(
    `SELECT (SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
              WHERE attrelid = to_regclass('hivemark.log') AND attnum > 0 AND NOT attisdropped),
            (SELECT relkind::text FROM pg_class WHERE oid = to_regclass('hivemark.log')),
            (SELECT min(tgname)::text FROM pg_trigger WHERE tgrelid = to_regclass('hivemark.log') AND NOT tgisinternal),
            (SELECT min(rulename)::text FROM pg_rewrite WHERE ev_class = to_regclass('hivemark.log') AND rulename <> '_RETURN'),
            (SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass('hivemark.log'))`,
  );
  const [columns, kind, trigger, rule, hides] = found ?? [];
  if (kind !== 'r') return 'there is no table hivemark.log in it';
  if (typeof trigger === 'string') return `a trigger ${trigger} does not belong in a log`;
  if (typeof rule === 'string') return `a rule ${rule} does not belong in a log`;
  if (hides === true) return 'row security does not belong on a log';
  return columns === COLUMNS ? undefined : `the table hivemark.log has the columns ${String(columns)}`;
}
