/** Where an agent's generation spends its wall time, by who uses it. */
export const SPENDERS = ['model', 'sandbox', 'guard', 'check'] as const;
export type Spender = (typeof SPENDERS)[number];

/** Sums wall milliseconds per agent and spender; `now` is monotonic. Overlapping spans of one spender count twice. */
export class Stopwatch {
  readonly #now: () => number;
  readonly #sums = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  now(): number {
    return this.#now();
  }

  /** Runs `work` on the account of `agent` and `spender`. */
  async time<T>(agent: string, spender: Spender, work: () => Promise<T>): Promise<T> {
    const from = this.#now();
    try {
      return await work();
    } finally {
      const key = `${agent}/${spender}`;
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + this.#now() - from);
    }
  }

  /** What has been spent for the agent since the last `take`, and starts again from 0. */
  take(agent: string): Record<Spender, number> {
    const sums = { model: 0, sandbox: 0, guard: 0, check: 0 };
    for (const spender of SPENDERS) {
      const key = `${agent}/${spender}`;
      sums[spender] = this.#sums.get(key) ?? 0;
      this.#sums.delete(key);
    }
    return sums;
  }
}
