import type { KindedDraft } from '../space/mark-schema.ts';
import type { AgentName, Json, MarkId } from '../space/marks.ts';
import type { Task } from './commit-queue.ts';
import type { DecisionRecord, Outcome } from './decision.ts';
import { numberOf } from './decision-ledger.ts';
import type { GateBatch } from './gate-batch.ts';
import type { Grant } from './grants.ts';
import { isSessionRevoked } from './parts/sessions.ts';
import { PENDING, YIELDED } from './policies/conflict.ts';
import type { GatheredFacts } from './policies/policy.ts';
import { addContest, ruleOnWrite, type Ruling } from './rulings.ts';
import type { SessionPort } from './session-port.ts';
import { shortened, subjectOfMark } from './subject.ts';

export type CallKind = DecisionRecord['call'];

/** The session that a call is made in. */
export class Caller {
  readonly agent: AgentName;
  readonly epoch: string;
  /** `<run>/<agent>/<epoch>`: what its ids begin with. */
  readonly prefix: string;
  readonly grant: Grant;
  readonly port: SessionPort;
  /** Numbers of the intents of executions under way; their actions have the numbers after them. */
  readonly booked: number[] = [];
  #revoked = false;

  constructor(port: SessionPort, grant: Grant, epoch: string) {
    this.agent = grant.agent;
    this.epoch = epoch;
    this.prefix = `${port.run}/${grant.agent}/${epoch}`;
    this.grant = grant;
    this.port = port;
  }

  get revoked(): boolean {
    return this.#revoked || isSessionRevoked(this.port.state, this.prefix);
  }

  revoke(): void {
    this.#revoked = true;
  }
}

const REVOKED = { verdict: 'denied', denial: { code: 'session-revoked', check: 'identity' } } as const;
export const REVOKED_RULING: Ruling = { decision: REVOKED };
/** A call that something broke: nothing came of it, but it was made. */
export const FAULT: Ruling = { decision: { verdict: 'blocked', reason: 'fault' } };
const NOTHING = Object.freeze({});
const ALLOWED = Object.freeze({ verdict: 'allow' as const });

/**
 * A call's turn in the queue: one ruling, one decision on record, at most one mark, in one append. A ruling that throws leaves its record too.
 */
export abstract class Turn implements Task<GateBatch> {
  readonly lazy: boolean = false;
  /** Once the decision is durable. */
  readonly outcome: Promise<Outcome>;
  readonly fail: (error: Error) => void;
  readonly #settle: (outcome: Outcome) => void;
  protected readonly caller: Caller;
  readonly #n: number;
  readonly #call: CallKind;
  readonly #number: number;
  #ruling = FAULT;
  #failure: Error | undefined = undefined;
  #told: DecisionRecord | undefined = undefined;

  /** `n`: the call's number in its session; `number`: that of the new mark it may leave, 0 when it leaves none of its own. */
  constructor(caller: Caller, n: number, call: CallKind, number = 0) {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    this.outcome = promise;
    this.#settle = resolve;
    this.fail = reject;
    this.caller = caller;
    this.#n = n;
    this.#call = call;
    this.#number = number;
  }

  /** Nothing can be stored under the mark's id, or the one after it. */
  protected isNew(): boolean {
    const { port, prefix } = this.caller;
    return this.#number > 0 && port.ledger.isNew(prefix, this.#number);
  }

  /** What goes on record of what was asked; made only where it does. */
  protected abstract subject(): Json;
  protected abstract rule(batch: GateBatch): Ruling;
  /** It was allowed, and for the first time: what else that brings about. */
  protected granted(_batch: GateBatch, _ruling: Ruling): void {}

  stage(batch: GateBatch): void {
    this.#failure = undefined;
    try {
      this.#ruling = this.rule(batch);
    } catch (error) {
      this.#ruling = FAULT;
      this.#failure = error instanceof Error ? error : new Error('the guard could not decide', { cause: error });
    }
    const ruling = this.#ruling;
    this.#told = this.#record(batch, ruling);
    if (ruling.decision.verdict === 'allow' && ruling.repeated === undefined) this.granted(batch, ruling);
    batch.settleAfterwards();
  }

