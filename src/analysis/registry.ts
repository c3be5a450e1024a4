import type { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { analyzeAdoption, analyzeOutcomes, analyzeProvenance } from './adoption-diagnostic.ts';
import { ADOPTION_RULES } from './adoption-rules.ts';
import { type CrashRule, crashes, crashTable, failureCauses } from './crashes.ts';
import { cycling, cyclingTable } from './cycling.ts';
import { behaviour, behaviourTable } from './behaviour.ts';
import {
  type AgentEfficiency,
  efficiency,
  efficiencyTable,
  publishedEfficiency,
  publishedEfficiencyTable,
} from './efficiency.ts';
import { lineage, lineageTable } from './lineage.ts';
import { literals, literalsTable } from './literals.ts';
import { neglect, neglectTable } from './neglect.ts';
import { overfit, overfitTable } from './overfit.ts';
import { pairedAgainstSolo } from './paired-against-solo.ts';
import { comparisonTable } from './statistics.ts';
import { readRunCalls, type RunCalls } from './run-calls.ts';
import type { Table } from './table.ts';

export interface DiagnosticOptions {
  /** One of the diagnostic's `rules`. @default the diagnostic's own choice */
  readonly rule?: string;
  /** Give every comparison, not only the events (adoption). */
  readonly pairs: boolean;
  /** Takes what could not be used of files that are read only now (call logs). */
  readonly skips: SkipLog;
  readonly signal?: AbortSignal;
}

export interface NamedTable {
  readonly title: string;
  readonly table: Table;
}

export interface DiagnosticResult {
  /** The document of `--json`, without what was skipped in reading. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The first is the answer, and what `--csv` gives; the others stand beside it. */
  readonly tables: readonly NamedTable[];
}

/** One question to traces. Adding one is a file and a line in `DIAGNOSTICS`. */
export interface Diagnostic {
  readonly name: string;
  /** The question, in a few words. */
  readonly answers: string;
  /** Values of `--rule`; empty where there is only one way to answer. */
  readonly rules: readonly string[];
  readonly run: (runs: readonly LoadedRun[], options: DiagnosticOptions) => Promise<DiagnosticResult>;
}

const CRASH_RULES: readonly CrashRule[] = ['causes', 'published-25', 'published-6', 'published-4'];

/** All of them, in the order of a report. */
export const DIAGNOSTICS: readonly Diagnostic[] = [
  {
    name: 'adoption',
    answers: 'who adopted from whom, when, on what evidence, and whether chance gives that',
    rules: ADOPTION_RULES,
    run: analyzeAdoption,
  },
  {
    name: 'outcomes',
    answers: 'what adoptions did to the score, by adopter and direction',
    rules: ADOPTION_RULES,
    run: analyzeOutcomes,
  },
  {
    name: 'provenance',
    answers: 'where the lines of every program came from',
    rules: [],
    run: analyzeProvenance,
  },
  {
    name: 'crashes',
    answers: 'who fell to about 0, from what cause, and who came back',
    rules: CRASH_RULES,
    run: async (runs, { rule }) => {
      const by = CRASH_RULES.find((known) => known === rule) ?? 'causes';
      const found = crashes(runs, by);
      return {
        json: { rule: by, crashes: found, total: found.length, ...failureCauses(runs) },
        tables: [{ title: `Crashes and recoveries (rule ${by})`, table: crashTable(runs, by) }],
      };
    },
  },
  {
    name: 'neglect',
    answers: 'who stopped looking at what its peers had published',
    rules: [],
    run: async (runs, { skips, signal }) => {
      const agents = await overCalls(runs, skips, signal, (run, { calls, openings }) => neglect(run, calls, openings));
      return { json: { agents }, tables: [{ title: 'Neglect of strategies', table: neglectTable(agents) }] };
    },
  },
  {
    name: 'behaviour',
    answers: 'how each model works: loops, failed edits, probing, bloat',
    rules: [],
    run: async (runs, { skips, signal }) => {
      const agents = await overCalls(runs, skips, signal, (run, { calls, toolBudget }) =>
        behaviour(run, calls, toolBudget),
      );
      return { json: { agents }, tables: [{ title: 'Behaviour per model', table: behaviourTable(agents) }] };
    },
  },
  {
    name: 'efficiency',
    answers: 'what a gain cost in generations, calls, tokens, USD; pairs against solo',
    rules: [],
    run: async (runs, { skips, signal }) => {
      const agents: AgentEfficiency[] = [];
      const callsOf = new Map<LoadedRun, number>();
      for (const run of runs) {
        const { calls } = await readRunCalls(run, skips, signal);
        agents.push(...efficiency(run, calls));
        if (calls.length > 0)
          callsOf.set(
            run,
            calls.reduce((total, { modelCalls }) => total + modelCalls, 0),
          );
      }
      const published = publishedEfficiency(runs, (run) => callsOf.get(run));
      const comparisons = pairedAgainstSolo(runs);
      return {
        json: { agents, published, comparisons },
        tables: [
          { title: 'Efficiency', table: efficiencyTable(agents) },
          { title: 'Efficiency as published, by pairing', table: publishedEfficiencyTable(published) },
          { title: 'Paired against solo', table: comparisonTable(comparisons) },
        ],
      };
    },
  },
  {
    name: 'lineage',
    answers: 'how deep the best stands, when it came, what led nowhere',
    rules: [],
    run: async (runs) => {
      const lineages = runs.flatMap(lineage);
      return { json: { agents: lineages }, tables: [{ title: 'Lineage', table: lineageTable(lineages) }] };
    },
  },
  {
    name: 'cycling',
    answers: 'how much of what was added only brings back what had been removed',
    rules: [],
    run: async (runs) => {
      const measured = runs.map(cycling);
      return { json: { runs: measured }, tables: [{ title: 'Cycling', table: cyclingTable(measured) }] };
    },
  },
  {
    name: 'literals',
    answers: 'how code and its numeric literals grow',
    rules: [],
    run: async (runs) => {
      const growth = literals(runs);
      return {
        json: { agents: growth },
        tables: [{ title: 'Size and numeric literals', table: literalsTable(growth) }],
      };
    },
  },
  {
    name: 'overfit',
    answers: 'whether what the search saw improved more than what it could not see',
    rules: [],
    run: async (runs) => {
      const found = overfit(runs);
      return { json: { agents: found }, tables: [{ title: 'Seen against hidden score', table: overfitTable(found) }] };
    },
  },
];

/** A measure over the call logs of all runs, one log after the other. */
async function overCalls<T>(
  runs: readonly LoadedRun[],
  skips: SkipLog,
  signal: AbortSignal | undefined,
  measure: (run: LoadedRun, calls: RunCalls) => readonly T[],
): Promise<readonly T[]> {
  const found: T[] = [];
  for (const run of runs) found.push(...measure(run, await readRunCalls(run, skips, signal)));
  return found;
}
