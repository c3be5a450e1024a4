import type { Budget } from './config.ts';

/** What has been used so far, in the units of a budget. */
export interface Spent {
  readonly usd: number;
  readonly tokens: number;
  readonly calls: number;
  readonly wallMs: number;
}

type Limits = Pick<Budget, 'usd' | 'tokens' | 'calls' | 'wallMinutes'>;

/** A hard stop: the run ends here, everything recorded stays, and a resume with a larger budget goes on. */
export class BudgetStop extends Error {
  override readonly name = 'BudgetStop';
  readonly code = 'budget';
  readonly dimension: string;
  constructor(dimension: string, used: string, limit: string) {
    super(`budget of ${limit} ${dimension} is used up (${used})`);
    this.dimension = dimension;
  }
}

/**
 * Counts use against limits; shared by all agents of a run (and, with other limits, by all runs of an experiment).
 * A call in flight when a limit is reached is counted when it returns: overshoot is at most one call per agent.
 */
export class Meter {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly #parent: Meter | undefined;
  readonly #earlierWallMs: number;
  #usd = 0;
  #tokens = 0;
  #calls = 0;

  /** `now` is a monotonic clock in milliseconds; `earlierWallMs` is what previous sessions of a resumed run took. */
  constructor(limits: Limits, now: () => number, earlierWallMs = 0, parent?: Meter) {
    this.#limits = limits;
    this.#now = now;
    this.#startedAt = now();
    this.#earlierWallMs = earlierWallMs;
    this.#parent = parent;
  }

  add(call: { readonly usd: number; readonly tokens: number }): void {
    this.#usd += call.usd;
    this.#tokens += call.tokens;
    this.#calls += 1;
    this.#parent?.add(call);
  }

  spent(): Spent {
    const wallMs = this.#earlierWallMs + this.#now() - this.#startedAt;
    return { usd: this.#usd, tokens: this.#tokens, calls: this.#calls, wallMs };
  }

  /** Milliseconds until the wall limit, Infinity without one. */
  wallLeftMs(): number {
    const own =
      this.#limits.wallMinutes === undefined ? Infinity : this.#limits.wallMinutes * 60_000 - this.spent().wallMs;
    return Math.min(own, this.#parent?.wallLeftMs() ?? Infinity);
  }

  /** @throws BudgetStop when any limit is reached. */
  check(): void {
    const { usd, tokens, calls, wallMs } = this.spent();
    const limit = this.#limits;
    if (limit.usd !== undefined && usd >= limit.usd)
      throw new BudgetStop('usd', `$${usd.toFixed(4)} spent`, String(limit.usd));
    if (limit.tokens !== undefined && tokens >= limit.tokens)
      throw new BudgetStop('tokens', `${tokens} used`, String(limit.tokens));
    if (limit.calls !== undefined && calls >= limit.calls)
      throw new BudgetStop('calls', `${calls} made`, String(limit.calls));
    if (limit.wallMinutes !== undefined && wallMs >= limit.wallMinutes * 60_000) {
      throw new BudgetStop('wall minutes', `${(wallMs / 60_000).toFixed(1)} minutes taken`, String(limit.wallMinutes));
    }
    this.#parent?.check();
  }
}