  done(): void {
    if (this.#told !== undefined) this.caller.port.told?.(this.#told);
    if (this.#failure !== undefined) this.fail(this.#failure);
    else this.#settle(outcomeOf(this.#ruling));
  }

  /**
   * Puts a decision on record: with the mark that it let in, as a record of its own, or counted with others like it. Gives it back where
   * somebody wants to be told.
   */
  #record(batch: GateBatch, ruling: Ruling): DecisionRecord | undefined {
    const { agent, epoch, prefix, port } = this.caller;
    const n = this.#n;
    const call = this.#call;
    const { decision, mark, recorded = mark?.id, flags } = ruling;
    const fresh = mark !== undefined && ruling.stored === undefined;
    if (fresh && decision.verdict === 'allow' && flags === undefined && (call === 'write' || call === 'execute')) {
      const number = this.#number > 0 ? this.#number : numberOf(prefix, mark.id);
      const isPlain = port.told === undefined && port.ledger.noteAllowed(prefix, n, call, number);
      if (isPlain) {
        batch.addMark(mark, call === 'execute' ? -n : n, epoch);
        return undefined;
      }
    }
    const reason = decision.verdict === 'blocked' ? decision.reason : undefined;
    const made = {
      agent,
      epoch,
      call,
      verdict: decision.verdict,
      subject: this.subject(),
      ...(decision.verdict === 'denied' ? { denial: decision.denial } : NOTHING),
      ...(decision.verdict === 'conflict' ? { holder: decision.holder } : NOTHING),
      ...(reason === undefined ? NOTHING : { reason }),
      ...(recorded === undefined ? NOTHING : { mark: recorded }),
      ...(flags === undefined ? NOTHING : { flags }),
    };
    const { suffix, known } = port.ledger.idFor(prefix, n, made);
    if (fresh && !known && (call === 'write' || call === 'execute')) {
      const why = { ...(reason === undefined ? NOTHING : { reason }), ...(flags === undefined ? NOTHING : { flags }) };
      batch.addMark(mark, { c: suffix, call, ...why }, epoch);
      if (port.told === undefined) return undefined;
      return { id: `${prefix}/${suffix}`, at: batch.now, ...made };
    }
    if (fresh) batch.addMark(mark);
    const record = shortened({ id: `${prefix}/${suffix}`, at: batch.now, ...made });
    if (known) return record;
    const written = decision.verdict === 'allow' ? record : port.refusals.note(record);
    if (written !== undefined) batch.addDecision(written);
    return record;
  }
}

/** A call that is ruled on by a function of its own. */
export class CallTurn extends Turn {
  readonly #subject: Json;
  readonly #rule: (batch: GateBatch) => Ruling;

  constructor(caller: Caller, n: number, call: CallKind, subject: Json, rule: (batch: GateBatch) => Ruling) {
    super(caller, n, call);
    this.#subject = subject;
    this.#rule = rule;
  }

  protected subject(): Json {
    return this.#subject;
  }

  protected rule(batch: GateBatch): Ruling {
    return this.caller.revoked ? REVOKED_RULING : this.#rule(batch);
  }
}

/** A call that was ruled on before its turn; only its record has to be made. `lazy`: a little later will do. */
export class RuledTurn extends Turn {
  override readonly lazy: boolean;
  readonly #subject: Json;
  readonly #ruling: Ruling;

  constructor(caller: Caller, n: number, call: CallKind, subject: Json, ruling: Ruling, lazy = false) {
    super(caller, n, call);
    this.#subject = subject;
    this.#ruling = ruling;
    this.lazy = lazy;
  }

  protected subject(): Json {
    return this.#subject;
  }

  protected rule(): Ruling {
    return this.#ruling;
  }
}

/** One write. */
export class WriteTurn extends Turn {
  readonly #id: MarkId;
  readonly #draft: KindedDraft;
  readonly #facts: GatheredFacts;

  /** `number`: of the mark among the session's; 0 when the id was given to it before. */
  constructor(caller: Caller, n: number, number: number, id: MarkId, draft: KindedDraft, facts: GatheredFacts) {
    super(caller, n, 'write', number);
    this.#id = id;
    this.#draft = draft;
    this.#facts = facts;
  }

  protected subject(): Json {
    return subjectOfMark(this.#draft);
  }

  protected rule(batch: GateBatch): Ruling {
    const { revoked, grant, port } = this.caller;
    if (revoked) return REVOKED_RULING;
    const ruling = ruleOnWrite(batch, grant, this.#id, this.#draft, this.#facts, this.isNew());
    if (ruling.mark !== undefined && ruling.repeated === undefined) wait(port, batch, ruling, this.#draft);
    return ruling;
  }
}

/** What a stored intent that has to wait brings about: a contest for the principal, or the boundary it was the last to wait for. */
export function wait(
  port: SessionPort,
  batch: GateBatch,
  { decision, mark, recorded }: Ruling,
  draft: KindedDraft,
): void {
  if (decision.verdict !== 'blocked' || draft.kind !== 'intent') return;
  const cause = mark?.id ?? recorded;
  if (cause === undefined) return;
  // What follows from the call comes after it in the log.
  if (decision === YIELDED) batch.afterwards(() => addContest(batch, draft.scope, draft.resource, cause));
  else if (decision === PENDING) batch.afterwards(() => port.waits(batch, draft));
}

export function outcomeOf({ decision, mark, recorded = mark?.id, repeated }: Ruling): Outcome {
  if (decision.verdict === 'blocked' && recorded !== undefined) return { ...decision, intent: recorded };
  if (decision.verdict !== 'allow') return decision;
  if (mark === undefined) return ALLOWED;
  return repeated === undefined ? { verdict: 'allow', mark } : { verdict: 'allow', mark, repeated };
}
