import { copyJson, type JsonBounds, problemIn } from '../space/json-value.ts';
import { isExpired, type MarkView } from '../space/mark-index.ts';
import type { AgentName, Intent, Json, MarkId, Need, ScopeName } from '../space/marks.ts';
import { MAX_STRENGTH } from '../space/marks.ts';
import { isMarkId } from '../space/stored-mark.ts';
import type { z } from 'zod';
import { governedBy, settleBoundary } from './boundary.ts';
import { addBudgetEvent } from './budget-needs.ts';
import type { Task } from './commit-queue.ts';
import type { DecisionRecord, Denial, Outcome } from './decision.ts';
import type { GateBatch } from './gate-batch.ts';
import type { Grant, TokenBudget } from './grants.ts';
import type { GuardEvent, Restriction } from './guard-event.ts';
import { contestOn, leasedBy, leasesOn } from './parts/claims.ts';
import { principalCalls } from './parts/sessions.ts';
import { deny } from './policies/policy.ts';
import { addContest } from './rulings.ts';
import { AGENT, BUDGET, checkInput, RESTORATION, RESTRICTION, SESSION } from './principal-input.ts';
import { claimKey } from './staged-view.ts';
import { subjectOf } from './subject.ts';

/**
 * What the person in charge may do, and nobody else: a capability that the gate gives for the principal's token. Every call leaves one
 * decision record. Nothing here is within reach of an agent's session.
 */
export interface Principal {
  /** Keeps an agent, or everybody, from writing a kind of mark, or any but needs, in a scope and all below it, until it is restored. */
  revoke(restriction: Restriction, reason: string): Promise<Outcome>;
  /** The same, until the agent has written a Need there and the principal has resolved it. */
  requireNeed(restriction: Restriction, reason: string): Promise<Outcome>;
  /** Lifts every restriction that this one covers. */
  restore(restriction: Restriction): Promise<Outcome>;
  /** Sets an agent's envelope back to its cold start, and lifts what it imposed. */
  resetEnvelope(agent: AgentName): Promise<Outcome>;
  /**
   * Answers a Need by an action mark that supersedes it. Where it asks which of several may have a resource, `winner` is the intent that gets
   * it (nobody without one); the others' intents come to nothing. `mark` of the answer is that action.
   */
  resolve(need: MarkId, answer: Json, options?: { readonly winner?: MarkId }): Promise<Outcome>;
  /** Settles a deferred scope now, over all its live intents. */
  boundary(scope: ScopeName): Promise<Outcome>;
  setBudget(agent: AgentName, budget: TokenBudget): Promise<Outcome>;
  /** Ends a session for good: its calls are denied, its leases are free, it cannot be opened again. */
  endSession(agent: AgentName, epoch: string): Promise<Outcome>;
}

/** What the principal's side needs of the gate. */
export interface PrincipalPort {
  readonly run: string;
  readonly bounds: JsonBounds;
  push(task: Task<GateBatch>): void;
  view(): MarkView;
  grantOf(agent: AgentName): Pick<Grant, 'agent' | 'budget'>;
  told(record: DecisionRecord): void;
}

/** Who resolves needs in marks and decisions. No agent may have the name. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the name of an agent
export const PRINCIPAL = 'principal' as AgentName;
const EPOCH = 'p';

/** What a principal's call does in its turn; a denial leaves nothing but its record. */
type Act = (batch: GateBatch, n: number) => Denial | MarkId | undefined;

export class GatePrincipal implements Principal {
  readonly #port: PrincipalPort;

  constructor(port: PrincipalPort) {
    this.#port = port;
  }

