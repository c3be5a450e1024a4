import { hash } from 'node:crypto';
import { isRecord } from '../space/json-value.ts';
import type { MarkId } from '../space/marks.ts';
import type { PlainCall } from './decided.ts';
import type { DecisionRecord } from './decision.ts';

/** What of a decision is compared: everything but when it was made. */
export type Call = Omit<DecisionRecord, 'at' | 'id'>;

/** What is known of one session. */
interface Noted {
  /** Digest of the decision at each call number. */
  readonly digests: number[];
  /** The highest number of a mark that a call left, and of one that an execution will leave. Neither falls when a batch is dropped. */
  stored: number;
  booked: number;
}

/**
 * Gives every decision its record's id. A call made again after a crash gets the id it had, and so leaves no second record; a call
 * of the same number that turned out otherwise gets an id of its own (`c3~2`), so that no call goes unrecorded.
 * What a batch notes can be kept or dropped with it. Keeps eight bytes per decision.
 */
export class DecisionLedger {
  /** By session (`<run>/<agent>/<epoch>`). */
  readonly #sessions = new Map<string, Noted>();
  /** Digests under ids that are not plain `c<n>`. */
  readonly #others = new Map<string, number>();
  /** What the batch at hand noted where nothing was before: lists, and the places in them. */
  readonly #noted: number[][] = [];
  readonly #places: number[] = [];
  readonly #stagedOthers = new Map<string, number>();

  /** Notes a decision found in the log, under the id it has there. */
  apply(session: string, suffix: string, call: Call): void {
    const n = plainNumber(suffix);
    if (n === undefined) this.#others.set(`${session}/${suffix}`, digestOf(session, call));
    else noteAt(this.#notedOf(session).digests, n, digestOf(session, call));
    this.#noteMark(session, call.mark);
  }

  /** The same for a plain call whose mark is its record. */
  applyPlain(session: string, call: PlainCall, mark: MarkId): void {
    const noted = this.#notedOf(session);
    const number = numberOf(session, mark);
    if (!(number > 0)) return;
    noteAt(noted.digests, Math.abs(call), allowedDigest(call < 0 ? 'execute' : 'write', number));
    noteNumber(noted, number, call < 0);
  }

  /**
   * Whether no mark of a session's can be in the log under this number or a higher one, so that nobody has to look. `booked`: but for the
   * actions of executions that are under way.
   */
  isNew(session: string, number: number, booked = false): boolean {
    const noted = this.#sessions.get(session);
    return noted === undefined || (number > noted.stored && (booked || number > noted.booked));
  }

  /** The last part of the id for the decision on call `n` of `session`, noted as given; `known`: it is on record already. */
  idFor(session: string, n: number, call: Call): { readonly suffix: string; readonly known: boolean } {
    const digest = digestOf(session, call);
    const { digests } = this.#notedOf(session);
    this.#noteMark(session, call.mark);
    const noted = digests[n - 1] ?? 0;
    if (noted === digest) return { suffix: `c${n}`, known: true };
    if (noted === 0) {
      this.#note(digests, n, digest);
      return { suffix: `c${n}`, known: false };
    }
    for (let attempt = 2; ; attempt += 1) {
      const suffix = `c${n}~${attempt}`;
      const id = `${session}/${suffix}`;
      const other = this.#stagedOthers.get(id) ?? this.#others.get(id);
      if (other === digest) return { suffix, known: true };
      if (other !== undefined) continue;
      this.#stagedOthers.set(id, digest);
      return { suffix, known: false };
    }
  }

  /** Notes a call that was allowed and left the session's mark `number`, if it is made for the first time: then `c<n>` is its id. */
  noteAllowed(session: string, n: number, call: 'write' | 'execute', number: number): boolean {
    const noted = this.#notedOf(session);
    const { digests } = noted;
    if (!(number > 0) || (digests[n - 1] ?? 0) !== 0) return false;
    this.#note(digests, n, allowedDigest(call, number));
    noteNumber(noted, number, call === 'execute');
    return true;
  }

  keep(): void {
    for (const [id, digest] of this.#stagedOthers) this.#others.set(id, digest);
    this.#forget();
  }

  drop(): void {
    for (const [i, digests] of this.#noted.entries()) digests[this.#places[i] ?? 0] = 0;
    this.#forget();
  }

  #forget(): void {
    this.#noted.length = 0;
    this.#places.length = 0;
    this.#stagedOthers.clear();
  }

  #note(digests: number[], n: number, digest: number): void {
    this.#noted.push(digests);
    this.#places.push(n - 1);
    noteAt(digests, n, digest);
  }

  /** As if by an execution, whatever the call: a number too many is only looked up in vain. */
  #noteMark(session: string, mark: MarkId | undefined): void {
    const number = mark === undefined ? 0 : numberOf(session, mark);
    const noted = this.#notedOf(session);
    if (number > 0) noteNumber(noted, number, true);
  }

  #notedOf(session: string): Noted {
    let noted = this.#sessions.get(session);
    if (noted === undefined) this.#sessions.set(session, (noted = { digests: [], stored: 0, booked: 0 }));
    return noted;
  }
}

/** An execution has the next number too. */
function noteNumber(noted: Noted, number: number, isExecution: boolean): void {
  noted.stored = Math.max(noted.stored, number);
  if (isExecution) noted.booked = Math.max(noted.booked, number + 1);
}

function noteAt(digests: number[], n: number, digest: number): void {
  // Calls are numbered as they are made but may be decided in another order.
  while (digests.length < n - 1) digests.push(0);
  digests[n - 1] = digest;
}

const MOST_CALLS = 1_000_000_000;

function plainNumber(suffix: string): number | undefined {
  const n = /^c([1-9]\d*)$/u.exec(suffix)?.[1];
  return n === undefined || Number(n) > MOST_CALLS ? undefined : Number(n);
}

/**
 * 48 bits, never 0. For what was allowed, the number of the mark it left, below 0: the mark's id stands for its content, since the gate
 * stores no other content under it.
 */
function digestOf(session: string, call: Call): number {
  const { call: kind, verdict, subject, denial, holder, reason, mark, flags, count } = call;
  if (verdict === 'allow' && mark !== undefined && flags === undefined && (kind === 'write' || kind === 'execute')) {
    const number = numberOf(session, mark);
    if (number > 0) return allowedDigest(kind, number);
  }
  const text = JSON.stringify([kind, verdict, sorted(subject), sorted(denial), holder, reason, mark, flags, count]);
  return Number.parseInt(hash('sha256', text).slice(0, 12), 16) || 1;
}

/** By the number of the mark that it left. */
function allowedDigest(call: 'write' | 'execute', number: number): number {
  return -2 * number - (call === 'execute' ? 1 : 0);
}

/** The number of a mark of the session's own; NaN for any other. */
export function numberOf(session: string, mark: MarkId): number {
  return mark.startsWith(session) ? Number(mark.slice(session.length + 2)) : Number.NaN;
}

/** Key order is not part of what was decided. */
function sorted(value: unknown): unknown {
  return isRecord(value) ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : value;
}
