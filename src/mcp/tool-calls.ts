import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { type Handler, invalidParams, quoted } from './protocol-handlers.ts';
import { refusalResult, type Tool } from './tool.ts';

/** Puts on record a call that was refused before the subject was asked. */
export type Refuse = (tool: string, problem: string) => Promise<void>;

/** Characters of a tool's name that go on record. */
const NAME_CHARS = 64;

/** `tools/list`: one page with all of them. */
export function listTools(tools: readonly Tool<never>[]): Handler {
  const result = { tools: tools.map(({ definition }) => definition) };
  return (params) => {
    if (params['cursor'] !== undefined) throw invalidParams('cursor is not one that this list gave: it has one page');
    return Promise.resolve(result);
  };
}

/**
 * `tools/call`: finds the tool, checks the arguments, makes the call. A call that goes no further is told to `refuse` once; every other
 * is the subject's to put on record.
 */
export function callTool<Subject>(tools: readonly Tool<Subject>[], subject: Subject, refuse: Refuse): Handler {
  const byName = new Map(tools.map((tool) => [tool.definition.name, tool]));
  return async (params, context): Promise<CallToolResult> => {
    const { name, arguments: args } = params;
    const tool = typeof name === 'string' ? byName.get(name) : undefined;
    if (tool === undefined) {
      const shown = typeof name === 'string' ? name.slice(0, NAME_CHARS).toWellFormed() : '';
      await refuse(shown === '' ? '(none)' : shown, 'is not a tool');
      const asked = typeof name === 'string' ? `Unknown tool ${quoted(name)}` : 'The name of the tool must be a string';
      throw invalidParams(`${asked}; the tools are ${[...byName.keys()].join(', ')}`);
    }
    const prepared = tool.prepare(subject, args);
    if (prepared.ok) return prepared.run(context);
    await refuse(tool.definition.name, prepared.problem);
    return refusalResult({ ok: false, code: 'malformed', message: `${prepared.problem}; nothing was done` });
  };
}
