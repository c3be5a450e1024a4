import { absolutePath, type ScopedPath } from './paths.ts';

/** What a command gave. `reads` are files whose content was shown on request; `wrote` the file that is different now. */
export interface EditorResult {
  readonly text: string;
  readonly isError: boolean;
  readonly reads: readonly ScopedPath[];
  readonly wrote?: ScopedPath;
}

/**
 * What a command would do, worked out and not done: enough for a guard to decide on. `apply` does it, on the workspace as it
 * was when planned; a command that cannot work has an `apply` that changes nothing and says why.
 */
export interface EditorPlan {
  readonly operation: 'read' | 'write' | 'delete';
  readonly path: ScopedPath;
  /** UTF-8 bytes of the file afterwards; absent when nothing would be written. */
  readonly bytes?: number;
  apply(): EditorResult;
}

/** An answer that only says why nothing was done. */
export function failure(text: string): EditorResult {
  return { text: `Error: ${text}.`, isError: true, reads: [] };
}

/** The one answer for a path where the agent sees nothing, whatever there may be elsewhere. */
export function noSuchFile(path: ScopedPath): EditorResult {
  return failure(`no such file: ${absolutePath(path)}`);
}