  revoke(restriction: Restriction, reason: string): Promise<Outcome> {
    return this.#given('revoke', RESTRICTION, { restriction, reason }, (given) =>
      this.#event('revoke', { ...given.restriction, reason: given.reason }, { what: 'revoked', ...given }),
    );
  }

  requireNeed(restriction: Restriction, reason: string): Promise<Outcome> {
    return this.#given('require-need', RESTRICTION, { restriction, reason }, (given) => {
      const event: GuardEvent = { what: 'revoked', ...given, needed: true };
      return this.#event('require-need', { ...given.restriction, reason: given.reason }, event);
    });
  }

  restore(restriction: Restriction): Promise<Outcome> {
    return this.#given('restore', RESTORATION, { restriction }, (given) =>
      this.#event('restore', { ...given.restriction }, { what: 'restored', ...given }),
    );
  }

  resetEnvelope(agent: AgentName): Promise<Outcome> {
    return this.#given('reset-envelope', AGENT, { agent }, (given) =>
      this.#event('reset-envelope', given, { what: 'envelope-reset', ...given }),
    );
  }

  setBudget(agent: AgentName, budget: TokenBudget): Promise<Outcome> {
    return this.#given('set-budget', BUDGET, { agent, budget }, (given) =>
      this.#act('set-budget', { agent: given.agent }, (batch) => {
        const grant = this.#port.grantOf(given.agent);
        batch.afterwards(() => addBudgetEvent(batch, grant, { what: 'budget-set', ...given }));
        return undefined;
      }),
    );
  }

  endSession(agent: AgentName, epoch: string): Promise<Outcome> {
    const { run } = this.#port;
    return this.#given('end-session', SESSION, { agent, epoch }, (given) =>
      this.#act('end-session', given, (batch) => {
        const event: GuardEvent = { what: 'session-ended', run, ...given, revoked: true };
        const session = `${run}/${given.agent}/${given.epoch}`;
        batch.afterwards(() => batch.addEvent(event, leasedBy(batch.state, session)));
        return undefined;
      }),
    );
  }

  boundary(scope: ScopeName): Promise<Outcome> {
    return this.#act('boundary', { scope }, (batch) => {
      if (batch.view.definitionOf(scope)?.deferred !== true)
        return { code: 'malformed', check: 'shape', field: 'scope', problem: 'is not a deferred scope' };
      batch.afterwards(() => addBoundary(batch, scope));
      return undefined;
    });
  }

  resolve(need: MarkId, answer: Json, options: { readonly winner?: MarkId } = {}): Promise<Outcome> {
    const { winner } = options;
    if (!isMarkId(need) || (winner !== undefined && !isMarkId(winner)))
      return this.#act('resolve', {}, () => ({
        code: 'malformed',
        check: 'shape',
        field: 'id',
        problem: 'is not a mark id',
      }));
    let result: Json;
    try {
      result = copyJson(winner === undefined ? { answer } : { answer, winner }, this.#port.bounds);
    } catch (error) {
      const { problem } = problemIn(error);
      return this.#act('resolve', { need }, () => ({ code: 'malformed', check: 'shape', field: 'answer', problem }));
    }
    return this.#act('resolve', { need, winner }, (batch, n) => {
      const asked = batch.view.byId(need);
      if (asked?.kind !== 'need' || batch.view.isSuperseded(need))
        return { code: 'no-such-need', check: 'authorization', target: need };
      const settled = contestedResource(batch, asked);
      const contenders = settled === undefined ? [] : contendersFor(batch, asked.scope, settled);
      const picked = contenders.find(({ id }) => id === winner);
      if (winner !== undefined && picked === undefined)
        return { code: 'malformed', check: 'shape', field: 'winner', problem: 'is not an intent that waits for this' };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is where the principal's mark ids are made
      const id = `${this.#port.run}/${PRINCIPAL}/${EPOCH}/m${n}` as MarkId;
      batch.afterwards(() => {
        const { scope } = asked;
        batch.addMark(
          Object.freeze({
            id,
            agent: PRINCIPAL,
            createdAt: batch.now,
            kind: 'action' as const,
            scope,
            action: 'resolve',
            result,
            strength: MAX_STRENGTH,
            supersedes: need,
          }),
        );
        if (settled === undefined) return;
        const ttlMs = batch.view.definitionOf(scope)?.intentTtlMs ?? 0;
        const settlement = {
          scope,
          resource: settled,
          winners: picked === undefined ? [] : [{ intent: picked.id, agent: picked.agent }],
          losers: contenders.filter((intent) => intent !== picked).map((intent) => intent.id),
          until: batch.now + ttlMs,
        };
        batch.addEvent(
          { what: 'settled', need, settlement },
          contenders.map((intent) => intent.id),
        );
      });
      return id;
    });
  }

  /** Takes a call's arguments as checked copies, or refuses the call. */
  #given<Value>(
    operation: string,
    schema: z.ZodType<Value>,
    input: unknown,
    then: (given: Value) => Promise<Outcome>,
  ): Promise<Outcome> {
    const checked = checkInput(schema, input);
    return checked.ok ? then(checked.value) : this.#act(operation, {}, () => checked.denial);
  }

  #event(operation: string, subject: Readonly<Record<string, unknown>>, event: GuardEvent): Promise<Outcome> {
    return this.#act(operation, subject, (batch) => {
      batch.afterwards(() => batch.addEvent(event));
      return undefined;
    });
  }

  #act(operation: string, subject: Readonly<Record<string, unknown>>, act: Act): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      let record: DecisionRecord | undefined;
      const stage = (batch: GateBatch): void => {
        const n = principalCalls(batch.state) + 1;
        const acted = act(batch, n);
        const denial = typeof acted === 'object' ? acted : undefined;
        const mark = typeof acted === 'string' ? acted : undefined;
        record = {
          id: `${this.#port.run}/${PRINCIPAL}/${EPOCH}/c${n}`,
          agent: PRINCIPAL,
          epoch: EPOCH,
          at: batch.now,
          call: 'principal',
          verdict: denial === undefined ? 'allow' : 'denied',
          subject: subjectOf({ operation, ...subject }),
          ...(denial === undefined ? {} : { denial }),
          ...(mark === undefined ? {} : { mark }),
        };
        batch.addDecision(record);
        batch.settleAfterwards();
      };
      const done = (): void => {
        if (record === undefined) return;
        this.#port.told(record);
        const { denial, mark } = record;
        const stored = mark === undefined ? undefined : this.#port.view().byId(mark);
        if (denial !== undefined) resolve(deny(denial));
        else resolve(stored === undefined ? { verdict: 'allow' } : { verdict: 'allow', mark: stored });
      };
      this.#port.push({ stage, done, fail: reject });
    });
  }
}

