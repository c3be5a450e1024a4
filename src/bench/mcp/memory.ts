import type { Served } from './capacity.ts';
import { PROGRAM, programOf } from './program.ts';
import { openConnections, WireAgent } from './wire-agent.ts';

export interface MemoryReport {
  /** Connect, one call (which leaves a record in the space), disconnect. */
  readonly cycles: number;
  /** What the server's heap is larger for each, after collection: the slope of the line through the points below. */
  readonly bytesPerCycle: number;
  /** Bytes in use after so many cycles. */
  readonly points: readonly { readonly cycles: number; readonly heapBytes: number }[];
}

/** Cycles under way at a time. */
const WIDTH = 4;
const POINTS = 8;
const WARM_UP_SHARE = 0.25;

/** What is left in a server of clients that came and went. */
export async function measureMemory(
  { url, process }: Served,
  tokens: readonly string[],
  cycles: number,
): Promise<MemoryReport> {
  const connections = openConnections();
  const cycle = async (n: number): Promise<void> => {
    const agent = await WireAgent.connect(url, tokens[n % tokens.length] ?? '', connections);
    await agent.call('view', { path: PROGRAM });
    await agent.close();
  };
  try {
    for (const token of tokens) {
      const agent = await WireAgent.connect(url, token, connections);
      await agent.call('create', { path: PROGRAM, file_text: programOf(0) });
      await agent.close();
    }
    await repeat(Math.ceil(cycles * WARM_UP_SHARE), cycle);
    const points = [{ cycles: 0, heapBytes: (await process.usage('heap')).heapBytes }];
    for (let point = 1; point <= POINTS; point += 1) {
      const to = Math.floor((cycles * point) / POINTS);
      await repeat(to - (points.at(-1)?.cycles ?? 0), cycle);
      points.push({ cycles: to, heapBytes: (await process.usage('heap')).heapBytes });
    }
    return { cycles, bytesPerCycle: Math.round(slopeOf(points)), points };
  } finally {
    connections.destroy();
  }
}

/** Of the line that fits best (least squares). */
export function slopeOf(points: MemoryReport['points']): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(({ cycles }) => cycles)), mean(points.map(({ heapBytes }) => heapBytes))];
  const across = points.reduce((sum, { cycles, heapBytes }) => sum + (cycles - x) * (heapBytes - y), 0);
  return across / points.reduce((sum, { cycles }) => sum + (cycles - x) ** 2, 0);
}

async function repeat(times: number, run: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < times; n = next++) await run(n);
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
}
