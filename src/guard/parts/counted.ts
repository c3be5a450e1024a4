import type { Denial } from '../decision.ts';
import type { Happened } from '../happened.ts';

type Call = Extract<Happened, { type: 'call' }>;

/** Checks that come before a call counts for anything. @see protocol rule S7 */
const UNCOUNTED: ReadonlySet<Denial['check']> = new Set(['shape', 'identity', 'authorization', 'edit-scope', 'size']);

/** Whether a call of an agent's counts: those that the first checks refused consume nothing and show nothing. */
export function isCounted({ call, check }: Call): boolean {
  return call !== 'principal' && (check === undefined || !UNCOUNTED.has(check));
}
