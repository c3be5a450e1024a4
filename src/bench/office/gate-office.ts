import type { ContentPolicy } from '../../guard/policies/content.ts';
import { openGate } from '../../guard/gate.ts';
import { newPrincipalToken, tokenSha256 } from '../../guard/principal-token.ts';
import { isRecord } from '../../space/json-value.ts';
import { createMemoryLog } from '../../space/memory-log.ts';
import type { Mark, MarkId } from '../../space/marks.ts';
import { INJECTION } from './adversary.ts';
import { startOf } from './places.ts';
import type { OpenOffice } from './run-office.ts';
import { CLERK_GRANT, grantOf } from './staff.ts';

const RUN = 'office';
const EPOCH = 'week';

/** Refuses what is known for giving orders to whoever reads it. */
const NO_ORDERS: ContentPolicy = {
  name: 'no-orders',
  check: ({ content }) =>
    JSON.stringify(content).includes(INJECTION)
      ? { verdict: 'reject', problem: 'gives orders to its readers' }
      : { verdict: 'allow' },
};

/** An office over the real gate and a memory log. */
export const openGateOffice: OpenOffice = async (building, staff) => {
  let now = startOf(0);
  const token = newPrincipalToken();
  const gate = await openGate({
    log: createMemoryLog(),
    run: RUN,
    clock: () => now,
    scopes: building.scopes,
    grants: [...staff.map(grantOf), CLERK_GRANT],
    settings: { content: [NO_ORDERS] },
    principalTokenSha256: tokenSha256(token),
  });
  const principal = gate.principal(token);
  return {
    run: RUN,
    epoch: EPOCH,
    session: (agent) => gate.session(agent, EPOCH),
    setTime: (time) => {
      now = time;
    },
    boundary: async (scope) => {
      await principal.boundary(scope);
    },
    settle: async (scope) => {
      // Each answer takes its need off the list.
      const needs = Array.from(gate.view.openNeeds());
      for (const need of needs) {
        const resource = isRecord(need.context) ? need.context['resource'] : undefined;
        if (need.scope !== scope || typeof resource !== 'string') continue;
        const winner = mostConfident(gate.view.claims(scope, resource));
        await principal.resolve(need.id, 'settled', winner === undefined ? {} : { winner });
      }
    },
    marks: async function* () {
      for await (const { body } of gate.records()) if (body.type === 'mark') yield body.mark;
    },
    close: () => gate.close(),
  };
};

function mostConfident(claims: Iterable<Mark>): MarkId | undefined {
  let best: { readonly id: MarkId; readonly confidence: number } | undefined;
  for (const claim of claims)
    if (claim.kind === 'intent' && (best === undefined || claim.confidence > best.confidence)) best = claim;
  return best?.id;
}
