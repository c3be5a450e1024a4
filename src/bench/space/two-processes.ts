import { startJob } from './jobs.ts';
import { rounded } from './measure.ts';
import type { SpaceResult } from './run-space.ts';

/**
 * Two processes, each with all its callers, make `calls` writes each into one PostgreSQL space at the same time: decisions per second of
 * both together, from the first call to the last answer.
 */
export async function measureTwoProcesses(
  place: { readonly url: string; readonly space: string },
  calls: number,
  timeoutMs: number,
): Promise<SpaceResult> {
  const jobs = ['p1', 'p2'].map((name) => startJob({ what: 'postgres-writes', ...place, name, calls }, timeoutMs));
  await Promise.all(jobs.map(({ ready }) => ready));
  for (const job of jobs) job.go();
  const answers = await Promise.all(jobs.map(({ answer }) => answer));
  const from = Math.min(...answers.map((answer) => answer['from'] ?? Number.NaN));
  const to = Math.max(...answers.map((answer) => answer['to'] ?? Number.NaN));
  const all = answers.length * calls;
  // Their CPU is not this process's to measure: what is told is wall time.
  const micros = ((to - from) * 1000) / all;
  return {
    op: 'write-two-processes',
    log: 'postgres',
    marks: answers.reduce((sum, answer) => sum + (answer['warmUp'] ?? 0), 0),
    perCallMicros: rounded(micros),
    perSecond: Math.round(1e6 / micros),
    medianMicros: rounded(micros),
    calls: all,
    repetitions: 1,
  };
}
