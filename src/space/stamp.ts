import type { KindedDraft } from './mark-schema.ts';
import type { AgentName, Mark, MarkId } from './marks.ts';

/**
 * A draft as the mark it becomes, frozen. Written out field by field, kind by kind, because every mark passes here: marks of one kind then
 * have one shape, which is what makes them small and quick to make.
 */
export function stampDraft(draft: KindedDraft, id: MarkId, agent: AgentName, createdAt: number): Mark {
  const { supersedes } = draft;
  if (
    draft.kind === 'action' &&
    draft.failed === undefined &&
    draft.resource !== undefined &&
    supersedes !== undefined
  ) {
    // What every execution leaves.
    const { kind, scope, strength, resource, action, result } = draft;
    return Object.freeze({ id, agent, scope, createdAt, strength, kind, action, result, resource, supersedes });
  }
  const mark = bareMark(draft, id, agent, createdAt);
  return Object.freeze(supersedes === undefined ? mark : { ...mark, supersedes });
}

function bareMark(draft: KindedDraft, id: MarkId, agent: AgentName, createdAt: number): Mark {
  const { scope, strength } = draft;
  switch (draft.kind) {
    case 'intent': {
      const { kind, resource, action, confidence } = draft;
      return { id, agent, scope, createdAt, strength, kind, resource, action, confidence };
    }
    case 'action': {
      const { kind, resource, action, result, failed } = draft;
      const mark = { id, agent, scope, createdAt, strength, kind, action, result };
      if (resource === undefined) return failed === undefined ? mark : { ...mark, failed };
      if (failed !== undefined) return { ...mark, resource, failed };
      return { id, agent, scope, createdAt, strength, kind, action, result, resource };
    }
    case 'observation': {
      const { kind, topic, content, confidence, source } = draft;
      return { id, agent, scope, createdAt, strength, kind, topic, content, confidence, source };
    }
    case 'warning': {
      const { kind, topic, reason, severity, invalidates } = draft;
      const mark = { id, agent, scope, createdAt, strength, kind, topic, reason, severity };
      return invalidates === undefined ? mark : { ...mark, invalidates };
    }
    case 'need': {
      const { kind, question, context, priority, blocking } = draft;
      return { id, agent, scope, createdAt, strength, kind, question, context, priority, blocking };
    }
  }
}
