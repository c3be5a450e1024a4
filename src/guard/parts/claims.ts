import type { AgentName, Mark, MarkId, ScopeName } from '../../space/marks.ts';
import { sessionOf } from '../session-id.ts';
import type { Settlement } from '../guard-event.ts';
import type { GuardPart, Happened } from '../happened.ts';
import type { DecisionView } from '../policies/policy.ts';
import type { ScopeDefinition } from '../../space/scope.ts';
import { type GuardMemory, type GuardState, type StagedMap, stateKey } from '../state.ts';
import { claimKey } from '../staged-view.ts';

/** Somebody was allowed on a resource and has not finished: nobody else is until then, however long it takes. @see protocol rule S1 */
export interface Lease {
  /** The intent it was granted for. */
  readonly holder: MarkId;
  readonly agent: AgentName;
  /** The session it ends with: `<run>/<agent>/<epoch>`. */
  readonly session: string;
  /** Grows with every lease of the space: what a tool hands on, so that whoever comes late is recognised. */
  readonly fence: number;
}

/** Somebody won a resource, at a boundary or by the principal's word, and has not acted yet. */
export interface Award {
  readonly intent: MarkId;
  readonly agent: AgentName;
  /** Epoch ms; after that it lapses, so that nobody is locked out by a winner who does not come. */
  readonly until: number;
}

/** Intents wait for the boundary of one deferred definition. */
export interface Waiting {
  /** Epoch ms of the oldest. */
  readonly since: number;
  /** How many agents wait. */
  readonly agents: number;
}

/** One intent that does. */
interface Pending {
  readonly agent: AgentName;
  /** Epoch ms. */
  readonly since: number;
  /** Epoch ms of its last moment. */
  readonly until: number;
}

const LEASES = stateKey<readonly Lease[]>('claims/leases');
const AWARDS = stateKey<readonly Award[]>('claims/awards');
const CONTESTS = stateKey<MarkId>('claims/contests');
const FENCE = stateKey<number>('claims/fence');
/** Definition -> how many agents wait for its boundary. */
const WAITING = stateKey<number>('claims/waiting');
/** `<definition>\0<agent>` -> how many of its intents wait. */
const WAITERS = stateKey<number>('claims/waiters');
const NONE: readonly never[] = Object.freeze([]);

/** A family by definition: by id, the intents that wait for its boundary, in log order. */
const PENDING = stateKey<Pending>('claims/pending');

/** Leases on a resource, in the order they were granted. `key` as of `claimKey`. */
export function leasesOn(memory: GuardMemory, key: string): readonly Lease[] {
  return memory.map(LEASES).get(key) ?? NONE;
}

/** The lease that an intent has on a resource. */
export function leaseOf(memory: GuardMemory, key: string, intent: MarkId): Lease | undefined {
  return heldBy(leasesOn(memory, key), intent);
}

function heldBy(leases: readonly Lease[], intent: MarkId): Lease | undefined {
  for (const lease of leases) if (lease.holder === intent) return lease;
  return undefined;
}

/** Awards on a resource that have not lapsed. */
export function awardsOn(memory: GuardMemory, key: string, now: number): readonly Award[] {
  const awards = memory.map(AWARDS).get(key) ?? NONE;
  return awards.length === 0 ? awards : awards.filter(({ until }) => now <= until);
}

/** The award by which an agent may have a resource now. */
export function awardOf(memory: GuardMemory, key: string, agent: AgentName, now: number): Award | undefined {
  const awards = memory.map(AWARDS).get(key);
  if (awards !== undefined) for (const award of awards) if (award.agent === agent && now <= award.until) return award;
  return undefined;
}

/** The Need that asks who may have a resource for which several yielded to each other. */
export function contestOn(memory: GuardMemory, key: string): MarkId | undefined {
  return memory.map(CONTESTS).get(key);
}

/** Deferred definitions (by name) in which intents wait for a boundary. */
export function* waitingScopes(memory: GuardMemory, now: number): Iterable<readonly [string, Waiting]> {
  for (const [name, agents] of memory.map(WAITING).entries()) {
    for (const [, { since, until }] of memory.map(PENDING, name).entries()) {
      if (until < now) continue;
      yield [name, { since, agents }];
      break;
    }
  }
}

