import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { nearestName } from '../agents/model-spec.ts';
import { ADOPTION_RULES, type AdoptionRule } from '../analysis/adoption-rules.ts';
import { DIAGNOSTICS, type Diagnostic, type DiagnosticResult } from '../analysis/registry.ts';
import { csvOf } from '../report/csv.ts';
import { analysisHtml } from '../report/analysis-html.ts';
import { collectReport, type ReportData } from '../report/report-data.ts';
import { tableText } from '../report/table-text.ts';
import { textTable } from '../report/text-table.ts';
import type { LoadedTraces, Skipped } from '../trace/loaded-run.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import { loadTraces } from '../trace/importers/load-traces.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { EXIT, UsageError } from './output.ts';

export interface AnalyzeFlags {
  readonly rule?: string;
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly html?: string;
  readonly pairs?: boolean;
}

/** `all` asks everything; `report` is its other name. */
const ALL: readonly string[] = ['all', 'report'];
/** Skipped things named on standard error; `--json` has more, and all are counted. */
const NAMED = 10;

/**
 * `hivemark analyze <kind> <path...>`: asks the traces in the given folders one question, or all. What could not be read is told
 * on standard error; exit 1 only when nothing could.
 */
export async function analyzeCommand(
  kind: string | undefined,
  paths: readonly string[],
  flags: AnalyzeFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const { output, signal } = world;
  if (kind === undefined) {
    output.out(flags.json === true ? `${JSON.stringify({ kinds: kindList() })}\n` : kindsText());
    return EXIT.done;
  }
  const diagnostics = diagnosticsOf(kind, flags);
  if (paths.length === 0) throw new UsageError(`name a folder of traces: hivemark analyze ${kind} <path...>`);

  const skips = new SkipLog();
  const { runs } = await readTraces(paths, skips, world);
  const isEmpty = runs.length === 0;
  if (isEmpty) {
    output.err('hivemark: nothing could be read there\n');
    // A reader of JSON is told why in the document that it expects.
    if (flags.json !== true) return EXIT.failed;
  }
  const before = { named: skips.named.length, counts: skips.counts };
  const results = new Map<string, DiagnosticResult>();
  for (const diagnostic of diagnostics) {
    signal.throwIfAborted();
    if (output.interactive && diagnostics.length > 1) output.err(`${diagnostic.name} ...\n`);
    results.set(diagnostic.name, await diagnostic.run(runs, optionsFor(diagnostic, flags, skips, signal)));
  }
  const { rule, html } = flags;
  const data =
    html === undefined
      ? undefined
      : await collectReport(runs, { skips, signal, ...(isAdoptionRule(rule) && { rule }) });
  const skippedLater = { skipped: skips.named.slice(before.named), skippedBy: less(skips.counts, before.counts) };
  const text = skippedText(skippedLater);
  if (text !== '') output.err(`hivemark: call logs read${text}\n`);
  await show(kind, results, { runs, skipped: skips.named, skippedBy: skips.counts }, flags, world, data);
  return isEmpty ? EXIT.failed : EXIT.done;
}

/** Reads traces with progress and the tally of what was skipped on standard error. */
export async function readTraces(
  paths: readonly string[],
  skips: SkipLog,
  { output, cwd, signal }: Surroundings,
): Promise<LoadedTraces> {
  const traces = await loadTraces(paths, {
    cwd,
    skips,
    signal,
    onRun: (id, runs) => {
      if (output.interactive) output.err(`read ${runs} ${runs === 1 ? 'run' : 'runs'}: ${printable(id)}\n`);
    },
  });
  const formats = [...new Set(traces.runs.map(({ format }) => format))].sort();
  const read = `read ${traces.runs.length} ${traces.runs.length === 1 ? 'run' : 'runs'}${formats.length > 0 ? ` (${formats.join(', ')})` : ''}`;
  output.err(`hivemark: ${read}${skippedText(traces)}\n`);
  return traces;
}

function skippedText({ skipped, skippedBy }: Pick<LoadedTraces, 'skipped' | 'skippedBy'>): string {
  const counts = Object.entries(skippedBy);
  if (counts.length === 0) return '';
  const total = counts.reduce((sum, [, n]) => sum + n, 0);
  const named = skipped.slice(0, NAMED).map((one) => `\n  ${skippedLine(one)}`);
  const more =
    total > named.length
      ? `\n  ... ${total} in all: ${counts.map(([why, n]) => `${n} x ${printable(why)}`).join('; ')}`
      : '';
  return `; left out:${named.join('')}${more}`;
}

/** One skipped thing in one line for a terminal. */
export function skippedLine({ path, line, what, why, detail }: Skipped): string {
  const place = line === undefined ? path : `${path}:${line}`;
  return printable(`${place}: ${what} left out, ${why}${detail === undefined ? '' : ` (${detail})`}`);
}

