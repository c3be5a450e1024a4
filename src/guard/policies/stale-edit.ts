import { covers } from '../../space/scope.ts';
import { deny, type Policy } from './policy.ts';

/**
 * An edit of a file takes the place of the version that it was made from. Where that is not the newest any more (the agent writes through
 * two processes at once), nothing is written over that nobody has looked at: the edit is to be made again.
 */
export const staleEdit: Policy = ({ grant, draft, view }) => {
  const { edit } = grant;
  if (edit === undefined || draft.kind !== 'observation' || !covers(edit.scope, draft.scope)) return undefined;
  if (draft.supersedes === undefined || !view.isSuperseded(draft.supersedes)) return undefined;
  return deny({ code: 'stale-edit', check: 'edit-scope', path: draft.topic });
};
