import { equalJson } from '../space/json-value.ts';
import { isExpired, NO_MARKS } from '../space/mark-index.ts';
import type { KindedDraft } from '../space/mark-schema.ts';
import { stampDraft } from '../space/stamp.ts';
import type { AgentName, Intent, Mark, MarkId, ScopeName } from '../space/marks.ts';
import { decide, decideAdmission } from './decide.ts';
import type { Decision } from './decision.ts';
import type { GateBatch } from './gate-batch.ts';
import type { Grant } from './grants.ts';
import { standingOf } from './intent-standing.ts';
import { awardOf, contestOn, leaseOf } from './parts/claims.ts';
import { isConcentrated } from './parts/concentration.ts';
import { PENDING, YIELDED } from './policies/conflict.ts';
import { deny, type Facts, type GatheredFacts, type PolicyInput } from './policies/policy.ts';
import { claimKey, type ClaimKey, recallClaim } from './staged-view.ts';

/** What a call's turn came to: the decision and the mark it leaves or, `repeated`, left before. */
export interface Ruling {
  readonly decision: Decision;
  readonly mark?: Mark;
  readonly repeated?: true;
  /** `mark` is in the log already. */
  readonly stored?: true;
  /** The mark that the decision record names, if it is not `mark`. */
  readonly recorded?: MarkId;
  readonly flags?: readonly string[];
}

/** What an execution asks for. */
export interface Booking {
  /** The draft of its intent. */
  readonly draft: Extract<KindedDraft, { kind: 'intent' }>;
  /** The draft of the action that will follow, without its result. */
  readonly done: Extract<KindedDraft, { kind: 'action' }>;
  readonly intentId: MarkId;
  readonly actionId: MarkId;
  /** What the resource's leases and awards are found by. */
  readonly claim: ClaimKey;
  /** Number of the intent among the session's marks; the action's is the next. */
  readonly number: number;
}

/** Who the guard itself writes marks as: the Needs that it asks the principal. No agent may have the name. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it is the name of an agent
export const GUARD = 'guard' as AgentName;

/** A draft as the mark it becomes. */
export function stampMark(batch: GateBatch, agent: AgentName, id: MarkId, draft: KindedDraft): Mark {
  return stampDraft(draft, id, agent, batch.now);
}

/** One call as the policies see it, on what the batch holds so far. */
export function inputFor(batch: GateBatch, grant: Grant, draft: KindedDraft, facts: Facts): PolicyInput {
  const { view, state, settings, now } = batch;
  return { view, memory: state, settings, grant, draft, facts, now };
}

/**
 * Rules on one write: an id that is stored is a retry or taken; anything else is decided on the batch's view. `isNew`: nothing can be stored
 * under the id.
 */
export function ruleOnWrite(
  batch: GateBatch,
  grant: Grant,
  id: MarkId,
  asked: KindedDraft,
  facts: GatheredFacts,
  isNew = false,
): Ruling {
  const rewritten = facts.content?.content;
  const draft = rewritten === undefined || asked.kind !== 'observation' ? asked : { ...asked, content: rewritten };
  const stored = isNew ? undefined : batch.view.byId(id);
  if (stored !== undefined) {
    if (!sameContent(stored, draft)) return taken(id);
    // What had to wait, and still has to, is told so again.
    const standing = stored.kind === 'intent' ? standingOf(batch.view, batch.state, stored, batch.now) : undefined;
    if (standing === 'pending') return { decision: PENDING, recorded: id };
    if (standing === 'awaiting-principal') return { decision: YIELDED, recorded: id };
    return { decision: { verdict: 'allow' }, mark: stored, repeated: true, stored: true };
  }
  const decision = decide(inputFor(batch, grant, draft, facts));
  if (!isStored(decision, draft)) return { decision };
  const mark = stampMark(batch, grant.agent, id, draft);
  if (facts.content === undefined && batch.settings.envelope === undefined) return { decision, mark };
  const flags = [...(facts.content?.flags ?? []), ...concentrationOf(batch, draft)];
  return flags.length === 0 ? { decision, mark } : { decision, mark, flags };
}

/** Several agents on one topic at once are worth a look, no more. @see protocol, "The guard's order" */
function concentrationOf({ state, settings, now }: GateBatch, draft: KindedDraft): readonly string[] {
  if (settings.envelope === undefined || draft.kind !== 'observation') return [];
  return isConcentrated(state, settings.envelope, draft.scope, draft.topic, now) ? ['concentration'] : [];
}

