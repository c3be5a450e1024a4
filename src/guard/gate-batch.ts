import type { LogEntry } from '../space/log.ts';
import type { Json, Mark, MarkId } from '../space/marks.ts';
import type { MarkView } from '../space/mark-index.ts';
import type { Batch } from './commit-queue.ts';
import type { MarkCall, PlainCall } from './decided.ts';
import type { DecisionRecord } from './decision.ts';
import type { GuardEvent } from './guard-event.ts';
import type { FoldContext } from './happened.ts';
import { foldCall, foldDecision, foldEvent, foldMark, nextEventKey } from './parts.ts';
import type { GuardSettings } from './settings.ts';
import { StagedView } from './staged-view.ts';
import type { GuardState } from './state.ts';

/** What the calls of one batch leave behind, before it is appended: entries, and all that the next call must respect. */
export class GateBatch implements Batch {
  readonly entries: LogEntry[] = [];
  readonly view: StagedView;
  /** The guard's memory with what the batch staged; kept or dropped with the batch. */
  readonly state: GuardState;
  /** Epoch milliseconds of everything in the batch; never before anything in the log. */
  readonly now: number;
  readonly settings: GuardSettings;
  readonly run: string;
  readonly #base: number;
  readonly #context: FoldContext & { seq: number };
  #afterwards: (() => void)[] = [];

  constructor(view: MarkView, state: GuardState, settings: GuardSettings, run: string, now: number) {
    this.view = new StagedView(view);
    this.state = state;
    this.settings = settings;
    this.run = run;
    this.now = now;
    this.#base = view.seq;
    this.#context = { view: this.view, settings, seq: view.seq };
  }

  /** What is folded next: the last entry, at its place in the log if none of the batch is there already. */
  #contextOfLast(): FoldContext {
    this.#context.seq = this.#base + this.entries.length;
    return this.#context;
  }

  /** A mark, and the call, of a session of `epoch`, that let it in when that leaves no record of its own. */
  addMark(mark: Mark, call?: MarkCall | PlainCall, epoch?: string): void {
    this.view.add(mark);
    if (call === undefined) this.entries.push({ key: mark.id, body: { type: 'mark', mark } });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- strings and lists of strings
    else this.entries.push({ key: mark.id, body: { type: 'mark', mark, call: call as unknown as Json } });
    const context = this.#contextOfLast();
    if (call !== undefined) foldCall(this.state, mark, call, context, epoch);
    foldMark(this.state, mark, context);
  }

  addDecision(record: DecisionRecord): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a decision record is plain JSON
    this.entries.push({ key: record.id, body: { type: 'decision', decision: record as unknown as Json } });
    foldDecision(this.state, record, this.#contextOfLast());
  }

  /** Puts off what follows from a call until the call itself is in. */
  afterwards(consequence: () => void): void {
    this.#afterwards.push(consequence);
  }

  settleAfterwards(): void {
    if (this.#afterwards.length === 0) return;
    const consequences = this.#afterwards;
    this.#afterwards = [];
    for (const consequence of consequences) consequence();
  }

  addEvent(event: GuardEvent, withdraws: readonly MarkId[] = []): void {
    const key = nextEventKey(this.state, this.run);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an event is plain JSON
    const told = { at: this.now, ...event } as unknown as Json;
    const body = { type: 'event', event: told, ...(withdraws.length === 0 ? {} : { withdraws }) } as const;
    this.entries.push({ key, body });
    for (const id of withdraws) this.view.withdraw(id);
    foldEvent(this.state, event, this.now, this.#contextOfLast());
  }
}
