import type { MarkId, AgentName, Json, Mark, ProjectedMark } from '../space/marks.ts';
import { type KindedDraft, parseDraft } from '../space/mark-schema.ts';
import { isMarkId } from '../space/stored-mark.ts';
import { type MarkQuery, queryMarks, readMark, strengthFor } from '../space/query.ts';
import type { WatchPattern } from '../space/watch.ts';
import { checkContent } from './content-chain.ts';
import { decideAdmission } from './decide.ts';
import type { Denial, Outcome, ToolUse } from './decision.ts';
import { Execution } from './execution.ts';
import type { GateBatch } from './gate-batch.ts';
import type { Grant } from './grants.ts';
import type { GuardEvent } from './guard-event.ts';
import { standingOf } from './intent-standing.ts';
import { toolUseDenial } from './policies/edit-scope.ts';
import { deny, type GatheredFacts } from './policies/policy.ts';
import { ruleOnWrite, type Ruling } from './rulings.ts';
import type { ExecuteOutcome, ExecuteRequest, IntentStanding, Session, ToolLease } from './session.ts';
import type { SessionPort } from './session-port.ts';
import { claimOf } from './staged-view.ts';
import { subjectOf, subjectOfMark } from './subject.ts';
import {
  decideSubscription,
  decideUnsubscription,
  type Page,
  type PollOptions,
  SessionSubscriptions,
} from './subscriptions.ts';
import {
  Caller,
  type CallKind,
  CallTurn,
  FAULT,
  outcomeOf,
  type Turn,
  REVOKED_RULING,
  RuledTurn,
  WriteTurn,
} from './turn.ts';

export class GateSession implements Session {
  readonly agent: AgentName;
  readonly epoch: string;
  readonly #port: SessionPort;
  readonly #grant: Grant;
  readonly #caller: Caller;
  readonly #markPrefix: string;
  readonly #subscriptions: SessionSubscriptions;
  #calls = 0;
  #marks = 0;

