import type { Decision } from './decision.ts';
import { authorization } from './policies/authorization.ts';
import { barrier } from './policies/barrier.ts';
import { budget } from './policies/budget.ts';
import { conflict } from './policies/conflict.ts';
import { content } from './policies/content.ts';
import { editScope } from './policies/edit-scope.ts';
import { envelope } from './policies/envelope.ts';
import type { Policy, PolicyInput } from './policies/policy.ts';
import { probe } from './policies/probe.ts';
import { rate } from './policies/rate.ts';
import { size } from './policies/size.ts';
import { staleEdit } from './policies/stale-edit.ts';
import { syntax } from './policies/syntax.ts';
import { verbsTopics } from './policies/verbs-topics.ts';

/** What needs no facts: who may not costs nothing and learns nothing. In order; the first objection is the answer. */
const ADMISSION: readonly Policy[] = [
  authorization,
  verbsTopics,
  editScope,
  size,
  barrier,
  probe,
  envelope,
  budget,
  rate,
];
/** What comes after it. */
const RULING: readonly Policy[] = [content, syntax, staleEdit, conflict];

const ALLOW: Decision = Object.freeze({ verdict: 'allow' });

/**
 * The guard: the same input gives the same decision. No clock, no randomness, no I/O, no `await`.
 * The draft is shaped and bounded (`parseDraft`).
 */
export function decide(input: PolicyInput): Decision {
  return firstObjection(ADMISSION, input) ?? firstObjection(RULING, input) ?? ALLOW;
}

/** The part of {@link decide} that comes before facts are gathered; `undefined` admits. */
export function decideAdmission(input: PolicyInput): Decision | undefined {
  return firstObjection(ADMISSION, input);
}

function firstObjection(policies: readonly Policy[], input: PolicyInput): Decision | undefined {
  for (const policy of policies) {
    const objection = policy(input);
    if (objection !== undefined) return objection;
  }
  return undefined;
}
