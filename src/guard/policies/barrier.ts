import { barredBy, isBarredAnywhere } from '../parts/barrier.ts';
import { deny, type Policy, touchedBy } from './policy.ts';

/** What the principal took away is refused, whatever the grant says; needs never are. What a mark overrules counts like what it is:
 * nobody wipes by a Need, or from elsewhere, what it may not write. @see protocol rules P44, S9 */
export const barrier: Policy = (input) => {
  if (!isBarredAnywhere(input.memory, input.grant.agent)) return undefined;
  for (const { kind, scope: where } of touchedBy(input)) {
    const barred = barredBy(input.memory, input.grant.agent, where, kind);
    if (barred === undefined) continue;
    const { scope, byNeed } = barred;
    const denial = { code: 'revoked', check: 'barrier', kind, scope } as const;
    return deny(byNeed ? { ...denial, needs: true } : denial);
  }
  return undefined;
};
