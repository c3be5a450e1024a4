import { hash } from 'node:crypto';
import { isRecord } from '../space/json-value.ts';
import type { Json } from '../space/marks.ts';
import type { DecisionRecord } from './decision.ts';

/** What of a decision is compared: everything but when it was made. */
type Call = Omit<DecisionRecord, 'at'>;

/**
 * Gives every decision its record's id. A call made again after a crash gets the id it had, and so leaves no second record; a call
 * of the same number that turned out otherwise gets an id of its own (`c3~2`), so that no call goes unrecorded.
 * Keeps eight bytes per decision.
 */
export class DecisionLedger {
  /** Session (`<run>/<agent>/<epoch>`) -> digest of the decision at each call number. */
  readonly #digests = new Map<string, number[]>();
  /** Digests under ids that are not plain `c<n>`. */
  readonly #others = new Map<string, number>();

  /** Notes a decision found in the log. */
  apply(value: Json): void {
    if (!isRecord(value)) return;
    const { id } = value;
    if (typeof id === 'string' && this.#find(id) === undefined) this.#note(id, digestOf(value));
  }

  /** The id for a decision on call `n` of `session`; noted as given. */
  idFor(session: string, n: number, call: Omit<Call, 'id'>): string {
    const digest = digestOf(call);
    for (let attempt = 1; ; attempt += 1) {
      const id = attempt === 1 ? `${session}/c${n}` : `${session}/c${n}~${attempt}`;
      const noted = this.#find(id);
      if (noted === digest) return id;
      if (noted === undefined) {
        this.#note(id, digest);
        return id;
      }
    }
  }

  #note(id: string, digest: number): void {
    const plain = plainId(id);
    if (plain === undefined) {
      this.#others.set(id, digest);
      return;
    }
    let digests = this.#digests.get(plain.session);
    if (digests === undefined) this.#digests.set(plain.session, (digests = []));
    // Calls are numbered as they are made but may be decided in another order.
    while (digests.length < plain.n - 1) digests.push(0);
    digests[plain.n - 1] = digest;
  }

  #find(id: string): number | undefined {
    const plain = plainId(id);
    if (plain === undefined) return this.#others.get(id);
    const digest = this.#digests.get(plain.session)?.[plain.n - 1];
    return digest === undefined || digest === 0 ? undefined : digest;
  }
}

const MOST_CALLS = 1_000_000_000;

function plainId(id: string): { readonly session: string; readonly n: number } | undefined {
  const slash = id.lastIndexOf('/');
  const n = /^c([1-9]\d*)$/u.exec(id.slice(slash + 1))?.[1];
  return n === undefined || Number(n) > MOST_CALLS ? undefined : { session: id.slice(0, slash), n: Number(n) };
}

/** 48 bits, never 0. */
function digestOf(call: { readonly [Field in keyof Call]?: unknown }): number {
  const { agent, epoch, call: kind, verdict, subject, denial, holder, reason, mark } = call;
  const text = JSON.stringify([agent, epoch, kind, verdict, sorted(subject), sorted(denial), holder, reason, mark]);
  return Number.parseInt(hash('sha256', text).slice(0, 12), 16) || 1;
}

/** Key order is not part of what was decided. */
function sorted(value: unknown): unknown {
  return isRecord(value) ? Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)) : value;
}
