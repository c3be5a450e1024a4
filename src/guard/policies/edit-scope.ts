import { isRecord } from '../../space/json-value.ts';
import type { Json } from '../../space/marks.ts';
import { covers } from '../../space/scope.ts';
import type { Denial, EditScope, ToolUse } from '../decision.ts';
import { deny, type Policy } from './policy.ts';

/** An agent's observations in its own scope are its files: only editable ones, whole texts, and required ones stay. */
export const editScope: Policy = ({ grant, draft }) => {
  const { edit } = grant;
  if (edit === undefined || draft.kind !== 'observation' || !covers(edit.scope, draft.scope)) return undefined;
  const path = draft.topic;
  if (draft.scope !== edit.scope) return deny({ code: 'not-editable', check: 'edit-scope', path });
  if (draft.content !== null && textOf(draft.content) === undefined) {
    const problem = 'a file is { text }, or null once deleted';
    return deny({ code: 'malformed', check: 'shape', field: 'content', problem });
  }
  const denial = changeDenial(edit, path, draft.content === null);
  return denial === undefined ? undefined : deny(denial);
};

/** What stands against changing or deleting the file at `path`. */
export function changeDenial(edit: EditScope, path: string, deletes: boolean): Denial | undefined {
  if (!edit.editable.includes(path)) return { code: 'not-editable', check: 'edit-scope', path };
  if (deletes && edit.required.includes(path)) return { code: 'required-file', check: 'edit-scope', path };
  return undefined;
}

/** What stands against one tool call. Reading and running are the view's and the sandbox's business. */
export function toolUseDenial(edit: EditScope | undefined, use: ToolUse): Denial | undefined {
  if (use.operation === 'read' || use.operation === 'run') return undefined;
  const path = use.path ?? '';
  if (edit === undefined) return { code: 'not-editable', check: 'edit-scope', path };
  const denial = changeDenial(edit, path, use.operation === 'delete');
  if (denial !== undefined || use.operation === 'delete') return denial;
  return sizeDenial(edit, path, use.bytes ?? 0);
}

export function sizeDenial(edit: EditScope, path: string, bytes: number): Denial | undefined {
  if (bytes <= edit.maxFileBytes) return undefined;
  return { code: 'file-too-large', check: 'size', path, bytes, maxBytes: edit.maxFileBytes };
}

/** The text of a file mark's content: exactly `{ text }`. */
export function textOf(content: Json): string | undefined {
  if (!isRecord(content)) return undefined;
  const { text } = content;
  return typeof text === 'string' && Object.keys(content).length === 1 ? text : undefined;
}
