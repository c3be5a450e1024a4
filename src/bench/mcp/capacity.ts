import { seededRandom } from '../../experiment/seeded-random.ts';
import { rounded } from '../space/measure.ts';
import type { BenchProcess } from './bench-process.ts';
import { type Act, type ClosedLoop, closedLoop, isEdit, openLoop } from './load.ts';
import { PROGRAM, programOf } from './program.ts';
import type { Spread } from './spread.ts';
import { openConnections, WireAgent } from './wire-agent.ts';

/** A server that is reached over HTTP, and whose process can be asked. */
export interface Served {
  readonly url: string;
  readonly process: BenchProcess;
}

export interface CapacityReport extends ClosedLoop {
  /** Connected at the same time, each with a token, a session and a stream of its own. */
  readonly agents: number;
  readonly seconds: number;
  /** The same on the SDK's own server, every call an echo. */
  readonly floor: ClosedLoop;
  /** Of the floor's calls a second. */
  readonly share: number;
  /** At half the capacity, from when a call was due to its answer. */
  readonly atHalfMs: Spread;
}

export interface CapacityOptions {
  readonly tokens: readonly string[];
  readonly seconds: number;
  readonly served: Served;
  readonly floor: Served;
  readonly onProgress: (line: string) => void;
}

const WARM_UP_SECONDS = 1;

/** How many calls a second all agents together get answered, and how long a call takes at half of it. */
export async function measureCapacity(options: CapacityOptions): Promise<CapacityReport> {
  const { tokens, seconds, served, onProgress } = options;
  onProgress(`capacity: ${tokens.length} agents on the SDK's own server\n`);
  const floor = await withAgents(options.floor, tokens, async (agents) => {
    const text = programOf(0);
    const acts = agents.map(
      (agent): Act =>
        () =>
          agent.call('echo', { text }),
    );
    return closedLoopWarm(acts, seconds, options.floor.process);
  });
  onProgress(`capacity: ${tokens.length} agents connect\n`);
  return withAgents(served, tokens, async (agents) => {
    await Promise.all(agents.map((agent) => agent.call('create', { path: PROGRAM, file_text: programOf(0) })));
    const acts = agents.map((agent) => actOf(agent));
    onProgress(`capacity: ${tokens.length} agents, ${seconds} s, one call after the other\n`);
    const closed = await closedLoopWarm(acts, seconds, served.process);
    const half = Math.max(1, Math.round(closed.callsPerSecond / 2));
    onProgress(`capacity: ${closed.callsPerSecond} calls/s; now ${half} a second for ${seconds} s\n`);
    const atHalfMs = await openLoop(acts, half, seconds, seededRandom('bench/mcp'));
    const share = rounded(closed.callsPerSecond / floor.callsPerSecond);
    return { agents: agents.length, seconds, ...closed, floor, share, atHalfMs };
  });
}

/** Of five calls four look at the agent's program and one writes it anew. */
function actOf(agent: WireAgent): Act {
  let step = 0;
  return (n) => {
    if (!isEdit(n)) return agent.call('view', { path: PROGRAM });
    step += 1;
    return agent.call('create', { path: PROGRAM, file_text: programOf(step) });
  };
}

async function closedLoopWarm(acts: readonly Act[], seconds: number, process: BenchProcess): Promise<ClosedLoop> {
  await closedLoop(acts, Math.min(WARM_UP_SECONDS, seconds), process);
  return closedLoop(acts, seconds, process);
}

async function withAgents<T>(
  { url }: Served,
  tokens: readonly string[],
  use: (agents: readonly WireAgent[]) => Promise<T>,
): Promise<T> {
  const connections = openConnections();
  try {
    const agents = await Promise.all(
      tokens.map(async (token) => {
        const agent = await WireAgent.connect(url, token, connections);
        await agent.listen();
        return agent;
      }),
    );
    const result = await use(agents);
    await Promise.all(agents.map((agent) => agent.close()));
    return result;
  } finally {
    connections.destroy();
  }
}
