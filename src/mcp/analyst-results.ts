import type { AdoptionRecords } from '../analysis/adoption-records.ts';
import type { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun, TraceFormat } from '../trace/loaded-run.ts';
import type { AgentSummary, RunFile } from '../trace/run-folder.ts';
import type { CandidateRow, EdgeRow, EvaluationRow, TraceTables } from '../trace/schema.ts';
import type { LinePlace } from '../trace/line-reader.ts';

/** What a list of runs says of one. Null: the source does not say. */
export interface RunCard {
  /** The run's id: where it lies below the results, with `/`. */
  readonly run: string;
  readonly format: TraceFormat;
  readonly experiment: string | null;
  readonly task: string | null;
  readonly seed: number | null;
  readonly arm: string | null;
  /** A run that was killed still says `running`. */
  readonly status: 'running' | 'done' | 'stopped' | null;
  /** Why it was stopped. */
  readonly stopped: string | null;
  readonly agents: readonly {
    readonly name: string;
    readonly model: string | null;
    readonly scripted: boolean | null;
  }[];
  /** Generations it was to have. */
  readonly generations: number | null;
  /** Epoch milliseconds. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Why nothing of it can be read. */
  readonly problem: string | null;
}

/** A row of one of our tables, without what is not shown; of an imported run only what it says of itself. */
export type AnyRow = Readonly<Record<string, unknown>>;

/** A row and where the next one begins: a byte of the table (runs of ours) or a number of rows (imported ones). */
export interface PlacedRow {
  readonly row: AnyRow;
  readonly at: number;
  readonly next: number;
}

/** An evaluation without `detail`, which names hidden cases and is not shown. */
export type ShownEvaluation = Omit<EvaluationRow, 'detail'>;

/** A run in memory, as it was at `version`. Its call, decision and read logs are not: they are streamed. */
export interface OpenRun {
  readonly run: LoadedRun;
  /** Different whenever its files are. */
  readonly version: string;
  /** `run.json` of a run of ours. */
  readonly file?: RunFile;
  /** The following by candidate id; empty for imported runs. */
  readonly candidates: ReadonlyMap<string, CandidateRow>;
  readonly evaluations: ReadonlyMap<string, readonly ShownEvaluation[]>;
  /** Who was made from whom: the recorded edges, or the parents of an imported run's programs. */
  readonly edges: readonly EdgeRow[];
  /** Undefined where nothing is on record about who saw what. */
  readonly records?: AdoptionRecords;
  /** From `summary.json`, where there is one. */
  readonly agents?: readonly AgentSummary[];
  /** What could not be read. */
  readonly skips: SkipLog;
}

/**
 * Runs below one folder, for reading. Runs are named by ids that `runs` gave, never by paths; nothing outside of the folder is opened,
 * links that leave it least of all. Runs are loaded when asked for, and again when their files have changed; a few are kept.
 */
export interface Results {
  /** Ids, sorted. New runs show up within seconds. */
  runs(): Promise<readonly string[]>;
  /** @throws AnalystError `no-such-run` */
  card(run: string): Promise<RunCard>;
  /** Different whenever the run's files are. @throws AnalystError `no-such-run` */
  version(run: string): Promise<string>;
  /** @throws AnalystError `no-such-run`, or `unreadable-run` with the reason */
  open(run: string): Promise<OpenRun>;
  /**
   * Rows of a table in the order they were written, streamed, from `place` on, which is moved past every row before it is given. Lines
   * that cannot be used are left out. None where the run has no such table.
   *
   * @throws AnalystError like `open`
   */
  rows(run: string, table: keyof TraceTables, place?: LinePlace): AsyncGenerator<PlacedRow>;
  /** Tells whether a place is still what it was: a short hash of what stands before it. Undefined: there is no such place any more. */
  seal(run: string, table: keyof TraceTables, at: number): Promise<string | undefined>;
  /** Bytes of every table that the run has (rows, where it is an imported one). */
  tables(run: string): Promise<Readonly<Partial<Record<keyof TraceTables, number>>>>;
  /**
   * What `make` gave for `key` as long as `version` is the same; a few answers are kept, those used least recently go first. Several that
   * ask at once share one making; that one of them is aborted costs the others nothing.
   */
  remember<T>(key: string, version: string, make: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export interface ResultsOptions {
  /** Runs kept in memory. @default 8 */
  readonly maxRuns?: number;
  /** How old the list of runs may be. @default 2000 */
  readonly rescanAfterMs?: number;
}
