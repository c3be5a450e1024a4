import type { Gate } from '../guard/gate.ts';
import { UNBOUNDED, copyJson } from '../space/json-value.ts';
import type { Json } from '../space/marks.ts';
import type { TraceTables } from '../trace/schema.ts';
import type { News } from './news.ts';
import type { RoundRow, RunState } from './run-state.ts';
import { applyRecord } from './run-state.ts';
import type { SubmissionRow, WithdrawalRow } from './submission.ts';

interface Tables extends TraceTables {
  readonly rounds: RoundRow;
  readonly submissions: SubmissionRow;
  readonly withdrawals: WithdrawalRow;
}

/** One row to record: its key within the table makes recording it again harmless. */
export interface NewRow {
  readonly table: keyof Tables;
  readonly key: string;
  readonly row: Json;
}

/** A row as it goes into the log; typed by its table. */
export function rowOf<Table extends keyof Tables>(table: Table, key: string, row: Tables[Table]): NewRow {
  return { table, key, row: copyJson(row, UNBOUNDED) };
}

/** Writes rows to the log and, once they are durable, into the state. Rows the log already has stay as they were first written. */
export class Recorder {
  readonly #gate: Gate;
  readonly #state: RunState;
  readonly #seen: Set<string>;
  readonly #news: News;

  /** `seen`: keys (`<table>/<key>`) of rows already in the log. */
  constructor(gate: Gate, state: RunState, seen: Set<string>, news: News) {
    this.#gate = gate;
    this.#state = state;
    this.#seen = seen;
    this.#news = news;
  }

  /** Resolves once all rows are on disk; `lazy`: which may be a little later, before whatever is written afterwards. */
  async record(rows: readonly NewRow[], options: { readonly lazy?: boolean } = {}): Promise<void> {
    const fresh = rows.filter(({ table, key }) => !this.#seen.has(`${table}/${key}`));
    if (fresh.length === 0) return;
    const byTable = Map.groupBy(fresh, ({ table }) => table);
    await Promise.all(
      [...byTable].map(([table, group]) =>
        this.#gate.rows(
          table,
          group.map(({ key, row }) => ({ key: `${table}/${key}`, row })),
          options,
        ),
      ),
    );
    for (const { table, key, row } of fresh) {
      // Another process' row of that key may have come first; the log keeps the first.
      if (this.#seen.has(`${table}/${key}`)) continue;
      this.#seen.add(`${table}/${key}`);
      applyRecord(this.#state, {
        seq: 0,
        hash: '',
        key,
        body: { type: 'row', table, row },
      });
    }
    this.#news.tell();
  }
}
