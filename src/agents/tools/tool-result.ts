import { createHash } from 'node:crypto';
import type { Denial, Outcome, ToolUse } from '../../guard/decision.ts';
import { denialText } from '../../guard/denial-text.ts';
import type { ScopedPath } from '../../materialize/paths.ts';
import type { Workspace } from '../../materialize/workspace.ts';
import type { RunShell } from '../../sandbox/sandbox.ts';

/**
 * A session's decision on one use of a tool: the door every call goes through. With `refuse`, the toolbox has refused the call
 * already (too many, malformed): it is recorded as denied with it, before any check of the guard's own.
 */
export type Use = (use: ToolUse, refuse?: Denial) => Promise<Outcome>;

/** A file that was opened, with the content it had then. */
export interface FileRead {
  readonly path: ScopedPath;
  readonly sha256: string;
}

/** What a tool call gave. `text` is one string for one tool message, whatever is in it. */
export interface ToolResult {
  readonly text: string;
  readonly isError: boolean;
  /** Files of the view that were opened, scratch files apart; each once. */
  readonly reads: readonly FileRead[];
  /** Files of the agent's own that are different now. */
  readonly wrote: readonly ScopedPath[];
  /** The guard's refusal of the call as a whole. */
  readonly denied?: Denial;
}

/** What a tool works with during one call. */
export interface ToolContext {
  readonly workspace: Workspace;
  readonly use: Use;
  readonly shell: RunShell;
  readonly signal: AbortSignal | undefined;
  /** Told of what broke; the model is only told that something did. */
  readonly onFailure: (error: unknown) => void;
}

/** A verdict other than allow. */
export type Refused = Exclude<Outcome, { verdict: 'allow' }>;

/** Asks the guard; nothing when it allows. */
export async function refusalOf(use: Use, what: ToolUse): Promise<Refused | undefined> {
  const outcome = await use(what);
  return outcome.verdict === 'allow' ? undefined : outcome;
}

/** A verdict in words: why something was not done. */
export function reasonOf(refused: Refused): string {
  switch (refused.verdict) {
    case 'denied':
      return denialText(refused.denial);
    case 'conflict':
      return `${refused.holderAgent} holds it`;
    case 'blocked':
      return `blocked: ${refused.reason}`;
    default:
      return refused satisfies never;
  }
}

/** The answer to a call that was refused as a whole. */
export function refusedResult(refused: Refused): ToolResult {
  const denied = refused.verdict === 'denied' ? { denied: refused.denial } : {};
  return { ...errorResult(`Error: ${reasonOf(refused)}`), ...denied };
}

/** An answer that only says why nothing was done. */
export function errorResult(text: string): ToolResult {
  return { text, isError: true, reads: [], wrote: [] };
}

/** Which of these paths are files of the view, with what they hold now. */
export function readsOf(workspace: Workspace, paths: Iterable<ScopedPath>): readonly FileRead[] {
  const reads: FileRead[] = [];
  for (const path of new Set(paths)) {
    const text = workspace.read(path);
    if (text === undefined || workspace.status(path)?.access === 'scratch') continue;
    reads.push({ path, sha256: createHash('sha256').update(text).digest('hex') });
  }
  return reads;
}
