import type { AgentName, Intent, MarkId } from '../../space/marks.ts';
import { isExpired } from '../../space/mark-index.ts';
import { accessOf } from '../../space/query.ts';
import type { ConflictPolicy, ScopeDefinition } from '../../space/scope.ts';
import type { Decision } from '../decision.ts';
import type { Policy, PolicyInput } from './policy.ts';

interface Holder {
  readonly id: MarkId;
  readonly agent: AgentName;
  readonly contested: boolean;
}

/**
 * Nobody is allowed on a resource that somebody else holds: by a lease, by a finished action, by a live intent, in this order.
 * An intent that was allowed is exclusive until it is acted on, released, or expired: no confidence takes it away (S1), so that
 * `highest-confidence` ranks contenders that nobody has answered yet, which is what a boundary settles (see {@link winnerOf}).
 * An agent's own intent stands in its way as well, until it supersedes it; its own actions do not.
 */
export const conflict: Policy = (input) => {
  const { view, draft, grant } = input;
  if (draft.kind !== 'intent' && (draft.kind !== 'action' || draft.failed === true)) return undefined;
  const { resource } = draft;
  const definition = view.definitionOf(draft.scope);
  if (resource === undefined || definition === undefined) return undefined;
  const holder = holderOf(input, resource, definition);
  if (holder !== undefined) {
    // Who may not see the scope does not learn who is in the way.
    if (accessOf(view, grant, draft.scope) === 'none') return { verdict: 'blocked', reason: 'busy' };
    if (holder.contested && definition.conflictPolicy === 'yield-all')
      return { verdict: 'blocked', reason: 'awaiting-principal' };
    return { verdict: 'conflict', holder: holder.id, holderAgent: holder.agent };
  }
  return definition.deferred && draft.kind === 'intent' ? PENDING : undefined;
};

const PENDING: Decision = { verdict: 'blocked', reason: 'pending-boundary' };

function holderOf(
  { view, draft, grant, facts, now }: PolicyInput,
  resource: string,
  definition: ScopeDefinition,
): Holder | undefined {
  const { lease } = facts;
  if (lease !== undefined && lease.holder !== facts.self)
    return { id: lease.holder, agent: lease.agent, contested: false };
  for (const claim of view.claims(draft.scope, resource)) {
    const own = claim.agent === grant.agent;
    if (claim.id === draft.supersedes || claim.id === facts.self) continue;
    if (claim.kind === 'action') {
      if (!own) return { id: claim.id, agent: claim.agent, contested: false };
      continue;
    }
    if (isExpired(claim, now, definition.intentTtlMs)) continue;
    if (own ? draft.kind === 'action' : definition.deferred && draft.kind === 'intent') continue;
    return { id: claim.id, agent: claim.agent, contested: !own };
  }
  return undefined;
}

/**
 * Which of several contenders for one resource wins, whatever the order they are given in: the earliest, or the most confident with
 * ties to the earliest; nobody under `yield-all` unless there is only one. `seqOf` gives a mark's place in the log.
 */
export function winnerOf(
  policy: ConflictPolicy,
  contenders: readonly Intent[],
  seqOf: (id: MarkId) => number,
): Intent | undefined {
  if (policy === 'yield-all' && contenders.length > 1) return undefined;
  const earlier = (a: Intent, b: Intent): number => a.createdAt - b.createdAt || seqOf(a.id) - seqOf(b.id);
  const better =
    policy === 'highest-confidence' ? (a: Intent, b: Intent) => b.confidence - a.confidence || earlier(a, b) : earlier;
  return [...contenders].sort(better)[0];
}
