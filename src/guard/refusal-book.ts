import type { DecisionRecord } from './decision.ts';

interface Page {
  readonly since: number;
  recorded: number;
  /** Counted since the last record. */
  folded: number;
  /** How many have to be counted until one record is made of them. */
  next: number;
  last: DecisionRecord;
}

/**
 * Counts equal refusals, so that a flood of them costs less to refuse than to send: beyond `after` in a window of `windowMs` one record stands
 * for the next `after`, then for twice as many, and so on; what is left when the window is over gets one of its own. @see protocol rule S15
 */
export class RefusalBook {
  readonly #after: number;
  readonly #windowMs: number;
  /** In the order of their windows. */
  readonly #pages = new Map<string, Page>();
  /** Pages with a count that no record tells of: key -> since when, in the order of their windows. */
  readonly #counted = new Map<string, number>();
  /** Pages whose counts the batch at hand tells of: they end when it is kept. */
  #told: string[] = [];
  /** What the batch at hand did otherwise, newest last. */
  #undo: (() => void)[] = [];

  constructor({ after, windowMs }: { readonly after: number; readonly windowMs: number }) {
    this.#after = Math.max(1, after);
    this.#windowMs = windowMs;
  }

  /** The record to make of a refusal: its own, one for many, or none yet. */
  note(record: DecisionRecord): DecisionRecord | undefined {
    const key = keyOf(record);
    const page = this.#pages.get(key);
    if (page === undefined || record.at - page.since >= this.#windowMs) {
      // A page with a count in it is told of before another is begun.
      if (page !== undefined && page.folded > 0) return record;
      this.#begin(key, record);
      return record;
    }
    const before = { ...page };
    this.#undo.push(() => this.#put(key, Object.assign(page, before)));
    if (page.recorded < this.#after) {
      page.recorded += 1;
      return record;
    }
    page.folded += 1;
    page.last = record;
    if (page.folded < page.next) {
      this.#put(key, page);
      return undefined;
    }
    const count = page.folded;
    page.folded = 0;
    page.next = 2 * count;
    this.#put(key, page);
    return { ...record, count };
  }

  /** Records for the counts of windows that are over at `now` (of all windows without one), made at `at`. */
  due(at: number, now?: number): readonly DecisionRecord[] {
    const records: DecisionRecord[] = [];
    for (const [key, page] of this.#pages) {
      if (now !== undefined && now - page.since < this.#windowMs) break;
      if (this.#told.includes(key)) continue;
      this.#told.push(key);
      if (page.folded > 0) records.push({ ...page.last, at, count: page.folded });
    }
    return records;
  }

  /** Epoch ms at which the oldest window with a count in it is over; undefined when there is none. */
  nextDue(): number | undefined {
    for (const since of this.#counted.values()) return since + this.#windowMs;
    return undefined;
  }

  keep(): void {
    for (const key of this.#told) {
      this.#pages.delete(key);
      this.#counted.delete(key);
    }
    this.drop(false);
  }

  drop(undo = true): void {
    if (undo) for (const step of this.#undo.reverse()) step();
    if (this.#undo.length > 0) this.#undo = [];
    if (this.#told.length > 0) this.#told = [];
  }

  #begin(key: string, record: DecisionRecord): void {
    const before = this.#pages.get(key);
    this.#undo.push(() => {
      if (before === undefined) this.#pages.delete(key);
      else this.#pages.set(key, before);
    });
    this.#pages.delete(key);
    this.#pages.set(key, { since: record.at, recorded: 1, folded: 0, next: this.#after, last: record });
  }

  #put(key: string, page: Page): void {
    if (page.folded === 0) this.#counted.delete(key);
    else if (!this.#counted.has(key)) this.#counted.set(key, page.since);
  }
}

/** What makes two refusals equal: who was refused what kind of call, and why; nothing that the caller is free to name. */
function keyOf({ agent, epoch, call, verdict, denial, holder, reason }: DecisionRecord): string {
  return JSON.stringify([agent, epoch, call, verdict, denial?.code, holder, reason]);
}
