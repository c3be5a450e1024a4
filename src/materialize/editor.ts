import { createFile, insertText, replaceText, undoEdit } from './edit-plans.ts';
import { type EditorPlan, type EditorResult, failure } from './editor-result.ts';
import { canonicalDirectory, canonicalPath, type PathRefusal } from './paths.ts';
import { viewPath } from './view-path.ts';
import type { Workspace } from './workspace.ts';

/** One command of the editor tool, its types checked; paths and ranges are not. */
export type EditorCommand =
  | { readonly command: 'view'; readonly path: string; readonly view_range?: readonly number[] | undefined }
  | { readonly command: 'create'; readonly path: string; readonly file_text: string }
  | {
      readonly command: 'str_replace';
      readonly path: string;
      readonly old_str: string;
      readonly new_str?: string | undefined;
    }
  | { readonly command: 'insert'; readonly path: string; readonly insert_line: number; readonly insert_text: string }
  | { readonly command: 'undo_edit'; readonly path: string };

/** Plans one command; a path that is none comes back as the refusal. Pure with respect to the workspace. */
export function planEditor(workspace: Workspace, command: EditorCommand): EditorPlan | PathRefusal {
  const result = command.command === 'view' ? canonicalDirectory(command.path) : canonicalPath(command.path);
  if (!result.ok) return result.refusal;
  const { path } = result;
  switch (command.command) {
    case 'view':
      return { operation: 'read', path, apply: () => viewPath(workspace, path, command.view_range) };
    case 'create':
      return createFile(workspace, path, command.file_text);
    case 'str_replace':
      return replaceText(workspace, path, command.old_str, command.new_str ?? '');
    case 'insert':
      return insertText(workspace, path, command.insert_line, command.insert_text);
    case 'undo_edit':
      return undoEdit(workspace, path);
    default:
      return command satisfies never;
  }
}

/** Plans and applies one command at once, for callers that have asked their guard already (or have none). */
export function runEditor(workspace: Workspace, command: EditorCommand): EditorResult {
  const plan = planEditor(workspace, command);
  return 'apply' in plan ? plan.apply() : failure(`the path ${plan.problem}`);
}
