import { isExpired, type MarkView } from '../space/mark-index.ts';
import type { Intent } from '../space/marks.ts';
import { awardsOn, contestOn, leaseOf } from './parts/claims.ts';
import type { IntentStanding } from './session.ts';
import { claimKey } from './staged-view.ts';
import type { GuardMemory } from './state.ts';

/** What has become of an intent at `now`. A view without `supersededBy` cannot tell `done` from `lost`, and says `lost`. */
export function standingOf(
  view: Pick<MarkView, 'isSuperseded' | 'definitionOf' | 'claims'> & Partial<Pick<MarkView, 'supersededBy'>>,
  memory: GuardMemory,
  intent: Intent,
  now: number,
): IntentStanding {
  const key = claimKey(intent.scope, intent.resource);
  if (leaseOf(memory, key, intent.id) !== undefined) return 'running';
  if (awardsOn(memory, key, now).some((award) => award.intent === intent.id)) return 'awarded';
  if (view.isSuperseded(intent.id)) return view.supersededBy?.(intent.id) === undefined ? 'lost' : 'done';
  const definition = view.definitionOf(intent.scope);
  if (definition !== undefined && isExpired(intent, now, definition.intentTtlMs)) return 'expired';
  if (definition?.deferred === true) return 'pending';
  const contest = contestOn(memory, key);
  if (contest === undefined || view.isSuperseded(contest) || definition === undefined) return 'held';
  // A contest that the others have left is none.
  for (const claim of view.claims(intent.scope, intent.resource))
    if (claim.agent !== intent.agent && !isExpired(claim, now, definition.intentTtlMs)) return 'awaiting-principal';
  return 'held';
}
