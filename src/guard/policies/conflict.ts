import type { Action, AgentName, Intent, MarkId } from '../../space/marks.ts';
import { isExpired, NO_MARKS } from '../../space/mark-index.ts';
import { accessOf } from '../../space/query.ts';
import type { ConflictPolicy, ScopeDefinition } from '../../space/scope.ts';
import type { Decision } from '../decision.ts';
import { type Award, awardsOn, type Lease, leaseOf, leasesOn } from '../parts/claims.ts';
import { claimKey } from '../staged-view.ts';
import type { Policy, PolicyInput } from './policy.ts';

interface Holder {
  readonly id: MarkId;
  readonly agent: AgentName;
}

/** Who has a resource, as one agent finds it. */
interface Standing {
  /** The agent itself has it already. */
  readonly own: Holder | undefined;
  /** It won the resource and may act on it now. */
  readonly awarded: boolean;
  /** The first of the others who hold a unit for good: by a lease, an award or a finished action. */
  readonly holder: Holder | undefined;
  readonly held: number;
  /** The first of the others who only intend to. */
  readonly contender: Holder | undefined;
  readonly contenders: number;
}

/**
 * Nobody is allowed on a unit of a resource that somebody holds: by a lease, an award, a finished action or, unless the scope is deferred,
 * a live intent. An intent that was allowed is exclusive until it is acted on, released or expired: no confidence takes it away (S1), so that
 * `highest-confidence` ranks contenders that nobody has answered yet, which is what a boundary settles (see {@link winnersOf}).
 * Nobody books twice: what an agent has itself stands in its way as well until it supersedes or releases it.
 */
export const conflict: Policy = (input) => {
  const { view, draft, grant } = input;
  const running = runningTarget(input);
  if (running !== undefined) return conflictWith(running);
  if (draft.kind !== 'intent' && (draft.kind !== 'action' || draft.failed === true)) return undefined;
  const { resource } = draft;
  const definition = view.definitionOf(draft.scope);
  if (resource === undefined || definition === undefined) return undefined;
  const units = unitsOf(definition, resource);
  const standing = standingOn(input, resource, definition, units);
  if (standing.own !== undefined) return conflictWith(standing.own);
  if (standing.awarded) return undefined;
  // Who may not see the scope does not learn who is in the way.
  const hidden = accessOf(view, grant, draft.scope) === 'none';
  if (standing.holder !== undefined && standing.held >= units) return hidden ? BUSY : conflictWith(standing.holder);
  if (definition.deferred) return PENDING;
  if (standing.contender === undefined || standing.held + standing.contenders < units) return undefined;
  if (definition.conflictPolicy === 'yield-all') return YIELDED;
  return hidden ? BUSY : conflictWith(standing.contender);
};

/** An intent that a tool is running for is not taken away from under it, by its own agent either: only its action ends the lease (S1). */
function runningTarget({ view, memory, draft }: PolicyInput): Holder | undefined {
  const target = draft.supersedes === undefined ? undefined : view.byId(draft.supersedes);
  if (target?.kind !== 'intent') return undefined;
  const lease = leaseOf(memory, claimKey(target.scope, target.resource), target.id);
  return lease === undefined ? undefined : { id: lease.holder, agent: lease.agent };
}

/** It waits for its boundary. */
export const PENDING: Decision = Object.freeze({ verdict: 'blocked', reason: 'pending-boundary' });
/** All yield until the principal has picked one. */
export const YIELDED: Decision = Object.freeze({ verdict: 'blocked', reason: 'awaiting-principal' });
const BUSY: Decision = Object.freeze({ verdict: 'blocked', reason: 'busy' });

function conflictWith({ id, agent }: Holder): Decision {
  return { verdict: 'conflict', holder: id, holderAgent: agent };
}

/** How many agents may hold a resource at a time. */
export function unitsOf(definition: ScopeDefinition, resource: string): number {
  const { units } = definition;
  return units !== undefined && Object.hasOwn(units, resource) ? (units[resource] ?? 1) : 1;
}

const NOBODYS: Standing = Object.freeze({
  own: undefined,
  awarded: false,
  holder: undefined,
  held: 0,
  contender: undefined,
  contenders: 0,
});

function standingOn(input: PolicyInput, resource: string, definition: ScopeDefinition, units: number): Standing {
  const { memory, view, draft, now } = input;
  const key = claimKey(draft.scope, resource);
  const leases = leasesOn(memory, key);
  const awards = awardsOn(memory, key, now);
  const claims = view.claims(draft.scope, resource);
  const isFree = leases.length === 0 && awards.length === 0 && claims === NO_MARKS;
  return isFree ? NOBODYS : standingAmong(input, { leases, awards, claims }, definition, units);
}

/** Costs at most the units of the resource and, under `yield-all`, those who contend for it. */
function standingAmong(
  { draft, grant, facts, now }: PolicyInput,
  {
    leases,
    awards,
    claims,
  }: {
    readonly leases: readonly Lease[];
    readonly awards: readonly Award[];
    readonly claims: Iterable<Action | Intent>;
  },
  definition: ScopeDefinition,
  units: number,
): Standing {
  let own: Holder | undefined;
  let awarded = false;
  let holder: Holder | undefined;
  let contender: Holder | undefined;
  let held = 0;
  let contenders = 0;
  const hold = (id: MarkId, agent: AgentName): void => {
    if (agent === grant.agent) own ??= { id, agent };
    else {
      holder ??= { id, agent };
      held += 1;
    }
  };
  for (const lease of leases) if (lease.holder !== facts.self) hold(lease.holder, lease.agent);
  for (const award of awards) {
    if (award.agent === grant.agent) awarded = true;
    else hold(award.intent, award.agent);
  }
  for (const claim of claims) {
    if (held >= units) break;
    if (claim.id === draft.supersedes || claim.id === facts.self) continue;
    if (claim.kind === 'action') hold(claim.id, claim.agent);
    else if (!isExpired(claim, now, definition.intentTtlMs) && !leases.some((lease) => lease.holder === claim.id)) {
      if (claim.agent !== grant.agent) {
        contender ??= { id: claim.id, agent: claim.agent };
        contenders += 1;
        if (definition.conflictPolicy !== 'yield-all' && !definition.deferred && held + contenders >= units) break;
      } else if (draft.kind === 'intent') own ??= { id: claim.id, agent: claim.agent };
    }
  }
  return { own, awarded, holder, held, contender, contenders };
}

/**
 * Which of several contenders for `free` units of one resource win, whatever the order they are given in: the earliest, or the most
 * confident with ties to the earliest, one unit to an agent; nobody under `yield-all` unless there is room for all. `seqOf` gives a mark's
 * place in the log.
 */
export function winnersOf(
  policy: ConflictPolicy,
  contenders: readonly Intent[],
  free: number,
  seqOf: (id: MarkId) => number,
): readonly Intent[] {
  const earlier = (a: Intent, b: Intent): number => a.createdAt - b.createdAt || seqOf(a.id) - seqOf(b.id);
  const better =
    policy === 'highest-confidence' ? (a: Intent, b: Intent) => b.confidence - a.confidence || earlier(a, b) : earlier;
  const first = new Map<AgentName, Intent>();
  for (const intent of [...contenders].sort(better)) if (!first.has(intent.agent)) first.set(intent.agent, intent);
  const ranked = [...first.values()];
  return policy === 'yield-all' && ranked.length > free ? [] : ranked.slice(0, Math.max(0, free));
}
