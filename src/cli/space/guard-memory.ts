import type { Award, Lease } from '../../guard/parts/claims.ts';
import type { Subscriber } from '../../guard/parts/subscriptions.ts';
import { type GuardMemory, stateKey } from '../../guard/state.ts';

// Maps of the guard's parts, by their names: the parts themselves never ask for all of them.
const LEASES = stateKey<readonly Lease[]>('claims/leases');
const AWARDS = stateKey<readonly Award[]>('claims/awards');
const SUBSCRIBERS = stateKey<Subscriber>('subscriptions/by-agent');

/** A lease or an award, and the resource it is on. */
export type On<Claim> = Claim & { readonly scope: string; readonly resource: string };

/** Every lease of the space. */
export function leasesIn(memory: GuardMemory): readonly On<Lease>[] {
  return claimsIn(memory.map(LEASES).entries());
}

/** Every award that has not lapsed at `now`. */
export function awardsIn(memory: GuardMemory, now: number): readonly On<Award>[] {
  return claimsIn(memory.map(AWARDS).entries()).filter(({ until }) => now <= until);
}

/** How many subscriptions each agent has. */
export function subscriptionsIn(
  memory: GuardMemory,
): readonly { readonly agent: string; readonly names: readonly string[] }[] {
  return [...memory.map(SUBSCRIBERS).entries()]
    .map(([agent, { names }]) => ({ agent, names }))
    .filter(({ names }) => names.length > 0);
}

function claimsIn<Claim>(entries: Iterable<readonly [string, readonly Claim[]]>): readonly On<Claim>[] {
  return [...entries].flatMap(([key, claims]) => {
    const cut = key.indexOf('\0');
    return claims.map((claim) => ({ scope: key.slice(0, cut), resource: key.slice(cut + 1), ...claim }));
  });
}
