import { copyJson, problemIn } from '../space/json-value.ts';
import type { MarkView } from '../space/mark-index.ts';
import { type DraftBounds, type KindedDraft, parseDraft } from '../space/mark-schema.ts';
import { isMarkId } from '../space/stored-mark.ts';
import type { AgentName, Json, Mark, MarkId, ProjectedMark } from '../space/marks.ts';
import { type MarkQuery, queryMarks, readMark, strengthFor } from '../space/query.ts';
import type { WatchPattern } from '../space/watch.ts';
import type { Task } from './commit-queue.ts';
import { checkContent } from './content-chain.ts';
import { decideAdmission } from './decide.ts';
import type { DecisionRecord, Denial, Outcome, ToolUse } from './decision.ts';
import type { DecisionLedger } from './decision-ledger.ts';
import type { GateBatch } from './gate-batch.ts';
import type { GateClosedError } from './gate-closed-error.ts';
import type { Grant } from './grants.ts';
import type { GuardEvent } from './guard-event.ts';
import { standingOf } from './intent-standing.ts';
import { leaseOf } from './parts/claims.ts';
import { isSessionRevoked } from './parts/sessions.ts';
import { PENDING, YIELDED } from './policies/conflict.ts';
import { toolUseDenial } from './policies/edit-scope.ts';
import { deny, type GatheredFacts } from './policies/policy.ts';
import type { RefusalBook } from './refusal-book.ts';
import { addContest, type Booking, ruleOnExecute, ruleOnWrite, type Ruling, stampMark } from './rulings.ts';
import type { ExecuteOutcome, ExecuteRequest, IntentStanding, Session, ToolLease } from './session.ts';
import type { GuardSettings } from './settings.ts';
import { claimKey } from './staged-view.ts';
import type { GuardState } from './state.ts';
import { shortened, subjectOf, subjectOfMark } from './subject.ts';
import {
  decideSubscription,
  decideUnsubscription,
  type Page,
  type PollOptions,
  SessionSubscriptions,
} from './subscriptions.ts';

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

type CallKind = DecisionRecord['call'];
const REVOKED = { verdict: 'denied', denial: { code: 'session-revoked', check: 'identity' } } as const;
const REVOKED_RULING: Ruling = { decision: REVOKED };
/** A call that something broke: nothing came of it, but it was made. */
const FAULT: Ruling = { decision: { verdict: 'blocked', reason: 'fault' } };

