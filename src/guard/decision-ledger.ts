import { hash } from 'node:crypto';
import { isRecord } from '../space/json-value.ts';
import type { MarkId } from '../space/marks.ts';
import type { PlainCall } from './decided.ts';
import type { DecisionRecord } from './decision.ts';

/** What of a decision is compared: everything but when it was made. */
export type Call = Omit<DecisionRecord, 'at' | 'id'>;

/**
 * Gives every decision its record's id. A call made again after a crash gets the id it had, and so leaves no second record; a call
 * of the same number that turned out otherwise gets an id of its own (`c3~2`), so that no call goes unrecorded.
 * What a batch notes can be kept or dropped with it. Keeps eight bytes per decision.
 */
export class DecisionLedger {
  /** Session (`<run>/<agent>/<epoch>`) -> digest of the decision at each call number. */
  readonly #digests = new Map<string, number[]>();
  /** Digests under ids that are not plain `c<n>`. */
  readonly #others = new Map<string, number>();
  /** How to undo what the batch at hand noted: list, place, what was there. */
  readonly #undo: [digests: number[], place: number, before: number][] = [];
  readonly #stagedOthers = new Map<string, number>();

  /** Notes a decision found in the log, under the id it has there. */
  apply(session: string, suffix: string, call: Call): void {
    const n = plainNumber(suffix);
    if (n === undefined) this.#others.set(`${session}/${suffix}`, digestOf(session, call));
    else noteAt(this.#digestsOf(session), n, digestOf(session, call));
  }

  /** The same for a plain call whose mark is its record. */
  applyPlain(session: string, call: PlainCall, mark: MarkId): void {
    const digest = allowedDigest(session, call < 0 ? 'execute' : 'write', mark);
    if (digest !== undefined) noteAt(this.#digestsOf(session), Math.abs(call), digest);
  }

  /** The last part of the id for the decision on call `n` of `session`, noted as given; `known`: it is on record already. */
  idFor(session: string, n: number, call: Call): { readonly suffix: string; readonly known: boolean } {
    const digest = digestOf(session, call);
    const digests = this.#digestsOf(session);
    const noted = digests[n - 1] ?? 0;
    if (noted === digest) return { suffix: `c${n}`, known: true };
    if (noted === 0) {
      this.#undo.push([digests, n - 1, noted]);
      noteAt(digests, n, digest);
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

  /** Notes a call that was allowed and left `mark`, if it is made for the first time: then `c<n>` is its id. */
  noteAllowed(session: string, n: number, call: 'write' | 'execute', mark: MarkId): boolean {
    const digest = allowedDigest(session, call, mark);
    const digests = this.#digestsOf(session);
    if (digest === undefined || (digests[n - 1] ?? 0) !== 0) return false;
    this.#undo.push([digests, n - 1, 0]);
    noteAt(digests, n, digest);
    return true;
  }

  keep(): void {
    for (const [id, digest] of this.#stagedOthers) this.#others.set(id, digest);
    this.#undo.length = 0;
    this.#stagedOthers.clear();
  }

  drop(): void {
    for (const [digests, place, before] of this.#undo) digests[place] = before;
    this.#undo.length = 0;
    this.#stagedOthers.clear();
  }

  #digestsOf(session: string): number[] {
    let digests = this.#digests.get(session);
    if (digests === undefined) this.#digests.set(session, (digests = []));
    return digests;
  }
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
    const digest = allowedDigest(session, kind, mark);
    if (digest !== undefined) return digest;
  }
  const text = JSON.stringify([kind, verdict, sorted(subject), sorted(denial), holder, reason, mark, flags, count]);
  return Number.parseInt(hash('sha256', text).slice(0, 12), 16) || 1;
}

/** For a mark of the session's own. */
function allowedDigest(session: string, call: 'write' | 'execute', mark: MarkId): number | undefined {
  const n = mark.startsWith(session) ? Number(mark.slice(session.length + 2)) : Number.NaN;
  return n > 0 ? -2 * n - (call === 'execute' ? 1 : 0) : undefined;
}

/** Key order is not part of what was decided. */
function sorted(value: unknown): unknown {
  return isRecord(value) ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : value;
}
