import type { AgentName, Json, Mark, MarkId, MarkKind, ScopeName } from '../space/marks.ts';

/** Why the guard refused. `check` names the stage that said no; data an agent may see is in the fields, never in prose. */
export type Denial =
  | { readonly code: 'malformed'; readonly check: 'shape'; readonly field: string; readonly problem: string }
  | { readonly code: 'session-revoked'; readonly check: 'identity' }
  | { readonly code: 'no-right'; readonly check: 'authorization'; readonly kind: MarkKind; readonly scope: string }
  | {
      readonly code: 'verb-not-allowed';
      readonly check: 'authorization';
      readonly verb: string;
      readonly scope: string;
    }
  | {
      readonly code: 'topic-not-allowed';
      readonly check: 'authorization';
      readonly topic: string;
      readonly scope: string;
    }
  | { readonly code: 'source-not-allowed'; readonly check: 'authorization'; readonly source: string }
  | { readonly code: 'confidence-not-allowed'; readonly check: 'authorization'; readonly ceiling: number }
  | { readonly code: 'target-not-yours'; readonly check: 'authorization'; readonly target: string }
  | { readonly code: 'id-taken'; readonly check: 'identity'; readonly id: string }
  | { readonly code: 'not-editable'; readonly check: 'edit-scope'; readonly path: string }
  | { readonly code: 'stale-edit'; readonly check: 'edit-scope'; readonly path: string }
  | { readonly code: 'required-file'; readonly check: 'edit-scope'; readonly path: string }
  | {
      readonly code: 'file-too-large';
      readonly check: 'size';
      readonly path: string;
      readonly bytes: number;
      readonly maxBytes: number;
    }
  | { readonly code: 'syntax'; readonly check: 'syntax'; readonly path: string; readonly problem: string }
  /** The barrier: the permission was taken away; `needs`: until the principal resolves a Need written in the scope. */
  | {
      readonly code: 'revoked';
      readonly check: 'barrier';
      readonly kind: MarkKind;
      readonly scope: string;
      readonly needs?: true;
    }
  /** The envelope: the agent behaved unlike itself and is restricted until the principal resets it. */
  | { readonly code: 'restricted'; readonly check: 'envelope'; readonly scope?: string }
  | {
      readonly code: 'rate-limit';
      readonly check: 'rate';
      readonly limit: number;
      readonly windowMs: number;
      readonly per: 'agent' | 'fleet';
      /** Epoch ms at which the window ends. */
      readonly until: number;
    }
  | { readonly code: 'content'; readonly check: 'content'; readonly policy: string; readonly problem: string }
  | {
      readonly code: 'token-budget';
      readonly check: 'budget';
      readonly dimension: string;
      readonly used: number;
      readonly limit: number;
    }
  /** The lease had ended when the tool came back: somebody else may hold the resource. */
  | { readonly code: 'fenced'; readonly check: 'conflict'; readonly resource: string }
  | { readonly code: 'no-such-need'; readonly check: 'authorization'; readonly target: string }
  | { readonly code: 'tool-budget'; readonly check: 'budget'; readonly used: number; readonly limit: number };

/** What the guard decided about one call. */
export type Decision =
  | { readonly verdict: 'allow' }
  /** Somebody holds the resource: the mark that does, as far as the caller may see it. */
  | { readonly verdict: 'conflict'; readonly holder: MarkId; readonly holderAgent: AgentName }
  | { readonly verdict: 'blocked'; readonly reason: 'pending-boundary' | 'awaiting-principal' | 'busy' | 'fault' }
  | { readonly verdict: 'denied'; readonly denial: Denial };

/** The answer to one call of a session. `repeated`: the same id with the same content was already stored. */
export type Outcome =
  | { readonly verdict: 'allow'; readonly mark?: Mark; readonly repeated?: true }
  /** `intent`: the one that is stored and waits; ask for its standing, or release it. */
  | (Extract<Decision, { verdict: 'blocked' }> & { readonly intent?: MarkId })
  | Exclude<Decision, { verdict: 'allow' | 'blocked' }>;

/** A tool call as the guard sees it: what is touched, not what is in it. */
export interface ToolUse {
  readonly tool: string;
  readonly operation: 'read' | 'write' | 'delete' | 'run';
  /** Path inside the agent's view; absent for `run`. */
  readonly path?: string;
  /** Bytes the file would have after a write. */
  readonly bytes?: number;
}

/** One per call, whatever its outcome (also in the log, body type `decision`). */
export interface DecisionRecord {
  /** `<run>/<agent>/<epoch>/c<n>`: the same call made again after a crash has the same id. */
  readonly id: string;
  readonly agent: AgentName;
  readonly epoch: string;
  readonly at: number;
  readonly call: 'write' | 'use' | 'execute' | 'read' | 'release' | 'subscribe' | 'principal';
  readonly verdict: Decision['verdict'];
  /** What was asked: kind and scope of a draft, or the tool use. Never the content. */
  readonly subject: Json;
  readonly denial?: Denial;
  readonly holder?: MarkId;
  readonly reason?: string;
  readonly mark?: MarkId;
  /** Names of content policies that flagged the observation without refusing it. */
  readonly flags?: readonly string[];
  /** How many equal refusals this record stands for. @default 1 */
  readonly count?: number;
}

/** Which files of its own an agent may change, and how large they may get. */
export interface EditScope {
  /** The scope that holds the agent's own files as observations: topic = path, content = `{ text }`, or null once deleted. */
  readonly scope: ScopeName;
  readonly editable: readonly string[];
  /** Files that must exist: deleting them is denied. */
  readonly required: readonly string[];
  readonly maxFileBytes: number;
}
