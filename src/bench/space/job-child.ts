import { createInterface } from 'node:readline';
import { createMemoryLog } from '../../space/memory-log.ts';
import { openPostgresLog } from '../../space/postgres-log.ts';
import { openSqliteLog } from '../../space/sqlite-log.ts';
import { callAll, callOf, openBenchSpace, populate } from './bench-space.ts';
import type { Answer, Job } from './jobs.ts';

/** A child of the benchmark: reads one job from its standard input, prints one line of JSON. */
async function main(): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const first = await lines.next();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own parent wrote it
  const job = JSON.parse(String(first.value)) as Job;
  const answer = await work(job, async () => {
    process.stdout.write('ready\n');
    await lines.next();
  });
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  process.stdin.destroy();
}

function work(job: Job, start: () => Promise<void>): Promise<Answer> {
  switch (job.what) {
    case 'bytes':
      return bytesPerMark(job.marks);
    case 'fill':
      return fill(job.file, job.marks);
    case 'open':
      return open(job.file);
    case 'postgres-writes':
      break;
  }
  return writeToPostgres(job, start);
}

async function bytesPerMark(marks: number): Promise<Answer> {
  // What is compiled and cached on first use is not counted.
  const warm = await openBenchSpace(createMemoryLog());
  await populate(warm, 2_000);
  await warm.gate.close();
  const space = await openBenchSpace(createMemoryLog());
  const before = heap();
  await populate(space, marks);
  const after = heap();
  const { size } = space.gate.view;
  await space.gate.close();
  return { marks: size, bytesPerMark: (after - before) / size };
}

/** Bytes in use after everything that can be collected was. */
function heap(): number {
  for (let round = 0; round < 4; round += 1) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function fill(file: string, marks: number): Promise<Answer> {
  const space = await openBenchSpace(await openSqliteLog(file));
  await populate(space, marks);
  const { size } = space.gate.view;
  await space.gate.close();
  return { marks: size };
}

async function open(file: string): Promise<Answer> {
  const from = performance.now();
  const cpuFrom = process.cpuUsage();
  const space = await openBenchSpace(await openSqliteLog(file));
  const wallMs = performance.now() - from;
  const cpu = process.cpuUsage(cpuFrom);
  const { size } = space.gate.view;
  await space.gate.close();
  return { marks: size, wallMs, cpuMs: (cpu.user + cpu.system) / 1000 };
}

const POSTGRES_WARM_UP = 256;

async function writeToPostgres(
  { url, space: name, name: processName, calls }: Extract<Job, { what: 'postgres-writes' }>,
  start: () => Promise<void>,
): Promise<Answer> {
  const space = await openBenchSpace(await openPostgresLog(url, { space: name }), processName);
  await callAll(space.sessions, POSTGRES_WARM_UP, callOf('write', 8, processName));
  await start();
  const from = Date.now();
  await callAll(space.sessions, calls, callOf('write', 8, processName));
  const to = Date.now();
  await space.gate.close();
  return { calls, from, to, warmUp: POSTGRES_WARM_UP };
}

await main();
