import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../output.ts';
import { EXPORT_COLUMNS, type ExportRow } from './export-rows.ts';

/** What of `@duckdb/node-api` is used. It is an optional dependency: neither building nor starting hivemark needs it. */
interface DuckDb {
  readonly DuckDBInstance: {
    create(path: string): Promise<{ connect(): Promise<Connection>; closeSync(): void }>;
  };
}
interface Connection {
  run(sql: string): Promise<unknown>;
  createAppender(table: string): Promise<Appender>;
  closeSync(): void;
}
interface Appender {
  appendVarchar(value: string): void;
  appendBigInt(value: bigint): void;
  appendDouble(value: number): void;
  appendNull(): void;
  endRow(): void;
  flushSync(): void;
  closeSync(): void;
}

const PACKAGE = '@duckdb/node-api';
const VERSION = '1.4.4-r.1';
/** Rows between two flushes: what is held in memory besides DuckDB's own. */
const FLUSH_ROWS = 2048;

/**
 * Writes rows to a Parquet file (zstd). `body` is a column of JSON text, `at_ms` epoch milliseconds.
 *
 * @throws {UsageError} where DuckDB is not installed
 */
export async function writeParquet(file: string, rows: AsyncIterable<ExportRow>): Promise<void> {
  const { DuckDBInstance } = await loadDuckDb();
  const folder = await mkdtemp(join(tmpdir(), 'hivemark-export-'));
  try {
    const instance = await DuckDBInstance.create(join(folder, 'rows.duckdb'));
    try {
      const connection = await instance.connect();
      const columns = Object.entries(EXPORT_COLUMNS).map(([name, type]) => `"${name}" ${type}`);
      await connection.run(`CREATE TABLE rows (${columns.join(', ')})`);
      await append(await connection.createAppender('rows'), rows);
      await connection.run(`COPY rows TO '${file.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`);
      connection.closeSync();
    } finally {
      instance.closeSync();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function append(appender: Appender, rows: AsyncIterable<ExportRow>): Promise<void> {
  let n = 0;
  for await (const row of rows) {
    for (const [name, type] of Object.entries(EXPORT_COLUMNS)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the columns are the row's fields
      appendCell(appender, type, name === 'body' ? JSON.stringify(row.body) : row[name as keyof ExportRow]);
    }
    appender.endRow();
    n += 1;
    if (n % FLUSH_ROWS === 0) appender.flushSync();
  }
  appender.closeSync();
}

function appendCell(appender: Appender, type: 'BIGINT' | 'DOUBLE' | 'VARCHAR', value: unknown): void {
  if (type === 'VARCHAR' && typeof value === 'string') appender.appendVarchar(value.toWellFormed());
  else if (type === 'BIGINT' && typeof value === 'number') appender.appendBigInt(BigInt(value));
  else if (type === 'DOUBLE' && typeof value === 'number') appender.appendDouble(value);
  else appender.appendNull();
}

async function loadDuckDb(): Promise<DuckDb> {
  try {
    // Not a literal: the compiler is not to look for what may not be there.
    const name: string = PACKAGE;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the package exports
    return (await import(name)) as DuckDb;
  } catch (cause) {
    throw new UsageError(
      `Parquet is written by DuckDB, which is not installed here: npm install ${PACKAGE}@${VERSION}, or export --format jsonl`,
      { cause },
    );
  }
}
