import type { LoadedRun } from '../trace/loaded-run.ts';
import { badLine, pathInRun, type SkipLog, WHY } from '../trace/importers/skip-log.ts';
import type { AdoptionRow, ExposureRow, TraceTables } from '../trace/schema.ts';
import { type BadLine, readTable } from '../trace/trace-reader.ts';

/** What a run of ours has on record about who saw and took what. */
export interface AdoptionRecords {
  readonly adoptions: readonly AdoptionRow[];
  readonly exposures: readonly ExposureRow[];
}

/** Runs with their records. Imported runs have none. */
export type RecordsByRun = ReadonlyMap<LoadedRun, AdoptionRecords>;

/** Several questions ask for them: each run's are read once. */
const known = new WeakMap<LoadedRun, Promise<AdoptionRecords | undefined>>();

/** Reads the records of those runs that have any. Lines that cannot be used are noted in `skips`, the first time a run is asked for. */
export async function readAdoptionRecords(
  runs: readonly LoadedRun[],
  skips: SkipLog,
  signal?: AbortSignal,
): Promise<RecordsByRun> {
  const records = new Map<LoadedRun, AdoptionRecords>();
  for (const run of runs) {
    signal?.throwIfAborted();
    if (run.format !== 'native') continue;
    const reading = known.get(run) ?? recordsOf(run, skips);
    known.set(run, reading);
    const found = await reading;
    if (found !== undefined) records.set(run, found);
  }
  return records;
}

async function recordsOf(run: LoadedRun, skips: SkipLog): Promise<AdoptionRecords | undefined> {
  const adoptions = await rowsOf(run, 'adoptions', skips);
  const exposures = await rowsOf(run, 'exposures', skips);
  return adoptions === undefined || exposures === undefined ? undefined : { adoptions, exposures };
}

/** Undefined, and noted, where the run has no such table: then it is judged by its code like an imported one. */
async function rowsOf<T extends 'adoptions' | 'exposures'>(
  run: LoadedRun,
  table: T,
  skips: SkipLog,
): Promise<readonly TraceTables[T][] | undefined> {
  const rows: TraceTables[T][] = [];
  const onBadLine = (bad: BadLine): void => skips.note(badLine(pathInRun(run, bad.file), bad));
  try {
    for await (const row of readTable(run.folder, table, { onBadLine })) rows.push(row);
    return rows;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'missing-table')) throw error;
    skips.note({ path: pathInRun(run, `trace/${table}.jsonl`), what: 'file', why: WHY.gone });
    return undefined;
  }
}
