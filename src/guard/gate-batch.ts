import type { LogEntry } from '../space/log.ts';
import type { Mark } from '../space/marks.ts';
import type { MarkView } from '../space/mark-index.ts';
import type { Batch } from './commit-queue.ts';
import type { Lease } from './policies/policy.ts';
import { StagedView } from './staged-view.ts';

/** What the calls of one batch leave behind, before it is appended: entries, and the leases and marks that the next call must respect. */
export class GateBatch implements Batch {
  readonly entries: LogEntry[] = [];
  readonly view: StagedView;
  /** Epoch milliseconds of everything in the batch; never before anything in the log. */
  readonly now: number;
  readonly #leases: ReadonlyMap<string, Lease>;
  readonly #staged = new Map<string, Lease | undefined>();

  constructor(view: MarkView, leases: ReadonlyMap<string, Lease>, now: number) {
    this.view = new StagedView(view);
    this.#leases = leases;
    this.now = now;
  }

  leaseAt(key: string): Lease | undefined {
    return this.#staged.has(key) ? this.#staged.get(key) : this.#leases.get(key);
  }

  stageLease(key: string, lease: Lease | undefined): void {
    this.#staged.set(key, lease);
  }

  /** Lets the leases stand, once the batch is durable. */
  commitLeases(leases: Map<string, Lease>): void {
    for (const [key, lease] of this.#staged) {
      if (lease === undefined) leases.delete(key);
      else leases.set(key, lease);
    }
  }

  addMark(mark: Mark): void {
    this.view.add(mark);
    this.entries.push({ key: mark.id, body: { type: 'mark', mark } });
  }
}
