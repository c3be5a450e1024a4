import { join } from 'node:path';
import type { McpPart } from '../limits.ts';
import { describeMachine, type Machine } from '../machine.ts';
import { type CapacityReport, measureCapacity } from './capacity.ts';
import { type JoinReport, measureJoin } from './join.ts';
import { measureWay, type WayReport } from './latency.ts';
import { measureMemory, type MemoryReport } from './memory.ts';
import { connectHttp, connectStdio, roundOpen, type SdkClient } from './sdk-clients.ts';
import { type CommandLine, RUN, Stage } from './stage.ts';

export interface McpOptions extends CommandLine {
  /** Connected at the same time when the capacity is measured. */
  readonly agents: number;
  /** Of each operation, where one client makes one call after the other. */
  readonly calls: number;
  /** Of each load. */
  readonly seconds: number;
  /** Connections that come and go. */
  readonly cycles: number;
  /** Saves in a joined folder. */
  readonly saves: number;
  readonly parts: readonly McpPart[];
  /** Said while it runs. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** What `hivemark bench mcp --json` prints; parts that were not asked for are missing. */
export interface McpReport {
  readonly machine: Machine;
  /** `hivemark mcp`, which plays the run in the same process. */
  readonly stdio?: WayReport;
  /** `hivemark serve`, an agent of a run. */
  readonly http?: WayReport;
  /** `hivemark mcp`, which passes on to `hivemark serve`; its floor is the SDK's own server over stdio. */
  readonly bridge?: WayReport;
  readonly join?: JoinReport;
  /** `hivemark serve --space sqlite:...`. */
  readonly capacity?: CapacityReport;
  readonly memory?: MemoryReport;
}

/** Measures the ways in from outside, each with processes of its own as people start them. Nothing here is a test: figures are for people. */
export async function runMcp(options: McpOptions): Promise<McpReport> {
  const stage = await Stage.open(options);
  try {
    const wants = (part: McpPart): boolean => options.parts.includes(part);
    return {
      machine: describeMachine(),
      ...(wants('stdio') ? { stdio: await overStdio(stage, options) } : {}),
      ...(await inRun(stage, options)),
      ...(wants('capacity') ? { capacity: await underLoad(stage, options) } : {}),
      ...(wants('memory') ? { memory: await inMemory(stage, options) } : {}),
    };
  } finally {
    await stage.close();
  }
}

async function overStdio(stage: Stage, { calls, onProgress, signal }: McpOptions): Promise<WayReport> {
  signal.throwIfAborted();
  onProgress('stdio: view and edit, one call after the other\n');
  const args = ['mcp', '--experiment', stage.config, '--agent', 'ann', '--out', join(stage.folder, 'stdio')];
  return withClients(connectStdio(stage.hivemark(args)), connectStdio(stage.bare('stdio')), calls);
}

/** What is measured at one server that plays a run. */
async function inRun(stage: Stage, options: McpOptions): Promise<Pick<McpReport, 'http' | 'bridge' | 'join'>> {
  const { parts, calls, onProgress, signal } = options;
  const report: { -readonly [Part in 'http' | 'bridge' | 'join']?: McpReport[Part] } = {};
  if (!(['http', 'bridge', 'join'] as const).some((part) => parts.includes(part))) return report;
  signal.throwIfAborted();
  const served = await stage.serve('run', 8, { run: true });
  const url = served.url.replace('/mcp', `/runs/${RUN}/mcp`);
  if (parts.includes('http')) {
    onProgress('HTTP: view and edit, one call after the other\n');
    const bare = await stage.serveBare();
    report.http = await withClients(connectHttp(url, await stage.tokenOf('ann')), connectHttp(bare.url, 'none'), calls);
    await stage.stop(bare.process);
  }
  if (parts.includes('bridge')) {
    signal.throwIfAborted();
    onProgress('stdio passed on to HTTP: view and edit, one call after the other\n');
    const args = ['mcp', '--experiment', join(stage.folder, 'run', RUN), '--agent', 'bob'];
    report.bridge = await withClients(connectStdio(stage.hivemark(args)), connectStdio(stage.bare('stdio')), calls);
  }
  if (parts.includes('join')) report.join = await inFolder(stage, url, options);
  await stage.stop(served.process);
  return report;
}

async function inFolder(stage: Stage, url: string, { saves, onProgress, signal }: McpOptions): Promise<JoinReport> {
  signal.throwIfAborted();
  onProgress(`join: ${saves} saves in a folder\n`);
  const dir = join(stage.folder, 'joined');
  const args = ['join', join(stage.folder, 'run', RUN), '--agent', 'dora', '--dir', dir];
  const mirror = stage.start(stage.hivemark(args));
  const client = await connectHttp(url, await stage.tokenOf('dora'));
  try {
    await roundOpen(client);
    return await measureJoin(dir, saves, client, mirror);
  } finally {
    await client.close();
    await stage.stop(mirror);
  }
}

async function underLoad(stage: Stage, options: McpOptions): Promise<CapacityReport> {
  const { agents, seconds, onProgress, signal } = options;
  signal.throwIfAborted();
  onProgress(`capacity: ${agents} tokens\n`);
  const tokens = await tokensOf(stage, 'agent', agents);
  const [served, floor] = [await stage.serve('load', agents), await stage.serveBare()];
  const report = await measureCapacity({ tokens, seconds, served, floor, onProgress });
  await stage.stop(served.process);
  await stage.stop(floor.process);
  return report;
}

/** Agents that come and go. */
const VISITORS = 8;

async function inMemory(stage: Stage, options: McpOptions): Promise<MemoryReport> {
  const { cycles, onProgress, signal } = options;
  signal.throwIfAborted();
  onProgress(`memory: ${cycles} connections that come and go\n`);
  const tokens = await tokensOf(stage, 'visitor', VISITORS);
  const served = await stage.serve('memory', VISITORS);
  const report = await measureMemory(served, tokens, cycles);
  await stage.stop(served.process);
  return report;
}

async function tokensOf(stage: Stage, name: string, count: number): Promise<readonly string[]> {
  const tokens: string[] = [];
  for (let n = 0; n < count; n += 1) tokens.push(await stage.tokenOf(`${name}-${n}`));
  return tokens;
}

/** Takes over both clients: neither stays when the other cannot connect. */
async function withClients(
  connecting: Promise<SdkClient>,
  connectingFloor: Promise<SdkClient>,
  calls: number,
): Promise<WayReport> {
  const connected = await Promise.allSettled([connecting, connectingFloor]);
  try {
    const [client, floor] = await Promise.all([connecting, connectingFloor]);
    await roundOpen(client);
    return await measureWay(client, floor, calls);
  } finally {
    for (const one of connected) if (one.status === 'fulfilled') await one.value.close();
  }
}
