import { copyJson, JsonProblem, UNBOUNDED } from '../space/json-value.ts';
import type { MarkView } from '../space/mark-index.ts';
import { type DraftBounds, type KindedDraft, parseDraft } from '../space/mark-schema.ts';
import type { AgentName, Json, Mark, MarkId, ProjectedMark } from '../space/marks.ts';
import { type MarkQuery, queryMarks, readMark } from '../space/query.ts';
import { effectiveStrength, type TrustWeights } from '../space/strength.ts';
import type { Task } from './commit-queue.ts';
import { decideAdmission } from './decide.ts';
import type { DecisionRecord, Denial, Outcome, ToolUse } from './decision.ts';
import type { DecisionLedger } from './decision-ledger.ts';
import type { GateBatch } from './gate-batch.ts';
import type { Grant } from './grants.ts';
import { toolUseDenial } from './policies/edit-scope.ts';
import { deny, type GatheredFacts, type Lease } from './policies/policy.ts';
import { type Booking, ruleOnExecute, ruleOnWrite, type Ruling, stampMark } from './rulings.ts';
import { type ExecuteOutcome, type ExecuteRequest, type Session, subjectOf } from './session.ts';
import { claimKey } from './staged-view.ts';

/** Finds out, before a draft's turn, what a pure decision cannot: runs only for drafts that were admitted. May be slow; may throw. */
export type Gather = (draft: KindedDraft, grant: Grant) => Promise<GatheredFacts>;

/** What a session needs of its gate. */
export interface SessionPort {
  readonly run: string;
  readonly ledger: DecisionLedger;
  readonly leases: Map<string, Lease>;
  readonly bounds: DraftBounds;
  readonly trust: TrustWeights;
  readonly gather: Gather | undefined;
  /** The committed view. @throws {GateClosedError} */
  view(): MarkView;
  now(): number;
  push(task: Task<GateBatch>): void;
}

type CallKind = DecisionRecord['call'];
const REVOKED = { verdict: 'denied', denial: { code: 'session-revoked', check: 'identity' } } as const;

export class GateSession implements Session {
  readonly agent: AgentName;
  readonly epoch: string;
  readonly #port: SessionPort;
  readonly #grant: Grant;
  readonly #prefix: string;
  #calls = 0;
  #marks = 0;
  #revoked = false;

  constructor(port: SessionPort, grant: Grant, epoch: string) {
    this.#port = port;
    this.#grant = grant;
    this.agent = grant.agent;
    this.epoch = epoch;
    this.#prefix = `${port.run}/${grant.agent}/${epoch}`;
  }

  get revoked(): boolean {
    return this.#revoked;
  }

  /** Ends the session and its leases; calls under way are denied when their turn comes. The gate's, not the agent's, to call. */
  revoke(): void {
    this.#revoked = true;
    for (const [key, { holder }] of this.#port.leases) {
      if (holder.startsWith(`${this.#prefix}/`)) this.#port.leases.delete(key);
    }
  }

