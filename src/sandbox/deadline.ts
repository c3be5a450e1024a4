/**
 * A budget of milliseconds on the parent's monotonic clock that can be paused and resumed. `expired` is called once when it is
 * used up, after whatever had already arrived by then was delivered (an answer in the pipe beats the deadline).
 */
export class Deadline {
  #leftMs: number;
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #expired: () => void;

  constructor(budgetMs: number, expired: () => void) {
    this.#leftMs = budgetMs;
    this.#expired = expired;
  }

  get running(): boolean {
    return this.#since !== undefined;
  }

  resume(): void {
    if (this.#since !== undefined) return;
    this.#since = performance.now();
    this.#timer = setTimeout(
      () => {
        setImmediate(() => {
          if (this.#since === undefined) return;
          // Timers may fire a fraction early; nothing may be left over from that.
          this.#leftMs = Math.min(this.#leftMs, performance.now() - this.#since);
          this.#expired();
        });
      },
      Math.max(0, Math.min(this.#leftMs, 2 ** 31 - 1)),
    );
  }

  /** Stops the clock. */
  pause(): void {
    if (this.#since === undefined) return;
    clearTimeout(this.#timer);
    this.#leftMs -= performance.now() - this.#since;
    this.#since = undefined;
  }

  /** Milliseconds left; what runs now counts as used. */
  get leftMs(): number {
    return this.#leftMs - (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
