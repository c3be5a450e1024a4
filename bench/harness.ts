import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../src/experiment/config.ts';
import { createExperiment } from '../src/experiment/experiment-folder.ts';
import { playExperiment } from '../src/experiment/experiment.ts';
import type { RunEvent } from '../src/experiment/progress.ts';
import { createSandbox } from '../src/sandbox/create-sandbox.ts';

/**
 * What the harness itself costs: `node bench/harness.ts` in the checkout. Prints one JSON document: harness milliseconds per
 * generation apart from model and sandbox, of which guard and log; evaluations per second through the sandbox; the
 * coordinator's peak memory over the quickstart; milliseconds from `npm start` to the first scored program.
 */
async function main(): Promise<void> {
  const quickstart = await benchQuickstart();
  const evaluations = await benchEvaluations();
  const firstScoreMs = await benchFirstScore();
  const machine = { cpus: availableParallelism(), model: cpus()[0]?.model ?? 'unknown', node: process.versions.node };
  process.stdout.write(`${JSON.stringify({ machine, ...quickstart, ...evaluations, firstScoreMs }, null, 2)}\n`);
}

async function benchQuickstart(): Promise<object> {
  const out = await mkdtemp(join(tmpdir(), 'hivemark-bench-'));
  const timings: Extract<RunEvent, { type: 'generation-done' }>['timing'][] = [];
  try {
    const config = parseConfig(
      {
        name: 'bench',
        task: 'prism_placement',
        agents: [
          { name: 'planner', model: 'scripted/planner' },
          { name: 'tuner', model: 'scripted/tuner' },
        ],
        generations: 12,
        arms: ['paired', 'solo'],
      },
      'bench',
    );
    const folder = await createExperiment(config, out, { env: {}, publicSecret: true });
    const from = performance.now();
    await playExperiment(folder, {
      env: {},
      signal: new AbortController().signal,
      onEvent: (event) => {
        if (event.type === 'generation-done') timings.push(event.timing);
      },
    });
    const harness = timings.map(({ total, model, sandbox }) => total - model - sandbox);
    return {
      quickstartMs: Math.round(performance.now() - from),
      generations: timings.length,
      harnessMsPerGeneration: spread(harness),
      guardMsPerGeneration: spread(timings.map(({ guard }) => guard)),
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

async function benchEvaluations(): Promise<object> {
  const sandbox = createSandbox();
  const evaluate = (cases: number): Promise<unknown> =>
    sandbox.run({
      modules: { 'p.ts': 'export function forward(x: number): number { return x + 1; }' },
      entry: 'p.ts',
      cases: Array.from({ length: cases }, (_, seed) => ({
        seed,
        next: (step: number) => (step === 0 ? seed : undefined),
      })),
    });
  const rate = async (cases: number, count: number): Promise<number> => {
    await Promise.all([evaluate(1), evaluate(1)]);
    const from = performance.now();
    let left = count;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await evaluate(cases);
      }
    };
    await Promise.all([worker(), worker()]);
    return Math.round((count / (performance.now() - from)) * 10_000) / 10;
  };
  try {
    return { evaluationsPerSecond: { oneCase: await rate(1, 60), fiftyCases: await rate(50, 30) } };
  } finally {
    await sandbox.close();
  }
}

/** From the start of `npm start` to the line that reports the first scored generation. */
async function benchFirstScore(): Promise<number> {
  const out = await mkdtemp(join(tmpdir(), 'hivemark-bench-'));
  const from = performance.now();
  const child = spawn('npm', ['start', '--', '--out', out], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error('npm start ended before anything was scored')));
      child.stderr.on('data', (chunk: Buffer) => {
        if (/ score \d/u.test(chunk.toString())) resolve(Math.round(performance.now() - from));
      });
    });
  } finally {
    child.removeAllListeners('exit');
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await rm(out, { recursive: true, force: true });
  }
}

function spread(values: readonly number[]): { median: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const round = (value: number): number => Math.round(value * 10) / 10;
  return { median: round(sorted[Math.floor(sorted.length / 2)] ?? 0), max: round(sorted.at(-1) ?? 0) };
}

await main();
