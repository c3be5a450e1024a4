import type { ToolUse } from '../../guard/decision.ts';
import { type EditorCommand, planEditor } from '../../materialize/editor.ts';
import type { EditorPlan } from '../../materialize/editor-result.ts';
import { ROOT, reservedDirectoryOf } from '../../materialize/paths.ts';
import { malformed } from './parse-call.ts';
import { errorResult, readsOf, refusalOf, refusedResult, type ToolContext, type ToolResult } from './tool-result.ts';

/**
 * One editor command: worked out, decided on, and only then done. What could not work anyway is decided on as well, so that
 * the answer for a file that may not be changed never depends on what is in it.
 */
export async function callEditor(context: ToolContext, command: EditorCommand): Promise<ToolResult> {
  const { workspace, use } = context;
  let plan: ReturnType<typeof planEditor>;
  try {
    plan = planEditor(workspace, command);
  } catch (error) {
    await use({ tool: 'editor', operation: 'run' });
    return broken(context, error);
  }
  if (!('apply' in plan)) {
    const denial = malformed('path', plan.problem);
    await use({ tool: 'editor', operation: operationOf(command) }, denial);
    return refusedResult({ verdict: 'denied', denial });
  }
  const refused = await refusalOf(use, useOf(plan));
  if (refused) return refusedResult(refused);
  try {
    const { text, isError, reads, wrote } = plan.apply();
    const persists = wrote !== undefined && reservedDirectoryOf(wrote) === undefined;
    return { text, isError, reads: readsOf(workspace, reads), wrote: persists ? [wrote] : [] };
  } catch (error) {
    return broken(context, error);
  }
}

/** A change of scratch space leaves nothing behind: for the guard it is a `run`. The root has no path. */
function useOf({ operation, path, bytes }: EditorPlan): ToolUse {
  const tool = 'editor';
  if (operation !== 'read' && reservedDirectoryOf(path) === 'tmp') return { tool, operation: 'run' };
  return { tool, operation, ...(path === ROOT ? {} : { path }), ...(bytes === undefined ? {} : { bytes }) };
}

function operationOf(command: EditorCommand): ToolUse['operation'] {
  return command.command === 'view' ? 'read' : 'write';
}

function broken(context: ToolContext, error: unknown): ToolResult {
  context.onFailure(error);
  return errorResult(
    'Error: the editor tool failed inside; nothing was changed. This was not caused by your arguments.',
  );
}
