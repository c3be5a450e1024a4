import type { Decision } from '../decision.ts';
import { type ImposedLimit, limitsOver, NO_LIMITS, storedUnder, windowStart } from '../parts/rate.ts';
import { deny, type Policy } from './policy.ts';

/** No more marks in a window than every definition over the scope allows, of one agent and of all. @see protocol rules P64, P65, P66, S14 */
export const rate: Policy = ({ view, memory, grant, draft, now }) => {
  const limits = limitsOver(view, draft.scope);
  // The rule; every draft passes here.
  if (limits === NO_LIMITS) return undefined;
  for (const imposed of limits) {
    const { perAgent, perFleet } = imposed;
    if (perAgent !== undefined && storedUnder(memory, imposed, now, grant.agent) >= perAgent)
      return refuse(imposed, now, perAgent, 'agent');
    if (perFleet !== undefined && storedUnder(memory, imposed, now) >= perFleet)
      return refuse(imposed, now, perFleet, 'fleet');
  }
  return undefined;
};

function refuse({ windowMs }: ImposedLimit, now: number, limit: number, per: 'agent' | 'fleet'): Decision {
  return deny({
    code: 'rate-limit',
    check: 'rate',
    limit,
    windowMs,
    per,
    until: windowStart(now, windowMs) + windowMs,
  });
}
