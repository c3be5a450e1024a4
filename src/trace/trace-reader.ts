import { join } from 'node:path';
import { type LinePlace, readLines } from './line-reader.ts';
import { problemOf, ROW_SCHEMAS } from './row-schema.ts';
import { readSchemaVersion } from './run-folder.ts';
import { TRACE_SCHEMA_VERSION, type TraceTables } from './schema.ts';

/** A line of a table that cannot be used. `file` is relative to the run folder. */
export interface BadLine {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly problem: string;
}

export type TraceReadCode = 'bad-line' | 'missing-table' | 'newer-schema';

/** A table cannot be read. `line` is 0 where no line is to blame. */
export class TraceReadError extends Error {
  override readonly name = 'TraceReadError';
  readonly code: TraceReadCode;
  readonly file: string;
  readonly line: number;
  constructor(code: TraceReadCode, file: string, line: number, problem: string, options?: ErrorOptions) {
    super(`cannot read ${line > 0 ? `${file}:${line}` : file}: ${problem}`, options);
    this.code = code;
    this.file = file;
    this.line = line;
  }
}

export interface ReadTableOptions {
  /** Called for every line that cannot be used, which is then left out. Without it the first one is thrown. */
  readonly onBadLine?: (bad: BadLine) => void;
  /** A longer line counts as bad and is never held in memory. @default 16 MiB */
  readonly maxLineBytes?: number;
  /** Schema version that the rows were written under. @default what `run.json` says, or the current one without it */
  readonly schemaVersion?: number;
  /** Begin there; with every row it is moved to where the next one begins. @default the start of the table */
  readonly place?: LinePlace;
}

export const DEFAULT_MAX_LINE_BYTES = 16 * 1024 * 1024;

/**
 * What turns a row of schema version n into one of version n + 1, by n. A table that did not change is not listed. Version 1 is
 * the first, so there is nothing to upgrade yet.
 */
const UPGRADES: Readonly<Record<number, { readonly [T in keyof TraceTables]?: (row: unknown) => unknown }>> = {};

/**
 * Rows of one table of a run folder, in file order, one at a time. Blank lines are skipped, fields that are not known left out.
 *
 * @throws TraceReadError `bad-line` (strict reading only), `missing-table`, or `newer-schema`
 */
export async function* readTable<T extends keyof TraceTables>(
  runDir: string,
  table: T,
  options: ReadTableOptions = {},
): AsyncGenerator<TraceTables[T]> {
  const file = `trace/${table}.jsonl`;
  const version = options.schemaVersion ?? (await readSchemaVersion(runDir)) ?? TRACE_SCHEMA_VERSION;
  if (version > TRACE_SCHEMA_VERSION) {
    const problem = `it has schema version ${version}, this hivemark knows versions up to ${TRACE_SCHEMA_VERSION}`;
    throw new TraceReadError('newer-schema', file, 0, problem);
  }
  try {
    const maxLineBytes = options.maxLineBytes ?? DEFAULT_MAX_LINE_BYTES;
    for await (const line of readLines(join(runDir, file), maxLineBytes, options.place)) {
      if (line.text !== null && line.text.trim() === '') continue;
      const parsed = line.text === null ? { problem: line.problem } : parseRow(table, line.text, version);
      if ('row' in parsed) {
        yield parsed.row;
        continue;
      }
      if (!options.onBadLine) throw new TraceReadError('bad-line', file, line.number, parsed.problem);
      options.onBadLine({ file, line: line.number, problem: parsed.problem });
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new TraceReadError('missing-table', file, 0, 'there is no such file', { cause: error });
    }
    throw error;
  }
}

/** How many bad lines `loadTable` names; all are counted. */
export const NAMED_BAD_LINES = 100;

export interface LoadedTable<Row> {
  readonly rows: readonly Row[];
  readonly badLines: number;
  /** The first of them. */
  readonly bad: readonly BadLine[];
}

/** A whole table, read tolerantly: a bad line costs that line. */
export async function loadTable<T extends keyof TraceTables>(
  runDir: string,
  table: T,
  options: Omit<ReadTableOptions, 'onBadLine'> = {},
): Promise<LoadedTable<TraceTables[T]>> {
  const rows: TraceTables[T][] = [];
  const bad: BadLine[] = [];
  let badLines = 0;
  const onBadLine = (line: BadLine): void => {
    if (badLines++ < NAMED_BAD_LINES) bad.push(line);
  };
  for await (const row of readTable(runDir, table, { ...options, onBadLine })) rows.push(row);
  return { rows, badLines, bad };
}

function parseRow<T extends keyof TraceTables>(
  table: T,
  text: string,
  version: number,
): { readonly row: TraceTables[T] } | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'not JSON' };
  }
  for (let v = version; v < TRACE_SCHEMA_VERSION; v++) value = UPGRADES[v]?.[table]?.(value) ?? value;
  const parsed = ROW_SCHEMAS[table].safeParse(value);
  return parsed.success ? { row: parsed.data } : { problem: problemOf(parsed.error) };
}