export class GateSession implements Session {
  readonly agent: AgentName;
  readonly epoch: string;
  readonly #port: SessionPort;
  readonly #grant: Grant;
  readonly #prefix: string;
  readonly #markPrefix: string;
  readonly #subscriptions: SessionSubscriptions;
  #calls = 0;
  #marks = 0;
  /** Numbers of the intents of executions under way; their actions have the numbers after them. */
  readonly #booked = new Set<number>();
  #revoked = false;

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
    this.#prefix = `${port.run}/${grant.agent}/${epoch}`;
    this.#markPrefix = `${this.#prefix}/m`;
  }

  get revoked(): boolean {
    return this.#revoked || isSessionRevoked(this.#port.state, this.#prefix);
  }

  /** Ends the session; calls under way are denied when their turn comes. The gate's, not the agent's, to call. */
  revoke(): void {
    this.#revoked = true;
  }

  write(input: unknown, options?: { readonly retryOf?: MarkId }): Promise<Outcome> {
    const n = this.#nextCall();
    const retryOf = options?.retryOf;
    if (retryOf !== undefined && !isMarkId(retryOf)) return this.#refuse(n, 'write', {}, NOT_AN_ID);
    const id = retryOf ?? this.#nextMark();
    const parsed = this.#parse(input);
    if (!parsed.ok) return this.#refuse(n, 'write', {}, { code: 'malformed', check: 'shape', ...parsed.problem });
    const { draft } = parsed;
    const subject = subjectOfMark(draft);
    if (retryOf !== undefined && !this.#issued(id))
      return this.#refuse(n, 'write', subject, { code: 'id-taken', check: 'identity', id });
    const { gather, settings } = this.#port;
    if (gather === undefined && (settings.content === undefined || draft.kind !== 'observation'))
      return this.#write(n, id, draft, subject, NO_FACTS);
    return this.#writeChecked(n, id, draft, subject);
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

  async #writeChecked(n: number, id: MarkId, draft: KindedDraft, subject: Json): Promise<Outcome> {
    const objection = decideAdmission(this.#committedInput(draft));
    if (objection !== undefined) return this.#settle(n, 'write', subject, () => ({ decision: objection }));
    const facts = await this.#gather(n, subject, draft);
    return this.#write(n, id, draft, subject, facts);
  }

  #write(n: number, id: MarkId, draft: KindedDraft, subject: Json, facts: GatheredFacts): Promise<Outcome> {
    return this.#settle(n, 'write', subject, (batch) => {
      const ruling = ruleOnWrite(batch, this.#grant, id, draft, facts);
      if (ruling.mark !== undefined && ruling.repeated === undefined) this.#wait(batch, ruling, draft);
      return ruling;
    });
  }

  use(use: ToolUse, refuse?: Denial): Promise<Outcome> {
    const n = this.#nextCall();
    const { tool, operation, path, bytes } = use;
    const denial = refuse ?? toolUseDenial(this.#grant.edit, use);
    const decided: Ruling = this.revoked ? REVOKED_RULING : { decision: denial === undefined ? ALLOWED : deny(denial) };
    // It depends on the grant alone, and whatever comes of it is recorded after it: nobody has to wait until it is on disk.
    const settled = this.#settle(n, 'use', subjectOf({ tool, operation, path, bytes }), () => decided, LAZY);
    if (this.#port.closed() !== undefined) return settled;
    // A gate that fails tells so to the next call that waits for it.
    settled.catch(() => undefined);
    return Promise.resolve(outcomeOf(decided));
  }

  async execute<Value>(
    request: ExecuteRequest,
    tool: (lease: ToolLease) => Value | Promise<Value>,
  ): Promise<ExecuteOutcome<Awaited<Value>>> {
    const n = this.#nextCall();
    const intentId = this.#nextMark();
    const intentNumber = this.#marks;
    const actionId = this.#nextMark();
    const parsed = this.#parse(request);
    if (!parsed.ok)
      return executed(await this.#refuse(n, 'execute', {}, { code: 'malformed', check: 'shape', ...parsed.problem }));
    const { draft } = parsed;
    if (draft.kind !== 'intent' || draft.supersedes !== undefined)
      return executed(await this.#refuse(n, 'execute', subjectOfMark(draft), NOT_A_REQUEST));
    const { scope, resource, action, strength } = draft;
    const done = { kind: 'action', scope, resource, action, result: null, strength } as const;
    const key = claimKey(scope, resource);
    const booking: Booking = { draft, done, intentId, actionId, key };
    // Its ids are taken until it is over: no retry of a write can come in between.
    this.#booked.add(intentNumber);
    try {
      let fence = 0;
      const outcome = await this.#settle(
        n,
        'execute',
        subjectOfMark(draft),
        (batch) => {
          const ruling = ruleOnExecute(batch, this.#grant, booking);
          this.#wait(batch, ruling, draft);
          return ruling;
        },
        (batch, ruling) => {
          // Cut off by a crash and allowed to go on: whoever still runs its tool from before comes too late.
          if (ruling.stored === true) batch.addEvent(this.#leased(booking));
          fence = leaseOf(batch.state, key, intentId)?.fence ?? 0;
        },
      );
      if (outcome.verdict !== 'allow' || outcome.repeated === true) return executed(outcome);
      if (this.revoked) return executed(REVOKED);
      const finish = (result: Json, failed: boolean): Promise<Mark | undefined> =>
        this.#finish(booking, fence, { ...done, result, supersedes: intentId, ...(failed ? { failed: true } : {}) });
      let value: Awaited<Value>;
      try {
        value = await tool({ fence });
      } catch (error) {
        await finish(null, true);
        throw error;
      }
      const mark = await finish(resultOf(value, this.#port.bounds), false);
      if (mark !== undefined) return { verdict: 'allow', mark, value };
      return executed(this.revoked ? REVOKED : deny({ code: 'fenced', check: 'conflict', resource: draft.resource }));
    } finally {
      this.#booked.delete(intentNumber);
    }
  }

  #leased({ draft: { scope, resource }, intentId }: Booking): GuardEvent {
    return { what: 'leased', agent: this.agent, epoch: this.epoch, scope, resource, intent: intentId };
  }

  /** Records the action, which ends the lease; undefined when the lease was taken away in the meantime. */
  #finish(booking: Booking, fence: number, draft: KindedDraft): Promise<Mark | undefined> {
    return new Promise((resolve, reject) => {
      let mark: Mark | undefined;
      const stage = (batch: GateBatch): void => {
        mark = undefined;
        const held = leaseOf(batch.state, booking.key, booking.intentId)?.fence;
        if (this.revoked || held !== fence || batch.view.byId(booking.actionId) !== undefined) return;
        mark = stampMark(batch, this.agent, booking.actionId, draft);
        batch.addMark(mark);
      };
      this.#port.push({ stage, done: () => resolve(mark), fail: reject });
    });
  }

  /** What a stored intent that has to wait brings about: a contest for the principal, or the boundary it was the last to wait for. */
  #wait(batch: GateBatch, { decision, mark, recorded }: Ruling, draft: KindedDraft): void {
    if (decision.verdict !== 'blocked' || draft.kind !== 'intent') return;
    const cause = mark?.id ?? recorded;
    if (cause === undefined) return;
    // What follows from the call comes after it in the log.
    if (decision === YIELDED) batch.afterwards(() => addContest(batch, draft.scope, draft.resource, cause));
    else if (decision === PENDING) batch.afterwards(() => this.#port.waits(batch, draft));
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
    return n <= this.#marks && !this.#booked.has(n) && !this.#booked.has(n - 1);
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

  async #gather(n: number, subject: Json, draft: KindedDraft): Promise<GatheredFacts> {
    const { gather, settings } = this.#port;
    try {
      const facts = gather === undefined ? {} : await gather(draft, this.#grant);
      if (draft.kind !== 'observation' || settings.content === undefined) return facts;
      return { ...facts, content: await checkContent(settings.content, draft, { bounds: this.#port.bounds }) };
    } catch (error) {
      await this.#fault(n, 'write', subject);
      throw error;
    }
  }

  #refuse(n: number, call: CallKind, subject: Json, denial: Denial): Promise<Outcome> {
    return this.#settle(n, call, subject, () => ({ decision: deny(denial) }));
  }

  #fault(n: number, call: CallKind, subject: Json): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#port.push({
        stage: (batch) => {
          this.#record(batch, n, call, subject, FAULT);
        },
        done: resolve,
        fail: reject,
      });
    });
  }

  /** The call's turn: one ruling, one decision on record, at most one mark, in one append. A ruling that throws leaves its record too. */
  #settle(
    n: number,
    call: CallKind,
    subject: Json,
    rule: (batch: GateBatch) => Ruling,
    granted?: ((batch: GateBatch, ruling: Ruling) => void) | typeof LAZY,
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      let ruling = FAULT;
      let failure: Error | undefined;
      let told: DecisionRecord | undefined;
      const stage = (batch: GateBatch): void => {
        failure = undefined;
        try {
          ruling = this.revoked && granted !== LAZY ? REVOKED_RULING : rule(batch);
        } catch (error) {
          ruling = FAULT;
          failure = error instanceof Error ? error : new Error('the guard could not decide', { cause: error });
        }
        told = this.#record(batch, n, call, subject, ruling);
        if (ruling.decision.verdict === 'allow' && ruling.repeated === undefined && granted !== LAZY)
          granted?.(batch, ruling);
        batch.settleAfterwards();
      };
      const done = (): void => {
        if (told !== undefined) this.#port.told?.(told);
        if (failure !== undefined) reject(failure);
        else resolve(outcomeOf(ruling));
      };
      this.#port.push(granted === LAZY ? { stage, done, fail: reject, lazy: true } : { stage, done, fail: reject });
    });
  }

  /**
   * Puts a decision on record: with the mark that it let in, as a record of its own, or counted with others like it. Gives it back where
   * somebody wants to be told.
   */
  #record(batch: GateBatch, n: number, call: CallKind, subject: Json, ruling: Ruling): DecisionRecord | undefined {
    const { decision, mark, recorded = mark?.id, flags } = ruling;
    const { agent, epoch } = this;
    const fresh = mark !== undefined && ruling.stored === undefined;
    if (fresh && decision.verdict === 'allow' && flags === undefined && (call === 'write' || call === 'execute')) {
      const isPlain = this.#port.told === undefined && this.#port.ledger.noteAllowed(this.#prefix, n, call, mark.id);
      if (isPlain) {
        batch.addMark(mark, call === 'execute' ? -n : n);
        return undefined;
      }
    }
    const reason = decision.verdict === 'blocked' ? decision.reason : undefined;
    const made = {
      agent,
      epoch,
      call,
      verdict: decision.verdict,
      subject,
      ...(decision.verdict === 'denied' ? { denial: decision.denial } : NOTHING),
      ...(decision.verdict === 'conflict' ? { holder: decision.holder } : NOTHING),
      ...(reason === undefined ? NOTHING : { reason }),
      ...(recorded === undefined ? NOTHING : { mark: recorded }),
      ...(flags === undefined ? NOTHING : { flags }),
    };
    const { suffix, known } = this.#port.ledger.idFor(this.#prefix, n, made);
    if (fresh && !known && (call === 'write' || call === 'execute')) {
      const why = { ...(reason === undefined ? NOTHING : { reason }), ...(flags === undefined ? NOTHING : { flags }) };
      batch.addMark(mark, { c: suffix, call, ...why });
      if (this.#port.told === undefined) return undefined;
      return { id: `${this.#prefix}/${suffix}`, at: batch.now, ...made };
    }
    if (fresh) batch.addMark(mark);
    const record = shortened({ id: `${this.#prefix}/${suffix}`, at: batch.now, ...made });
    if (known) return record;
    const written = decision.verdict === 'allow' ? record : this.#port.refusals.note(record);
    if (written !== undefined) batch.addDecision(written);
    return record;
  }
}

