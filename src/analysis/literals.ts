import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import { type CodeSize, measureSize } from './code-size.ts';
import { bestOf, scoredGenerations } from './scores.ts';
import type { Table } from './table.ts';

/** Size of a program at three moments of an agent's history. */
export interface SizeGrowth {
  readonly run: string;
  readonly agent: string;
  readonly language: string;
  /** Programs with code that were measured; copies are left out. */
  readonly programs: number;
  readonly first: CodeSize;
  /** Of the first of the highest-scored programs; null where nothing has a score. */
  readonly best: CodeSize | null;
  readonly last: CodeSize;
  /** Last / first lines of code and numeric literals; null where the first has none or they cannot be counted. */
  readonly lineGrowth: number | null;
  readonly literalGrowth: number | null;
}

/**
 * Lines of code and numeric literals of each agent's first, best and last program. Many literals and few new lines is tuning;
 * what counts as a line and a literal depends on the language, see `measureSize`. Agents without code are left out.
 */
export function literals(runs: readonly LoadedRun[]): readonly SizeGrowth[] {
  return runs.flatMap((run) => run.agents.flatMap((agent) => growthOf(run, agent) ?? []));
}

function growthOf(run: LoadedRun, agent: LoadedAgent): SizeGrowth | undefined {
  const programs = agent.generations.filter(({ code, copy }) => code !== undefined && copy !== true);
  const [first] = programs;
  const last = programs.at(-1);
  if (first?.code === undefined || last?.code === undefined) return undefined;
  const best = bestOf(scoredGenerations(agent).filter(({ program }) => program.code !== undefined))?.program;
  const sizes = { first: measureSize(first.code, first.language), last: measureSize(last.code, last.language) };
  return {
    run: run.id,
    agent: agent.name,
    language: last.language,
    programs: programs.length,
    first: sizes.first,
    best: best?.code === undefined ? null : measureSize(best.code, best.language),
    last: sizes.last,
    lineGrowth: quotient(sizes.last.codeLines, sizes.first.codeLines),
    literalGrowth: quotient(sizes.last.numericLiterals, sizes.first.numericLiterals),
  };
}

function quotient(a: number | null, b: number | null): number | null {
  return a === null || b === null || b === 0 ? null : a / b;
}

export function literalsTable(growth: readonly SizeGrowth[]): Table {
  return {
    columns: [
      'run',
      'agent',
      'language',
      'programs',
      'lines first',
      'best',
      'last',
      'line growth',
      'literals first',
      'best literals',
      'last literals',
      'literal growth',
    ],
    rows: growth.map((one) => [
      one.run,
      one.agent,
      one.language,
      one.programs,
      one.first.codeLines,
      one.best?.codeLines ?? null,
      one.last.codeLines,
      one.lineGrowth,
      one.first.numericLiterals,
      one.best?.numericLiterals ?? null,
      one.last.numericLiterals,
      one.literalGrowth,
    ]),
    notes: [
      'Lines that hold code: blank and comment lines are not counted. Numeric literals by the syntax of the language, none inside strings and comments; not counted for other languages than Python, TypeScript, JavaScript, C++ and Rust. Growth is last / first.',
    ],
  };
}
