import { z } from 'zod';
import type { TraceTables } from '../trace/schema.ts';
import { staleCursor } from './analyst-cursor.ts';
import { AnalystError } from './analyst-error.ts';
import { type Page, pageOf, type PageRequest, type Step } from './analyst-page.ts';
import type { AnyRow, Results } from './analyst-results.ts';

/** Bytes of tables that one call reads at most before it answers with what it has: a page that nothing matches has an end too. */
export const MAX_SCAN_BYTES = 32 * 1024 * 1024;
/** What a row counts for at least, however short it is. */
const MIN_ROW_BYTES = 256;
const NAMED_UNREAD = 20;

export const placeSchema = z.strictObject({ run: z.string(), at: z.int().min(0), seal: z.string() });
type Place = Omit<z.output<typeof placeSchema>, 'seal'>;

export interface Scan<R> {
  readonly table: keyof TraceTables;
  /** One run, or all. */
  readonly run: string | undefined;
  readonly state: z.output<typeof placeSchema> | undefined;
  readonly signal: AbortSignal;
  /** What the answer has of a row; undefined: it does not match. */
  readonly pick: (row: AnyRow, run: string) => R | undefined;
  /** @default MAX_SCAN_BYTES */
  readonly maxBytes?: number;
}

/**
 * A page of the rows of a table, in the order they were written, run after run. It begins where the page before ended: what was read
 * once is not read again.
 *
 * @throws AnalystError `stale-cursor` where the table was written anew
 */
export async function scanPage<R>(results: Results, request: PageRequest<Place>, scan: Scan<R>): Promise<Page<R>> {
  const unread: string[] = [];
  if (scan.run !== undefined && (await results.tables(scan.run))[scan.table] === undefined) {
    const { format } = await results.card(scan.run);
    unread.push(
      `the run has no table ${scan.table}: ${format === 'native' ? 'it was not written' : `${format} records nothing of the kind`}`,
    );
  }
  const page = await pageOf(
    {
      ...request,
      stateAt: async (place) => ({ ...place, seal: (await results.seal(place.run, scan.table, place.at)) ?? '' }),
    },
    stepsOf(results, scan, unread),
  );
  return { ...page, notes: [...page.notes, ...unread] };
}

async function* stepsOf<R>(results: Results, scan: Scan<R>, unread: string[]): AsyncGenerator<Step<R, Place>> {
  const { table, state, signal, pick, maxBytes = MAX_SCAN_BYTES } = scan;
  const runs = scan.run === undefined ? await results.runs() : [scan.run];
  if (state !== undefined) await checkSeal(results, runs, table, state);
  let read = 0;
  for (const run of runs) {
    if (state !== undefined && run < state.run) continue;
    const from = run === state?.run ? state.at : 0;
    for await (const { row, at, next } of rowsOr(
      results,
      run,
      table,
      from,
      scan.run === undefined ? unread : undefined,
    )) {
      signal.throwIfAborted();
      const picked = pick(row, run);
      if (picked !== undefined) yield { row: picked, after: { run, at: next } };
      read += Math.max(MIN_ROW_BYTES, next - at);
      if (picked === undefined && read > maxBytes) {
        yield { pausedAt: { run, at: next } };
        return;
      }
    }
  }
}

async function checkSeal(
  results: Results,
  runs: readonly string[],
  table: keyof TraceTables,
  { run, at, seal }: z.output<typeof placeSchema>,
): Promise<void> {
  // A run that is gone costs its rows, not the place of those after it.
  if (!runs.includes(run)) return;
  if ((await results.seal(run, table, at)) !== seal) staleCursor(`the table ${table} of the run`);
}

/** Rows of a run; a run among many that cannot be read costs that run. */
export async function* rowsOr(
  results: Results,
  run: string,
  table: keyof TraceTables,
  at: number,
  unread: string[] | undefined,
): ReturnType<Results['rows']> {
  try {
    yield* results.rows(run, table, { at });
  } catch (error) {
    if (!(error instanceof AnalystError) || unread === undefined) throw error;
    if (unread.length < NAMED_UNREAD) unread.push(`left out: ${error.message}`);
  }
}
