/** Numbers of a circuit breaker. */
export interface BreakerPolicy {
  /** Consecutive provider faults that open the circuit. @default 8 */
  readonly threshold: number;
  /** Milliseconds an open circuit waits before it lets one probe through. @default 30000 */
  readonly cooldownMs: number;
}

export const BREAKER_POLICY: BreakerPolicy = { threshold: 8, cooldownMs: 30_000 };

/** How long a caller waits before it asks again while another's probe is under way. */
const PROBE_POLL_MS = 250;

/**
 * Keeps callers from hammering a provider that is down: closed until `threshold` faults in a row, then open for
 * `cooldownMs`, then half-open: one probe at a time, whose success closes it and whose fault opens it again. Shared by
 * all models of one provider and endpoint. Only faults of the provider count (unreachable, 5xx, timeouts, cut streams): a
 * refusal (400, 401, 429) is an answer.
 */
export class CircuitBreaker {
  readonly #policy: BreakerPolicy;
  readonly #now: () => number;
  #faults = 0;
  #openUntil: number | undefined;
  #probing = false;

  /** @param now milliseconds of a clock that never runs backwards */
  constructor(policy: BreakerPolicy = BREAKER_POLICY, now: () => number = () => performance.now()) {
    this.#policy = policy;
    this.#now = now;
  }

  get state(): 'closed' | 'open' | 'half-open' {
    if (this.#openUntil === undefined) return 'closed';
    return this.#now() < this.#openUntil ? 'open' : 'half-open';
  }

  /** Milliseconds to wait before asking; 0 is leave to go, which `succeeded`, `failed` or `released` must follow. */
  admit(): number {
    if (this.#openUntil === undefined) return 0;
    const left = this.#openUntil - this.#now();
    if (left > 0) return left;
    if (this.#probing) return PROBE_POLL_MS;
    this.#probing = true;
    return 0;
  }

  /** The provider answered, be it with a refusal. */
  succeeded(): void {
    this.#faults = 0;
    this.#openUntil = undefined;
    this.#probing = false;
  }

  /** The provider failed. */
  failed(): void {
    this.#faults += 1;
    if (this.#probing || this.#faults >= this.#policy.threshold)
      this.#openUntil = this.#now() + this.#policy.cooldownMs;
    this.#probing = false;
  }

  /** The call ended without telling anything about the provider (the caller gave up). */
  released(): void {
    this.#probing = false;
  }
}
