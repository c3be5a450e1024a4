import { lstat, realpath } from 'node:fs/promises';
import { posix, sep } from 'node:path';
import type { TraceFolder } from '../trace/importers/trace-folder.ts';
import { type AgentSummary, readRunFile, readSummary, type RunFile, RunFolderError } from '../trace/run-folder.ts';
import {
  type CandidateRow,
  type EdgeRow,
  type EvaluationRow,
  TRACE_TABLES,
  type TraceTables,
} from '../trace/schema.ts';
import { loadTable, TraceReadError } from '../trace/trace-reader.ts';
import type { AdoptionRecords } from '../analysis/adoption-records.ts';
import { AnalystError } from './analyst-error.ts';
import type { AnyRow, ShownEvaluation } from './analyst-results.ts';
import { withoutHostPaths, withoutHostPathsIn } from './host-paths.ts';
import { quoted } from './protocol-handlers.ts';

export function tablePath(dir: string, table: keyof TraceTables): string {
  return posix.join(dir, 'trace', `${table}.jsonl`);
}

/** Columns that are not shown, by table: what hidden cases an evaluation was made of. */
const HIDDEN: Readonly<Partial<Record<keyof TraceTables, string>>> = { evaluations: 'detail' };

export function isHidden(table: keyof TraceTables, column: string): boolean {
  return HIDDEN[table] === column;
}

/** A row as an analyst may see it. */
export function shownRow<T extends keyof TraceTables>(table: T, row: TraceTables[T]): AnyRow {
  const shown = Object.fromEntries(Object.entries(row).filter(([column]) => !isHidden(table, column)));
  // What the host said, not the agents: their texts stay as they are.
  if (table === 'calls') return { ...shown, ...textsOf(shown, ['model', 'error']) };
  if (table === 'runs') return { ...shown, agents: withoutHostPathsIn(shown['agents']) };
  if (table === 'environments') return { ...shown, limits: withoutHostPathsIn(shown['limits']) };
  return shown;
}

function textsOf(row: AnyRow, columns: readonly string[]): AnyRow {
  return Object.fromEntries(
    columns.flatMap((column) => {
      const value = row[column];
      return typeof value === 'string' ? [[column, withoutHostPaths(value)]] : [];
    }),
  );
}

/**
 * Refuses a run of ours that has a link out of the results in it: readers of its tables do not ask where they lead.
 *
 * @throws AnalystError `unreadable-run`
 */
export async function checkLinks(folder: TraceFolder, id: string, dir: string): Promise<void> {
  const names = [
    'run.json',
    'summary.json',
    'trace',
    'trace/blobs',
    ...TRACE_TABLES.map((table) => `trace/${table}.jsonl`),
  ];
  for (const name of names) {
    if (!(await leaves(folder, posix.join(dir, name)))) continue;
    throw new AnalystError(
      'unreadable-run',
      `the run ${quoted(id)} is not read: its ${name} is a link that leaves the results; put the file itself there`,
    );
  }
}

async function leaves(folder: TraceFolder, path: string): Promise<boolean> {
  try {
    await lstat(folder.absolute(path));
  } catch {
    return false;
  }
  try {
    const real = await realpath(folder.absolute(path));
    return !real.startsWith(folder.root.endsWith(sep) ? folder.root : folder.root + sep);
  } catch {
    return true;
  }
}

/** What of a run's tables is kept in memory: nothing that grows with calls, decisions or reads. */
export interface NativeTables {
  readonly file: RunFile;
  readonly candidates: ReadonlyMap<string, CandidateRow>;
  readonly evaluations: ReadonlyMap<string, readonly ShownEvaluation[]>;
  readonly edges: readonly EdgeRow[];
  readonly records?: AdoptionRecords;
  readonly agents?: readonly AgentSummary[];
}

export async function nativeTables(folder: TraceFolder, dir: string): Promise<NativeTables> {
  const runDir = folder.absolute(dir);
  const rowsOf = async <T extends keyof TraceTables>(table: T): Promise<readonly TraceTables[T][] | undefined> =>
    (await folder.fileAt(tablePath(dir, table))) === undefined ? undefined : (await loadTable(runDir, table)).rows;
  const file = await readRunFile(runDir);
  const candidates = new Map((await rowsOf('candidates'))?.map((row) => [row.id, row]));
  const evaluations = Map.groupBy(
    ((await rowsOf('evaluations')) ?? []).map(shownEvaluation),
    ({ candidate }) => candidate,
  );
  const adoptions = await rowsOf('adoptions');
  const exposures = await rowsOf('exposures');
  const agents = await summaryOf(runDir);
  return {
    file,
    candidates,
    evaluations,
    edges: (await rowsOf('edges')) ?? [],
    ...(adoptions && exposures && { records: { adoptions, exposures } }),
    ...(agents && { agents }),
  };
}

function shownEvaluation(row: EvaluationRow): ShownEvaluation {
  const { detail: _, ...shown } = row;
  return shown;
}

/** There is none before a run has ended. */
async function summaryOf(runDir: string): Promise<readonly AgentSummary[] | undefined> {
  try {
    return (await readSummary(runDir)).agents.map((agent) => ({ ...agent, model: withoutHostPaths(agent.model) }));
  } catch (error) {
    if (error instanceof RunFolderError) return undefined;
    throw error;
  }
}

/** The error of a run that cannot be read, in words that name no path of the host. */
export function unreadableRun(id: string, error: unknown): unknown {
  if (error instanceof TraceReadError || error instanceof RunFolderError)
    return new AnalystError('unreadable-run', `the run ${quoted(id)}: ${error.message}`, { cause: error });
  if (error instanceof Error && 'syscall' in error) {
    const code = 'code' in error ? String(error.code) : 'it failed';
    return new AnalystError('unreadable-run', `the run ${quoted(id)} cannot be read (${code})`, { cause: error });
  }
  return error;
}
