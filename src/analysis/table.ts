export type Cell = string | number | boolean | null;

/** What a diagnostic shows: the same in the terminal, as CSV and in the report. */
export interface Table {
  readonly columns: readonly string[];
  /** Each as long as `columns`. `null` is "not known" or "does not apply", never 0. */
  readonly rows: readonly (readonly Cell[])[];
  /** Which rule made the table, what was left out, what does not follow from it; whole sentences. */
  readonly notes: readonly string[];
}
