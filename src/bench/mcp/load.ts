import { setTimeout as sleep } from 'node:timers/promises';
import { rounded } from '../space/measure.ts';
import type { BenchProcess } from './bench-process.ts';
import { type Spread, spreadOf } from './spread.ts';

/** What one of many agents does: its `n`-th call. */
export type Act = (n: number) => Promise<void>;

/** Of five calls one is an edit. */
export function isEdit(n: number): boolean {
  return n % 5 === 4;
}

/** Every agent makes its next call as soon as the one before is answered, for so long. */
export interface ClosedLoop {
  readonly callsPerSecond: number;
  /** Processor time per call, all threads, of the server's process and of the one that makes the calls. */
  readonly serverMicrosPerCall: number;
  readonly clientMicrosPerCall: number;
  readonly answeredMs: Spread;
}

export async function closedLoop(
  acts: readonly Act[],
  seconds: number,
  server: Pick<BenchProcess, 'usage'>,
): Promise<ClosedLoop> {
  const times: number[] = [];
  const serverFrom = await server.usage();
  const clientFrom = process.cpuUsage();
  const from = performance.now();
  const until = from + seconds * 1000;
  await Promise.all(
    acts.map(async (act, agent) => {
      // Agents do not edit in step.
      for (let n = agent; ; n += 1) {
        const at = performance.now();
        if (at >= until) return;
        await act(n);
        times.push(performance.now() - at);
      }
    }),
  );
  const elapsed = performance.now() - from;
  const client = process.cpuUsage(clientFrom);
  const { cpuMs } = await server.usage();
  return {
    callsPerSecond: Math.round((times.length * 1000) / elapsed),
    serverMicrosPerCall: rounded(((cpuMs - serverFrom.cpuMs) * 1000) / times.length),
    clientMicrosPerCall: rounded((client.user + client.system) / times.length),
    answeredMs: spreadOf(times),
  };
}

/**
 * Calls come at a given rate whether or not those before are answered, at times that are as irregular as those of agents who know
 * nothing of each other. What is measured is the time from when a call was due: one that waits for its agent's last call waits on the
 * record.
 */
export async function openLoop(
  acts: readonly Act[],
  perSecond: number,
  seconds: number,
  random: () => number,
): Promise<Spread> {
  const times: number[] = [];
  const last = acts.map(() => Promise.resolve());
  const from = performance.now();
  for (let at = gap(random, perSecond), n = 0; at < seconds * 1000; at += gap(random, perSecond), n += 1) {
    const due = from + at;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    const agent = n % acts.length;
    const act = acts[agent];
    const round = Math.floor(n / acts.length) + agent;
    const mine = (last[agent] ?? Promise.resolve()).then(async () => {
      await act?.(round);
      times.push(performance.now() - due);
    });
    // What goes wrong is told below.
    mine.catch(() => undefined);
    last[agent] = mine;
  }
  await Promise.all(last);
  return spreadOf(times);
}

/** Milliseconds to the next call of many callers who know nothing of each other. */
function gap(random: () => number, perSecond: number): number {
  return (-Math.log(1 - random()) * 1000) / perSecond;
}
