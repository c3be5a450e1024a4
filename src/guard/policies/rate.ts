import { limitsOver, storedUnder, windowStart } from '../parts/rate.ts';
import { deny, type Policy } from './policy.ts';

/** No more marks in a window than every definition over the scope allows, of one agent and of all. @see protocol rules P64, P65, P66, S14 */
export const rate: Policy = ({ view, memory, grant, draft, now }) => {
  for (const imposed of limitsOver(view, draft.scope)) {
    const { windowMs, perAgent, perFleet } = imposed;
    const refuse = (limit: number, per: 'agent' | 'fleet'): ReturnType<Policy> =>
      deny({ code: 'rate-limit', check: 'rate', limit, windowMs, per, until: windowStart(now, windowMs) + windowMs });
    if (perAgent !== undefined && storedUnder(memory, imposed, now, grant.agent) >= perAgent)
      return refuse(perAgent, 'agent');
    if (perFleet !== undefined && storedUnder(memory, imposed, now) >= perFleet) return refuse(perFleet, 'fleet');
  }
  return undefined;
};
