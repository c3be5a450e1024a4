import { isRecord } from '../space/json-value.ts';
import type { DecisionRecord } from './decision.ts';

interface Page {
  readonly since: number;
  recorded: number;
  folded: number;
  last: DecisionRecord;
}

/**
 * Counts equal refusals, so that a flood of them costs less to refuse than to send: beyond `after` in a window of `windowMs` they leave no
 * record each but, when the window is over, one for all. @see protocol rule S15
 */
export class RefusalBook {
  readonly #after: number;
  readonly #windowMs: number;
  readonly #pages = new Map<string, Page>();
  /** Pages with a count in them, in the order of their windows: key -> since when. */
  readonly #counted = new Map<string, number>();
  /** What the batch at hand did, newest last, so that it can be undone. */
  #undo: (() => void)[] = [];

  constructor({ after, windowMs }: { readonly after: number; readonly windowMs: number }) {
    this.#after = after;
    this.#windowMs = windowMs;
  }

  /** Whether a refusal is recorded by itself; otherwise it is counted, and `due` will tell. */
  isRecorded(record: DecisionRecord): boolean {
    const key = keyOf(record);
    const page = this.#pages.get(key);
    if (page === undefined || record.at - page.since >= this.#windowMs) {
      // A page with a count in it is told before another is begun.
      if (page !== undefined && page.folded > 0) return true;
      this.#set(key, { since: record.at, recorded: 1, folded: 0, last: record });
      return true;
    }
    const before = { ...page };
    this.#undo.push(() => {
      this.#pages.set(key, before);
      if (before.folded === 0) this.#counted.delete(key);
    });
    if (page.recorded < this.#after) {
      page.recorded += 1;
      return true;
    }
    page.folded += 1;
    if (page.folded === 1) this.#counted.set(key, page.since);
    page.last = record;
    return false;
  }

  /** The records of windows that are over at `now` (all windows without one): each stands for the refusals that left none. */
  due(now?: number): readonly DecisionRecord[] {
    const told: DecisionRecord[] = [];
    for (const [key, page] of this.#pages) {
      // Pages are in the order of their windows.
      if (now !== undefined && now - page.since < this.#windowMs) break;
      this.#undo.push(() => {
        this.#pages.set(key, page);
        if (page.folded > 0) this.#counted.set(key, page.since);
      });
      this.#pages.delete(key);
      this.#counted.delete(key);
      if (page.folded > 0) told.push({ ...page.last, count: page.folded });
    }
    return told;
  }

  /** Epoch ms at which the oldest window with a count in it is over; undefined when there is none. */
  nextDue(): number | undefined {
    for (const since of this.#counted.values()) return since + this.#windowMs;
    return undefined;
  }

  keep(): void {
    if (this.#undo.length > 0) this.#undo = [];
  }

  drop(): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
  }

  #set(key: string, page: Page): void {
    const before = this.#pages.get(key);
    this.#undo.push(() => {
      if (before === undefined) this.#pages.delete(key);
      else this.#pages.set(key, before);
    });
    this.#pages.delete(key);
    this.#pages.set(key, page);
  }
}

/** What makes two refusals equal: who asked for what kind of thing where, and why not; not the topic or text that varies freely. */
function keyOf({ agent, epoch, call, verdict, denial, holder, reason, subject }: DecisionRecord): string {
  const { kind, scope, tool, operation } = isRecord(subject) ? subject : {};
  return JSON.stringify([agent, epoch, call, verdict, denial?.code, holder, reason, kind, scope, tool, operation]);
}
