import type { LoadedRun } from '../trace/loaded-run.ts';
import type { SkipLog } from '../trace/importers/skip-log.ts';
import type { AdoptionRow, ExposureRow, TraceTables } from '../trace/schema.ts';
import { readTable } from '../trace/trace-reader.ts';

/** What a run of ours has on record about who saw and took what. */
export interface AdoptionRecords {
  readonly adoptions: readonly AdoptionRow[];
  readonly exposures: readonly ExposureRow[];
}

/** Runs with their records. Imported runs have none. */
export type RecordsByRun = ReadonlyMap<LoadedRun, AdoptionRecords>;

/** Reads the records of those runs that have any. Lines that cannot be used are noted in `skips`. */
export async function readAdoptionRecords(
  runs: readonly LoadedRun[],
  skips: SkipLog,
  signal?: AbortSignal,
): Promise<RecordsByRun> {
  const records = new Map<LoadedRun, AdoptionRecords>();
  for (const run of runs) {
    signal?.throwIfAborted();
    if (run.format !== 'native') continue;
    const adoptions = await rowsOf(run, 'adoptions', skips);
    const exposures = await rowsOf(run, 'exposures', skips);
    if (adoptions !== undefined && exposures !== undefined) records.set(run, { adoptions, exposures });
  }
  return records;
}

/** Undefined, and noted, where the run has no such table: then it is judged by its code like an imported one. */
async function rowsOf<T extends 'adoptions' | 'exposures'>(
  run: LoadedRun,
  table: T,
  skips: SkipLog,
): Promise<readonly TraceTables[T][] | undefined> {
  const rows: TraceTables[T][] = [];
  const onBadLine = ({ file, line, problem }: { file: string; line: number; problem: string }): void =>
    skips.note({ path: `${run.id}/${file}`, line, what: 'line', why: problem });
  try {
    for await (const row of readTable(run.folder, table, { onBadLine })) rows.push(row);
    return rows;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'missing-table')) throw error;
    skips.note({ path: `${run.id}/trace/${table}.jsonl`, what: 'file', why: 'no such file or folder' });
    return undefined;
  }
}