  async write(input: unknown, options: { readonly retryOf?: MarkId } = {}): Promise<Outcome> {
    const n = this.#nextCall();
    const id = options.retryOf ?? this.#nextMark();
    const parsed = this.#parse(input);
    if (!parsed.ok) return this.#refuse(n, 'write', {}, { code: 'malformed', check: 'shape', ...parsed.problem });
    const { draft } = parsed;
    const subject = subjectOfDraft(draft);
    if (!this.#issued(id)) return this.#refuse(n, 'write', subject, { code: 'id-taken', check: 'identity', id });
    const objection = decideAdmission(this.#port.view(), this.#grant, draft, this.#port.now());
    if (objection !== undefined) return this.#settle(n, 'write', subject, () => ({ decision: objection }));
    const facts = this.#port.gather === undefined ? {} : await this.#gather(n, subject, draft, this.#port.gather);
    return this.#settle(n, 'write', subject, (batch) => ruleOnWrite(batch, this.#grant, id, draft, facts));
  }

  use(use: ToolUse, refuse?: Denial): Promise<Outcome> {
    const n = this.#nextCall();
    const { tool, operation, path, bytes } = use;
    return this.#settle(n, 'use', subjectOf({ tool, operation, path, bytes }), () => {
      const denial = refuse ?? toolUseDenial(this.#grant.edit, use);
      return { decision: denial === undefined ? { verdict: 'allow' } : deny(denial) };
    });
  }

  async execute<Value>(
    request: ExecuteRequest,
    tool: () => Value | Promise<Value>,
  ): Promise<ExecuteOutcome<Awaited<Value>>> {
    const n = this.#nextCall();
    const intentId = this.#nextMark();
    const actionId = this.#nextMark();
    const { scope, resource, action, confidence } = request;
    const parsed = this.#parse({ scope, resource, action, confidence });
    if (!parsed.ok)
      return executed(await this.#refuse(n, 'execute', {}, { code: 'malformed', check: 'shape', ...parsed.problem }));
    const { draft } = parsed;
    const subject = subjectOf({ kind: 'intent', scope, resource });
    const done = { kind: 'action', scope, resource, action, result: null, strength: draft.strength } as const;
    const view = this.#port.view();
    const now = this.#port.now();
    const objection = decideAdmission(view, this.#grant, draft, now) ?? decideAdmission(view, this.#grant, done, now);
    if (objection !== undefined)
      return executed(await this.#settle(n, 'execute', subject, () => ({ decision: objection })));

    const key = claimKey(scope, resource);
    const asked: Booking = { key, draft, resource, intentId, actionId };
    const outcome = await this.#settle(n, 'execute', subject, (batch) => ruleOnExecute(batch, this.#grant, asked));
    if (outcome.verdict !== 'allow' || outcome.repeated === true) return executed(outcome);
    if (this.#revoked) {
      this.#release(key, intentId);
      return executed(REVOKED);
    }
    const finish = (result: Json, failed: boolean): Promise<Mark | undefined> =>
      this.#finish(asked, { ...done, result, supersedes: intentId, ...(failed ? { failed: true } : {}) });
    let value: Awaited<Value>;
    try {
      value = await tool();
    } catch (error) {
      await finish(null, true);
      throw error;
    }
    const mark = await finish(resultOf(value, this.#port.bounds), false);
    return mark === undefined ? executed(REVOKED) : { verdict: 'allow', mark, value };
  }

  /** Records the action and ends the lease; undefined when the lease was taken away in the meantime. */
  #finish({ key, intentId, actionId }: Booking, draft: KindedDraft): Promise<Mark | undefined> {
    return new Promise((resolve, reject) => {
      const stage = (batch: GateBatch): (() => void) => {
        if (this.#revoked || batch.leaseAt(key)?.holder !== intentId) {
          return () => {
            this.#release(key, intentId);
            resolve(undefined);
          };
        }
        const mark = stampMark(batch, this.#grant, actionId, draft);
        batch.addMark(mark);
        batch.stageLease(key, undefined);
        return () => resolve(mark);
      };
      this.#port.push({ stage, fail: reject });
    });
  }

  #release(key: string, holder: MarkId): void {
    if (this.#port.leases.get(key)?.holder === holder) this.#port.leases.delete(key);
  }

  read(query: MarkQuery = {}): readonly (Mark | ProjectedMark)[] {
    if (this.#revoked) return [];
    return queryMarks(this.#port.view(), this.#grant, query, this.#port.now(), this.#port.trust);
  }

  get(id: MarkId): Mark | ProjectedMark | undefined {
    return this.#revoked ? undefined : readMark(this.#port.view(), this.#grant, id);
  }

  strengthOf(id: MarkId): number | undefined {
    const mark = this.get(id);
    return mark === undefined
      ? undefined
      : effectiveStrength(this.#port.view(), mark, this.#port.now(), this.#port.trust);
  }

  #nextCall(): number {
    return (this.#calls += 1);
  }

  #nextMark(): MarkId {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is where mark ids are made
    return `${this.#prefix}/m${(this.#marks += 1)}` as MarkId;
  }

  /** Whether this session gave out `id`. */
  #issued(id: MarkId): boolean {
    const n = id.startsWith(`${this.#prefix}/m`) ? id.slice(this.#prefix.length + 2) : '';
    return /^[1-9]\d{0,14}$/u.test(n) && Number(n) <= this.#marks;
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

  async #gather(n: number, subject: Json, draft: KindedDraft, gather: Gather): Promise<GatheredFacts> {
    try {
      return await gather(draft, this.#grant);
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
          this.#record(batch, n, { call, subject, verdict: 'blocked', reason: 'fault' });
          return resolve;
        },
        fail: reject,
      });
    });
  }

  /** The call's turn: one ruling, one decision record, at most one mark, in one append. A ruling that throws leaves its record too. */
  #settle(n: number, call: CallKind, subject: Json, rule: (batch: GateBatch) => Ruling): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const stage = (batch: GateBatch): (() => void) => {
        let ruling: Ruling;
        try {
          ruling = this.#revoked ? { decision: REVOKED } : rule(batch);
        } catch (error) {
          this.#record(batch, n, { call, subject, verdict: 'blocked', reason: 'fault' });
          return () => reject(error instanceof Error ? error : new Error(String(error)));
        }
        const { decision, mark, repeated, recorded = mark?.id } = ruling;
        if (mark !== undefined && batch.view.byId(mark.id) === undefined) batch.addMark(mark);
        this.#record(batch, n, {
          call,
          subject,
          verdict: decision.verdict,
          ...(decision.verdict === 'denied' ? { denial: decision.denial } : {}),
          ...(decision.verdict === 'conflict' ? { holder: decision.holder } : {}),
          ...(decision.verdict === 'blocked' ? { reason: decision.reason } : {}),
          ...(recorded === undefined ? {} : { mark: recorded }),
        });
        const outcome: Outcome =
          decision.verdict === 'allow'
            ? {
                verdict: 'allow',
                ...(mark === undefined ? {} : { mark }),
                ...(repeated === undefined ? {} : { repeated }),
              }
            : decision;
        return () => resolve(outcome);
      };
      this.#port.push({ stage, fail: reject });
    });
  }

  #record(
    batch: GateBatch,
    n: number,
    made: Pick<DecisionRecord, 'call' | 'subject' | 'verdict' | 'denial' | 'holder' | 'reason' | 'mark'>,
  ): void {
    const { agent, epoch } = this;
    const id = this.#port.ledger.idFor(this.#prefix, n, { agent, epoch, ...made });
    const record: DecisionRecord = { id, agent, epoch, at: batch.now, ...made };
    batch.entries.push({ key: id, body: { type: 'decision', decision: copyJson(record, UNBOUNDED) } });
  }
}

function subjectOfDraft(draft: KindedDraft): Json {
  const { kind, scope } = draft;
  return subjectOf({
    kind,
    scope,
    ...('topic' in draft ? { topic: draft.topic } : {}),
    ...('resource' in draft ? { resource: draft.resource } : {}),
  });
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
    return { omitted: error instanceof JsonProblem ? error.message : 'it could not be read' };
  }
}
