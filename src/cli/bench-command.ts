import { access, constants } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { CompositionReport } from '../bench/composition/run-composition.ts';
import { BENCH_LIMITS, BENCH_LOGS, type BenchLog } from '../bench/limits.ts';
import type { OfficeReport } from '../bench/office/run-office.ts';
import type { SpaceReport } from '../bench/space/run-space.ts';
import { textTable } from '../report/text-table.ts';
import { addBenchMcpCommand } from './bench-mcp-command.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { EXIT, UsageError } from './output.ts';
import { wholeNumber } from './whole-number.ts';

/** `hivemark bench <office|composition|space|mcp>`: loads that are scripted and seeded, counted apart from the guard, and timings. */
export function addBenchCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  const bench = program
    .command('bench')
    .description('put the space under load: what must never happen is counted, and what it costs');

  bench
    .command('office')
    .description('a scripted week in an office: bookings, tasks, parking, adversaries; exits 1 if anything went wrong')
    .option('--agents <n>', 'people, adversaries and bots included', whole('agents'), 105)
    .option('--rounds <n>', 'rounds of two hours, four to a day', whole('rounds'), 20)
    .option('--tool-ms <ms>', 'how long a tool holds its resource; 0 is synchronous', whole('toolMs'), 0)
    .option('--seed <n>', 'another week', whole('seed'), 1)
    .option('--json', 'print the counts as one JSON document')
    .action(async (flags: { agents: number; rounds: number; toolMs: number; seed: number; json?: boolean }) =>
      onExit(await officeCommand(flags, world)),
    );

  bench
    .command('composition')
    .description('sensors, filters, aggregators, alerters and actors by subscriptions, agents swapped in the middle')
    .option('--ticks <n>', 'readings of each sensor', whole('ticks'), 40)
    .option('--seed <n>', 'other readings', whole('seed'), 1)
    .option('--json', 'print the counts as one JSON document')
    .action(async (flags: { ticks: number; seed: number; json?: boolean }) =>
      onExit(await compositionCommand(flags, world)),
    );

  bench
    .command('space')
    .description('what one call costs on populations of one scope, by log; memory per mark; opening a large space')
    .option('--marks <list>', 'populations', populations, [100, 1_000, 10_000, 100_000])
    .option('--logs <list>', `of ${BENCH_LOGS.join(',')}; postgres needs HIVEMARK_DATABASE_URL`, logNames, BENCH_LOGS)
    .option('--open <n>', 'also open an SQLite space of so many marks, e.g. 1000000', openMarks, 0)
    .option('--dir <dir>', "where SQLite files go (default: the system's temporary folder)")
    .option('--json', 'print the figures as one JSON document')
    .action(async (flags: SpaceFlags) => onExit(await spaceCommand(flags, world)));

  addBenchMcpCommand(bench, world, onExit);
}

interface SpaceFlags {
  readonly marks: readonly number[];
  readonly logs: readonly BenchLog[];
  readonly open: number;
  readonly dir?: string;
  readonly json?: boolean;
}

async function officeCommand(
  flags: {
    readonly agents: number;
    readonly rounds: number;
    readonly toolMs: number;
    readonly seed: number;
    readonly json?: boolean;
  },
  { output, signal }: Surroundings,
): Promise<ExitCode> {
  const { runOffice } = await import('../bench/office/run-office.ts');
  const { openGateOffice } = await import('../bench/office/gate-office.ts');
  const { agents, rounds, toolMs, seed } = flags;
  const report = await runOffice({ agents, rounds, toolMs, seed, signal }, openGateOffice);
  output.out(flags.json === true ? `${JSON.stringify(report)}\n` : officeText(report));
  return exitFor(report.violations);
}

async function compositionCommand(
  flags: { readonly ticks: number; readonly seed: number; readonly json?: boolean },
  { output, signal }: Surroundings,
): Promise<ExitCode> {
  const { runComposition } = await import('../bench/composition/run-composition.ts');
  const report = await runComposition({ ticks: flags.ticks, seed: flags.seed, signal });
  output.out(flags.json === true ? `${JSON.stringify(report)}\n` : compositionText(report));
  return exitFor(report.violations);
}