/**
 * Rules on one execution. One whose action is stored is finished; one whose intent is stored was cut off by a crash and may go on if
 * nobody has taken the resource since. It takes the place of an intent that the agent has on the resource already, or by which it won
 * it; one that has to wait anyway stays where it is in the order. `isNew`: nothing can be stored under its ids.
 */
export function ruleOnExecute(batch: GateBatch, grant: Grant, booking: Booking, isNew = false): Ruling {
  const { draft, done, intentId, actionId, claim } = booking;
  recallClaim(claim);
  const { view } = batch;
  const finished = isNew ? undefined : view.byId(actionId);
  if (finished !== undefined) {
    return isActionOn(finished, draft)
      ? { decision: { verdict: 'allow' }, mark: finished, repeated: true, stored: true, recorded: intentId }
      : taken(actionId);
  }
  const begun = isNew ? undefined : view.byId(intentId);
  const own = begun === undefined ? ownIntent(batch, grant, booking) : undefined;
  const supersedes = begun === undefined ? (own?.id ?? ownAward(batch, grant, booking)) : begun.supersedes;
  const asked: KindedDraft = supersedes === undefined ? draft : { ...draft, supersedes };
  if (begun !== undefined && !sameContent(begun, asked)) return taken(intentId);
  const decision =
    decideAdmission(inputFor(batch, grant, done, {})) ?? decide(inputFor(batch, grant, asked, { self: intentId }));
  if (!isStored(decision, draft)) return { decision };
  if (
    decision.verdict !== 'allow' &&
    own !== undefined &&
    own.action === draft.action &&
    own.confidence === draft.confidence
  )
    return { decision, recorded: own.id };
  return begun === undefined
    ? { decision, mark: stampMark(batch, grant.agent, intentId, asked) }
    : { decision, mark: begun, stored: true };
}

/** The agent's live intent on a resource that no tool is running for. */
function ownIntent(batch: GateBatch, grant: Grant, { draft, claim: { key } }: Booking): Intent | undefined {
  const { scope, resource } = draft;
  const claims = batch.view.claims(scope, resource);
  if (claims === NO_MARKS) return undefined;
  const ttlMs = batch.view.definitionOf(scope)?.intentTtlMs ?? Infinity;
  for (const claim of claims) {
    if (claim.kind !== 'intent' || claim.agent !== grant.agent || isExpired(claim, batch.now, ttlMs)) continue;
    if (leaseOf(batch.state, key, claim.id) === undefined) return claim;
  }
  return undefined;
}

/** The intent by which the agent won a resource that it may act on now. */
function ownAward({ state, now }: GateBatch, { agent }: Grant, { claim }: Booking): MarkId | undefined {
  return awardOf(state, claim.key, agent, now)?.intent;
}

/**
 * Asks the principal, once per contest, which of those who yielded to each other may have the resource.
 * @see protocol, "Conflicts"
 */
export function addContest(batch: GateBatch, scope: ScopeName, resource: string, cause: MarkId): void {
  const open = contestOn(batch.state, claimKey(scope, resource));
  if (open !== undefined && !batch.view.isSuperseded(open)) return;
  // One that was superseded without an answer is asked again under another id.
  let id = contestId(cause, 1);
  for (let n = 2; batch.view.byId(id) !== undefined; n += 1) id = contestId(cause, n);
  const question = `Several agents want ${JSON.stringify(resource)} in ${JSON.stringify(scope)} and all have yielded: which may have it?`;
  const need = {
    kind: 'need',
    scope,
    question,
    context: Object.freeze({ resource }),
    priority: 0.5,
    blocking: true,
    strength: 1,
  } as const;
  batch.addMark(stampMark(batch, GUARD, id, need));
}

function contestId(cause: MarkId, n: number): MarkId {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an id derived from one that a session made
  return `${cause}/contest${n === 1 ? '' : `~${n}`}` as MarkId;
}

function taken(id: MarkId): Ruling {
  return { decision: deny({ code: 'id-taken', check: 'identity', id }) };
}

/** An intent that waits, for its boundary or for the principal, is stored although nobody may act on it yet. */
function isStored(decision: Decision, draft: KindedDraft): boolean {
  if (decision.verdict === 'allow') return true;
  return (decision === PENDING || decision === YIELDED) && draft.kind === 'intent';
}

function sameContent(stored: Mark, draft: KindedDraft): boolean {
  const { id: _id, agent: _agent, createdAt: _createdAt, ...content } = stored;
  return equalJson(content, draft);
}

function isActionOn(mark: Mark, draft: Booking['draft']): boolean {
  return (
    mark.kind === 'action' &&
    mark.scope === draft.scope &&
    mark.resource === draft.resource &&
    mark.action === draft.action
  );
}
