import type { Denial } from '../../guard/decision.ts';
import type { Workspace } from '../../materialize/workspace.ts';
import type { RunShell } from '../../sandbox/sandbox.ts';
import type { ToolCall, ToolDefinition } from '../model.ts';
import { runBash } from './bash-tool.ts';
import { TOOL_DEFINITIONS } from './definitions.ts';
import { callEditor } from './editor-tool.ts';
import { parseCall } from './parse-call.ts';
import { type FileRead, refusedResult, type ToolContext, type ToolResult, type Use } from './tool-result.ts';

export type { FileRead, ToolResult, Use } from './tool-result.ts';

/** One file a tool call opened, with the content it had then. `toolCall` counts from 1 within the toolbox. */
export interface ToolRead extends FileRead {
  readonly toolCall: number;
  readonly tool: string;
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
    const parsed = parseCall(call);
    const { tool } = parsed;
    if (calls > toolCallLimit) return refuse(use, tool, spent(toolCallLimit));
    if ('refused' in parsed) return refuse(use, tool, parsed.refused);
    const context: ToolContext = { workspace, use, shell, signal, onFailure: (error) => onFailure?.(tool, error) };
    const result =
      parsed.tool === 'editor' ? await callEditor(context, parsed.command) : await runBash(context, parsed.command);
    for (const read of result.reads) onRead?.({ toolCall: calls, tool, ...read });
    return result;
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

/** A refusal of the toolbox's own leaves its decision record, too. */
async function refuse(use: Use, tool: string, denial: Denial): Promise<ToolResult> {
  await use({ tool, operation: 'run' }, denial);
  return refusedResult({ verdict: 'denied', denial });
}

function spent(limit: number): Denial {
  return { code: 'tool-budget', check: 'budget', used: limit, limit };
}
