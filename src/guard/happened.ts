import type { AgentName, Mark, MarkId, MarkKind, ScopeName } from '../space/marks.ts';
import type { Decision, DecisionRecord, Denial } from './decision.ts';
import type { GuardEvent } from './guard-event.ts';
import type { DecisionView } from './policies/policy.ts';
import type { GuardSettings } from './settings.ts';
import type { GuardState } from './state.ts';

/** One thing that the log says happened, as the parts of the guard fold it. */
export type Happened =
  | {
      readonly type: 'call';
      /** Epoch milliseconds. */
      readonly at: number;
      readonly agent: AgentName;
      readonly epoch: string;
      readonly call: DecisionRecord['call'];
      readonly verdict: Decision['verdict'];
      /** Which check refused. */
      readonly check?: Denial['check'] | undefined;
      readonly kind?: MarkKind | undefined;
      readonly scope?: ScopeName | undefined;
      readonly topic?: string | undefined;
      readonly resource?: string | undefined;
      /** The mark it left, or found already there. */
      readonly mark?: MarkId | undefined;
      /** `mark` was in the log before this call. */
      readonly repeated?: true | undefined;
      /** How many equal calls this stands for. */
      readonly count: number;
    }
  | { readonly type: 'mark'; readonly mark: Mark }
  | { readonly type: 'event'; readonly at: number; readonly event: GuardEvent };

/** What a fold may look at besides what happened. `view` may lag behind by the batch at hand, but for definitions. */
export interface FoldContext {
  readonly view: DecisionView;
  readonly settings: GuardSettings;
  /** Position in the log of the record that says so. Subscriptions need it; parts that do not may be folded without. */
  readonly seq?: number;
}

/**
 * One concern of the guard that remembers: `fold` writes what happened into the part's own maps. The same function runs when a batch is
 * staged and when a log is opened again, so that what is remembered is what the log says. No clock, no randomness, no I/O.
 */
export interface GuardPart {
  readonly name: string;
  readonly fold: (state: GuardState, happened: Happened, context: FoldContext) => void;
}
