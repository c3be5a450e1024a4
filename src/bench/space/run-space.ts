import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createMemoryLog } from '../../space/memory-log.ts';
import { openPostgresLog } from '../../space/postgres-log.ts';
import { openSqliteLog } from '../../space/sqlite-log.ts';
import type { Log } from '../../space/log.ts';
import type { BenchLog } from '../limits.ts';
import { describeMachine, type Machine } from '../machine.ts';
import { CALLERS, callAll, callOf, type Op, openBenchSpace, OPS, populate, type BenchSpace } from './bench-space.ts';
import { measureFsyncs } from './disk.ts';
import { runJob } from './jobs.ts';
import { measureTwoProcesses } from './two-processes.ts';
import { median, rounded, sample, type Sample, smallest } from './measure.ts';

export interface SpaceOptions {
  /** Populations, in marks of one scope. */
  readonly marks: readonly number[];
  readonly logs: readonly BenchLog[];
  /** Opens an SQLite space of this many marks as well; 0: does not. */
  readonly open: number;
  /** Where SQLite files go; the disk that is measured. */
  readonly folder: string;
  /** `HIVEMARK_DATABASE_URL`. */
  readonly databaseUrl: string | undefined;
  /** Said while it runs. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** One operation on one population. `perCallMicros`: CPU, the best repetition; `perSecond`: calls by the wall clock, the median one. */
export interface SpaceResult {
  readonly op: Op | 'open' | 'write-two-processes';
  readonly log: BenchLog;
  /** Marks in the scope before the first call. */
  readonly marks: number;
  readonly perCallMicros: number;
  readonly perSecond: number;
  /** CPU, the median repetition. */
  readonly medianMicros: number;
  readonly calls: number;
  readonly repetitions: number;
}

/** What `hivemark bench space --json` prints. */
export interface SpaceReport {
  readonly machine: Machine;
  readonly callers: number;
  readonly results: readonly SpaceResult[];
  readonly bytesPerMark: number;
  /** Marks of the population that {@link bytesPerMark} was measured on. */
  readonly bytesPerMarkPopulation: number;
  /** Acknowledged marks per second with synchronous FULL beside this disk's syncs, one after the other, times the callers. */
  readonly sqlite?: { readonly fsyncsPerSecond: number; readonly writesPerSecond: number; readonly share: number };
  readonly notes: readonly string[];
}

const BYTES_POPULATION = 100_000;
/** Before anything is measured every operation is called this often on each of so many spaces in memory: code is compiled in its own time. */
const WARM_UP_CALLS = 4_096;
const WARM_UP_SPACES = 16;
const WARM_UP_MARKS = 1_000;
const FSYNC_MS = 1_000;
const JOB_MS = 1_800_000;
const POSTGRES_CALLS = 8_192;

/** Calls of a repetition: enough to be measured, few beside the population. */
function callsFor(op: Op, marks: number): number {
  if (op === 'read-by-resource' || op === 'read-by-topic') return 16_384;
  return op === 'refused-execute' ? 4_096 : Math.min(4_096, Math.max(1_024, marks));
}

/** The more the calls themselves change the population, the more often it is made anew. */
function repetitionsFor(marks: number): number {
  return marks >= 10_000 ? 5 : 15;
}

/**
 * Measures the operations on populations of one scope, through the gate, with 64 callers under way. Nothing here is a test: figures are
 * for people.
 */
export async function runSpace(options: SpaceOptions): Promise<SpaceReport> {
  const folder = await mkdtemp(join(options.folder, 'hivemark-bench-'));
  const results: SpaceResult[] = [];
  const notes: string[] = [];
  const databaseSpace = `bench-${randomUUID()}`;
  let sqlite: SpaceReport['sqlite'];
  try {
    await warmUp(options);
    for (const log of options.logs) {
      if (log === 'postgres' && options.databaseUrl === undefined) {
        notes.push('postgres skipped: HIVEMARK_DATABASE_URL is not set');
        options.onProgress('postgres: skipped, HIVEMARK_DATABASE_URL is not set\n');
        continue;
      }
      for (const marks of options.marks)
        results.push(...(await measurePopulation(log, marks, folder, databaseSpace, options)));
      if (log === 'sqlite') sqlite = sqliteShare(results, folder);
      if (log === 'postgres') {
        options.onProgress('postgres: two processes in one space\n');
        const place = { url: options.databaseUrl ?? '', space: `${databaseSpace}/shared` };
        results.push(await measureTwoProcesses(place, POSTGRES_CALLS, JOB_MS));
        notes.push(`postgres: the spaces ${databaseSpace}/... are left in the database`);
      }
    }
    if (options.open > 0) results.push(await measureOpening(options.open, folder, options));
    options.onProgress(`bytes per mark, ${BYTES_POPULATION} marks\n`);
    const { bytesPerMark = Number.NaN } = await runJob({ what: 'bytes', marks: BYTES_POPULATION }, JOB_MS);
    return {
      machine: describeMachine(),
      callers: CALLERS,
      results,
      bytesPerMark: Math.round(bytesPerMark),
      bytesPerMarkPopulation: BYTES_POPULATION,
      ...(sqlite === undefined ? {} : { sqlite }),
      notes,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function warmUp({ onProgress, signal }: SpaceOptions): Promise<void> {
  onProgress('warming up\n');
  for (let i = 0; i < WARM_UP_SPACES; i += 1) {
    signal.throwIfAborted();
    const space = await openBenchSpace(createMemoryLog());
    await populate(space, WARM_UP_MARKS);
    for (const op of OPS) await callAll(space.sessions, WARM_UP_CALLS, callOf(op, WARM_UP_MARKS, 'warm'));
    await space.gate.close();
  }
}

async function measurePopulation(
  log: BenchLog,
  marks: number,
  folder: string,
  databaseSpace: string,
  { databaseUrl, onProgress, signal }: SpaceOptions,
): Promise<readonly SpaceResult[]> {
  const openLog = (): Promise<Log> => {
    if (log === 'memory') return Promise.resolve(createMemoryLog());
    if (log === 'sqlite') return openSqliteLog(join(folder, `${randomUUID()}.db`));
    return openPostgresLog(databaseUrl ?? '', { space: `${databaseSpace}/${randomUUID()}` });
  };
  const fresh = async (population: number): Promise<BenchSpace> => {
    const space = await openBenchSpace(await openLog());
    await populate(space, population);
    return space;
  };
  const results: SpaceResult[] = [];
  const reads = OPS.filter((op) => op.startsWith('read'));
  // Reads first: they leave the population as it is.
  for (const op of [...reads, ...OPS.filter((other) => !reads.includes(other))]) {
    const calls = callsFor(op, marks);
    const repetitions = repetitionsFor(marks);
    signal.throwIfAborted();
    onProgress(`${log}: ${op}, ${marks} marks\n`);
    const samples: Sample[] = [];
    let space = await fresh(marks);
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const { sessions } = space;
      samples.push(await sample(calls, () => callAll(sessions, calls, callOf(op, marks, `r${repetition}`))));
      if (repetition + 1 === repetitions || reads.includes(op) || marks >= 16 * calls) continue;
      await space.gate.close();
      space = await fresh(marks);
    }
    await space.gate.close();
    results.push(resultOf(op, log, marks, calls, samples));
  }
  return results;
}

function resultOf(
  op: SpaceResult['op'],
  log: BenchLog,
  marks: number,
  calls: number,
  samples: readonly Sample[],
): SpaceResult {
  const cpu = samples.map(({ cpuMicros }) => cpuMicros);
  return {
    op,
    log,
    marks,
    perCallMicros: rounded(smallest(cpu)),
    perSecond: Math.round(1e6 / median(samples.map(({ wallMicros }) => wallMicros))),
    medianMicros: rounded(median(cpu)),
    calls,
    repetitions: samples.length,
  };
}

function sqliteShare(results: readonly SpaceResult[], folder: string): NonNullable<SpaceReport['sqlite']> {
  const writes = results.filter(({ op, log }) => log === 'sqlite' && op === 'write');
  const writesPerSecond = Math.max(...writes.map(({ perSecond }) => perSecond));
  const fsyncsPerSecond = Math.round(measureFsyncs(folder, FSYNC_MS));
  return { fsyncsPerSecond, writesPerSecond, share: rounded(writesPerSecond / (fsyncsPerSecond * CALLERS)) };
}

/** One call is the opening of the whole space, its chain checked, in a process that did nothing else before. */
async function measureOpening(
  marks: number,
  folder: string,
  { onProgress, signal }: SpaceOptions,
): Promise<SpaceResult> {
  const file = join(folder, 'open.db');
  onProgress(`sqlite: filling a space of ${marks} marks\n`);
  await runJob({ what: 'fill', file, marks }, JOB_MS);
  const walls: number[] = [];
  const cpus: number[] = [];
  let size = marks;
  for (let repetition = 0; repetition < 3; repetition += 1) {
    signal.throwIfAborted();
    onProgress(`sqlite: opening it\n`);
    const answer = await runJob({ what: 'open', file }, JOB_MS);
    walls.push(answer['wallMs'] ?? Number.NaN);
    cpus.push(answer['cpuMs'] ?? Number.NaN);
    size = answer['marks'] ?? size;
  }
  return {
    op: 'open',
    log: 'sqlite',
    marks: size,
    perCallMicros: Math.round(smallest(cpus) * 1000),
    perSecond: rounded(1000 / median(walls)),
    medianMicros: Math.round(median(cpus) * 1000),
    calls: 1,
    repetitions: walls.length,
  };
}
