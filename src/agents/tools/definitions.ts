import { z } from 'zod';
import type { ToolDefinition } from '../model.ts';

/** Characters of one shell command. */
export const MAX_COMMAND_CHARS = 65_536;

const path = z.string();
/** Text of files: without unpaired surrogates, which have no bytes to store. */
const text = z.string().refine((value) => value.isWellFormed(), 'contains an unpaired surrogate');

/** Arguments of `editor`: an unknown field is refused, per command, so that nothing a model adds passes unseen. */
export const editorArguments = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('view'), path, view_range: z.array(z.number()).optional() }),
  z.strictObject({ command: z.literal('create'), path, file_text: text }),
  z.strictObject({ command: z.literal('str_replace'), path, old_str: text, new_str: text.optional() }),
  z.strictObject({ command: z.literal('insert'), path, insert_line: z.number(), insert_text: text }),
  z.strictObject({ command: z.literal('undo_edit'), path }),
]);

/** Arguments of `bash`. */
export const bashArguments = z.strictObject({ command: z.string().min(1).max(MAX_COMMAND_CHARS) });

/** The tools as models see them. Constants: nothing in them depends on a run, an agent or a peer. */
export const TOOL_DEFINITIONS = [
  {
    name: 'editor',
    description: [
      'View and edit text files. Paths start at the root of your workspace.',
      'view: a file with numbered lines (view_range: [first, last], last -1 for the end), or a directory two levels deep.',
      'create: write file_text as a whole file, replacing what is there.',
      'str_replace: replace old_str, which must occur exactly once, by new_str. Both are literal.',
      'insert: put insert_text after line insert_line (0: before the first line).',
      'undo_edit: take back the last edit of the file.',
      'evals/ and strategies/ are read-only.',
    ].join('\n'),
    parameters: {
      type: 'object',
      properties: {
        command: { type: 'string', enum: ['view', 'create', 'str_replace', 'insert', 'undo_edit'] },
        path: { type: 'string', description: 'File or directory, e.g. task_agent.ts' },
        view_range: {
          type: 'array',
          items: { type: 'integer' },
          minItems: 2,
          maxItems: 2,
          description: 'Only for view',
        },
        file_text: { type: 'string', description: 'Required for create' },
        old_str: { type: 'string', description: 'Required for str_replace' },
        new_str: { type: 'string', description: 'Only for str_replace; left out it deletes old_str' },
        insert_line: { type: 'integer', minimum: 0, description: 'Required for insert' },
        insert_text: { type: 'string', description: 'Required for insert' },
      },
      required: ['command', 'path'],
      additionalProperties: false,
    },
  },
  {
    name: 'bash',
    description: [
      'Run a shell command over your workspace, in its root directory; each call starts afresh there.',
      'Changes of files you may edit are kept; others are reported as not persisted. /tmp is scratch space.',
      'No network, no real programs: the usual text tools (cat, grep, sed, awk, find, diff, jq ...).',
    ].join('\n'),
    parameters: {
      type: 'object',
      properties: { command: { type: 'string', minLength: 1, maxLength: MAX_COMMAND_CHARS } },
      required: ['command'],
      additionalProperties: false,
    },
  },
] as const satisfies readonly ToolDefinition[];

export type ToolName = (typeof TOOL_DEFINITIONS)[number]['name'];

/** The name as one of ours, or nothing. */
export function toolNameOf(name: string): ToolName | undefined {
  return TOOL_DEFINITIONS.find((tool) => tool.name === name)?.name;
}
