import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EXIT, type ExitCode, type Surroundings, UsageError } from '../output.ts';
import { type ExportRow, exportRows } from './export-rows.ts';
import { findSpace, openForReading, type SpacePlace } from './place.ts';
import { oneLine } from './terminal-text.ts';

export interface ExportFlags {
  readonly format: string;
  /** A file, or `-` for standard output. */
  readonly out: string;
  readonly json?: boolean;
}

interface Exported {
  readonly mark: number;
  readonly decision: number;
  readonly event: number;
}

/** Characters of JSON lines that are written in one go. */
const CHUNK = 1 << 18;

/** `hivemark space export <where>`: every mark, decision and event, in log order, as JSON lines or a Parquet file. */
export async function exportCommand(
  where: string | undefined,
  { format, out, json }: ExportFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const { output, cwd } = world;
  if (format !== 'jsonl' && format !== 'parquet')
    throw new UsageError(`${JSON.stringify(oneLine(format, 40))} is no format; choose jsonl or parquet`);
  if (out === '-' && format === 'parquet') throw new UsageError('a Parquet file needs a name: --out <file>');
  if (out === '-' && json === true) throw new UsageError('--json says what was written to a file; give one with --out');
  const place = await findSpace(where, world);
  const counts = { mark: 0, decision: 0, event: 0 };
  const rows = rowsOf(place, counts, world.signal);
  const file = resolve(cwd, out);
  if (out === '-') for await (const lines of linesOf(rows)) output.out(lines);
  else await toFile(format, file, out, rows);
  if (out !== '-')
    output.out(json === true ? `${JSON.stringify({ out: file, format, rows: counts })}\n` : text(out, counts));
  return EXIT.done;
}

async function* rowsOf(
  place: SpacePlace,
  counts: { -readonly [Type in keyof Exported]: Exported[Type] },
  signal: AbortSignal,
): AsyncGenerator<ExportRow> {
  const log = await openForReading(place);
  try {
    for await (const record of log.read()) {
      if (record.seq % 512 === 0) signal.throwIfAborted();
      for (const row of exportRows(record)) {
        counts[row.type] += 1;
        yield row;
      }
    }
  } finally {
    await log.close();
  }
}

/** `{ seq, type, mark | decision | event }`, a line each. */
async function* linesOf(rows: AsyncIterable<ExportRow>): AsyncGenerator<string> {
  let lines = '';
  for await (const { seq, type, body } of rows) {
    lines += `${JSON.stringify({ seq, type, [type]: body })}\n`;
    if (lines.length < CHUNK) continue;
    yield lines;
    lines = '';
  }
  if (lines !== '') yield lines;
}

async function toFile(
  format: 'jsonl' | 'parquet',
  file: string,
  name: string,
  rows: AsyncIterable<ExportRow>,
): Promise<void> {
  const part = `${file}.part`;
  try {
    if (format === 'parquet') {
      const { writeParquet } = await import('./parquet.ts');
      await writeParquet(part, rows);
    } else {
      const handle = await open(part, 'w');
      try {
        for await (const lines of linesOf(rows)) await handle.appendFile(lines);
      } finally {
        await handle.close();
      }
    }
    // What is there appears whole or not at all.
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    if (error instanceof Error && 'syscall' in error && 'code' in error && 'path' in error && error.path === part)
      throw new UsageError(`cannot write ${oneLine(name)} (${String(error.code)}); choose another file with --out`, {
        cause: error,
      });
    throw error;
  }
}

function text(out: string, { mark, decision, event }: Exported): string {
  return `${oneLine(out)}: ${mark} marks, ${decision} decisions, ${event} events\n`;
}
