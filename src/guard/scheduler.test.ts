import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentName } from '../space/marks.ts';
import { agentName } from '../space/test-marks.ts';
import { createScheduler, type Scheduled } from './scheduler.ts';

const ANN = agentName('ann');
const BOB = agentName('bob');

/** Time that passes only when told to; its clock may be set to anything. */
class ToldTime {
  /** True milliseconds since the beginning. */
  now = 0;
  jump = 0;
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();

  readonly clock = (): number => this.now + this.jump;
  readonly sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const sleeper = { at: this.now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      const abandon = (): void => {
        this.#sleepers.delete(sleeper);
        reject(new Error('aborted'));
      };
      if (signal.aborted) abandon();
      else signal.addEventListener('abort', abandon);
    });

  /** Lets true time pass, waking sleepers in order. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await settled();
      const due = [...this.#sleepers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#sleepers.delete(due);
      this.now = Math.max(this.now, due.at);
      due.wake();
    }
    this.now = until;
  }
}

/** Everything that can happen without time passing has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scheduled(time: ToldTime): {
  readonly scheduler: ReturnType<typeof createScheduler>;
  readonly starts: number[];
  readonly failures: { readonly agent: AgentName; readonly error: unknown }[];
  readonly every: (everyMs: number, rest?: Partial<Scheduled>) => void;
} {
  const starts: number[] = [];
  const failures: { readonly agent: AgentName; readonly error: unknown }[] = [];
  const scheduler = createScheduler({
    clock: time.clock,
    sleep: time.sleep,
    report: (failure) => {
      failures.push(failure);
      throw new Error('a sink that fails');
    },
  });
  return {
    scheduler,
    starts,
    failures,
    every: (everyMs, { step, ...rest } = {}) =>
      scheduler.add({
        agent: ANN,
        everyMs,
        ...rest,
        step: (signal) => {
          starts.push(time.now);
          return step?.(signal);
        },
      }),
  };
}

/** The shortest time between two starts that follow one another. */
function shortest(starts: readonly number[]): number {
  return Math.min(...starts.slice(1).map((start, i) => start - (starts[i] ?? 0)));
}

/** News that is there when told, until taken. */
function newsBox(): { put(): void; take(): void; readonly news: (signal: AbortSignal) => Promise<boolean> } {
  let there = false;
  let tell: (() => void) | undefined;
  return {
    put: () => {
      there = true;
      tell?.();
    },
    take: () => {
      there = false;
    },
    news: (signal) =>
      new Promise((resolve) => {
        if (there) return resolve(true);
        tell = () => resolve(true);
        signal.addEventListener('abort', () => resolve(false));
      }),
  };
}

