import { z } from 'zod';
import { canonicalDirectory, ROOT } from '../materialize/paths.ts';
import { cursorOf, readCursor } from './paging.ts';
import type { FileEntry, Participant, Refused, ToolAnswer } from './participant.ts';
import { editShape, fileShape, wellFormed } from './participant-shapes.ts';
import { defineTool, type Denied, type Given, type Tool } from './tool.ts';

/** Files of one page of `list_files`. */
const MOST_FILES = 1000;
/** Characters of one shell command. */
const MAX_COMMAND_CHARS = 65_536;

const path = z.string().describe('Path in your view, such as task_agent.ts or strategies/<peer>_gen<n>/task_agent.ts.');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'is not a sha256 in lower-case hex');

const listFiles = defineTool({
  name: 'list_files',
  title: 'List files',
  description:
    'Lists the files of your view, sorted by path: your own, your evaluations under evals/, published bests of peers under strategies/. Not counted as a read.',
  input: {
    directory: z.string().exactOptional().describe('Only files in it and below it.'),
    limit: z.int().min(1).max(MOST_FILES).default(MOST_FILES),
    cursor: z.string().exactOptional().describe('nextCursor of the page before.'),
  },
  output: { files: z.array(fileShape), nextCursor: z.string().exactOptional() },
  hints: { readOnly: true },
  async run(participant: Participant, { directory, limit, cursor }) {
    const parsed = canonicalDirectory(directory ?? '/');
    if (!parsed.ok) return refuseHere(participant, 'list_files', `argument "directory" ${parsed.refusal.problem}`);
    const after = cursor === undefined ? '' : readCursor(cursor);
    if (after === undefined) return refuseHere(participant, 'list_files', `argument "cursor" is none that it gave`);
    const prefix = parsed.path === ROOT ? '' : `${parsed.path}/`;
    const files = participant.files().filter((file) => file.path > after && file.path.startsWith(prefix));
    const page = files.slice(0, limit);
    const last = page.at(-1);
    const next = files.length > page.length && last !== undefined ? { nextCursor: cursorOf(last.path) } : {};
    return { ok: true, value: { files: page, ...next } };
  },
});

const view = defineTool({
  name: 'view',
  title: 'View a file or directory',
  description:
    'Shows a file with numbered lines, or a directory two levels deep. Long answers are clipped; view_range shows the rest. Reading a strategy is on record.',
  input: {
    path,
    view_range: z
      .array(z.int())
      .length(2)
      .exactOptional()
      .describe('First and last line, counted from 1; -1 as the last means the end.'),
  },
  output: editShape,
  hints: { readOnly: true },
  run: async (participant: Participant, args) => given(await participant.edit({ command: 'view', ...args })),
});

const create = defineTool({
  name: 'create',
  title: 'Create or overwrite a file',
  description: 'Makes one of your own editable files have this text, whether it was there or not.',
  input: { path, file_text: wellFormed },
  output: editShape,
  hints: { readOnly: false, destructive: true, idempotent: true },
  run: async (participant: Participant, args) => given(await participant.edit({ command: 'create', ...args })),
});

const strReplace = defineTool({
  name: 'str_replace',
  title: 'Replace text in a file',
  description: 'Replaces old_str, which must occur exactly once in the file, by new_str (nothing when left out).',
  input: { path, old_str: wellFormed, new_str: wellFormed.exactOptional() },
  output: editShape,
  hints: { readOnly: false, destructive: true },
  run: async (participant: Participant, args) => given(await participant.edit({ command: 'str_replace', ...args })),
});

const insert = defineTool({
  name: 'insert',
  title: 'Insert lines into a file',
  description: 'Inserts text after line insert_line; 0 is the beginning of the file.',
  input: { path, insert_line: z.int().min(0), insert_text: wellFormed },
  output: editShape,
  hints: { readOnly: false },
  run: async (participant: Participant, args) => given(await participant.edit({ command: 'insert', ...args })),
});

const undoEdit = defineTool({
  name: 'undo_edit',
  title: 'Undo the last edit of a file',
  description: 'Takes back the last change that you made to this file.',
  input: { path },
  output: editShape,
  hints: { readOnly: false, destructive: true },
  run: async (participant: Participant, args) => given(await participant.edit({ command: 'undo_edit', ...args })),
});

/** Characters of why a change cannot be offered. */
const MAX_PROBLEM_CHARS = 500;

const putFile = defineTool({
  name: 'put_file',
  title: 'Put a file if it is unchanged',
  description:
    'Makes one of your own files have this text (null: be gone), if it still is what expected_sha256 says (null: is not there). On a conflict the error tells in "now" what it is. With problem instead, a change that cannot be offered (no text, a link) is put on record as refused.',
  input: {
    path,
    text: wellFormed.nullable().default(null),
    expected_sha256: sha256.nullable().default(null),
    problem: wellFormed.min(1).max(MAX_PROBLEM_CHARS).optional(),
  },
  output: { file: fileShape.nullable() },
  hints: { readOnly: false, destructive: true, idempotent: true },
  async run(participant: Participant, { path: name, text, expected_sha256: expected, problem }) {
    if (problem !== undefined) {
      await participant.refuse('put_file', `${name}: ${problem}`);
      return { ok: false, code: 'not-offered', message: `${name} was not changed: ${problem}` };
    }
    const put = await participant.put(name, text, expected);
    if (put.ok) return { ok: true, value: { file: put.file } };
    const { code, message, now } = put;
    return { ok: false, code, message, ...(now === undefined ? {} : { more: { now: now && { ...now } } }) };
  },
});

const bash = defineTool({
  name: 'bash',
  title: 'Run a shell command',
  description:
    'Runs one command in a sandboxed shell over a copy of your view, without network. Changes to your own editable files are kept; every other change is named in the answer as not persisted.',
  input: { command: wellFormed.max(MAX_COMMAND_CHARS) },
  output: editShape,
  hints: { readOnly: false, destructive: true },
  run: async (participant: Participant, { command }, { signal }) => given(await participant.shell(command, signal)),
});

/** Tools over the files of the view. */
export const FILE_TOOLS: readonly Tool<Participant>[] = [
  listFiles,
  view,
  create,
  strReplace,
  insert,
  undoEdit,
  putFile,
  bash,
];

type Edited = { readonly text: string; readonly wrote: readonly FileEntry[] };

/** What the editor and the shell gave is one string, whatever is in it: one text block. */
function given(answer: ToolAnswer | Refused): Given<Edited> | Denied {
  if (!answer.ok) return answer;
  const { text, wrote } = answer;
  return { ok: true, value: { text, wrote }, text };
}

/** Refuses a call that its schema could not: on record once, like every other. */
export async function refuseHere(participant: Participant, tool: string, problem: string): Promise<Denied> {
  await participant.refuse(tool, problem);
  return { ok: false, code: 'malformed', message: problem };
}
