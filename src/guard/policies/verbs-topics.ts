import { allowsTopic, allowsVerb } from '../../space/scope.ts';
import { deny, type Policy } from './policy.ts';

/** Verbs of intents and actions, topics of observations and warnings, as the scope's definition lists them. */
export const verbsTopics: Policy = ({ view, draft }) => {
  const definition = view.definitionOf(draft.scope);
  if (definition === undefined) {
    return deny({ code: 'no-right', check: 'authorization', kind: draft.kind, scope: draft.scope });
  }
  switch (draft.kind) {
    case 'intent':
    case 'action': {
      const verbs = draft.kind === 'intent' ? definition.intentVerbs : definition.actionVerbs;
      if (allowsVerb(verbs, draft.action)) return undefined;
      return deny({ code: 'verb-not-allowed', check: 'authorization', verb: draft.action, scope: draft.scope });
    }
    case 'observation':
    case 'warning': {
      const topics = draft.kind === 'observation' ? definition.observationTopics : definition.warningTopics;
      if (allowsTopic(topics, draft.topic)) return undefined;
      return deny({ code: 'topic-not-allowed', check: 'authorization', topic: draft.topic, scope: draft.scope });
    }
    case 'need':
      break;
  }
  return undefined;
};
