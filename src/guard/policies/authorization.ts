import type { MarkId } from '../../space/marks.ts';
import type { Decision } from '../decision.ts';
import { mayClaimSource, rightsFor } from '../grants.ts';
import { deny, type Policy, type PolicyInput } from './policy.ts';

/**
 * No mark without a right to its kind in its scope, no source or confidence above the ceiling, no say over marks of others without the right.
 * A scope that nobody defined and one that the agent has no right to are refused alike. @see protocol rules P19, P23, S3, S7
 */
export const authorization: Policy = (input) => {
  const { view, grant, draft } = input;
  const rights = rightsFor(grant, draft.kind, draft.scope);
  if (rights.length === 0 || view.definitionOf(draft.scope) === undefined) {
    return deny({ code: 'no-right', check: 'authorization', kind: draft.kind, scope: draft.scope });
  }
  if (draft.kind === 'observation' || draft.kind === 'warning') {
    const { topic } = draft;
    if (!rights.some(({ topics }) => topics === undefined || topics.includes(topic))) {
      return deny({ code: 'topic-not-allowed', check: 'authorization', topic, scope: draft.scope });
    }
  }
  if (draft.kind === 'observation' && !mayClaimSource(grant, draft.source)) {
    return deny({ code: 'source-not-allowed', check: 'authorization', source: draft.source });
  }
  const { confidenceCeiling } = grant;
  if (draft.kind === 'intent' && confidenceCeiling !== undefined && draft.confidence > confidenceCeiling) {
    return deny({ code: 'confidence-not-allowed', check: 'authorization', ceiling: confidenceCeiling });
  }
  const { supersedes } = draft;
  if (supersedes !== undefined && !mayOverrule(input, supersedes)) return notYours(supersedes);
  const invalidates = draft.kind === 'warning' ? draft.invalidates : undefined;
  return invalidates !== undefined && !mayOverrule(input, invalidates) ? notYours(invalidates) : undefined;
};

function notYours(target: MarkId): Decision {
  return deny({ code: 'target-not-yours', check: 'authorization', target });
}

/** One answer for a target that is not there and one that is out of reach. */
function mayOverrule({ view, grant, draft }: PolicyInput, id: MarkId): boolean {
  const target = view.byId(id);
  if (target === undefined) return false;
  const { topic } = 'topic' in target ? target : { topic: undefined };
  const mayWrite = rightsFor(grant, target.kind, target.scope).some(
    ({ topics }) => topics === undefined || (topic !== undefined && topics.includes(topic)),
  );
  // Whoever may warn there may say that something there no longer holds.
  const mayWarn = id !== draft.supersedes && rightsFor(grant, 'warning', target.scope).length > 0;
  if (!mayWrite && !mayWarn) return false;
  const own = target.agent === grant.agent;
  switch (target.kind) {
    case 'observation':
    case 'warning':
      return true;
    case 'intent':
    case 'action':
      return own || grant.principal === true;
    case 'need':
      break;
  }
  // Who asked does not answer. @see protocol rule S9
  return !own && grant.principal === true;
}
