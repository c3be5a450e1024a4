import type { Json, Mark, MarkId, ProjectedMark, ScopeName } from '../space/marks.ts';
import type { AgentName } from '../space/marks.ts';
import type { MarkQuery } from '../space/query.ts';
import type { Decision, Denial, Outcome, ToolUse } from './decision.ts';

/** What `execute` is to do: an intent that becomes an action if the guard allows it. */
export interface ExecuteRequest {
  readonly scope: ScopeName;
  readonly resource: string;
  readonly action: string;
  /** 0..1. */
  readonly confidence: number;
}

/** `repeated`: the action was already on record, the tool was not run again and there is no value. */
export type ExecuteOutcome<Value> =
  | { readonly verdict: 'allow'; readonly mark: Mark; readonly value: Value; readonly repeated?: never }
  | { readonly verdict: 'allow'; readonly mark: Mark; readonly repeated: true }
  | Exclude<Decision, { verdict: 'allow' }>;

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
  /** Authorizes one tool call against the agent's edit scope; leaves no mark. `refuse` records a refusal made before (a tool budget). */
  use(use: ToolUse, refuse?: Denial): Promise<Outcome>;
  /**
   * Books the resource, runs `tool`, records an action that supersedes the intent. Nobody else is allowed on the resource in between. If the
   * tool throws, a failed action is recorded and its error thrown on. The result goes into the action as JSON; one that JSON cannot carry or
   * that is too large is left out of it, with the reason.
   */
  execute<Value>(request: ExecuteRequest, tool: () => Value | Promise<Value>): Promise<ExecuteOutcome<Awaited<Value>>>;
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

const LONGEST_SUBJECT = 256;

/** What of a call's arguments goes into its decision record: short strings and numbers, never content. */
export function subjectOf(fields: Readonly<Record<string, unknown>>): Json {
  const subject: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string')
      subject[name] = value.length > LONGEST_SUBJECT ? `${value.slice(0, LONGEST_SUBJECT)}...` : value;
    else if (typeof value === 'number' && Number.isFinite(value)) subject[name] = value;
  }
  return subject;
}
