/**
 * Paths to look at, each at its time. A path that is marked again waits on (a save of many writes is looked at once), but no
 * longer than `maxHoldMs` in all. Bounded: past `maxPaths` new paths are dropped and it says so: the folder is to be looked at as a whole
 * once those that wait are done.
 */
export class DueQueue {
  readonly #entries = new Map<string, { readonly due: number; readonly since: number }>();
  readonly #maxPaths: number;
  readonly #maxHoldMs: number;
  #overflowed = false;

  constructor(limits: { readonly maxPaths: number; readonly maxHoldMs: number }) {
    this.#maxPaths = limits.maxPaths;
    this.#maxHoldMs = limits.maxHoldMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Looks at `path` in `delayMs`, unless it is marked again before. What is `known` is never dropped: there are so many, no more. */
  mark(path: string, now: number, delayMs: number, known: boolean): void {
    const since = this.#entries.get(path)?.since ?? now;
    if (!known && !this.#entries.has(path) && this.#entries.size >= this.#maxPaths) {
      this.#overflowed = true;
      return;
    }
    const due = Math.max(now, Math.min(now + delayMs, since + Math.max(this.#maxHoldMs, delayMs)));
    this.#entries.set(path, { due, since });
  }

  /** Takes out what is due. */
  take(now: number): readonly string[] {
    const due = [...this.#entries].filter(([, entry]) => entry.due <= now).map(([path]) => path);
    for (const path of due) this.#entries.delete(path);
    return due.sort();
  }

  /** When the next is due; undefined when nothing waits. */
  nextAt(): number | undefined {
    let next: number | undefined;
    for (const { due } of this.#entries.values()) next = next === undefined ? due : Math.min(next, due);
    return next;
  }

  /** Paths were dropped, and all others are done. Said once. */
  isDrained(): boolean {
    const drained = this.#overflowed && this.#entries.size === 0;
    if (drained) this.#overflowed = false;
    return drained;
  }
}
