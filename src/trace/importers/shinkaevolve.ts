import { stat } from 'node:fs/promises';
import { posix, relative, sep } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { LoadedGeneration, LoadedRun } from '../loaded-run.ts';
import { causeOfProgramError, isNearZero } from './failure-cause.ts';
import { asRecord, numberIn, present, textIn } from './fields.ts';
import { languageOf } from './language.ts';
import { orderPrograms } from './program-row.ts';
import { openSqliteReading } from './read-sqlite.ts';
import { WHY } from './skip-log.ts';
import { parseTolerantJson } from './tolerant-json.ts';
import type { TraceFolder } from './trace-folder.ts';

/** Names ShinkaEvolve gives its database. */
export const SHINKA_DATABASES = ['programs.sqlite', 'evolution_db.sqlite'];
const SQLITE_FILE = /\.(?:sqlite3?|db)$/;
const AGENT = 'shinkaevolve';

/** Columns read; those that an older or newer version lacks count as null. Embeddings, the bulk of such a file, are never read. */
const COLUMNS = [
  'id',
  'code',
  'language',
  'parent_id',
  'generation',
  'combined_score',
  'public_metrics',
  'private_metrics',
  'text_feedback',
  'correct',
  'metadata',
] as const;
type Row = Readonly<Partial<Record<(typeof COLUMNS)[number], unknown>>>;

export function isSqliteName(name: string): boolean {
  return SQLITE_FILE.test(name) && name !== 'marks.db';
}

/**
 * One ShinkaEvolve search: table `programs` of its database, what is still in the write-ahead log included.
 *
 * @returns undefined when the file is not such a database (noted where its name says it should be)
 * @see https://github.com/SakanaAI/ShinkaEvolve/blob/main/shinka/database/dbase.py `_create_tables`
 */
export async function importShinkaEvolve(
  folder: TraceFolder,
  dir: string,
  file: string,
  id: string,
): Promise<LoadedRun | undefined> {
  const path = posix.join(dir, file);
  const real = await folder.fileAt(path, 'run');
  if (real === undefined) return undefined;
  const programs = new Map<string, LoadedGeneration>();
  const keep = (row: Row, number: number): void => {
    const program = generationOf(row);
    if (program === undefined) folder.skips.note({ path, line: number, what: 'program', why: 'not a program (no id)' });
    else if (!programs.has(program.id)) programs.set(program.id, program);
  };
  try {
    const { db, close } = await openSqliteReading(real, await walOf(folder, real));
    try {
      if (!readPrograms(db, keep)) {
        if (SHINKA_DATABASES.includes(file)) {
          folder.skips.note({ path, what: 'run', why: 'no table "programs" with columns id and code in it' });
        }
        return undefined;
      }
    } finally {
      await close();
    }
  } catch (error) {
    const what = programs.size > 0 ? 'the rest of the programs' : 'run';
    folder.skips.note({ path, what, why: 'a damaged or truncated SQLite file', detail: sqliteProblem(error) });
    if (programs.size === 0) return undefined;
  }
  return {
    id,
    format: 'shinkaevolve',
    folder: folder.absolute(dir),
    pairing: AGENT,
    arm: 'solo',
    agents: [{ name: AGENT, generations: orderPrograms(programs.values()) }],
  };
}

function columnsOf(db: DatabaseSync, table: string): ReadonlySet<string> {
  const rows = db.prepare('SELECT name FROM pragma_table_info(?)').all(table);
  return new Set(rows.map(({ name }) => String(name)));
}

/** A larger write-ahead log is not copied: what sits in it only is missing then. */
const MAX_WAL_BYTES = 1024 ** 3;

/** The write-ahead log beside a database, if it may be read: inside the given folder, and no larger than can be copied. */
async function walOf(folder: TraceFolder, real: string): Promise<string | undefined> {
  const path = `${relative(folder.root, real).split(sep).join('/')}-wal`;
  const wal = await folder.fileAt(path, 'write-ahead log');
  if (wal === undefined || (await stat(wal)).size <= MAX_WAL_BYTES) return wal;
  folder.skips.note({ path, what: 'write-ahead log', why: WHY.tooLarge });
  return undefined;
}

/**
 * Hands over the rows of the table, by generation and time. Where the database is damaged they come as they are stored, until
 * the damage is met.
 *
 * @returns false when there is no such table
 * @throws what `node:sqlite` throws where the database is damaged
 */
function readPrograms(db: DatabaseSync, keep: (row: Row, number: number) => void): boolean {
  try {
    return selectPrograms(db, keep, 'generation, timestamp, rowid');
  } catch (damage) {
    // Sorting needs every row, and the schema's own check refuses a whole database for a page that is missing at its end.
    db.enableDefensive(false);
    db.exec('PRAGMA writable_schema = ON; PRAGMA query_only = ON');
    // What is missing of a page that was cut reads as zeros.
    const isWhole = ({ id, code }: Row): boolean =>
      [id, code].every((text) => typeof text === 'string' && text !== '' && !text.includes('\0'));
    selectPrograms(db, (row, number) => isWhole(row) && keep(row, number), 'rowid');
    throw damage;
  }
}

function selectPrograms(db: DatabaseSync, keep: (row: Row, number: number) => void, order: string): boolean {
  const columns = columnsOf(db, 'programs');
  if (!columns.has('code') || !columns.has('id')) return false;
  const list = COLUMNS.map((name) => (columns.has(name) ? name : `NULL AS ${name}`)).join(', ');
  const by = columns.has('timestamp') && columns.has('generation') ? order : 'rowid';
  let number = 0;
  for (const row of db.prepare(`SELECT ${list} FROM programs ORDER BY ${by}`).iterate()) keep(row, ++number);
  return true;
}

function generationOf(row: Row): LoadedGeneration | undefined {
  const id = textIn(row, 'id');
  if (id === undefined) return undefined;
  const metadata = jsonIn(row.metadata);
  const publicMetrics = jsonIn(row.public_metrics);
  const privateMetrics = jsonIn(row.private_metrics);
  const score = numberIn(row, 'combined_score');
  const valid = row.correct === 1 || row.correct === true;
  const error = textIn(metadata, 'error', 'error_message') ?? textIn(publicMetrics, 'error');
  const parent = textIn(row, 'parent_id');
  return {
    id,
    generation: numberIn(row, 'generation') ?? 0,
    parents: parent === undefined ? [] : [parent],
    ...present({ code: textIn(row, 'code') }),
    language: languageOf(textIn(row, 'language') ?? 'python'),
    valid,
    ...(metadata?.['_is_island_copy'] === true ? { copy: true as const } : {}),
    scores: present({
      validation: score,
      public: numberIn(publicMetrics, 'combined_score', 'score', 'public_score'),
      private: numberIn(privateMetrics, 'combined_score', 'score', 'private_score'),
    }),
    ...(!valid || isNearZero(score) ? { cause: valid ? 'wrong-answers' : causeOfProgramError(error, false) } : {}),
    ...present({
      usd: numberIn(metadata, 'api_costs', 'api_cost', 'cost'),
      tokens: numberIn(metadata, 'total_tokens', 'tokens'),
    }),
  };
}

/** A column that holds a JSON object; undefined for anything else. */
function jsonIn(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  try {
    return asRecord(parseTolerantJson(value));
  } catch {
    return undefined;
  }
}

function sqliteProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'errstr' in error && typeof error.errstr === 'string' ? error.errstr : error.message;
}
