import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Json, RunProgram, SandboxJob, SandboxLimits, Verdict } from '../../src/sandbox/sandbox.ts';

/** For attacks that end with their deadline. */
export const DEADLINE_MS = 1_000;
/** For programs that end by themselves: on a busy machine a second may pass before they have begun. */
export const PATIENT_MS = 10_000;
export const BRIEF: Partial<SandboxLimits> = { caseMs: DEADLINE_MS, computeMs: DEADLINE_MS };
/** A deadline kept later than this on a busy machine is not kept. */
export const SLACK_MS = 4_000;
const CONTAINED: ReadonlySet<string> = new Set(['timeout', 'memory', 'crash', 'bad-result', 'output-limit']);

/** What one attack did, seen from outside. */
export interface Containment {
  readonly verdict: Verdict;
  /** Milliseconds from the call to its verdict, start of the child included. */
  readonly tookMs: number;
  /** Longest time this process's event loop stood still meanwhile, for reasons of its own. */
  readonly gapMs: number;
  /** Why this does not count as contained; empty when it does. */
  readonly faults: readonly string[];
}

/** A script as the body of `forward`, its last expression lost, as an agent would hand it in. */
export function asForward(script: string): string {
  return `export function forward(input, ctx) { ${script} }`;
}

export function jobOf(source: string, limits: Partial<SandboxLimits> = {}, rest: Partial<SandboxJob> = {}): SandboxJob {
  return {
    modules: { 'task_agent.js': source },
    entry: 'task_agent.js',
    cases: [{ seed: 1, next: (step) => (step === 0 ? {} : undefined) }],
    limits: { caseMs: PATIENT_MS, computeMs: PATIENT_MS, resultBytes: 64 * 1024, ...limits },
    ...rest,
  };
}

export async function runOnce(run: RunProgram, job: SandboxJob): Promise<Verdict> {
  const [verdict] = await run(job);
  if (verdict === undefined) throw new Error('no verdict');
  return verdict;
}

/** The value of a run that must succeed. */
export async function valueOf(run: RunProgram, source: string, rest: Partial<SandboxJob> = {}): Promise<Json> {
  const verdict = await runOnce(run, jobOf(source, {}, rest));
  if (verdict.status !== 'value') throw new Error(`not a value: ${JSON.stringify(verdict)}`);
  return verdict.value;
}

/** Milliseconds for which this thread was ready to go on while the processors were with others (Linux; elsewhere 0). */
function queuedMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6 || 0;
  } catch {
    return 0;
  }
}

/**
 * Watches the event loop until the function it gives is called, which tells the longest time it stood still. Time for which the
 * system let others run does not count: it is no doing of what is watched.
 */
export function watchEventLoop(): () => Promise<number> {
  let gapMs = 0;
  let last = performance.now() - queuedMs();
  const pulse = setInterval(() => {
    const now = performance.now() - queuedMs();
    gapMs = Math.max(gapMs, now - last);
    last = now;
  }, 10);
  return async () => {
    await pause(15);
    clearInterval(pulse);
    return gapMs;
  };
}

/** Runs an attack and a harmless program after it, and measures what the attack cost this process. */
export async function contain(
  run: RunProgram,
  job: SandboxJob,
  allowed: ReadonlySet<string> = CONTAINED,
): Promise<Containment> {
  await runOnce(run, jobOf('export const forward = () => 1;'));
  const stoodStill = watchEventLoop();
  const startedAt = performance.now();
  const verdict = await runOnce(run, job);
  const tookMs = performance.now() - startedAt;
  const gapMs = await stoodStill();
  const deadlineMs = job.limits?.caseMs ?? PATIENT_MS;
  const faults: string[] = [];
  if (!allowed.has(verdict.status)) faults.push(`status ${verdict.status}`);
  // The start of a child is not the attack's doing, and takes long on a busy machine: it only has a bound of its own.
  if (verdict.wallMs > deadlineMs + SLACK_MS || tookMs > deadlineMs + 2 * SLACK_MS) faults.push(`took ${tookMs} ms`);
  if (gapMs > 250) faults.push(`event loop stood still for ${gapMs} ms`);
  const controlAt = performance.now();
  const control = await runOnce(run, jobOf('export const forward = () => ({}).polluted === undefined;'));
  if (control.status !== 'value' || control.value !== true) faults.push(`control gave ${JSON.stringify(control)}`);
  if (control.wallMs > SLACK_MS || performance.now() - controlAt > 2 * SLACK_MS) faults.push('control came late');
  return { verdict, tookMs, gapMs, faults };
}

/** Live processes whose parent is `pid` (Linux), as `{ pid, cpuTicks, rssMb }`. */
export function childrenOf(pid: number): readonly { pid: number; cpuTicks: number; rssMb: number }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (Number(fields[1]) !== pid || fields[0] === 'Z') return [];
        return [
          {
            pid: Number(name),
            cpuTicks: Number(fields[11]) + Number(fields[12]),
            rssMb: (Number(fields[21]) * 4096) / 2 ** 20,
          },
        ];
      } catch {
        return [];
      }
    });
}

/** Children of this process that still compute after `withinMs`; those that only start meanwhile get that time to finish. */
export async function busyChildren(withinMs = 8_000): Promise<readonly number[]> {
  const until = performance.now() + withinMs;
  for (;;) {
    const before = new Map(childrenOf(process.pid).map((child) => [child.pid, child.cpuTicks]));
    await pause(300);
    const busy = childrenOf(process.pid).filter(({ pid, cpuTicks }) => cpuTicks - (before.get(pid) ?? 0) > 5);
    if (busy.length === 0 || performance.now() > until) return busy.map(({ pid }) => pid);
  }
}