describe('the scheduler', () => {
  it('runs an agent at once and then whenever its interval has passed (P56)', async () => {
    const time = new ToldTime();
    const { scheduler, starts, every } = scheduled(time);
    every(100);
    await time.pass(50);
    expect(starts).toEqual([]);
    scheduler.start();
    await time.pass(350);
    expect(starts).toEqual([50, 150, 250, 350]);
    expect(await scheduler.stop()).toEqual([]);
    await time.pass(500);
    expect(starts).toHaveLength(4);
  });

  it('makes up for nothing when the clock leaps ahead, and does not stall when it is set back (P56)', async () => {
    const time = new ToldTime();
    const { scheduler, starts, every } = scheduled(time);
    every(100);
    scheduler.start();
    await time.pass(10);
    time.jump = 3_600_000;
    await time.pass(190);
    expect(starts).toEqual([0, 100, 200]);
    time.jump = -7_200_000;
    await time.pass(300);
    expect(starts).toEqual([0, 100, 200, 300, 400, 500]);
    await scheduler.stop();
  });

  it('never starts an agent twice within its interval, whatever the clock, the steps and the news do (P56)', async () => {
    const happening = fc.record({
      ms: fc.nat(150),
      jump: fc.option(fc.integer({ min: -10_000, max: 10_000 }), { nil: undefined }),
      news: fc.boolean(),
      restart: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { maxLength: 25 }),
        fc.integer({ min: 1, max: 120 }),
        fc.array(fc.record({ lasts: fc.nat(200), fails: fc.boolean() }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (happenings, everyMs, runs, onNews) => {
          const time = new ToldTime();
          const { scheduler, starts, every } = scheduled(time);
          const box = newsBox();
          let under = 0;
          every(everyMs, {
            ...(onNews ? { news: box.news } : {}),
            step: async () => {
              const run = runs[starts.length % runs.length];
              under += 1;
              expect(under).toBe(1);
              box.take();
              await time.sleep(run?.lasts ?? 0, new AbortController().signal);
              under -= 1;
              if (run?.fails === true) throw new Error('a bad day');
            },
          });
          scheduler.start();
          for (const { ms, jump, news, restart } of happenings) {
            if (jump !== undefined) time.jump = jump;
            if (news) box.put();
            if (restart) {
              await scheduler.stop(0);
              scheduler.start();
            }
            await time.pass(ms);
          }
          expect(shortest(starts)).toBeGreaterThanOrEqual(everyMs);
          const stopping = scheduler.stop();
          await time.pass(1000);
          expect(await stopping).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('with news to wait for, runs when there is some and the interval has passed (P56)', async () => {
    const time = new ToldTime();
    const box = newsBox();
    const { scheduler, starts, every } = scheduled(time);
    every(100, { news: box.news, step: () => box.take() });
    scheduler.start();
    await time.pass(500);
    expect(starts).toEqual([]);
    box.put();
    await time.pass(10);
    expect(starts).toEqual([500]);
    box.put();
    await time.pass(10);
    expect(starts).toEqual([500]);
    await time.pass(500);
    expect(starts).toEqual([500, 600]);
    await scheduler.stop();
  });

  it('reports a step that throws and runs it again at the next interval, also when its news is gone', async () => {
    const time = new ToldTime();
    const box = newsBox();
    const { scheduler, starts, failures, every } = scheduled(time);
    every(2000, {
      news: box.news,
      step: () => {
        box.take();
        if (starts.length < 3) throw new Error(`failed at ${time.now}`);
      },
    });
    box.put();
    scheduler.start();
    await time.pass(9000);
    expect(starts).toEqual([0, 2000, 4000]);
    expect(failures).toMatchObject([
      { agent: 'ann', error: { message: 'failed at 0' } },
      { agent: 'ann', error: { message: 'failed at 2000' } },
    ]);
    await scheduler.stop();
  });

  it('does not run hot on a failing agent that has no interval', async () => {
    const time = new ToldTime();
    const { scheduler, starts, every } = scheduled(time);
    every(0, { news: () => Promise.resolve(true), step: () => Promise.reject(new Error('no')) });
    scheduler.start();
    await time.pass(3500);
    expect(starts).toEqual([0, 1000, 2000, 3000]);
    await scheduler.stop();
  });

  it('reports news that cannot be waited for, and asks again later', async () => {
    const time = new ToldTime();
    const { scheduler, starts, failures, every } = scheduled(time);
    every(0, { news: () => Promise.reject(new Error('closed')) });
    scheduler.start();
    await time.pass(2500);
    expect(starts).toEqual([]);
    expect(failures).toHaveLength(3);
    await scheduler.stop();
  });

  it('runs agents beside one another, a failing one included', async () => {
    const time = new ToldTime();
    const { scheduler, starts, every } = scheduled(time);
    every(100, { step: () => Promise.reject(new Error('no')) });
    const others: number[] = [];
    scheduler.add({ agent: BOB, everyMs: 30, step: () => void others.push(time.now) });
    scheduler.start();
    await time.pass(95);
    expect(others).toEqual([0, 30, 60, 90]);
    expect(starts).toEqual([0]);
    await scheduler.stop();
  });

  it('stopping aborts the step under way, waits for it, and names who does not come to an end', async () => {
    const time = new ToldTime();
    const { scheduler, failures, every } = scheduled(time);
    every(100, {
      step: (signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('as asked')))),
    });
    let finish: () => void = () => undefined;
    scheduler.add({ agent: BOB, everyMs: 10, step: () => new Promise<void>((resolve) => (finish = resolve)) });
    scheduler.start();
    await time.pass(1);
    expect(await scheduler.stop(5)).toEqual(['bob']);
    expect(failures).toEqual([]);
    finish();
    expect(await scheduler.stop(5)).toEqual([]);
  });

  it('started again while a step is still ending, runs on after it', async () => {
    const time = new ToldTime();
    const { scheduler, starts, every } = scheduled(time);
    let finish: () => void = () => undefined;
    every(100, { step: () => new Promise<void>((resolve) => (finish = resolve)) });
    scheduler.start();
    await time.pass(1);
    expect(await scheduler.stop(0)).toEqual(['ann']);
    scheduler.start();
    await time.pass(500);
    expect(starts).toEqual([0]);
    finish();
    await time.pass(99);
    expect(starts).toEqual([0]);
    await time.pass(10);
    expect(starts).toEqual([0, 601]);
    finish();
    await scheduler.stop();
  });

  it('takes agents out and puts others in while it runs', async () => {
    const time = new ToldTime();
    const { scheduler, starts, every } = scheduled(time);
    every(100);
    scheduler.start();
    await time.pass(150);
    await scheduler.remove(ANN);
    await scheduler.remove(ANN);
    const others: number[] = [];
    scheduler.add({ agent: BOB, everyMs: 100, step: () => void others.push(time.now) });
    await time.pass(150);
    expect(starts).toEqual([0, 100]);
    expect(others).toEqual([150, 250]);
    await scheduler.stop();
  });

  it('refuses agents that are there, and intervals that are none', () => {
    const { every } = scheduled(new ToldTime());
    expect(() => every(0)).toThrow('ann cannot run every 0 ms: give a positive interval, or something to wait for');
    expect(() => every(-5)).toThrow('-5 ms');
    expect(() => every(NaN)).toThrow('NaN ms');
    every(5);
    expect(() => every(5)).toThrow('ann is already scheduled; remove it first');
  });

  it('keeps its intervals on a real clock (P56)', async () => {
    const starts: number[] = [];
    const scheduler = createScheduler({ report: () => undefined });
    scheduler.add({ agent: ANN, everyMs: 5, step: () => void starts.push(performance.now()) });
    scheduler.start();
    while (starts.length < 8) await settled();
    await scheduler.stop();
    expect(shortest(starts)).toBeGreaterThanOrEqual(5);
  });
});
