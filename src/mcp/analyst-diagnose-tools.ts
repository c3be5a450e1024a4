import { z } from 'zod';
import { DIAGNOSTICS, type Diagnostic } from '../analysis/registry.ts';
import type { Table } from '../analysis/table.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { openOr } from './analyst-adoption-tools.ts';
import { stateIn } from './analyst-cursor.ts';
import { AnalystError } from './analyst-error.ts';
import { PAGE_ARGS, pageOf, pageShape, type Step } from './analyst-page.ts';
import type { Results } from './analyst-results.ts';
import { matchesRun, RUN_FILTER } from './analyst-run-tools.ts';
import { analystTool, SOME_RUN_ARG } from './analyst-tool.ts';

/** Runs that are held in memory at the same time for one answer. */
const MAX_RUNS_AT_ONCE = 500;

const KINDS = DIAGNOSTICS.map(({ name }) => name);

export const listDiagnostics = analystTool({
  name: 'list_diagnostics',
  title: 'List diagnostics',
  description: 'The questions that diagnose can ask of runs, and the rules each can be asked by.',
  input: {},
  output: {
    rows: z.array(z.strictObject({ kind: z.string(), answers: z.string(), rules: z.array(z.string()) })),
  },
  run: async () => ({
    value: { rows: DIAGNOSTICS.map(({ name, answers, rules }) => ({ kind: name, answers, rules: [...rules] })) },
  }),
});

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const afterRow = z.strictObject({ n: z.int().min(1) });

export const diagnose = analystTool({
  name: 'diagnose',
  title: 'Ask a diagnostic',
  description: `Asks runs one question and gives the tables of its answer, the first unless another is asked for. Kinds: ${DIAGNOSTICS.map(({ name, answers }) => `${name} (${answers})`).join('; ')}. Several runs at once also tell what chance alone would give. Programs are compared with each other, so that many runs take a while.`,
  input: {
    kind: z.enum(KINDS),
    run: SOME_RUN_ARG,
    ...RUN_FILTER,
    rule: z.string().max(100).optional().describe('One of the rules of list_diagnostics.'),
    table: z.int().min(0).default(0).describe('Number of the table in tables.'),
    ...PAGE_ARGS,
  },
  output: {
    tables: z
      .array(z.strictObject({ title: z.string(), rows: z.int() }))
      .describe('The tables of this answer, from 0.'),
    title: z.string(),
    columns: z.array(z.string()),
    tableNotes: z
      .array(z.string())
      .describe('Which rule made the table, what was left out, what does not follow from it.'),
    runs: z.int().describe('Runs that were asked.'),
    ...pageShape(z.array(cell).describe('As long as columns. Null: not known, or does not apply.')),
  },
  run: async (results, args, signal) => {
    const diagnostic = diagnosticOf(args.kind, args.rule);
    const state = stateIn('diagnose', args, afterRow);
    const runs = await runsFor(results, args);
    const versions: string[] = [];
    for (const run of runs) versions.push(await results.version(run));
    const key = `diagnose ${JSON.stringify([args.kind, args.rule ?? null, runs])}`;
    const make = () => ask(results, diagnostic, runs, args.rule, signal);
    const { tables, asked, left } = await results.remember(key, versions.join(' '), make, signal);
    const chosen = tables[args.table];
    if (chosen === undefined) {
      const last = tables.length - 1;
      throw new AnalystError(
        'bad-arguments',
        `table ${args.table}: the answer to ${args.kind} has tables 0 to ${last}`,
      );
    }
    const { title, table } = chosen;
    const page = await pageOf({ tool: 'diagnose', args, total: table.rows.length }, rowsFrom(table, state?.n ?? 0));
    return {
      value: {
        tables: tables.map((one) => ({ title: one.title, rows: one.table.rows.length })),
        title,
        columns: [...table.columns],
        tableNotes: [...table.notes],
        runs: asked,
        ...page,
        notes: [...page.notes, ...left],
      },
    };
  },
});

function* rowsFrom({ rows }: Table, from: number): Generator<Step<z.output<typeof cell>[], z.output<typeof afterRow>>> {
  for (let n = from; n < rows.length; n++) yield { row: [...(rows[n] ?? [])], after: { n: n + 1 } };
}

function diagnosticOf(kind: string, rule: string | undefined): Diagnostic {
  const diagnostic = DIAGNOSTICS.find(({ name }) => name === kind);
  if (diagnostic === undefined)
    throw new AnalystError('no-such-diagnostic', `there is no diagnostic ${kind}; there are: ${KINDS.join(', ')}`);
  if (rule !== undefined && !diagnostic.rules.includes(rule)) {
    const { rules } = diagnostic;
    const there =
      rules.length === 0 ? 'has no rules to choose from; leave rule out' : `has the rules ${rules.join(', ')}`;
    throw new AnalystError('bad-arguments', `rule ${JSON.stringify(rule)} is not known: ${kind} ${there}`);
  }
  return diagnostic;
}

interface DiagnoseArgs {
  readonly run?: string | undefined;
  readonly experiment?: string | undefined;
  readonly task?: string | undefined;
}

async function runsFor(results: Results, { run, experiment, task }: DiagnoseArgs): Promise<readonly string[]> {
  const all = run === undefined ? await results.runs() : [run];
  const isFiltered = experiment !== undefined || task !== undefined;
  const matching: string[] = [];
  for (const id of all) {
    if (!isFiltered || matchesRun(await results.card(id), { experiment, task })) matching.push(id);
  }
  if (matching.length === 0)
    throw new AnalystError(
      'no-such-run',
      'no run matches; list_runs with the same experiment and task shows what there is',
    );
  if (matching.length > MAX_RUNS_AT_ONCE) {
    throw new AnalystError(
      'too-much',
      `${matching.length} runs are too many to ask at once (at most ${MAX_RUNS_AT_ONCE}); narrow with run, experiment or task`,
    );
  }
  return matching;
}

interface Asked {
  readonly tables: Awaited<ReturnType<Diagnostic['run']>>['tables'];
  readonly asked: number;
  readonly left: readonly string[];
}

async function ask(
  results: Results,
  diagnostic: Diagnostic,
  ids: readonly string[],
  rule: string | undefined,
  signal: AbortSignal,
): Promise<Asked> {
  const skips = new SkipLog();
  const left: string[] = [];
  const runs: LoadedRun[] = [];
  for (const id of ids) {
    signal.throwIfAborted();
    const open = await openOr(results, id, ids.length > 1 ? left : undefined);
    if (open) runs.push(open.run);
  }
  const { tables } = await diagnostic.run(runs, { pairs: false, skips, signal, ...(rule !== undefined && { rule }) });
  const skipped = Object.entries(skips.counts).map(([why, count]) => `${count} left out: ${why}`);
  return { tables, asked: runs.length, left: [...left, ...skipped] };
}
