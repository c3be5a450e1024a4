import { expect, test } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.ts';
import { ModelError } from './model.ts';
import type { Attempts, Failure, RetryPolicy } from './resilience.ts';
import { RETRY_POLICY, withRetries } from './resilience.ts';

const FAULT: Failure = { code: 'unavailable', message: 'it failed', retry: true, fault: true };

/** A clock that only sleeping moves. */
function virtual(random = 0.5) {
  const slept: number[] = [];
  let now = 0;
  return {
    slept,
    skip: (ms: number) => {
      now += ms;
    },
    timing: {
      now: () => now,
      sleep: async (ms: number) => {
        slept.push(ms);
        now += ms;
      },
      random: () => random,
    },
  };
}

function attempts(
  clock: ReturnType<typeof virtual>,
  attempt: Attempts<string>['attempt'],
  policy: Partial<RetryPolicy> = {},
  more: Partial<Attempts<string>> = {},
): Attempts<string> {
  return {
    model: 'openai/m',
    policy: { ...RETRY_POLICY, ...policy },
    timing: clock.timing,
    breaker: new CircuitBreaker(undefined, clock.timing.now),
    attempt,
    classify: () => FAULT,
    ...more,
  };
}

async function errorOf(promise: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  if (!(error instanceof ModelError)) throw new Error('no ModelError');
  return error;
}

test('waits double up to the longest one, with jitter between half and all of it', async () => {
  const failing = async (): Promise<string> => {
    throw new Error('no');
  };
  const low = virtual(0);
  await errorOf(withRetries(attempts(low, failing, { maxAttempts: 7, maxDelayMs: 8000 })));
  expect(low.slept).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
  const high = virtual(0.999999);
  await errorOf(withRetries(attempts(high, failing, { maxAttempts: 7, maxDelayMs: 8000 })));
  expect(high.slept.map(Math.round)).toEqual([1000, 2000, 4000, 8000, 8000, 8000]);
});

test('gives up before a wait that would exceed the overall limit', async () => {
  const clock = virtual();
  const error = await errorOf(
    withRetries(
      attempts(
        clock,
        async () => {
          throw new Error('no');
        },
        { maxAttempts: 100, overallMs: 10_000 },
      ),
    ),
  );
  expect(error.code).toBe('unavailable');
  expect(error.message).toContain('limit of 10 s');
  expect(clock.timing.now()).toBeLessThanOrEqual(10_000);
  expect(error.attempts).toBe(4);
});

test('what cannot help is not tried twice', async () => {
  let tries = 0;
  const refused: Failure = { code: 'auth', message: 'no', retry: false, fault: false };
  const error = await errorOf(
    withRetries(
      attempts(
        virtual(),
        async () => {
          tries += 1;
          throw new Error('no');
        },
        {},
        { classify: () => refused },
      ),
    ),
  );
  expect([error.code, tries]).toEqual(['auth', 1]);
});

test('an attempt that ignores its abort signal is still timed out, and its late answer is dropped', async () => {
  let tries = 0;
  const result = await withRetries(
    attempts(
      virtual(),
      () => {
        tries += 1;
        return tries === 1
          ? new Promise<string>((resolve) => setTimeout(resolve, 200, 'late'))
          : Promise.resolve('in time');
      },
      { attemptTimeoutMs: 30 },
    ),
  );
  expect(result).toEqual({ value: 'in time', attempts: 2 });
});

test('an abort during a wait ends the call without another attempt', async () => {
  const abort = new AbortController();
  const clock = virtual();
  let tries = 0;
  const error = await errorOf(
    withRetries(
      attempts(
        clock,
        async () => {
          tries += 1;
          throw new Error('no');
        },
        {},
        {
          signal: abort.signal,
          timing: {
            ...clock.timing,
            sleep: async () => {
              abort.abort();
              throw abort.signal.reason;
            },
          },
        },
      ),
    ),
  );
  expect([error.code, error.attempts, tries]).toEqual(['aborted', 1, 1]);
});

test('the circuit opens after consecutive faults only, lets one probe through, and closes on its answer', () => {
  const clock = virtual();
  const breaker = new CircuitBreaker({ threshold: 3, cooldownMs: 1000 }, clock.timing.now);
  breaker.failed();
  breaker.failed();
  breaker.succeeded();
  breaker.failed();
  breaker.failed();
  expect([breaker.state, breaker.admit()]).toEqual(['closed', 0]);
  breaker.failed();
  expect([breaker.state, breaker.admit()]).toEqual(['open', 1000]);
  clock.skip(999);
  expect(breaker.admit()).toBe(1);
  clock.skip(1);
  expect([breaker.state, breaker.admit()]).toEqual(['half-open', 0]);
  expect(breaker.admit()).toBeGreaterThan(0);
  breaker.failed();
  expect([breaker.state, breaker.admit()]).toEqual(['open', 1000]);
  clock.skip(1000);
  expect(breaker.admit()).toBe(0);
  breaker.released();
  expect(breaker.admit()).toBe(0);
  breaker.succeeded();
  expect([breaker.state, breaker.admit(), breaker.admit()]).toEqual(['closed', 0, 0]);
});

test('callers of a provider that is down ask it once per cooldown, however many they are', async () => {
  const clock = virtual();
  const breaker = new CircuitBreaker({ threshold: 2, cooldownMs: 10_000 }, clock.timing.now);
  const asked: number[] = [];
  const down = attempts(
    clock,
    async () => {
      asked.push(clock.timing.now());
      throw new Error('down');
    },
    { maxAttempts: 4, baseDelayMs: 1 },
    { breaker },
  );
  await Promise.all([1, 2, 3].map(async () => errorOf(withRetries(down))));
  const afterOpening = asked.slice(3);
  const gaps = afterOpening.slice(1).map((at, index) => at - (afterOpening[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(10_000);
  expect(asked.length).toBe(12);
});
