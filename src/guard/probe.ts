import type { KindedDraft } from '../space/mark-schema.ts';
import type { AgentName, Draft, MarkId, ScopeName } from '../space/marks.ts';
import { defineScope, type ScopeDefinition } from '../space/scope.ts';
import type { Denial, Outcome } from './decision.ts';
import type { Grant, WriteRight } from './grants.ts';
import type { GuardEvent } from './guard-event.ts';
import { ACK_TOPIC } from './parts/probe.ts';

export { ACK_TOPIC, type ProbeStanding, probeStanding } from './parts/probe.ts';

/** Topic of a canary. */
export const CANARY_TOPIC = 'canary';
/** How long agents have to answer. @see protocol, "The guard's order" */
export const RESPONSE_MS = 30_000;

/** A scope for canaries and their answers, open to all readers, with room for nothing else. */
export function probeScope(name: ScopeName): ScopeDefinition {
  return defineScope({ name, observationTopics: [CANARY_TOPIC, ACK_TOPIC] });
}

/** All that the probe may do: put canaries out in its own scope (P46). */
export function probeGrant(scope: ScopeName, agent: AgentName): Grant {
  return { agent, read: [scope], write: [{ kind: 'observation', scope, topics: [CANARY_TOPIC] }] };
}

/** What every agent that is to be probed needs besides: to answer in the probe's scope. */
export function ackRight(scope: ScopeName): WriteRight {
  return { kind: 'observation', scope, topics: [ACK_TOPIC] };
}

/** An agent's answer to a canary that it read. */
export function ackDraft(scope: ScopeName, canary: MarkId): Draft {
  return { scope, topic: ACK_TOPIC, content: { canary }, confidence: 1, source: 'fleet' };
}

/** What the probe needs of the gate. */
export interface ProbePort {
  /** Writes through the probe's own session; with an allowed write, in the same commit, goes the event that `follow` makes of it. */
  write(
    draft: Omit<Extract<KindedDraft, { kind: 'observation' }>, 'kind' | 'strength'>,
    follow: (canary: MarkId, now: number) => GuardEvent,
  ): Promise<Outcome>;
}

/** The canary that is out, or why it could not be put out. */
export type ProbeOutcome =
  | { readonly verdict: 'allow'; readonly canary: MarkId; readonly deadline: number }
  | { readonly verdict: 'denied'; readonly denial: Denial };

/**
 * Puts a canary out in `scope` and gives agents `responseMs` to answer it; whoever is active in between and does not is locked down to needs,
 * by the guard and without anything further being called.
 *
 * @throws {RangeError} when `responseMs` is not a positive number.
 */
export async function putCanaryOut(
  port: ProbePort,
  scope: ScopeName,
  responseMs: number = RESPONSE_MS,
): Promise<ProbeOutcome> {
  if (!Number.isFinite(responseMs) || responseMs <= 0)
    throw new RangeError(`agents cannot answer a canary within ${responseMs} ms: give them more than 0`);
  const content = {
    ask: `answer with an observation in this scope, topic ${ACK_TOPIC}, content { "canary": <this mark's id> }`,
  };
  let deadline = 0;
  const outcome = await port.write(
    { scope, topic: CANARY_TOPIC, content, confidence: 1, source: 'fleet' },
    (canary, now) => {
      deadline = now + responseMs;
      return { what: 'probed', scope, canary, deadline };
    },
  );
  if (outcome.verdict === 'denied') return outcome;
  if (outcome.verdict !== 'allow' || outcome.mark === undefined)
    throw new Error(`a canary in ${scope} came to nothing: ${outcome.verdict}`);
  return { verdict: 'allow', canary: outcome.mark.id, deadline };
}
