import { type Command, InvalidArgumentError } from 'commander';
import { BENCH_LIMITS, MCP_PARTS, type McpPart } from '../bench/limits.ts';
import type { McpReport } from '../bench/mcp/run-mcp.ts';
import { textTable } from '../report/text-table.ts';
import { EXIT, type ExitCode, type Surroundings } from './output.ts';
import { tokenFileOf } from './token-command.ts';
import { wholeNumber } from './whole-number.ts';

interface BenchMcpFlags {
  readonly agents: number;
  readonly calls: number;
  readonly seconds: number;
  readonly cycles: number;
  readonly saves: number;
  readonly parts: readonly McpPart[];
  readonly json?: boolean;
}

/** `hivemark bench mcp`: what the ways in from outside cost. */
export function addBenchMcpCommand(bench: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  bench
    .command('mcp')
    .description('what a call from outside costs over stdio and HTTP, how many a server takes, memory, a joined folder')
    .option(
      '--agents <n>',
      'connected at a time, when the capacity is measured',
      wholeNumber(BENCH_LIMITS.connected),
      200,
    )
    .option('--calls <n>', 'of each operation, one after the other', wholeNumber(BENCH_LIMITS.calls), 500)
    .option('--seconds <n>', 'of each load', wholeNumber(BENCH_LIMITS.seconds), 8)
    .option('--cycles <n>', 'connections that come and go', wholeNumber(BENCH_LIMITS.cycles), 2400)
    .option('--saves <n>', 'in a joined folder', wholeNumber(BENCH_LIMITS.saves), 40)
    .option('--parts <list>', `of ${MCP_PARTS.join(',')}`, partNames, MCP_PARTS)
    .option('--json', 'print the figures as one JSON document')
    .action(async (flags: BenchMcpFlags) => onExit(await benchMcpCommand(flags, world)));
}

async function benchMcpCommand({ json, ...flags }: BenchMcpFlags, { output, signal }: Surroundings): Promise<ExitCode> {
  const { runMcp } = await import('../bench/mcp/run-mcp.ts');
  const cli = new URL(`../cli${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
  const report = await runMcp({ ...flags, cli, tokenFileOf, onProgress: output.err, signal });
  output.out(json === true ? `${JSON.stringify(report)}\n` : mcpText(report));
  return EXIT.done;
}

function mcpText({ machine, stdio, http, bridge, join, capacity, memory }: McpReport): string {
  const ways = Object.entries({ stdio, http, bridge }).flatMap(([way, report]) =>
    report === undefined
      ? []
      : (['floor', 'view', 'edit'] as const).map((operation) => {
          const { median, p99 } = report[`${operation}Ms`];
          return [
            way,
            operation,
            String(median),
            String(p99),
            operation === 'floor' ? '1' : String(report[`${operation}Ratio`]),
          ];
        }),
  );
  return [
    `${machine.cpus} x ${machine.model}, ${machine.memoryGb} GB, Node ${machine.node}`,
    ...(ways.length === 0 ? [] : [textTable([['way', 'call', 'median ms', 'p99 ms', 'of the floor'], ...ways])]),
    ...(join === undefined
      ? []
      : [
          `join: a save is in the space after ${join.shownMs.median} ms (p99 ${join.shownMs.p99}, ${join.saves} saves)`,
        ]),
    ...(capacity === undefined
      ? []
      : [
          `${capacity.agents} agents: ${capacity.callsPerSecond} calls/s (${capacity.serverMicrosPerCall} us of the server's processor time each; the SDK alone: ${capacity.floor.callsPerSecond}, ${capacity.floor.serverMicrosPerCall} us)`,
          `at half of it: median ${capacity.atHalfMs.median} ms, p99 ${capacity.atHalfMs.p99} ms from when a call was due`,
        ]),
    ...(memory === undefined
      ? []
      : [
          `memory: the server's heap grew by ${memory.bytesPerCycle} bytes for each of ${memory.cycles} connections that came and went`,
        ]),
    '',
  ].join('\n');
}

function partNames(text: string): readonly McpPart[] {
  return text.split(',').map((part) => {
    const name = MCP_PARTS.find((known) => known === part.trim());
    if (name === undefined)
      throw new InvalidArgumentError(`${JSON.stringify(part)} is none of ${MCP_PARTS.join(', ')}`);
    return name;
  });
}