/** The resource that a Need of the guard's asks about. */
function contestedResource(batch: GateBatch, { id, scope, context }: Need): string | undefined {
  if (typeof context !== 'object' || context === null || !('resource' in context)) return undefined;
  const { resource } = context;
  return typeof resource === 'string' && contestOn(batch.state, claimKey(scope, resource)) === id
    ? resource
    : undefined;
}

function contendersFor(batch: GateBatch, scope: ScopeName, resource: string): readonly Intent[] {
  const ttlMs = batch.view.definitionOf(scope)?.intentTtlMs ?? Infinity;
  const contenders: Intent[] = [];
  for (const claim of batch.view.claims(scope, resource))
    if (claim.kind === 'intent' && !isExpired(claim, batch.now, ttlMs)) contenders.push(claim);
  const leases = leasesOn(batch.state, claimKey(scope, resource));
  return contenders.filter(({ id }) => !leases.some(({ holder }) => holder === id));
}

/** Settles the deferred definition that governs `scope`, in the batch at hand. */
export function addBoundary(batch: GateBatch, scope: ScopeName): void {
  const definition = batch.view.definitionOf(scope);
  if (definition === undefined) return;
  const { view, state, now } = batch;
  const scopes = [...governedBy(view, definition)];
  const { settlements, contests, consumed } = settleBoundary({ view, memory: state, definition, scopes, now });
  batch.addEvent({ what: 'boundary', scope: definition.name, settlements }, consumed);
  for (const { scope: where, resource, contenders } of contests) {
    const cause = contenders.at(-1);
    if (cause !== undefined) addContest(batch, where, resource, cause.id);
  }
}
