import { barredBy } from '../parts/barrier.ts';
import { deny, type Policy } from './policy.ts';

/** What the principal took away is refused, whatever the grant says; needs never are. @see protocol rules P44, S9 */
export const barrier: Policy = ({ memory, grant, draft }) => {
  const barred = barredBy(memory, grant.agent, draft.scope, draft.kind);
  if (barred === undefined) return undefined;
  const { scope, byNeed } = barred;
  const denial = { code: 'revoked', check: 'barrier', kind: draft.kind, scope } as const;
  return deny(byNeed ? { ...denial, needs: true } : denial);
};