  constructor(port: SessionPort, grant: Grant, epoch: string) {
    this.#port = port;
    this.#grant = grant;
    this.agent = grant.agent;
    this.epoch = epoch;
    this.#subscriptions = new SessionSubscriptions(
      {
        view: () => port.view(),
        memory: port.state,
        record: (event) => port.event(event),
        onCommit: (listener) => port.onCommit(listener),
      },
      grant,
    );
    this.#caller = new Caller(port, grant, epoch);
    this.#markPrefix = `${this.#caller.prefix}/m`;
  }

  get revoked(): boolean {
    return this.#caller.revoked;
  }

  /** Ends the session; calls under way are denied when their turn comes. The gate's, not the agent's, to call. */
  revoke(): void {
    this.#caller.revoke();
  }

  write(input: unknown, options?: { readonly retryOf?: MarkId }): Promise<Outcome> {
    const n = this.#nextCall();
    const retryOf = options?.retryOf;
    if (retryOf !== undefined && !isMarkId(retryOf)) return this.#refuse(n, 'write', {}, NOT_AN_ID);
    const id = retryOf ?? this.#nextMark();
    const number = retryOf === undefined ? this.#marks : 0;
    const parsed = this.#parse(input);
    if (!parsed.ok) return this.#refuse(n, 'write', {}, { code: 'malformed', check: 'shape', ...parsed.problem });
    const { draft } = parsed;
    if (retryOf !== undefined && !this.#issued(id))
      return this.#refuse(n, 'write', subjectOfMark(draft), { code: 'id-taken', check: 'identity', id });
    const { gather, settings } = this.#port;
    if (gather === undefined && (settings.content === undefined || draft.kind !== 'observation'))
      return this.#push(new WriteTurn(this.#caller, n, number, id, draft, NO_FACTS));
    return this.#writeChecked(n, number, id, draft);
  }

  /** A write with which, in the same commit, an event goes. The gate's to call. */
  writeFollowed(input: unknown, follow: (mark: MarkId, now: number) => GuardEvent): Promise<Outcome> {
    const n = this.#nextCall();
    const id = this.#nextMark();
    const parsed = this.#parse(input);
    if (!parsed.ok) return this.#refuse(n, 'write', {}, { code: 'malformed', check: 'shape', ...parsed.problem });
    const { draft } = parsed;
    return this.#settle(n, 'write', subjectOfMark(draft), (batch) => {
      const ruling = ruleOnWrite(batch, this.#grant, id, draft, NO_FACTS);
      const { mark } = ruling;
      if (mark !== undefined && ruling.stored === undefined)
        batch.afterwards(() => batch.addEvent(follow(mark.id, batch.now)));
      return ruling;
    });
  }

  async #writeChecked(n: number, number: number, id: MarkId, draft: KindedDraft): Promise<Outcome> {
    const objection = decideAdmission(this.#committedInput(draft));
    if (objection !== undefined) return this.#settle(n, 'write', subjectOfMark(draft), () => ({ decision: objection }));
    const facts = await this.#gather(n, draft);
    return this.#push(new WriteTurn(this.#caller, n, number, id, draft, facts));
  }

  use(use: ToolUse, refuse?: Denial): Promise<Outcome> {
    const n = this.#nextCall();
    const { tool, operation, path, bytes } = use;
    const denial = refuse ?? toolUseDenial(this.#grant.edit, use);
    const ruling: Ruling = this.revoked ? REVOKED_RULING : { decision: denial === undefined ? ALLOWED : deny(denial) };
    // It depends on the grant alone, and whatever comes of it is recorded after it: nobody has to wait until it is on disk.
    const settled = this.#push(
      new RuledTurn(this.#caller, n, 'use', subjectOf({ tool, operation, path, bytes }), ruling, true),
    );
    if (this.#port.closed() !== undefined) return settled;
    // A gate that fails tells so to the next call that waits for it.
    settled.catch(() => undefined);
    return Promise.resolve(outcomeOf(ruling));
  }

  execute<Value>(
    request: ExecuteRequest,
    tool: (lease: ToolLease) => Value | Promise<Value>,
  ): Promise<ExecuteOutcome<Awaited<Value>>> {
    const n = this.#nextCall();
    const intentId = this.#nextMark();
    const number = this.#marks;
    const actionId = this.#nextMark();
    const parsed = this.#parse(request);
    if (!parsed.ok) return this.#refuseExecution(n, {}, { code: 'malformed', check: 'shape', ...parsed.problem });
    const { draft } = parsed;
    if (draft.kind !== 'intent' || draft.supersedes !== undefined)
      return this.#refuseExecution(n, subjectOfMark(draft), NOT_A_REQUEST);
    const { scope, resource, action, strength } = draft;
    const done = { kind: 'action', scope, resource, action, result: null, strength } as const;
    const booking = { draft, done, intentId, actionId, claim: claimOf(scope, resource), number };
    const execution = new Execution(this.#caller, n, booking, tool);
    this.#port.push(execution);
    return execution.run();
  }

  release(intent: MarkId): Promise<Outcome> {
    const n = this.#nextCall();
    if (!isMarkId(intent)) return this.#refuse(n, 'release', {}, NOT_AN_ID);
    return this.#settle(n, 'release', subjectOf({ intent }), (batch) => {
      const mark = batch.view.byId(intent);
      const denied = deny({ code: 'target-not-yours', check: 'authorization', target: intent });
      if (mark?.kind !== 'intent' || mark.agent !== this.agent) return { decision: denied };
      const standing = standingOf(batch.view, batch.state, mark, batch.now);
      if (standing === 'running' || standing === 'done' || standing === 'lost') return { decision: denied };
      const { scope, resource, agent } = mark;
      batch.afterwards(() => batch.addEvent({ what: 'released', agent, intent, scope, resource }, [intent]));
      return { decision: ALLOWED, recorded: intent };
    });
  }

  standing(intent: MarkId): IntentStanding | undefined {
    const view = this.#port.view();
    const mark = this.revoked ? undefined : view.byId(intent);
    if (mark?.kind !== 'intent' || mark.agent !== this.agent) return undefined;
    return standingOf(view, this.#port.state, mark, this.#port.now());
  }

  read(query: MarkQuery = {}): readonly (Mark | ProjectedMark)[] {
    if (this.revoked) return [];
    return queryMarks(this.#port.view(), this.#grant, query, this.#port.now(), this.#port.settings.trust);
  }

  get(id: MarkId): Mark | ProjectedMark | undefined {
    return this.revoked ? undefined : readMark(this.#port.view(), this.#grant, id);
  }

  strengthOf(id: MarkId): number | undefined {
    const mark = this.get(id);
    return mark === undefined
      ? undefined
      : strengthFor(this.#port.view(), this.#grant, mark, this.#port.now(), this.#port.settings.trust);
  }

  subscribe(name: string, pattern: WatchPattern): Promise<Outcome> {
    return this.#settle(this.#nextCall(), 'subscribe', subjectOf({ operation: 'subscribe', name }), (batch) => {
      const asked = decideSubscription(batch.state, this.agent, name, pattern);
      if (!asked.ok) return { decision: deny(asked.denial) };
      batch.afterwards(() => batch.addEvent(asked.event));
      return { decision: ALLOWED };
    });
  }

  unsubscribe(name: string): Promise<Outcome> {
    return this.#settle(this.#nextCall(), 'subscribe', subjectOf({ operation: 'unsubscribe', name }), (batch) => {
      const event = decideUnsubscription(batch.state, this.agent, name);
      if (event !== undefined) batch.afterwards(() => batch.addEvent(event));
      return { decision: ALLOWED };
    });
  }

  async poll(name: string, options?: PollOptions): Promise<Page> {
    return this.revoked ? { marks: [] } : this.#subscriptions.poll(name, options);
  }

  async wait(signal: AbortSignal): Promise<boolean> {
    return !this.revoked && (await this.#subscriptions.wait(signal));
  }

  #nextCall(): number {
    return (this.#calls += 1);
  }

  #nextMark(): MarkId {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is where mark ids are made
    return `${this.#markPrefix}${(this.#marks += 1)}` as MarkId;
  }

  /** Whether this session gave out `id`, and not to an execution that is under way. */
  #issued(id: MarkId): boolean {
    const digits = id.startsWith(this.#markPrefix) ? id.slice(this.#markPrefix.length) : '';
    if (!/^[1-9]\d{0,14}$/u.test(digits)) return false;
    const n = Number(digits);
    const { booked } = this.#caller;
    return n <= this.#marks && !booked.includes(n) && !booked.includes(n - 1);
  }

  /** The text of an agent's own file is bounded by its edit scope, which has an answer of its own for files that are too large. */
  #parse(input: unknown): ReturnType<typeof parseDraft> {
    const { bounds } = this.#port;
    const { edit } = this.#grant;
    if (edit === undefined) return parseDraft(input, bounds);
    const parsed = parseDraft(input, { ...bounds, exempt: { path: 'content.text', maxTextBytes: Infinity } });
    if (!parsed.ok || parsed.draft.scope === edit.scope) return parsed;
    const { kind: _, ...draft } = parsed.draft;
    return parseDraft(draft, bounds);
  }

  #committedInput(draft: KindedDraft): Parameters<typeof decideAdmission>[0] {
    const { settings, state } = this.#port;
    return {
      view: this.#port.view(),
      memory: state,
      settings,
      grant: this.#grant,
      draft,
      facts: {},
      now: this.#port.now(),
    };
  }

  async #gather(n: number, draft: KindedDraft): Promise<GatheredFacts> {
    const { gather, settings } = this.#port;
    try {
      const facts = gather === undefined ? {} : await gather(draft, this.#grant);
      if (draft.kind !== 'observation' || settings.content === undefined) return facts;
      return { ...facts, content: await checkContent(settings.content, draft, { bounds: this.#port.bounds }) };
    } catch (error) {
      await this.#push(new RuledTurn(this.#caller, n, 'write', subjectOfMark(draft), FAULT));
      throw error;
    }
  }

  #refuse(n: number, call: CallKind, subject: Json, denial: Denial): Promise<Outcome> {
    return this.#settle(n, call, subject, () => ({ decision: deny(denial) }));
  }

  async #refuseExecution(n: number, subject: Json, denial: Denial): Promise<Exclude<Outcome, { verdict: 'allow' }>> {
    const outcome = await this.#refuse(n, 'execute', subject, denial);
    if (outcome.verdict === 'allow') throw new Error('a refused execution was allowed');
    return outcome;
  }

  #settle(n: number, call: CallKind, subject: Json, rule: (batch: GateBatch) => Ruling): Promise<Outcome> {
    return this.#push(new CallTurn(this.#caller, n, call, subject, rule));
  }

  #push(turn: Turn): Promise<Outcome> {
    this.#port.push(turn);
    return turn.outcome;
  }
}

const NOT_AN_ID: Denial = { code: 'malformed', check: 'shape', field: 'id', problem: 'is not a mark id' };
const NOT_A_REQUEST: Denial = {
  code: 'malformed',
  check: 'shape',
  field: '(request)',
  problem: 'is not { scope, resource, action, confidence }',
};
const NO_FACTS: GatheredFacts = Object.freeze({});
const ALLOWED = Object.freeze({ verdict: 'allow' as const });
