import { copyJson, problemIn } from '../space/json-value.ts';
import type { DraftBounds } from '../space/mark-schema.ts';
import type { Json, Mark } from '../space/marks.ts';
import type { Task } from './commit-queue.ts';
import type { Outcome } from './decision.ts';
import type { GateBatch } from './gate-batch.ts';
import { leaseOf } from './parts/claims.ts';
import { deny } from './policies/policy.ts';
import { type Booking, ruleOnExecute, type Ruling, stampMark } from './rulings.ts';
import type { ExecuteOutcome, ToolLease } from './session.ts';
import { recallClaim } from './staged-view.ts';
import { subjectOfMark } from './subject.ts';
import { type Caller, Turn, REVOKED_RULING, wait } from './turn.ts';

/** One execution: its turn books the resource; once that is durable the tool runs; a {@link Recording} puts on record what came of it. */
export class Execution<Value> extends Turn {
  readonly #booking: Booking;
  readonly #tool: (lease: ToolLease) => Value | Promise<Value>;
  #fence = 0;

  constructor(caller: Caller, n: number, booking: Booking, tool: (lease: ToolLease) => Value | Promise<Value>) {
    super(caller, n, 'execute', booking.number);
    this.#booking = booking;
    this.#tool = tool;
  }

  protected subject(): Json {
    return subjectOfMark(this.#booking.draft);
  }

  protected rule(batch: GateBatch): Ruling {
    const { revoked, grant, port } = this.caller;
    if (revoked) return REVOKED_RULING;
    const ruling = ruleOnExecute(batch, grant, this.#booking, this.isNew());
    wait(port, batch, ruling, this.#booking.draft);
    return ruling;
  }

  protected override granted(batch: GateBatch, ruling: Ruling): void {
    const { draft, claim, intentId } = this.#booking;
    const { agent, epoch } = this.caller;
    const { scope, resource } = draft;
    // Cut off by a crash and allowed to go on: whoever still runs its tool from before comes too late.
    if (ruling.stored === true) batch.addEvent({ what: 'leased', agent, epoch, scope, resource, intent: intentId });
    this.#fence = leaseOf(batch.state, claim.key, intentId)?.fence ?? 0;
  }

  /** All of it, to be called once, by whoever made the call: what it awaits runs in the caller's context. */
  async run(): Promise<ExecuteOutcome<Awaited<Value>>> {
    const { booked } = this.caller;
    const { number } = this.#booking;
    // Its ids are taken until it is over: no retry of a write can come in between.
    booked.push(number);
    try {
      const outcome = await this.outcome;
      if (outcome.verdict !== 'allow' || outcome.repeated === true) return executed(outcome);
      if (this.caller.revoked) return executed(REVOKED_RULING.decision);
      let value: Awaited<Value>;
      try {
        value = await this.#tool({ fence: this.#fence });
      } catch (error) {
        await this.#record(null, true);
        throw error;
      }
      const mark = await this.#record(resultOf(value, this.caller.port.bounds), false);
      if (mark !== undefined) return { verdict: 'allow', mark, value };
      if (this.caller.revoked) return executed(REVOKED_RULING.decision);
      return executed(deny({ code: 'fenced', check: 'conflict', resource: this.#booking.draft.resource }));
    } finally {
      booked.splice(booked.indexOf(number), 1);
    }
  }

  #record(result: Json, failed: boolean): Promise<Mark | undefined> {
    const { done, intentId } = this.#booking;
    const draft = failed
      ? { ...done, result, failed, supersedes: intentId }
      : { ...done, result, supersedes: intentId };
    const recording = new Recording(this.caller, this.#booking, this.#fence, draft);
    this.caller.port.push(recording);
    return recording.recorded;
  }
}

/** What came of a tool, on its way to the record: the action ends the lease. */
class Recording implements Task<GateBatch> {
  /** The action; undefined when the lease had been taken away in the meantime. */
  readonly recorded: Promise<Mark | undefined>;
  readonly fail: (error: Error) => void;
  readonly #resolve: (mark: Mark | undefined) => void;
  readonly #caller: Caller;
  readonly #booking: Booking;
  readonly #fence: number;
  readonly #draft: Booking['done'];
  #mark: Mark | undefined = undefined;

  constructor(caller: Caller, booking: Booking, fence: number, draft: Booking['done']) {
    const { promise, resolve, reject } = Promise.withResolvers<Mark | undefined>();
    this.recorded = promise;
    this.#resolve = resolve;
    this.fail = reject;
    this.#caller = caller;
    this.#booking = booking;
    this.#fence = fence;
    this.#draft = draft;
  }

  stage(batch: GateBatch): void {
    this.#mark = undefined;
    const { claim, intentId, actionId, number } = this.#booking;
    const { revoked, agent, port, prefix } = this.#caller;
    recallClaim(claim);
    if (revoked || leaseOf(batch.state, claim.key, intentId)?.fence !== this.#fence) return;
    // Somebody else who has the session's name may have used the id.
    if (!port.ledger.isNew(prefix, number + 1, true) && batch.view.byId(actionId) !== undefined) return;
    this.#mark = stampMark(batch, agent, actionId, this.#draft);
    batch.addMark(this.#mark);
  }

  done(): void {
    this.#resolve(this.#mark);
  }
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
