import type { AgentName, Mark, MarkId, ProjectedMark, ScopeName } from '../space/marks.ts';
import type { MarkQuery } from '../space/query.ts';
import type { WatchPattern } from '../space/watch.ts';
import type { Denial, Outcome, ToolUse } from './decision.ts';
import type { Page, PollOptions } from './subscriptions.ts';

/** What `execute` is to do: an intent that becomes an action if the guard allows it. */
export interface ExecuteRequest {
  readonly scope: ScopeName;
  readonly resource: string;
  readonly action: string;
  /** 0..1. */
  readonly confidence: number;
}

/** What a tool is told of the lease that it runs under. */
export interface ToolLease {
  /** Grows with every lease of the space: hand it on to whatever the tool changes, so that a holder that comes late is recognised. */
  readonly fence: number;
}

/** What has become of an intent of one's own. */
export type IntentStanding =
  /** It waits for its scope's boundary. */
  | 'pending'
  /** It yielded, like its contenders, until the principal picks one. */
  | 'awaiting-principal'
  /** It holds its resource. */
  | 'held'
  /** Its tool is running. */
  | 'running'
  /** It won: `execute` may act on the resource now. */
  | 'awarded'
  /** An action or another mark took its place. */
  | 'done'
  /** It lost at a boundary, was released, or its award lapsed. */
  | 'lost'
  | 'expired';

/** `repeated`: the action was already on record, the tool was not run again and there is no value. */
export type ExecuteOutcome<Value> =
  | { readonly verdict: 'allow'; readonly mark: Mark; readonly value: Value; readonly repeated?: never }
  | { readonly verdict: 'allow'; readonly mark: Mark; readonly repeated: true }
  | Exclude<Outcome, { verdict: 'allow' }>;

/**
 * One agent's access to the space: a capability, made by the gate for whoever runs or connects the agent. Nothing passed to it can
 * change whose it is. Every call but a read leaves exactly one decision record, whatever its outcome; reads leave none and change nothing.
 *
 * Calls are numbered as they are made; marks are `<run>/<agent>/<epoch>/m<n>` and decisions `.../c<n>`, so that the same calls made again
 * after a crash are the same records.
 *
 * @throws {GateClosedError} from every call once the gate is closed.
 */
export interface Session {
  readonly agent: AgentName;
  readonly epoch: string;
  /** Whether it was revoked: writes are denied, reads come back empty. */
  readonly revoked: boolean;
  /**
   * Writes one mark. `draft` may come from anywhere: it is checked here. With `retryOf` (an id this session was given before) the same
   * mark is asked for again: answered `repeated` if it is stored with the same content, denied `id-taken` if with other content.
   */
  write(draft: unknown, options?: { readonly retryOf?: MarkId }): Promise<Outcome>;
  /**
   * Authorizes one tool call against the agent's edit scope; leaves no mark. `refuse` records a refusal made before (a tool budget). Answered
   * at once: its record is on disk before anything that the agent does afterwards is.
   */
  use(use: ToolUse, refuse?: Denial): Promise<Outcome>;
  /**
   * Books the resource, runs `tool`, records an action that supersedes the intent. Nobody else is allowed on the resource in between. If the
   * tool throws, a failed action is recorded and its error thrown on. The result goes into the action as JSON; one that JSON cannot carry or
   * that is too large is left out of it, with the reason. When the lease ended while the tool ran (the session was revoked) nothing is
   * recorded and the answer is denied, `fenced`. Blocked `pending-boundary` or `awaiting-principal`: the intent is stored; ask again once
   * {@link standing} says `awarded`.
   */
  execute<Value>(
    request: ExecuteRequest,
    tool: (lease: ToolLease) => Value | Promise<Value>,
  ): Promise<ExecuteOutcome<Awaited<Value>>>;
  /** Gives up an intent or an award of one's own, by the intent's id; one that a tool runs for cannot be given up. */
  release(intent: MarkId): Promise<Outcome>;
  /** What has become of an intent of one's own; undefined for anything else. */
  standing(intent: MarkId): IntentStanding | undefined;
  /**
   * Tells of marks that match from now on, under a name; a subscription of that name is replaced. They survive restarts and end with
   * `unsubscribe`, or when the agent's session is revoked.
   */
  subscribe(name: string, pattern: WatchPattern): Promise<Outcome>;
  unsubscribe(name: string): Promise<Outcome>;
  /** The next marks of a subscription, in order; reading is not on record. @see SessionSubscriptions.poll */
  poll(name: string, options?: PollOptions): Promise<Page>;
  /** Waits until a poll would give something; false once `signal` is aborted. */
  wait(signal: AbortSignal): Promise<boolean>;
  /** Marks the agent may see, in log order; protected ones projected. */
  read(query?: MarkQuery): readonly (Mark | ProjectedMark)[];
  /** One mark by id; undefined alike for what is hidden and what is not there. */
  get(id: MarkId): Mark | ProjectedMark | undefined;
  /** Effective strength now of a mark that the agent may see. */
  strengthOf(id: MarkId): number | undefined;
}

const EPOCH = /^[A-Za-z0-9][A-Za-z0-9._+@-]{0,199}$/u;

/** Whether `name` can be part of an id: a run's or an epoch's name. */
export function isIdSegment(name: string): boolean {
  return EPOCH.test(name);
}
