import type { DraftBounds, KindedDraft } from '../space/mark-schema.ts';
import type { MarkView } from '../space/mark-index.ts';
import type { Task } from './commit-queue.ts';
import type { DecisionRecord } from './decision.ts';
import type { DecisionLedger } from './decision-ledger.ts';
import type { GateBatch } from './gate-batch.ts';
import type { GateClosedError } from './gate-closed-error.ts';
import type { Grant } from './grants.ts';
import type { GuardEvent } from './guard-event.ts';
import type { GatheredFacts } from './policies/policy.ts';
import type { RefusalBook } from './refusal-book.ts';
import type { GuardSettings } from './settings.ts';
import type { GuardState } from './state.ts';

/** Finds out, before a draft's turn, what a pure decision cannot: runs only for drafts that were admitted. May be slow; may throw. */
export type Gather = (draft: KindedDraft, grant: Grant) => Promise<GatheredFacts>;

/** What a session needs of its gate. */
export interface SessionPort {
  readonly run: string;
  readonly ledger: DecisionLedger;
  readonly refusals: RefusalBook;
  readonly state: GuardState;
  readonly settings: GuardSettings;
  readonly bounds: DraftBounds;
  readonly gather: Gather | undefined;
  /** The committed view. @throws {GateClosedError} */
  view(): MarkView;
  now(): number;
  push(task: Task<GateBatch>): void;
  /** Why the gate takes no more calls. */
  closed(): GateClosedError | undefined;
  /** Makes an event durable by itself. */
  event(event: GuardEvent): Promise<void>;
  onCommit(listener: () => void): () => void;
  /** An intent was stored that waits for a boundary: it may have been the last one. */
  waits(batch: GateBatch, draft: KindedDraft): void;
  /** Somebody wants to know of every decision once it is durable (or, one of many equal refusals, counted). */
  readonly told: ((record: DecisionRecord) => void) | undefined;
}
