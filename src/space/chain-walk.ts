import { followHead, type StoredRow } from './chain.ts';
import { GENESIS_HASH, type LogHead } from './log.ts';

export interface BadRecord {
  /** 1-based position of the first bad record. */
  readonly seq: number;
  readonly reason: string;
}

/** `records`: how many were found good, or are there at all when the log is whole. */
export interface Verification {
  readonly ok: boolean;
  readonly records: number;
  readonly firstBad?: BadRecord;
}

export function badRecord(records: number, seq: number, reason: string): Verification {
  return { ok: false, records, firstBad: { seq, reason } };
}

/**
 * Follows a log's rows from the first to the last against its own chain and against anchors kept elsewhere. Whatever the log is
 * stored in, the same rows give the same answer.
 */
export class ChainWalk {
  readonly #anchors: ReadonlyMap<number, readonly LogHead[]>;
  readonly #newest: number;
  #head: LogHead = { seq: 0, hash: GENESIS_HASH };
  /** Position of the last anchor that was met. */
  #vouched = 0;

  constructor(anchors: readonly LogHead[]) {
    this.#anchors = Map.groupBy(anchors, ({ seq }) => seq);
    this.#newest = anchors.reduce((max, { seq }) => Math.max(max, seq), 0);
  }

  /** The last record found good. */
  get head(): LogHead {
    return this.#head;
  }

  /** The next row. Returns what is wrong, and then the walk is over. */
  follow(row: StoredRow): Verification | undefined {
    const step = followHead(this.#head, row);
    if (!step.ok) return this.unreadable(step.reason);
    this.#head = { seq: step.record.seq, hash: step.record.hash };
    const { seq, hash } = this.#head;
    const here = this.#anchors.get(seq);
    if (here === undefined) return undefined;
    if (here.some((anchor) => anchor.hash !== hash)) {
      const since = this.#vouched === seq - 1 ? '' : `; it, or a record after ${this.#vouched}, was replaced`;
      return badRecord(this.#vouched, seq, `it is not the record that was anchored${since}`);
    }
    this.#vouched = seq;
    return undefined;
  }

  /** The record after the last good one is at fault, for `reason`. */
  unreadable(reason: string): Verification {
    return badRecord(this.#head.seq, this.#head.seq + 1, reason);
  }

  /** There are no more rows. */
  finish(): Verification {
    const { seq } = this.#head;
    if (this.#newest > seq)
      return this.unreadable(`missing: the log was anchored at ${this.#newest} and ends at ${seq}`);
    return { ok: true, records: seq };
  }
}