/** Whether all whom a definition's boundary waits for have an intent waiting, as one has just begun to. @see protocol rule P16 */
export function allExpected(memory: GuardMemory, { name, boundary }: ScopeDefinition): boolean {
  const expected = boundary?.expected;
  if (expected === undefined) return false;
  if (typeof expected === 'number') return (memory.map(WAITING).get(name) ?? 0) >= expected;
  return expected.every((agent) => memory.map(WAITERS).get(waiterKey(name, agent)) !== undefined);
}

/** The intents for which a session (`<run>/<agent>/<epoch>`) has leases: what is withdrawn with it. Costs the leases of the space. */
export function leasedBy(memory: GuardMemory, session: string): MarkId[] {
  const holders: MarkId[] = [];
  for (const [, leases] of memory.map(LEASES).entries())
    for (const lease of leases) if (lease.session === session) holders.push(lease.holder);
  return holders;
}

/** Leases, awards and contests: who holds what besides by marks. */
export const claimsPart: GuardPart = {
  name: 'claims',
  fold: (state, happened, { view }) => {
    if (happened.type === 'mark') foldMark(state, happened.mark, view);
    else if (happened.type === 'call') foldCall(state, happened, view);
    else foldEvent(state, happened, view);
  },
};

function foldMark(state: GuardState, mark: Mark, view: DecisionView): void {
  const over = mark.supersedes === undefined ? undefined : view.byId(mark.supersedes);
  if (over?.kind === 'intent') leave(state, view.definitionOf(over.scope)?.name, over.id);
  if (mark.kind === 'action' && mark.resource !== undefined) {
    const key = claimKey(mark.scope, mark.resource);
    if (mark.supersedes !== undefined) endLease(state, key, mark.supersedes);
    endAwardsOf(state, key, mark.agent);
  } else if (mark.kind === 'need' && mark.agent === 'guard' && isContest(mark.context))
    state.map(CONTESTS).set(claimKey(mark.scope, mark.context.resource), mark.id);
}

type Call = Extract<Happened, { type: 'call' }>;

function foldCall(state: GuardState, call: Call, view: DecisionView): void {
  const { scope, resource, mark, agent, verdict } = call;
  if (scope === undefined || resource === undefined || mark === undefined || call.repeated === true) return;
  if (call.call === 'execute' && verdict === 'allow') {
    lease(state, claimKey(scope, resource), mark, agent);
    return;
  }
  if (verdict !== 'blocked') return;
  const definition = view.definitionOf(scope);
  if (definition?.deferred !== true) return;
  wait(state, definition.name, mark, { agent, since: call.at, until: call.at + definition.intentTtlMs });
}

function lease(state: GuardState, key: string, holder: MarkId, agent: AgentName): void {
  const fence = (state.map(FENCE).get('') ?? 0) + 1;
  state.map(FENCE).set('', fence);
  const granted = { holder, agent, session: sessionOf(holder), fence };
  const held = leasesOn(state, key);
  state.map(LEASES).set(key, held.length === 0 ? [granted] : [...withoutHolder(held, holder), granted]);
  endAwardsOf(state, key, agent);
}

function withoutHolder(leases: readonly Lease[], holder: MarkId): readonly Lease[] {
  return leases.filter((lease) => lease.holder !== holder);
}

function wait(state: GuardState, name: ScopeName, intent: MarkId, waits: Pending): void {
  const pending = state.map(PENDING, name);
  // Time does not run backwards in the log: those that are over are first.
  for (const [id, { until }] of pending.entries()) {
    if (until >= waits.since) break;
    leave(state, name, id);
  }
  pending.set(intent, waits);
  const waiter = waiterKey(name, waits.agent);
  const intents = state.map(WAITERS).get(waiter) ?? 0;
  state.map(WAITERS).set(waiter, intents + 1);
  if (intents === 0) state.map(WAITING).set(name, (state.map(WAITING).get(name) ?? 0) + 1);
}

