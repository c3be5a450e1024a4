import { setTimeout as sleepFor } from 'node:timers/promises';
import type { AgentName } from '../space/marks.ts';

/** An agent that is run again and again. */
export interface Scheduled {
  readonly agent: AgentName;
  /** Its step starts no more often than this, in milliseconds. @default 0, and then it needs `news` */
  readonly everyMs?: number;
  /**
   * Resolves `true` when there is something to run for, `false` when `signal` was aborted first. With it, a step starts only when the interval
   * has passed and there is something; without it, as soon as the interval has passed. @see SessionSubscriptions.wait
   */
  readonly news?: (signal: AbortSignal) => Promise<boolean>;
  /** One run. `signal` is aborted when the scheduler stops or the agent is taken out; runs of one agent never overlap. */
  readonly step: (signal: AbortSignal) => void | Promise<void>;
}

export interface SchedulerOptions {
  /** Milliseconds; only differences count. May jump: a jump never makes an agent run early. @default performance.now */
  readonly clock?: () => number;
  /** Resolves after `ms` of true time, rejects when `signal` is aborted. @default Node's timer */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Told of every step (or wait for news) that threw; what it throws itself is dropped. */
  readonly report: (failure: { readonly agent: AgentName; readonly error: unknown }) => void;
  /** How long after a failure an agent is tried again if its interval is shorter, in milliseconds. @default 1000 */
  readonly retryMs?: number;
}

/** Runs agents at their intervals, each in a loop of its own. Made stopped. */
export interface Scheduler {
  /** Puts an agent in; it runs at once if the scheduler does. @throws {RangeError} when it is already there or could never wait */
  add(scheduled: Scheduled): void;
  /** Takes an agent out; resolves once its step under way is over, and only then may it be put in again. */
  remove(agent: AgentName): Promise<void>;
  /** Starts what is not running. Agents that ran before a stop wait their whole interval first. */
  start(): void;
  /**
   * Starts no step any more, aborts those under way and waits for them, at most `graceMs`.
   *
   * @returns the agents whose steps had not come to an end by then
   */
  stop(graceMs?: number): Promise<readonly AgentName[]>;
}

const RETRY_MS = 1000;
const GRACE_MS = 10_000;
/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createScheduler(options: SchedulerOptions): Scheduler {
  const entries = new Map<AgentName, Entry>();
  let running = false;

  const launch = (entry: Entry): void => {
    if (entry.loop !== undefined) return;
    const { agent } = entry.scheduled;
    const stopping = new AbortController();
    const over = runLoop(entry, options, stopping.signal)
      // Only a clock or a timer that throws gets here.
      .catch((error: unknown) => tell(options, { agent, error }))
      .then(() => {
        entry.loop = undefined;
        if (entry.removed) entries.delete(agent);
        // It was started again while its last step was still ending.
        else if (running && stopping.signal.aborted) launch(entry);
      });
    entry.loop = { stopping, over };
  };

  return {
    add(scheduled) {
      const { agent, everyMs = 0, news } = scheduled;
      if (entries.has(agent)) throw new RangeError(`${agent} is already scheduled; remove it first`);
      if (!Number.isFinite(everyMs) || everyMs < 0 || (everyMs === 0 && news === undefined))
        throw new RangeError(
          `${agent} cannot run every ${everyMs} ms: give a positive interval, or something to wait for (news)`,
        );
      const entry: Entry = { scheduled, ran: false, removed: false, loop: undefined };
      entries.set(agent, entry);
      if (running) launch(entry);
    },
    async remove(agent) {
      const entry = entries.get(agent);
      if (entry === undefined) return;
      entry.removed = true;
      if (entry.loop === undefined) entries.delete(agent);
      entry.loop?.stopping.abort();
      await entry.loop?.over;
    },
    start() {
      running = true;
      for (const entry of entries.values()) if (!entry.removed) launch(entry);
    },
    async stop(graceMs = GRACE_MS) {
      running = false;
      const ending = [...entries.values()].flatMap(({ loop }) => (loop === undefined ? [] : [loop]));
      for (const { stopping } of ending) stopping.abort();
      const patience = new AbortController();
      await Promise.race([
        Promise.all(ending.map(({ over }) => over)),
        sleep(graceMs, patience.signal).catch(() => undefined),
      ]);
      patience.abort();
      return [...entries.values()].filter(({ loop }) => loop !== undefined).map(({ scheduled }) => scheduled.agent);
    },
  };
}

interface Entry {
  readonly scheduled: Scheduled;
  ran: boolean;
  removed: boolean;
  loop: { readonly stopping: AbortController; readonly over: Promise<void> } | undefined;
}

async function runLoop(entry: Entry, options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const { agent, everyMs = 0, news, step } = entry.scheduled;
  const { clock = () => performance.now(), retryMs = RETRY_MS } = options;
  const nap = options.sleep ?? sleep;
  /** Whether it came to pass; what it throws is told, and no. */
  const attempt = async (what: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await what();
    } catch (error) {
      if (!signal.aborted) tell(options, { agent, error });
      return false;
    }
  };
  const run = async (): Promise<boolean> => {
    await step(signal);
    return true;
  };
  /** Resolves when `ms` have passed by the timer, which no jump of the clock shortens, and by the clock, which no early timer shortens. */
  const passing = async (ms: number): Promise<void> => {
    const from = clock();
    await nap(ms, signal);
    for (let tries = 0; tries < 3; tries += 1) {
      const left = ms - (clock() - from);
      if (!(left > 0 && left < ms)) return;
      await nap(Math.ceil(left), signal);
    }
  };

  // What a failed run was for may not be announced again.
  let owed = false;
  try {
    if (entry.ran && everyMs > 0) await passing(everyMs);
    while (!signal.aborted) {
      if (news !== undefined && !owed) {
        const come = await attempt(() => news(signal));
        if (signal.aborted) return;
        if (!come) {
          await passing(Math.max(everyMs, retryMs));
          continue;
        }
      }
      entry.ran = true;
      const done = attempt(run);
      // Counted from after the call, which may have been slow to begin: rather late than early.
      const interval = passing(everyMs);
      // Awaited below; a stop in the meantime must not make it an unhandled rejection.
      interval.catch(() => undefined);
      owed = !(await done);
      await interval;
      if (owed && everyMs < retryMs) await passing(retryMs - everyMs);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function tell({ report }: SchedulerOptions, failure: { readonly agent: AgentName; readonly error: unknown }): void {
  try {
    report(failure);
  } catch {
    // A sink that fails stops no agent.
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let left = ms;
  for (; left > LONGEST_TIMER_MS; left -= LONGEST_TIMER_MS) await sleepFor(LONGEST_TIMER_MS, undefined, { signal });
  await sleepFor(left, undefined, { signal });
}
