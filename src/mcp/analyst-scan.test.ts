import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { stateIn } from './analyst-cursor.ts';
import { openResults } from './analyst-folder.ts';
import { orderedSteps, type OrderedScan } from './analyst-order.ts';
import type { AnyRow, Results } from './analyst-results.ts';
import { placeSchema, scanPage } from './analyst-scan.ts';
import { DECISIONS, makeResults, PAIR } from './test-results.ts';

const { signal } = new AbortController();
const idOf = ({ id }: AnyRow): string => String(id);

/** Results that count the rows they read. */
function counting(results: Results): { readonly results: Results; read: number } {
  const counted = {
    read: 0,
    results: {
      ...boundTo(results),
      async *rows(...args: Parameters<Results['rows']>) {
        for await (const row of results.rows(...args)) {
          counted.read++;
          yield row;
        }
      },
    },
  };
  return counted;
}

function boundTo(results: Results): Results {
  return {
    runs: () => results.runs(),
    card: (run) => results.card(run),
    open: (run) => results.open(run),
    version: (run) => results.version(run),
    rows: (...args) => results.rows(...args),
    seal: (...args) => results.seal(...args),
    tables: (run) => results.tables(run),
    remember: (...args) => results.remember(...args),
  };
}

test('a page reads what it gives and one row more, wherever it begins', async () => {
  const counted = counting(await openResults(await makeResults()));
  let cursor: string | undefined;
  const ids: string[] = [];
  do {
    counted.read = 0;
    const args = { limit: 50, ...(cursor !== undefined && { cursor }) };
    const scan = { table: 'decisions', run: PAIR, state: stateIn('t', args, placeSchema), signal, pick: idOf } as const;
    const page = await scanPage(counted.results, { tool: 't', args }, scan);
    ids.push(...page.rows);
    expect(counted.read).toBeLessThanOrEqual(51);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(ids).toEqual(Array.from({ length: DECISIONS }, (_, n) => `d${n}`));
});

test('a page that nothing matches ends after so many bytes, and the next goes on', async () => {
  const counted = counting(await openResults(await makeResults()));
  const pick = (row: AnyRow): string | undefined => (row['id'] === `d${DECISIONS - 1}` ? idOf(row) : undefined);
  let cursor: string | undefined;
  let pages = 0;
  const found: string[] = [];
  const said: string[] = [];
  do {
    counted.read = 0;
    const args = { limit: 5, ...(cursor !== undefined && { cursor }) };
    const state = stateIn('t', args, placeSchema);
    const scan = { table: 'decisions', run: PAIR, state, signal, pick, maxBytes: 10_000 } as const;
    const page = await scanPage(counted.results, { tool: 't', args }, scan);
    expect(counted.read).toBeLessThan(50);
    found.push(...page.rows);
    cursor = page.nextCursor;
    said.push(...page.notes);
    pages++;
  } while (cursor !== undefined);
  expect(found).toEqual([`d${DECISIONS - 1}`]);
  expect(pages).toBeGreaterThan(5);
  expect(said.filter((note) => note.includes('paused'))).toHaveLength(pages - 1);
});

test('sorting keeps a window of places: all rows come, in order, with ties as they were written', async () => {
  const root = await makeResults();
  const counted = counting(await openResults(root, { rescanAfterMs: 0 }));
  const scan = (state: OrderedScan<AnyRow>['state']): OrderedScan<AnyRow> => ({
    question: 'q',
    table: 'decisions',
    run: PAIR,
    order: { column: 'code', descending: true },
    state,
    signal,
    pick: (row) => row,
    window: 40,
  });
  const rows: AnyRow[] = [];
  let last: OrderedScan<AnyRow>['state'];
  for await (const step of orderedSteps(counted.results, scan(undefined))) {
    if ('pausedAt' in step) throw new Error('paused');
    rows.push(step.row);
    if (rows.length === 100) last = step.after;
  }
  const denied = rows.filter(({ verdict }) => verdict === 'denied').length;
  expect(rows).toHaveLength(DECISIONS);
  expect(rows.slice(0, denied).every(({ code }) => code === 'not-editable')).toBe(true);
  const places = (part: readonly AnyRow[]): readonly number[] => part.map(({ at }) => Number(at));
  expect(places(rows.slice(0, denied))).toEqual(places(rows.slice(0, denied)).toSorted((a, b) => a - b));
  expect(places(rows.slice(denied))).toEqual(places(rows.slice(denied)).toSorted((a, b) => a - b));
  // Going on from a place gives the rest, also when rows have come since.
  await appendFile(join(root, PAIR, 'trace/decisions.jsonl'), '\n');
  const rest: AnyRow[] = [];
  for await (const step of orderedSteps(counted.results, scan(last))) if ('row' in step) rest.push(step.row);
  expect(rest).toEqual(rows.slice(100));
});

test('sorting stops when the one who asked has gone', async () => {
  const results = await openResults(await makeResults());
  const gone = new AbortController();
  const steps = orderedSteps(results, {
    question: 'q',
    table: 'decisions',
    run: PAIR,
    order: { column: 'at', descending: false },
    state: undefined,
    signal: gone.signal,
    pick: (row) => {
      gone.abort();
      return row;
    },
  });
  await expect(steps.next()).rejects.toMatchObject({ name: 'AbortError' });
});
