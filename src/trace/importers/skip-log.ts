import type { Skipped } from '../loaded-run.ts';

/** How many skipped things are named one by one; all are counted. */
export const NAMED_SKIPS = 500;

/** Collects what could not be used. `why` is one of few fixed sentences, so that a tally by it says something. */
export class SkipLog {
  readonly #named: Skipped[] = [];
  readonly #counts = new Map<string, number>();
  readonly #onNote: (skipped: Skipped) => void;

  /** @param onNote called for each, counted or named */
  constructor(onNote: (skipped: Skipped) => void = () => {}) {
    this.#onNote = onNote;
  }

  note(skipped: Skipped): void {
    this.#onNote(skipped);
    this.#counts.set(skipped.why, (this.#counts.get(skipped.why) ?? 0) + 1);
    if (this.#named.length < NAMED_SKIPS) this.#named.push(skipped);
  }

  /** The first `NAMED_SKIPS`, in the order met. */
  get named(): readonly Skipped[] {
    return this.#named;
  }

  /** All, by reason, the most frequent first. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a));
  }
}
