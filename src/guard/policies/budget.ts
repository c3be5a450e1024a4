import { exhaustedLine } from '../parts/budget.ts';
import { deny, type Policy, touchedBy } from './policy.ts';

/** Whose budget is used up in any dimension writes only needs, until it is given a larger one. @see protocol rules P59, P61, P62 */
export const budget: Policy = (input) => {
  const { memory, grant } = input;
  const exhausted = exhaustedLine(memory, grant);
  if (exhausted === undefined || touchedBy(input).every(({ kind }) => kind === 'need')) return undefined;
  const { dimension, used, limit } = exhausted;
  return deny({ code: 'token-budget', check: 'budget', dimension, used, limit });
};
