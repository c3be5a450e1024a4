import type { Decision } from './decision.ts';
import { authorization } from './policies/authorization.ts';
import { barrier } from './policies/barrier.ts';
import { budget } from './policies/budget.ts';
import { conflict } from './policies/conflict.ts';
import { content } from './policies/content.ts';
import { editScope } from './policies/edit-scope.ts';
import { envelope } from './policies/envelope.ts';
import type { PolicyInput } from './policies/policy.ts';
import { probe } from './policies/probe.ts';
import { rate } from './policies/rate.ts';
import { size } from './policies/size.ts';
import { staleEdit } from './policies/stale-edit.ts';
import { syntax } from './policies/syntax.ts';
import { verbsTopics } from './policies/verbs-topics.ts';

const ALLOW: Decision = Object.freeze({ verdict: 'allow' });

/**
 * The guard: the same input gives the same decision. No clock, no randomness, no I/O, no `await`. The first objection is the answer.
 * The draft is shaped and bounded (`parseDraft`).
 */
export function decide(input: PolicyInput): Decision {
  return decideAdmission(input) ?? content(input) ?? syntax(input) ?? staleEdit(input) ?? conflict(input) ?? ALLOW;
}

/**
 * The part of {@link decide} that comes before facts are gathered; `undefined` admits. What needs no facts: who may not costs nothing and
 * learns nothing. In order; the first objection is the answer.
 */
export function decideAdmission(input: PolicyInput): Decision | undefined {
  return (
    authorization(input) ??
    verbsTopics(input) ??
    editScope(input) ??
    size(input) ??
    barrier(input) ??
    probe(input) ??
    envelope(input) ??
    budget(input) ??
    rate(input)
  );
}