/** An intent waits no longer, if it did. */
function leave(state: GuardState, name: ScopeName | undefined, intent: string): void {
  if (name === undefined || state.map(WAITING).get(name) === undefined) return;
  const pending = state.map(PENDING, name);
  const left = pending.get(intent);
  if (left === undefined) return;
  pending.delete(intent);
  const waiter = waiterKey(name, left.agent);
  if (countDown(state.map(WAITERS), waiter)) countDown(state.map(WAITING), name);
}

/** One less; whether none is left. */
function countDown(counts: StagedMap<number>, key: string): boolean {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
  return left <= 0;
}

function waiterKey(definition: string, agent: AgentName): string {
  return `${definition}\0${agent}`;
}

function foldEvent(state: GuardState, happened: Extract<Happened, { type: 'event' }>, view: DecisionView): void {
  const { event, at } = happened;
  switch (event.what) {
    case 'boundary':
      // What it left to the principal waits for the principal.
      for (const [id] of state.map(PENDING, event.scope).entries()) leave(state, event.scope, id);
      for (const [key, awards] of state.map(AWARDS).entries())
        if (awards.some(({ until }) => until < at)) endAwards(state, key, ({ until }) => until < at);
      for (const settlement of event.settlements) award(state, settlement);
      break;
    case 'settled': {
      const { scope, resource, winners, losers } = event.settlement;
      const name = view.definitionOf(scope)?.name;
      for (const intent of [...losers, ...winners.map((winner) => winner.intent)]) leave(state, name, intent);
      state.map(CONTESTS).delete(claimKey(scope, resource));
      award(state, event.settlement);
      break;
    }
    case 'released': {
      const key = claimKey(event.scope, event.resource);
      endAwards(state, key, ({ intent }) => intent === event.intent);
      leave(state, view.definitionOf(event.scope)?.name, event.intent);
      break;
    }
    case 'leased':
      lease(state, claimKey(event.scope, event.resource), event.intent, event.agent);
      break;
    case 'session-ended': {
      const session = `${event.run}/${event.agent}/${event.epoch}`;
      for (const [key, leases] of state.map(LEASES).entries())
        for (const lease of leases) if (lease.session === session) endLease(state, key, lease.holder);
      break;
    }
    case 'acknowledged':
    case 'budget-set':
    case 'envelope-reset':
    case 'principal-set':
    case 'probed':
    case 'restored':
    case 'revoked':
    case 'spent':
    case 'subscribed':
    case 'unsubscribed':
      break;
  }
}

function award(state: GuardState, { scope, resource, winners, until }: Settlement): void {
  if (winners.length === 0) return;
  const key = claimKey(scope, resource);
  const others = (state.map(AWARDS).get(key) ?? NONE).filter(
    (held) => !winners.some(({ agent }) => agent === held.agent),
  );
  state.map(AWARDS).set(key, [...others, ...winners.map(({ intent, agent }) => ({ intent, agent, until }))]);
}

function endLease(state: GuardState, key: string, holder: MarkId): void {
  const held = leasesOn(state, key);
  if (heldBy(held, holder) === undefined) return;
  if (held.length === 1) state.map(LEASES).delete(key);
  else state.map(LEASES).set(key, withoutHolder(held, holder));
}

/** An agent that acts on a resource has used its award, or needs it no more. */
function endAwardsOf(state: GuardState, key: string, agent: AgentName): void {
  if (state.map(AWARDS).get(key) !== undefined) endAwards(state, key, (award) => award.agent === agent);
}

function endAwards(state: GuardState, key: string, ended: (award: Award) => boolean): void {
  const awards = state.map(AWARDS).get(key);
  if (awards === undefined) return;
  const rest = awards.filter((held) => !ended(held));
  if (rest.length === 0) state.map(AWARDS).delete(key);
  else if (rest.length < awards.length) state.map(AWARDS).set(key, rest);
}

function isContest(context: unknown): context is { readonly resource: string } {
  return (
    typeof context === 'object' && context !== null && 'resource' in context && typeof context.resource === 'string'
  );
}
