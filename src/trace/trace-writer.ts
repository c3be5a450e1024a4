import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord } from '../space/log.ts';
import { DECISION_TO_ROW, problemOf, ROW_SCHEMAS } from './row-schema.ts';
import { TRACE_TABLES, type TraceTables } from './schema.ts';

type TableName = keyof TraceTables;

/** A row that does not fit its table. It is written as it is (a reader will name it); the log, not the trace, is the truth. */
export interface RowProblem {
  readonly seq: number;
  readonly table: TableName;
  readonly problem: string;
}

export interface TraceWritten {
  /** Position of the last log record that went in; 0 for none. */
  readonly lastSeq: number;
  readonly rows: ReadonlyMap<TableName, number>;
  readonly problems: readonly RowProblem[];
}

/**
 * Keeps `trace/*.jsonl` up with a log that grows.
 *
 * - `append` takes records in log order. Records at or before `lastSeq` and rows whose key is already there are skipped, so that
 *   handing over the same stretch twice changes nothing. Calls take their turn.
 * - Not durable by itself: after a crash the tables may miss rows or end in half a line. Opening again starts from empty tables,
 *   and the log fills them.
 */
export interface TraceWriter {
  readonly written: TraceWritten;
  append(records: Iterable<LogRecord> | AsyncIterable<LogRecord>): Promise<void>;
  close(): Promise<void>;
}

/** Characters of pending lines of one table that are written in one go. */
const FLUSH_CHARS = 1 << 20;

/**
 * Rebuilds all tables of a run folder from its log. Every table file exists afterwards, and each changes at once from the old
 * content to the new. Same records, same bytes.
 */
export async function writeTrace(runDir: string, records: AsyncIterable<LogRecord>): Promise<TraceWritten> {
  const folder = join(runDir, 'trace');
  const tables = await openTables(folder, '.tmp');
  try {
    await tables.append(records);
  } finally {
    await tables.close();
  }
  for (const table of TRACE_TABLES) await rename(join(folder, `${table}.jsonl.tmp`), join(folder, `${table}.jsonl`));
  return tables.written;
}

/**
 * Opens the trace of a run folder for appending: first rebuilds it from `records` (the log as it stands), by default from none,
 * which leaves empty tables.
 */
export async function openTraceWriter(runDir: string, records?: AsyncIterable<LogRecord>): Promise<TraceWriter> {
  const tables = await openTables(join(runDir, 'trace'), '');
  try {
    if (records) await tables.append(records);
  } catch (error) {
    await tables.close();
    throw error;
  }
  return tables;
}

/** The table and line of a record; undefined for a mark, a definition, or a row of a table that is not part of the trace. */
export function projectRecord({
  seq,
  body,
}: LogRecord): { table: TableName; line: string; problem?: RowProblem } | undefined {
  if (body.type === 'decision') {
    const parsed = DECISION_TO_ROW.safeParse(body.decision);
    if (parsed.success) return { table: 'decisions', line: JSON.stringify(parsed.data) };
    const problem = { seq, table: 'decisions', problem: problemOf(parsed.error) } as const;
    return { table: 'decisions', line: JSON.stringify(body.decision), problem };
  }
  if (body.type !== 'row' || !isTable(body.table)) return undefined;
  const { table } = body;
  const line = JSON.stringify(body.row);
  const parsed = ROW_SCHEMAS[table].safeParse(body.row);
  return parsed.success ? { table, line } : { table, line, problem: { seq, table, problem: problemOf(parsed.error) } };
}

function isTable(name: string): name is TableName {
  return (TRACE_TABLES as readonly string[]).includes(name);
}

async function openTables(folder: string, suffix: string): Promise<TableFiles> {
  await mkdir(folder, { recursive: true });
  const files = new Map<TableName, FileHandle>();
  try {
    for (const table of TRACE_TABLES) files.set(table, await open(join(folder, `${table}.jsonl${suffix}`), 'w'));
  } catch (error) {
    await Promise.all([...files.values()].map((file) => file.close()));
    throw error;
  }
  return new TableFiles(files);
}

class TableFiles implements TraceWriter {
  readonly #files: ReadonlyMap<TableName, FileHandle>;
  readonly #pending = new Map<TableName, string>();
  readonly #keys = new Set<string>();
  readonly #rows = new Map<TableName, number>(TRACE_TABLES.map((table) => [table, 0]));
  readonly #problems: RowProblem[] = [];
  #lastSeq = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(files: ReadonlyMap<TableName, FileHandle>) {
    this.#files = files;
  }

  get written(): TraceWritten {
    return { lastSeq: this.#lastSeq, rows: new Map(this.#rows), problems: [...this.#problems] };
  }

  append(records: Iterable<LogRecord> | AsyncIterable<LogRecord>): Promise<void> {
    const mine = this.#turn.then(() => this.#appendNow(records));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async close(): Promise<void> {
    await this.#turn;
    await Promise.all([...this.#files.values()].map((file) => file.close()));
  }

  async #appendNow(records: Iterable<LogRecord> | AsyncIterable<LogRecord>): Promise<void> {
    for await (const record of records) {
      if (record.seq <= this.#lastSeq) continue;
      this.#lastSeq = record.seq;
      const projected = projectRecord(record);
      if (!projected || this.#keys.has(record.key)) continue;
      this.#keys.add(record.key);
      const { table, line, problem } = projected;
      if (problem) this.#problems.push(problem);
      this.#rows.set(table, (this.#rows.get(table) ?? 0) + 1);
      const pending = `${this.#pending.get(table) ?? ''}${line}\n`;
      this.#pending.set(table, pending);
      if (pending.length >= FLUSH_CHARS) await this.#flush(table);
    }
    for (const table of this.#pending.keys()) await this.#flush(table);
  }

  async #flush(table: TableName): Promise<void> {
    const text = this.#pending.get(table) ?? '';
    this.#pending.delete(table);
    await this.#files.get(table)?.appendFile(text);
  }
}
