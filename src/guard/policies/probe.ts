import { probeStanding } from '../parts/probe.ts';
import { deny, type Policy, touchedBy } from './policy.ts';

/**
 * Who was active and let a canary pass writes only needs, everywhere, until the principal restores it in the probe's scope (every kind).
 * It is the barrier's business, so the denial is the barrier's, and names the probe's scope: the one to be restored.
 */
export const probe: Policy = (input) => {
  const { memory, grant, draft, now } = input;
  const standing = probeStanding(memory, grant.agent, now);
  if (standing.verdict !== 'locked' || touchedBy(input).every(({ kind }) => kind === 'need')) return undefined;
  return deny({ code: 'revoked', check: 'barrier', kind: draft.kind, scope: standing.scope });
};
