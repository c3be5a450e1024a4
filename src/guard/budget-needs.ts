import type { MarkId, ScopeName } from '../space/marks.ts';
import type { GateBatch } from './gate-batch.ts';
import type { Grant } from './grants.ts';
import type { GuardEvent } from './guard-event.ts';
import { budgetLines, budgetNeeds } from './parts/budget.ts';
import { GUARD, stampMark } from './rulings.ts';

/** Where the guard writes what is about an agent and no scope of the space. Nobody has rights there, so that only the principal reads it. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the name of a scope
export const GUARD_SCOPE = 'guard' as ScopeName;

/**
 * Records a spending or a new budget, and asks the principal, once per dimension and limit, about what is nearly used up.
 * @see protocol rule P60
 */
export function addBudgetEvent(batch: GateBatch, grant: Pick<Grant, 'agent' | 'budget'>, event: GuardEvent): void {
  const before = budgetLines(batch.state, grant);
  batch.addEvent(event);
  for (const { dimension, used, limit } of budgetNeeds(before, budgetLines(batch.state, grant))) {
    const { agent } = grant;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an id that the guard makes
    const id = `${batch.run}/${GUARD}/budget/${agent}/${dimension}/${limit}` as MarkId;
    if (batch.view.byId(id) !== undefined) continue;
    const question = `${agent} has used ${used} of its ${limit} ${dimension}: is it to get more?`;
    const context = Object.freeze({ agent, dimension, used, limit });
    batch.addMark(
      stampMark(batch, GUARD, id, {
        kind: 'need',
        scope: GUARD_SCOPE,
        question,
        context,
        priority: 0.5,
        blocking: false,
        strength: 1,
      }),
    );
  }
}