async function spaceCommand(flags: SpaceFlags, { output, env, cwd, signal }: Surroundings): Promise<ExitCode> {
  const { runSpace } = await import('../bench/space/run-space.ts');
  const databaseUrl = env['HIVEMARK_DATABASE_URL'];
  const folder = flags.dir === undefined ? tmpdir() : resolve(cwd, flags.dir);
  await access(folder, constants.W_OK).catch(() => {
    throw new UsageError(
      `${JSON.stringify(flags.dir ?? folder)} is no folder that can be written; give another with --dir`,
    );
  });
  const report = await runSpace({
    marks: flags.marks,
    logs: flags.logs,
    open: flags.open,
    folder,
    databaseUrl: databaseUrl === '' ? undefined : databaseUrl,
    onProgress: output.err,
    signal,
  });
  output.out(flags.json === true ? `${JSON.stringify(report)}\n` : spaceText(report));
  return EXIT.done;
}

function exitFor(violations: Readonly<Record<string, number>>): ExitCode {
  return Object.values(violations).some((count) => count > 0) ? EXIT.failed : EXIT.done;
}

function officeText(report: OfficeReport): string {
  const { verdicts } = report;
  return [
    `scripted: ${report.agents} agents, ${report.rounds} rounds, tools of ${report.toolMs} ms`,
    `${report.calls} calls (${verdicts.allow} allowed, ${verdicts.conflict} in conflict, ${verdicts.blocked} blocked, ${verdicts.denied} denied), ${report.marks} marks`,
    `${report.wallSeconds} s, ${report.cpuSeconds} s of processor time`,
    `${Math.round(report.completion * 100)} % of what honest agents wanted was done`,
    ...violationLines(report.violations),
    '',
  ].join('\n');
}

function compositionText(report: CompositionReport): string {
  const rows = (['sensor', 'filter', 'aggregator', 'alerter', 'actor'] as const).map((stage) =>
    [stage, report.produced[stage], report.due[stage], report.delivered[stage]].map(String),
  );
  return [
    `${report.agents} agents, ${report.ticks} ticks, ${report.swaps} swaps, ${report.marks} marks, ${report.wallSeconds} s`,
    textTable([['stage', 'wrote', 'was due', 'was given'], ...rows]),
    `${report.leftUnread} marks were left unread by an agent that was swapped out`,
    ...violationLines(report.violations),
    '',
  ].join('\n');
}

function violationLines(violations: Readonly<Record<string, number>>): readonly string[] {
  const bad = Object.entries(violations).filter(([, count]) => count > 0);
  if (bad.length === 0) return [`no violation (${Object.keys(violations).join(', ')}: 0)`];
  return bad.map(([name, count]) => `VIOLATION ${name}: ${count}`);
}

function spaceText({
  machine,
  callers,
  results,
  bytesPerMark,
  bytesPerMarkPopulation,
  sqlite,
  notes,
}: SpaceReport): string {
  const rows = results.map(({ op, log, marks, perCallMicros, medianMicros, perSecond }) =>
    [op, log, marks, perCallMicros, medianMicros, perSecond].map(String),
  );
  return [
    `${machine.cpus} x ${machine.model}, ${machine.memoryGb} GB, Node ${machine.node}, ${callers} callers at a time`,
    textTable([['operation', 'log', 'marks', 'CPU us (best)', 'CPU us (median)', 'per second'], ...rows]),
    `${bytesPerMark} bytes of heap per mark (${bytesPerMarkPopulation} marks, memory log)`,
    ...(sqlite === undefined
      ? []
      : [
          `SQLite: ${sqlite.writesPerSecond} marks/s; this disk syncs ${sqlite.fsyncsPerSecond} times a second: ${Math.round(sqlite.share * 100)} % of syncs x ${callers}`,
        ]),
    ...notes,
    '',
  ].join('\n');
}

function whole(what: keyof typeof BENCH_LIMITS): (text: string) => number {
  return wholeNumber(BENCH_LIMITS[what]);
}

function populations(text: string): readonly number[] {
  return text.split(',').map((part) => whole('marks')(part.trim()));
}

function openMarks(text: string): number {
  return text === '0' ? 0 : whole('marks')(text);
}

function logNames(text: string): readonly BenchLog[] {
  return text.split(',').map((part) => {
    const name = BENCH_LOGS.find((log) => log === part.trim());
    if (name === undefined)
      throw new InvalidArgumentError(`${JSON.stringify(part)} is none of ${BENCH_LOGS.join(', ')}`);
    return name;
  });
}
