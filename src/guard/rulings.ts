import { equalJson } from '../space/json-value.ts';
import { isExpired } from '../space/mark-index.ts';
import type { KindedDraft } from '../space/mark-schema.ts';
import type { Mark, MarkId } from '../space/marks.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import type { GateBatch } from './gate-batch.ts';
import type { Grant } from './grants.ts';
import { deny, type GatheredFacts } from './policies/policy.ts';
import { claimKey } from './staged-view.ts';

/** What a call's turn came to: the decision and the mark it leaves or, `repeated`, left before. */
export interface Ruling {
  readonly decision: Decision;
  readonly mark?: Mark;
  readonly repeated?: true;
  /** The mark that the decision record names, if it is not `mark`. */
  readonly recorded?: MarkId;
}

/** What an execution asks for. */
export interface Booking {
  /** `claimKey` of the draft's scope and resource. */
  readonly key: string;
  readonly draft: KindedDraft;
  readonly resource: string;
  readonly intentId: MarkId;
  readonly actionId: MarkId;
}

/** A draft as the mark it becomes. */
export function stampMark(batch: GateBatch, grant: Grant, id: MarkId, draft: KindedDraft): Mark {
  return Object.freeze({ id, agent: grant.agent, createdAt: batch.now, ...draft });
}

/** Rules on one write: an id that is stored is a retry or taken; anything else is decided on the batch's view. */
export function ruleOnWrite(
  batch: GateBatch,
  grant: Grant,
  id: MarkId,
  draft: KindedDraft,
  facts: GatheredFacts,
): Ruling {
  const stored = batch.view.byId(id);
  if (stored !== undefined) {
    return sameContent(stored, draft) ? { decision: { verdict: 'allow' }, mark: stored, repeated: true } : taken(id);
  }
  const resource = draft.kind === 'intent' || draft.kind === 'action' ? draft.resource : undefined;
  const lease = resource === undefined ? undefined : batch.leaseAt(claimKey(draft.scope, resource));
  const decision = decide(batch.view, grant, draft, { ...facts, ...(lease === undefined ? {} : { lease }) }, batch.now);
  return isStored(decision) ? { decision, mark: stampMark(batch, grant, id, draft) } : { decision };
}

/**
 * Rules on one execution and stages its lease. One whose action is stored is finished; one whose intent is stored was cut off
 * by a crash and may go on if nobody has taken the resource since.
 */
export function ruleOnExecute(
  batch: GateBatch,
  grant: Grant,
  { key, draft, resource, intentId, actionId }: Booking,
): Ruling {
  const { view, now } = batch;
  const finished = view.byId(actionId);
  if (finished !== undefined) {
    return isActionOn(finished, draft, resource)
      ? { decision: { verdict: 'allow' }, mark: finished, repeated: true, recorded: intentId }
      : taken(actionId);
  }
  const begun = view.byId(intentId);
  const supersedes = begun === undefined ? ownBooking(batch, grant, key, draft, resource) : begun.supersedes;
  const asked: KindedDraft = supersedes === undefined ? draft : { ...draft, supersedes };
  if (begun !== undefined && !sameContent(begun, asked)) return taken(intentId);
  const lease = batch.leaseAt(key);
  const decision = decide(view, grant, asked, { self: intentId, ...(lease === undefined ? {} : { lease }) }, now);
  if (decision.verdict === 'allow') batch.stageLease(key, { holder: intentId, agent: grant.agent });
  return isStored(decision) ? { decision, mark: begun ?? stampMark(batch, grant, intentId, asked) } : { decision };
}

/** The agent's own live intent on the resource, whose place the execution takes; not one that a tool is running for. */
function ownBooking(
  batch: GateBatch,
  grant: Grant,
  key: string,
  draft: KindedDraft,
  resource: string,
): MarkId | undefined {
  const ttlMs = batch.view.definitionOf(draft.scope)?.intentTtlMs ?? Infinity;
  for (const claim of batch.view.claims(draft.scope, resource)) {
    const own = claim.kind === 'intent' && claim.agent === grant.agent && !isExpired(claim, batch.now, ttlMs);
    if (own && batch.leaseAt(key)?.holder !== claim.id) return claim.id;
  }
  return undefined;
}

function taken(id: MarkId): Ruling {
  return { decision: deny({ code: 'id-taken', check: 'identity', id }) };
}

/** An intent that waits for its boundary is stored although nobody may act on it yet. */
function isStored(decision: Decision): boolean {
  return decision.verdict === 'allow' || (decision.verdict === 'blocked' && decision.reason === 'pending-boundary');
}

function sameContent(stored: Mark, draft: KindedDraft): boolean {
  const { id: _id, agent: _agent, createdAt: _createdAt, ...content } = stored;
  return equalJson(content, draft);
}

function isActionOn(mark: Mark, draft: KindedDraft, resource: string): boolean {
  return (
    mark.kind === 'action' &&
    draft.kind === 'intent' &&
    mark.scope === draft.scope &&
    mark.resource === resource &&
    mark.action === draft.action
  );
}
