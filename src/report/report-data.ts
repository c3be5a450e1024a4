import type { JudgedAdoption, JudgedAdoptions } from '../analysis/adoption.ts';
import { directionsIn, judgeAdoption, sharesOfRuns } from '../analysis/adoption-diagnostic.ts';
import { type Outcomes, outcomesOf, type PlacedOutcomes } from '../analysis/adoption-outcomes.ts';
import type { GenerationProvenance } from '../analysis/provenance-shares.ts';
import { readRunCalls } from '../analysis/run-calls.ts';
import type { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { readTable } from '../trace/trace-reader.ts';

/** An adoption and its number on the page, which figures and table share. */
export interface NumberedAdoption extends JudgedAdoption {
  readonly number: number;
}

/** What spending is counted in; the first of these that the run has on record. */
export type SpendingUnit = 'USD' | 'tokens' | 'model calls';

export interface Spending {
  readonly unit: SpendingUnit;
  /** By agent and generation: spent on that generation. */
  readonly byAgent: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

/** Refusals of the guard that share agent and code. */
export interface DenialCount {
  readonly agent: string;
  readonly code: string;
  readonly count: number;
  /** First and last generation it happened in, where that is known. */
  readonly generations?: readonly [first: number, last: number];
}

/** One run as the figures draw it. */
export interface RunFigures {
  readonly run: LoadedRun;
  readonly adoptions: readonly NumberedAdoption[];
  readonly provenance: readonly GenerationProvenance[];
  readonly spending?: Spending;
  /** Absent: the run has no record of decisions. */
  readonly denials?: readonly DenialCount[];
}

export interface ReportData {
  readonly runs: readonly RunFigures[];
  readonly judged: JudgedAdoptions;
  readonly totals: Outcomes;
  readonly directions: readonly PlacedOutcomes[];
}

export interface ReportRequest {
  /** Rule of adoption. @default what `analyze adoption` takes for these runs */
  readonly rule?: string;
  readonly skips: SkipLog;
  readonly signal?: AbortSignal;
}

/** Everything that the figures of a report show, from the runs and the tables beside them. */
export async function collectReport(
  runs: readonly LoadedRun[],
  { rule, skips, signal }: ReportRequest,
): Promise<ReportData> {
  const request = { skips, ...(rule !== undefined && { rule }), ...(signal && { signal }) };
  const { judged } = await judgeAdoption(runs, request);
  const shares = await sharesOfRuns(runs, request);
  const order = new Map(runs.map((run, n) => [run, n]));
  const adoptions = judged.judged
    .filter(({ adoption }) => adoption)
    .sort(
      ({ judgement: a }, { judgement: b }) =>
        (order.get(a.run) ?? 0) - (order.get(b.run) ?? 0) || a.generation.generation - b.generation.generation,
    )
    .map((adoption, n) => ({ ...adoption, number: n + 1 }));
  const figures: RunFigures[] = [];
  for (const run of runs) {
    signal?.throwIfAborted();
    const spending = await spendingOf(run, skips, signal);
    const denials = await denialsOf(run, skips);
    figures.push({
      run,
      adoptions: adoptions.filter(({ judgement }) => judgement.run === run),
      provenance: shares.filter((one) => one.run === run.id),
      ...(spending && { spending }),
      ...(denials && { denials }),
    });
  }
  return { runs: figures, judged, totals: outcomesOf(adoptions), directions: directionsIn(judged) };
}

async function spendingOf(
  run: LoadedRun,
  skips: SkipLog,
  signal: AbortSignal | undefined,
): Promise<Spending | undefined> {
  const recorded = (unit: SpendingUnit, field: 'usd' | 'tokens'): Spending => ({
    unit,
    byAgent: new Map(
      run.agents.map(({ name, generations }) => [name, sumBy(generations, (generation) => generation[field] ?? 0)]),
    ),
  });
  const { calls } = await readRunCalls(run, skips, signal);
  const called: Spending = {
    unit: 'model calls',
    byAgent: new Map(
      run.agents.map(({ name }) => [
        name,
        sumBy(
          calls.filter(({ agent }) => agent === name),
          ({ modelCalls }) => modelCalls,
        ),
      ]),
    ),
  };
  return [recorded('USD', 'usd'), recorded('tokens', 'tokens'), called].find(({ byAgent }) =>
    [...byAgent.values()].some((spent) => [...spent.values()].some((amount) => amount > 0)),
  );
}

function sumBy<T extends { readonly generation: number }>(
  rows: readonly T[],
  amount: (row: T) => number,
): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const row of rows) sums.set(row.generation, (sums.get(row.generation) ?? 0) + amount(row));
  return sums;
}

/** A decision's epoch names its generation where it is one of a generation: `g3-planner`. */
const EPOCH = /^g(\d{1,9})-/;

async function denialsOf(run: LoadedRun, skips: SkipLog): Promise<readonly DenialCount[] | undefined> {
  if (run.format !== 'native') return undefined;
  const counts = new Map<string, { agent: string; code: string; count: number; generations?: [number, number] }>();
  const onBadLine = ({ file, line, problem }: { file: string; line: number; problem: string }): void =>
    skips.note({ path: `${run.id}/${file}`, line, what: 'line', why: problem });
  try {
    for await (const { agent, verdict, code = verdict, count = 1, epoch } of readTable(run.folder, 'decisions', {
      onBadLine,
    })) {
      if (verdict === 'allow') continue;
      const key = JSON.stringify([agent, code]);
      const known = counts.get(key) ?? { agent, code, count: 0 };
      known.count += count;
      const generation = EPOCH.exec(epoch)?.[1];
      if (generation !== undefined) {
        const n = Number(generation);
        const [first, last] = known.generations ?? [n, n];
        known.generations = [Math.min(first, n), Math.max(last, n)];
      }
      counts.set(key, known);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'missing-table')) throw error;
    return undefined;
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}
