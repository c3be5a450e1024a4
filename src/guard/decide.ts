import type { Decision } from './decision.ts';
import type { Grant } from './grants.ts';
import type { KindedDraft } from '../space/mark-schema.ts';
import { authorization } from './policies/authorization.ts';
import { conflict } from './policies/conflict.ts';
import { editScope } from './policies/edit-scope.ts';
import type { DecisionView, Facts, Policy, PolicyInput } from './policies/policy.ts';
import { size } from './policies/size.ts';
import { syntax } from './policies/syntax.ts';
import { verbsTopics } from './policies/verbs-topics.ts';

/** What needs no facts: who is refused here costs nothing and learns nothing. In order; the first objection is the answer. */
const ADMISSION: readonly Policy[] = [authorization, verbsTopics, editScope, size];
/** What comes after it. */
const RULING: readonly Policy[] = [syntax, conflict];

const ALLOW: Decision = Object.freeze({ verdict: 'allow' });

/**
 * The guard: the same view, grant, draft, facts and time give the same decision. No clock, no randomness, no I/O, no `await`.
 * `draft` is shaped and bounded (`parseDraft`); `now` is the time the mark would carry, epoch milliseconds.
 */
export function decide(view: DecisionView, grant: Grant, draft: KindedDraft, facts: Facts, now: number): Decision {
  const input: PolicyInput = { view, grant, draft, facts, now };
  return firstObjection(ADMISSION, input) ?? firstObjection(RULING, input) ?? ALLOW;
}

/** The part of {@link decide} that comes before facts are gathered; `undefined` admits. */
export function decideAdmission(
  view: DecisionView,
  grant: Grant,
  draft: KindedDraft,
  now: number,
): Decision | undefined {
  return firstObjection(ADMISSION, { view, grant, draft, facts: {}, now });
}

function firstObjection(policies: readonly Policy[], input: PolicyInput): Decision | undefined {
  for (const policy of policies) {
    const objection = policy(input);
    if (objection !== undefined) return objection;
  }
  return undefined;
}