/** For {@link GateSession}'s `#settle`: the answer is known, only the record has to be made. */
const LAZY = Symbol('lazy');
const NOT_AN_ID: Denial = { code: 'malformed', check: 'shape', field: 'id', problem: 'is not a mark id' };
const NOT_A_REQUEST: Denial = {
  code: 'malformed',
  check: 'shape',
  field: '(request)',
  problem: 'is not { scope, resource, action, confidence }',
};
const NOTHING = Object.freeze({});
const NO_FACTS: GatheredFacts = NOTHING;
const ALLOWED = Object.freeze({ verdict: 'allow' as const });

function outcomeOf({ decision, mark, recorded = mark?.id, repeated }: Ruling): Outcome {
  if (decision.verdict === 'blocked' && recorded !== undefined) return { ...decision, intent: recorded };
  if (decision.verdict !== 'allow') return decision;
  if (mark === undefined) return ALLOWED;
  return repeated === undefined ? { verdict: 'allow', mark } : { verdict: 'allow', mark, repeated };
}

function executed(outcome: Outcome): Exclude<ExecuteOutcome<never>, { value: unknown }> {
  if (outcome.verdict !== 'allow') return outcome;
  if (outcome.mark === undefined) throw new Error('an allowed execution has a mark');
  return { verdict: 'allow', mark: outcome.mark, repeated: true };
}

function resultOf(value: unknown, bounds: DraftBounds): Json {
  try {
    return copyJson(value ?? null, bounds);
  } catch (error) {
    return { omitted: problemIn(error).message };
  }
}
