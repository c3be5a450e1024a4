import { z } from 'zod';
import type { TraceTables } from '../trace/schema.ts';
import { valueAt } from './analyst-columns.ts';
import { AnalystError } from './analyst-error.ts';
import type { Step } from './analyst-page.ts';
import { rowsOr } from './analyst-scan.ts';
import type { AnyRow, Results } from './analyst-results.ts';

/** Places that one reading of the tables keeps: so many rows, a few pages, cost one reading. */
const WINDOW = 2_000;
/** Tables of more than this are not sorted. */
const MAX_SORT_BYTES = 1024 * 1024 * 1024;
/** Characters of a text that sorting looks at. */
const KEY_CHARS = 200;

const keySchema = z.union([z.string(), z.number(), z.null()]);
type SortKey = z.output<typeof keySchema>;

/** A row's place in an order: by key, and where keys are equal as they were written. */
const orderedSchema = z.strictObject({ key: keySchema, run: z.string(), at: z.int().min(0) });
type Ordered = z.output<typeof orderedSchema>;

/** Where a page ends: its window begins after `from` (null: at the start). */
export const orderedStateSchema = z.strictObject({ from: orderedSchema.nullable(), last: orderedSchema });
type OrderedState = z.output<typeof orderedStateSchema>;

export interface Order {
  readonly column: string;
  readonly descending: boolean;
}

export interface OrderedScan<R> {
  /** Tells the question from others. */
  readonly question: string;
  readonly table: keyof TraceTables;
  readonly run: string | undefined;
  readonly order: Order;
  readonly state: OrderedState | undefined;
  readonly signal: AbortSignal;
  readonly pick: (row: AnyRow, run: string) => R | undefined;
  /** @default 2000 */
  readonly window?: number;
}

interface Window {
  readonly entries: readonly Ordered[];
  /** There is nothing after the last of them. */
  readonly isLast: boolean;
}

/**
 * Rows of a table in the order of a column; rows without a value last. What is kept in memory is a window of places, not rows: the
 * tables are read once for every window.
 *
 * @throws AnalystError `too-much` for tables that would take too long
 */
export async function* orderedSteps<R>(results: Results, scan: OrderedScan<R>): AsyncGenerator<Step<R, OrderedState>> {
  const { table, order, state, signal, pick } = scan;
  const runs = scan.run === undefined ? await results.runs() : [scan.run];
  const version = await checkSize(results, runs, table);
  let from = state?.from ?? null;
  let last = state?.last ?? null;
  for (;;) {
    const start = from;
    const key = `order ${scan.question} ${JSON.stringify(start)}`;
    const window = await results.remember(key, version, () => readWindow(results, runs, scan, start), signal);
    for (const entry of window.entries) {
      if (last !== null && compare(entry, last, order) <= 0) continue;
      signal.throwIfAborted();
      for await (const { row } of rowsOr(results, entry.run, table, entry.at, [])) {
        const picked = pick(row, entry.run);
        if (picked !== undefined) yield { row: picked, after: { from: start, last: entry } };
        break;
      }
      last = entry;
    }
    if (window.isLast) return;
    from = window.entries.at(-1) ?? null;
  }
}

/** @returns what tells this state of the tables from others */
async function checkSize(results: Results, runs: readonly string[], table: keyof TraceTables): Promise<string> {
  const versions: string[] = [];
  let bytes = 0;
  for (const run of runs) {
    versions.push(await results.version(run));
    bytes += (await results.tables(run))[table] ?? 0;
  }
  if (bytes <= MAX_SORT_BYTES) return versions.join(' ');
  const [size, limit] = [bytes, MAX_SORT_BYTES].map((one) => `${Math.round(one / 1024 / 1024)} MiB`);
  throw new AnalystError(
    'too-much',
    `${size} of ${table} are too much to sort (at most ${limit}); name one run, or leave order_by out`,
  );
}

async function readWindow<R>(
  results: Results,
  runs: readonly string[],
  { table, order, signal, pick, window = WINDOW }: OrderedScan<R>,
  from: Ordered | null,
): Promise<Window> {
  let entries: Ordered[] = [];
  let isLast = true;
  const cut = (): void => {
    entries.sort((a, b) => compare(a, b, order));
    if (entries.length > window) isLast = false;
    entries = entries.slice(0, window);
  };
  for (const run of runs) {
    for await (const { row, at } of rowsOr(results, run, table, 0, [])) {
      signal.throwIfAborted();
      if (pick(row, run) === undefined) continue;
      const entry = { key: keyOf(valueAt(row, order.column)), run, at };
      if (from === null || compare(entry, from, order) > 0) entries.push(entry);
      if (entries.length > 2 * window) cut();
    }
  }
  cut();
  return { entries, isLast };
}

function keyOf(value: unknown): SortKey {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return value;
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, KEY_CHARS);
}

/** Numbers before texts; null last in either direction. */
function compare(a: Ordered, b: Ordered, { descending }: Order): number {
  const rank = rankOf(a.key) - rankOf(b.key);
  if (rank !== 0) return rank;
  if (a.key !== null && b.key !== null && a.key !== b.key) return (a.key < b.key ? -1 : 1) * (descending ? -1 : 1);
  return a.run === b.run ? a.at - b.at : a.run < b.run ? -1 : 1;
}

function rankOf(key: SortKey): number {
  return key === null ? 2 : typeof key === 'string' ? 1 : 0;
}
