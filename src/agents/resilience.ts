import { setTimeout as sleepFor } from 'node:timers/promises';
import { CircuitBreaker } from './circuit-breaker.ts';
import { ModelError } from './model.ts';
import type { ModelErrorCode } from './model.ts';

/** How hard a model tries. */
export interface RetryPolicy {
  /** Requests per call, the first included. @default 6 */
  readonly maxAttempts: number;
  /** First wait; doubles with every further attempt. @default 1000 */
  readonly baseDelayMs: number;
  /** Longest wait of our own. @default 30000 */
  readonly maxDelayMs: number;
  /** Longest wait a provider may ask for. @default 120000 */
  readonly maxRetryAfterMs: number;
  /** One attempt, from sending to the stream's last byte. @default 300000 */
  readonly attemptTimeoutMs: number;
  /** The whole call, waits included; no attempt starts that could not wait its turn within it. @default 900000 */
  readonly overallMs: number;
}

export const RETRY_POLICY: RetryPolicy = {
  maxAttempts: 6,
  baseDelayMs: 1000,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 120_000,
  attemptTimeoutMs: 300_000,
  overallMs: 900_000,
};

/** Clock, sleep and chance, as parameters. */
export interface Timing {
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Rejects when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** 0 <= x < 1 */
  random(): number;
}

export const SYSTEM_TIMING: Timing = {
  now: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleepFor(ms, undefined, signal === undefined ? {} : { signal });
  },
  random: () => Math.random(),
};

/** What one failed attempt was. */
export interface Failure {
  readonly code: ModelErrorCode;
  /** What happened and, when nothing can be retried, the way out; never a key. */
  readonly message: string;
  /** Another attempt may help. */
  readonly retry: boolean;
  /** The provider is to blame, so the circuit breaker counts it. */
  readonly fault: boolean;
  /** The wait the provider asked for. */
  readonly retryAfterMs?: number | undefined;
}

export interface Attempts<T> {
  /** Named in errors: `openai/gpt-5`. */
  readonly model: string;
  readonly policy: RetryPolicy;
  readonly timing: Timing;
  readonly breaker: CircuitBreaker;
  readonly signal?: AbortSignal | undefined;
  /** One attempt; must end soon after its signal aborts, and answer whole or throw. */
  attempt(signal: AbortSignal): Promise<T>;
  classify(error: unknown): Failure;
}

/**
 * Tries until an attempt answers, backing off exponentially with jitter (half to all of the doubled wait), or as long as
 * the provider asks for. A call that finds the circuit open waits for its turn to probe if the overall limit lets it, and
 * else fails at once with `circuit-open`.
 *
 * @throws ModelError with the last failure's code and the number of attempts made.
 */
export async function withRetries<T>(options: Attempts<T>): Promise<{ readonly value: T; readonly attempts: number }> {
  const { model, policy, timing, breaker, signal } = options;
  const endsAt = timing.now() + policy.overallMs;
  const giveUp = (code: ModelErrorCode, message: string, attempts: number): ModelError =>
    new ModelError(code, model, `${model}: ${message}`, attempts);
  const aborted = (attempts: number): ModelError => giveUp('aborted', 'the call was aborted', attempts);
  const pause = async (ms: number, attempts: number): Promise<void> => {
    try {
      await timing.sleep(ms, signal);
    } catch (error) {
      if (signal?.aborted) throw aborted(attempts);
      throw error;
    }
    if (signal?.aborted) throw aborted(attempts);
  };

  for (let attempts = 0; ; ) {
    if (signal?.aborted) throw aborted(attempts);
    for (let waitMs = breaker.admit(); waitMs > 0; waitMs = breaker.admit()) {
      if (timing.now() + waitMs > endsAt) {
        const message = `not asked, since it failed repeatedly just now (circuit open for another ${seconds(waitMs)})`;
        throw giveUp('circuit-open', message, attempts);
      }
      await pause(waitMs, attempts);
    }
    attempts += 1;
    const timeoutMs = Math.min(policy.attemptTimeoutMs, Math.max(1, endsAt - timing.now()));
    const outcome = await tryOnce(options, timeoutMs);
    if (outcome.ok) {
      breaker.succeeded();
      return { value: outcome.value, attempts };
    }
    if (outcome.failure === 'aborted') {
      breaker.released();
      throw aborted(attempts);
    }
    const { failure } = outcome;
    if (failure.fault) breaker.failed();
    else breaker.succeeded();
    const tried = attempts === 1 ? '' : ` (after ${attempts} attempts)`;
    if (!failure.retry) throw giveUp(failure.code, `${failure.message}${tried}`, attempts);
    if (attempts >= policy.maxAttempts)
      throw giveUp(failure.code, `${failure.message} (gave up after ${attempts} attempts)`, attempts);
    const backoffMs =
      Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempts - 1)) * (0.5 + timing.random() / 2);
    const waitMs =
      failure.retryAfterMs === undefined
        ? backoffMs
        : Math.min(policy.maxRetryAfterMs, Math.max(failure.retryAfterMs, 0));
    if (timing.now() + waitMs > endsAt) {
      throw giveUp(
        failure.code,
        `${failure.message}${tried}; the next attempt would exceed the limit of ${seconds(policy.overallMs)}`,
        attempts,
      );
    }
    await pause(waitMs, attempts);
  }
}

type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure | 'aborted' };

/** One attempt against the clock. What a late attempt still answers is dropped. */
async function tryOnce<T>(options: Attempts<T>, timeoutMs: number): Promise<Outcome<T>> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const signal = options.signal === undefined ? late.signal : AbortSignal.any([options.signal, late.signal]);
  const cancelled = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')), { once: true });
  });
  cancelled.catch(() => undefined);
  try {
    const attempt = options.attempt(signal);
    attempt.catch(() => undefined);
    return { ok: true, value: await Promise.race([attempt, cancelled]) };
  } catch (error) {
    if (options.signal?.aborted) return { ok: false, failure: 'aborted' };
    if (late.signal.aborted) {
      const message = `no whole answer within ${seconds(timeoutMs)}`;
      return { ok: false, failure: { code: 'timeout', message, retry: true, fault: true } };
    }
    return { ok: false, failure: options.classify(error) };
  } finally {
    clearTimeout(timer);
  }
}

function seconds(ms: number): string {
  return `${ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000)} s`;
}
