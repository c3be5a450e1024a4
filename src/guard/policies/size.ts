import { utf8Bytes } from '../../space/json-value.ts';
import { sizeDenial, textOf } from './edit-scope.ts';
import { deny, type Policy } from './policy.ts';

/** A file of an agent's own stays within its size budget, in UTF-8 bytes. */
export const size: Policy = ({ grant, draft }) => {
  const { edit } = grant;
  if (edit === undefined || draft.kind !== 'observation' || draft.scope !== edit.scope) return undefined;
  const text = textOf(draft.content);
  if (text === undefined) return undefined;
  const denial = sizeDenial(edit, draft.topic, utf8Bytes(text));
  return denial === undefined ? undefined : deny(denial);
};
