/** Inclusive bounds of what a benchmark can be asked for. */
interface Range {
  readonly least: number;
  readonly most: number;
}

export const BENCH_LIMITS = {
  /** At least one department. */
  agents: { least: 21, most: 100_000 },
  /** At most a quarter of a year of working hours. */
  rounds: { least: 1, most: 260 },
  toolMs: { least: 0, most: 60_000 },
  /** At least enough for every swap to have a tick of its own. */
  ticks: { least: 10, most: 10_000 },
  /** At least one topic and two resources. */
  marks: { least: 8, most: 10_000_000 },
  /** Two connections each, of those that a server takes. */
  connected: { least: 1, most: 1000 },
  calls: { least: 10, most: 100_000 },
  seconds: { least: 1, most: 600 },
  cycles: { least: 8, most: 1_000_000 },
  saves: { least: 1, most: 10_000 },
  seed: { least: 0, most: 2 ** 31 - 1 },
} as const satisfies Readonly<Record<string, Range>>;

/** Logs that `bench space` can measure. */
export const BENCH_LOGS = ['memory', 'sqlite', 'postgres'] as const;
export type BenchLog = (typeof BENCH_LOGS)[number];

/** What `bench mcp` can measure. */
export const MCP_PARTS = ['stdio', 'http', 'bridge', 'join', 'capacity', 'memory'] as const;
export type McpPart = (typeof MCP_PARTS)[number];
