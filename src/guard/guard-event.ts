import type { AgentName, MarkId, MarkKind, ScopeName } from '../space/marks.ts';
import type { WatchPattern } from '../space/watch.ts';
import type { TokenBudget } from './grants.ts';

/** What somebody is kept from: `agent` absent means everybody, `kind` absent means every kind but needs. */
export interface Restriction {
  readonly agent?: AgentName;
  readonly scope: ScopeName;
  readonly kind?: MarkKind;
}

/** How one resource was settled: who may act on it now, and whose intents came to nothing. */
export interface Settlement {
  readonly scope: ScopeName;
  readonly resource: string;
  readonly winners: readonly { readonly intent: MarkId; readonly agent: AgentName }[];
  readonly losers: readonly MarkId[];
  /** Until when a winner's right to act holds, epoch ms. */
  readonly until: number;
}

/**
 * What changes the guard's memory other than marks and decisions: one record of the log each, so that a guard that is opened again
 * remembers all of it.
 */
export type GuardEvent =
  /** The barrier closes; `needed`: until the principal resolved a Need that the agent wrote there since. */
  | {
      readonly what: 'revoked';
      readonly restriction: Restriction;
      readonly reason: string;
      readonly needed?: true;
    }
  /** Who holds the token with this sha256 (hex) is the principal. */
  | { readonly what: 'principal-set'; readonly tokenSha256: string }
  /** The principal lifts what a restriction covers. */
  | { readonly what: 'restored'; readonly restriction: Restriction }
  /** The principal sets an agent's envelope back to its cold start. */
  | { readonly what: 'envelope-reset'; readonly agent: AgentName }
  /** Tokens an agent used; both counts are of this spending alone. */
  | {
      readonly what: 'spent';
      readonly agent: AgentName;
      readonly round: string;
      readonly inputTokens: number;
      readonly outputTokens: number;
    }
  | { readonly what: 'budget-set'; readonly agent: AgentName; readonly budget: TokenBudget }
  /** A deferred scope was settled over all its live intents. */
  | { readonly what: 'boundary'; readonly scope: ScopeName; readonly settlements: readonly Settlement[] }
  /** The principal picked among those who all yielded. */
  | { readonly what: 'settled'; readonly need: MarkId; readonly settlement: Settlement }
  /** An agent gave up an intent or an award of its own. */
  | {
      readonly what: 'released';
      readonly agent: AgentName;
      readonly intent: MarkId;
      readonly scope: ScopeName;
      readonly resource: string;
    }
  /** An execution that a crash cut off goes on. */
  | {
      readonly what: 'leased';
      readonly agent: AgentName;
      readonly epoch: string;
      readonly scope: ScopeName;
      readonly resource: string;
      readonly intent: MarkId;
    }
  /** A session is over, and with it its leases. */
  | {
      readonly what: 'session-ended';
      readonly run: string;
      readonly agent: AgentName;
      readonly epoch: string;
      /** For good: it cannot be opened again. */
      readonly revoked: boolean;
    }
  | { readonly what: 'subscribed'; readonly agent: AgentName; readonly name: string; readonly pattern: WatchPattern }
  | { readonly what: 'unsubscribed'; readonly agent: AgentName; readonly name: string }
  /** What a subscription was given up to this position of the log is acknowledged. */
  | { readonly what: 'acknowledged'; readonly agent: AgentName; readonly name: string; readonly seq: number }
  /** A canary was put out in `scope`; who is active elsewhere and does not answer by `deadline` (epoch ms) is locked down. */
  | { readonly what: 'probed'; readonly scope: ScopeName; readonly canary: MarkId; readonly deadline: number };
