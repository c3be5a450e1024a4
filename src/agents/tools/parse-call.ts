import type { z } from 'zod';
import type { Denial } from '../../guard/decision.ts';
import type { EditorCommand } from '../../materialize/editor.ts';
import type { ToolCall } from '../model.ts';
import { bashArguments, editorArguments, TOOL_DEFINITIONS, toolNameOf } from './definitions.ts';

/** What a model asked for, checked; or why it is nothing that can be asked for. */
export type ParsedCall =
  | { readonly tool: 'editor'; readonly command: EditorCommand }
  | { readonly tool: 'bash'; readonly command: string }
  | { readonly tool: 'editor' | 'bash' | 'unknown'; readonly refused: Denial };

/** Untrusted text is quoted and cut before it goes into a message. */
const QUOTED_CHARS = 80;

/** Checks a tool call as a model made it. Pure; never throws for anything a model can write. */
export function parseCall(call: ToolCall): ParsedCall {
  const tool = toolNameOf(call.name);
  if (tool === undefined) {
    const names = TOOL_DEFINITIONS.map(({ name }) => name).join(', ');
    return {
      tool: 'unknown',
      refused: malformed('name', `is not a tool: ${quote(call.name)}; the tools are ${names}`),
    };
  }
  if (call.malformed !== undefined) {
    return { tool, refused: malformed('arguments', `are not one JSON object: ${quote(call.malformed)}`) };
  }
  if (tool === 'bash') {
    const parsed = bashArguments.safeParse(call.arguments);
    if (!parsed.success) return { tool, refused: misfit(parsed.error) };
    return { tool, command: parsed.data.command };
  }
  const parsed = editorArguments.safeParse(call.arguments);
  return parsed.success ? { tool, command: parsed.data } : { tool, refused: misfit(parsed.error) };
}

/** A denial for what is wrong with a call itself; `problem` is a clause whose subject is the field. */
export function malformed(field: string, problem: string): Denial {
  return { code: 'malformed', check: 'shape', field, problem };
}

/** Untrusted text for a message: as a JSON string, cut. */
export function quote(text: string): string {
  const kept = text.slice(0, QUOTED_CHARS);
  return JSON.stringify(kept) + (kept.length < text.length ? '...' : '');
}

function misfit(error: z.ZodError): Denial {
  const [issue] = error.issues;
  if (issue === undefined) return malformed('arguments', 'do not fit the tool');
  if (issue.code === 'unrecognized_keys') {
    const field = issue.keys[0] ?? '';
    return malformed(field.slice(0, QUOTED_CHARS), 'is an unknown field; nothing was executed');
  }
  return malformed(issue.path.join('.') || 'arguments', `does not fit: ${issue.message}`);
}