/** What came to a tally since it was `before`. */
function less(
  counts: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(counts)
      .map(([why, count]) => [why, count - (before[why] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

function diagnosticsOf(kind: string, flags: AnalyzeFlags): readonly Diagnostic[] {
  const ways = [flags.json === true, flags.csv === true, flags.html !== undefined].filter(Boolean);
  if (ways.length > 1) throw new UsageError('--json, --csv and --html exclude each other');
  const isAll = ALL.includes(kind);
  const asked = isAll ? DIAGNOSTICS : DIAGNOSTICS.filter(({ name }) => name === kind);
  if (asked.length === 0) {
    const names = DIAGNOSTICS.map(({ name }) => name);
    const near = nearestName(kind, [...names, ...ALL]);
    const hint = near === undefined ? '' : ` Did you mean ${near}?`;
    throw new UsageError(`there is no analysis ${JSON.stringify(kind)}.${hint} There are: ${names.join(', ')}, all`);
  }
  const { rule } = flags;
  const rules = [...new Set(asked.flatMap((diagnostic) => diagnostic.rules))];
  if (rule !== undefined && !rules.includes(rule)) {
    const there =
      rules.length === 0 ? `${kind} has no rules to choose from` : `${kind} has the rules ${rules.join(', ')}`;
    throw new UsageError(`--rule ${JSON.stringify(rule)} is not known: ${there}`);
  }
  if (flags.pairs === true && !isAll && kind !== 'adoption') throw new UsageError('--pairs is for adoption only');
  if (flags.csv === true && isAll) throw new UsageError('--csv gives one table: name one analysis instead of all');
  return asked;
}

/** A rule of crashes is none of adoption. */
function isAdoptionRule(rule: string | undefined): rule is AdoptionRule {
  return ADOPTION_RULES.some((known) => known === rule);
}

function optionsFor(
  diagnostic: Diagnostic,
  flags: AnalyzeFlags,
  skips: SkipLog,
  signal: AbortSignal,
): Parameters<Diagnostic['run']>[1] {
  const { rule } = flags;
  return {
    pairs: flags.pairs === true,
    skips,
    signal,
    ...(rule !== undefined && diagnostic.rules.includes(rule) ? { rule } : {}),
  };
}

async function show(
  kind: string,
  results: ReadonlyMap<string, DiagnosticResult>,
  traces: LoadedTraces,
  flags: AnalyzeFlags,
  { output, cwd }: Surroundings,
  data: ReportData | undefined,
): Promise<void> {
  const { skipped, skippedBy } = traces;
  const named = [...results].map(([name, result]) => ({ name, ...result }));
  if (flags.json === true) {
    const [first] = named;
    const document = ALL.includes(kind)
      ? { analyses: Object.fromEntries(named.map(({ name, json }) => [name, json])) }
      : first?.json;
    output.out(`${JSON.stringify({ ...document, skipped, skippedBy })}\n`);
  } else if (flags.csv === true) {
    const table = named[0]?.tables[0]?.table;
    output.out(table === undefined ? '' : csvOf(table));
  } else if (flags.html !== undefined && data !== undefined) {
    const file = resolve(cwd, flags.html);
    const answersOf = new Map(DIAGNOSTICS.map(({ name, answers }) => [name, answers]));
    const sections = named.map(({ name, tables }) => ({ name, tables, answers: answersOf.get(name) ?? '' }));
    await writePage(file, analysisHtml(sections, traces, data));
    output.err(`hivemark: wrote ${flags.html}\n`);
  } else {
    const parts = named.flatMap(({ tables }) => tables.map(({ title, table }) => `${title}\n${tableText(table)}`));
    output.out(`${parts.map(printable).join('\n\n')}\n`);
  }
}

/** @throws UsageError when the file cannot be written */
export async function writePage(file: string, html: string): Promise<void> {
  try {
    await writeFile(file, html);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'it failed';
    throw new UsageError(`cannot write ${file} (${why}); give --html a file in a folder that is there`, {
      cause: error,
    });
  }
}

/** Text of strangers for a terminal: no control characters but line ends. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- taking them out is the point
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function kindList(): readonly { readonly name: string; readonly answers: string; readonly rules: readonly string[] }[] {
  return DIAGNOSTICS.map(({ name, answers, rules }) => ({ name, answers, rules }));
}

function kindsText(): string {
  const rows = kindList().map(({ name, answers, rules }) => [name, answers, rules.join(', ')]);
  return `${textTable([['kind', 'what it answers', '--rule'], ...rows, ['all', 'everything above (also: report)', '']])}\n\nhivemark analyze <kind> <path...> [--rule <rule>] [--pairs] [--json | --csv | --html <file>]\n`;
}
