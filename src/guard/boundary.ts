import type { MarkView } from '../space/mark-index.ts';
import { isExpired } from '../space/mark-index.ts';
import type { AgentName, Intent, MarkId, ScopeName } from '../space/marks.ts';
import type { ScopeDefinition } from '../space/scope.ts';
import type { Settlement } from './guard-event.ts';
import { awardsOn, leaseOf, leasesOn } from './parts/claims.ts';
import { unitsOf, winnersOf } from './policies/conflict.ts';
import type { DecisionView } from './policies/policy.ts';
import { claimKey } from './staged-view.ts';
import type { GuardMemory } from './state.ts';

/** What a boundary comes to: resources that are settled, and those for which all contenders yielded to each other. */
export interface Boundary {
  readonly settlements: readonly Settlement[];
  readonly contests: readonly {
    readonly scope: ScopeName;
    readonly resource: string;
    readonly contenders: readonly Intent[];
  }[];
  /** Every intent that the boundary consumes, winners' and losers'. */
  readonly consumed: readonly MarkId[];
}

/** What a boundary looks at. */
export interface BoundaryInput {
  readonly view: DecisionView;
  readonly memory: GuardMemory;
  readonly definition: ScopeDefinition;
  /** The scopes that the definition governs and that hold marks. */
  readonly scopes: Iterable<ScopeName>;
  readonly now: number;
}

/**
 * Settles a deferred definition over *all* live intents in the scopes it governs: per resource the free units go to the winners, the
 * others' intents come to nothing; an existing action, lease or award beats any intent. Pure. @see protocol rules P14-P18, S2
 */
export function settleBoundary({ view, memory, definition, scopes, now }: BoundaryInput): Boundary {
  const settlements: Settlement[] = [];
  const contests: Boundary['contests'][number][] = [];
  const consumed: MarkId[] = [];
  for (const scope of scopes) {
    for (const [resource, contenders] of contendersIn(view, memory, definition, scope, now)) {
      const holders = holdersOn(view, memory, scope, resource, now);
      const free = unitsOf(definition, resource) - holders.length;
      // Who has a unit does not win another.
      const eligible = contenders.filter(({ agent }) => !holders.includes(agent));
      // They come in log order.
      const places = new Map(contenders.map(({ id }, place) => [id, place]));
      const winners = winnersOf(definition.conflictPolicy, eligible, free, (id) => places.get(id) ?? 0);
      if (winners.length === 0 && free > 0 && eligible.length > 0) {
        contests.push({ scope, resource, contenders });
        continue;
      }
      const won = new Set(winners.map(({ id }) => id));
      settlements.push({
        scope,
        resource,
        winners: winners.map(({ id, agent }) => ({ intent: id, agent })),
        losers: contenders.filter(({ id }) => !won.has(id)).map(({ id }) => id),
        until: now + definition.intentTtlMs,
      });
      consumed.push(...contenders.map(({ id }) => id));
    }
  }
  return { settlements, contests, consumed };
}

/** Live intents of a scope that wait, by resource, in log order; those that a tool runs for are no contenders. */
export function contendersIn(
  view: DecisionView,
  memory: GuardMemory,
  definition: ScopeDefinition,
  scope: ScopeName,
  now: number,
): Map<string, Intent[]> {
  const waiting = new Map<string, Intent[]>();
  for (const intent of view.openIntents(scope)) {
    if (isExpired(intent, now, definition.intentTtlMs)) continue;
    if (leaseOf(memory, claimKey(scope, intent.resource), intent.id) !== undefined) continue;
    const list = waiting.get(intent.resource);
    if (list === undefined) waiting.set(intent.resource, [intent]);
    else list.push(intent);
  }
  return waiting;
}

/** Who has a unit, by action, lease or award; one agent for each unit. */
function holdersOn(
  view: DecisionView,
  memory: GuardMemory,
  scope: ScopeName,
  resource: string,
  now: number,
): readonly AgentName[] {
  const key = claimKey(scope, resource);
  const holders = [...leasesOn(memory, key), ...awardsOn(memory, key, now)].map(({ agent }) => agent);
  for (const claim of view.claims(scope, resource)) if (claim.kind === 'action') holders.push(claim.agent);
  return holders;
}

/** The scopes that `definition` governs: its own and those below it that have no other definition in between. */
export function* governedBy(
  view: Pick<MarkView, 'scopesUnder' | 'definitionOf'>,
  definition: ScopeDefinition,
): Iterable<ScopeName> {
  for (const scope of view.scopesUnder(definition.name))
    if (view.definitionOf(scope)?.name === definition.name) yield scope;
}
