import { createHash } from 'node:crypto';
import type { Denial, Outcome, ToolUse } from '../../guard/decision.ts';
import { denialText } from '../../guard/denial-text.ts';
import { planEditor } from '../../materialize/editor.ts';
import { componentsOf, reservedDirectoryOf, ROOT, type ScopedPath } from '../../materialize/paths.ts';
import type { Workspace } from '../../materialize/workspace.ts';
import type { RunShell } from '../../sandbox/sandbox.ts';
import type { ToolCall, ToolDefinition } from '../model.ts';
import { runBash } from './bash-tool.ts';
import { TOOL_DEFINITIONS } from './definitions.ts';
import { malformed, parseCall } from './parse-call.ts';

/** A session's decision on one use of a tool; the door every call goes through. */
export type Use = (use: ToolUse) => Promise<Outcome>;

/** One file a tool call opened, with the content it had then. `toolCall` counts from 1 within the toolbox. */
export interface ToolRead {
  readonly toolCall: number;
  readonly tool: string;
  readonly path: ScopedPath;
  readonly sha256: string;
}

/** What a tool call gave. `text` is one string for one tool message, whatever is in it. */
export interface ToolResult {
  readonly text: string;
  readonly isError: boolean;
  readonly reads: readonly { readonly path: ScopedPath; readonly sha256: string }[];
  /** Files of the agent's own that are different now. */
  readonly wrote: readonly ScopedPath[];
  /** The guard's refusal of the call as a whole. */
  readonly denied?: Denial;
}

export interface ToolboxOptions {
  readonly workspace: Workspace;
  readonly use: Use;
  readonly shell: RunShell;
  /** Calls of this toolbox's life (one generation); further ones are refused, on record. */
  readonly toolCallLimit: number;
  readonly onRead?: (read: ToolRead) => void;
  /** Told of what broke inside a tool; the model is only told that it did. */
  readonly onFailure?: (tool: string, error: unknown) => void;
}

export interface Toolbox {
  readonly definitions: readonly ToolDefinition[];
  /**
   * Executes one call, or answers why not. Calls run one after the other, in the order they are made.
   *
   * @throws whatever `use` throws (no tool runs undecided) and the signal's reason once it has fired; nothing else.
   */
  call(call: ToolCall, signal?: AbortSignal): Promise<ToolResult>;
}

/**
 * The tools of one agent in one generation.
 *
 * Every call asks the guard exactly once before anything happens, calls refused by the toolbox itself included (too many,
 * unknown tool, malformed arguments); a shell command asks once more for each file it would leave changed. Who acts is the
 * session behind `use`: no argument can name an agent.
 *
 * What a tool shows of files is data. It is handed on as it is, inside one result string, and never parsed, unescaped or split
 * here, so that nothing in it can end a result or begin a message: those are the chat's structure, not text. The harness's
 * own words come before a shell's output, never after it, and a viewed file has its number before every line.
 */
export function createToolbox(options: ToolboxOptions): Toolbox {
  const { workspace, use, shell, toolCallLimit, onRead, onFailure } = options;
  let calls = 0;
  let last: Promise<unknown> = Promise.resolve();

  const execute = async (call: ToolCall, signal: AbortSignal | undefined): Promise<ToolResult> => {
    signal?.throwIfAborted();
    calls += 1;
    const toolCall = calls;
    const parsed = parseCall(call);
    if (toolCall > toolCallLimit) {
      const spent: Denial = { code: 'tool-budget', check: 'budget', used: toolCallLimit, limit: toolCallLimit };
      return refuse(use, { tool: parsed.tool, operation: 'run' }, spent);
    }
    if ('refused' in parsed) return refuse(use, { tool: parsed.tool, operation: 'run' }, parsed.refused);
    const opened = (path: ScopedPath, text: string): void => {
      onRead?.({ toolCall, tool: parsed.tool, path, sha256: sha256(text) });
    };
    if (parsed.tool === 'editor') return callEditor(workspace, use, parsed.command, opened);
    return runBash({ workspace, use, shell, signal, opened, onFailure }, parsed.command);
  };

  return {
    definitions: TOOL_DEFINITIONS,
    call(call, signal) {
      const result = last.then(() => execute(call, signal));
      last = result.catch(() => undefined);
      return result;
    },
  };
}
