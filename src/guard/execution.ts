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
import { type Caller, REVOKED_RULING, Turn, wait } from './turn.ts';

/** One execution: its turn books the resource; once that is durable the tool runs; {@link Recording} puts on record what came of it. */
export class Execution<Value> extends Turn {
  readonly outcome: Promise<ExecuteOutcome<Awaited<Value>>>;
  readonly #booking: Booking;
  readonly #tool: (lease: ToolLease) => Value | Promise<Value>;
  readonly #resolve: (outcome: ExecuteOutcome<Awaited<Value>>) => void;
  readonly #reject: (error: unknown) => void;
  readonly #over: (booking: Booking) => void;
  #fence = 0;

  /** `over` is called when nothing more will come of it. */
  constructor(
    caller: Caller,
    n: number,
    booking: Booking,
    tool: (lease: ToolLease) => Value | Promise<Value>,
    over: (booking: Booking) => void,
  ) {
    super(caller, n, 'execute', booking.number);
    const { promise, resolve, reject } = Promise.withResolvers<ExecuteOutcome<Awaited<Value>>>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#booking = booking;
    this.#tool = tool;
    this.#over = over;
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

  protected settled(outcome: Outcome): void {
    if (outcome.verdict !== 'allow' || outcome.repeated === true) this.#end(executed(outcome));
    else if (this.caller.revoked) this.#end(executed(REVOKED_RULING.decision));
    else this.#run();
  }

  #run(): void {
    let made: Value | Promise<Value>;
    try {
      made = this.#tool({ fence: this.#fence });
    } catch (error) {
      this.#threw(error);
      return;
    }
    Promise.resolve(made).then(
      (value) => this.#returned(value),
      (error: unknown) => this.#threw(error),
    );
  }

  #returned(value: Awaited<Value>): void {
    this.#record(resultOf(value, this.caller.port.bounds), false, (mark) => {
      if (mark !== undefined) this.#end({ verdict: 'allow', mark, value });
      else if (this.caller.revoked) this.#end(executed(REVOKED_RULING.decision));
      else this.#end(executed(deny({ code: 'fenced', check: 'conflict', resource: this.#booking.draft.resource })));
    });
  }

  #threw(error: unknown): void {
    this.#record(null, true, () => this.fail(error));
  }

  #record(result: Json, failed: boolean, recorded: (mark: Mark | undefined) => void): void {
    const { done, intentId } = this.#booking;
    const draft = failed
      ? { ...done, result, failed, supersedes: intentId }
      : { ...done, result, supersedes: intentId };
    this.caller.port.push(new Recording(this, draft, recorded));
  }

  #end(outcome: ExecuteOutcome<Awaited<Value>>): void {
    this.#over(this.#booking);
    this.#resolve(outcome);
  }

  fail(error: unknown): void {
    this.#over(this.#booking);
    this.#reject(error);
  }

  /** Adds the action to the batch, unless the lease was taken away in the meantime. */
  finish(batch: GateBatch, draft: Booking['done']): Mark | undefined {
    const { claim, intentId, actionId, number } = this.#booking;
    const { revoked, agent, port, prefix } = this.caller;
    recallClaim(claim);
    if (revoked || leaseOf(batch.state, claim.key, intentId)?.fence !== this.#fence) return undefined;
    // Somebody else who has the session's name may have used the id.
    if (!port.ledger.isNew(prefix, number + 1, true) && batch.view.byId(actionId) !== undefined) return undefined;
    const mark = stampMark(batch, agent, actionId, draft);
    batch.addMark(mark);
    return mark;
  }
}

/** What came of a tool, on its way to the record: the action ends the lease. */
class Recording implements Task<GateBatch> {
  readonly #execution: Pick<Execution<unknown>, 'finish' | 'fail'>;
  readonly #draft: Booking['done'];
  readonly #recorded: (mark: Mark | undefined) => void;
  #mark: Mark | undefined = undefined;

  constructor(
    execution: Pick<Execution<unknown>, 'finish' | 'fail'>,
    draft: Booking['done'],
    recorded: (mark: Mark | undefined) => void,
  ) {
    this.#execution = execution;
    this.#draft = draft;
    this.#recorded = recorded;
  }

  stage(batch: GateBatch): void {
    this.#mark = this.#execution.finish(batch, this.#draft);
  }

  done(): void {
    this.#recorded(this.#mark);
  }

  fail(error: Error): void {
    this.#execution.fail(error);
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
