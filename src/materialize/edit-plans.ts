import { type EditorPlan, type EditorResult, failure, noSuchFile } from './editor-result.ts';
import { lineEndOf, linesOf, numberedLines } from './numbered-lines.ts';
import { absolutePath, type ScopedPath, utf8Bytes } from './paths.ts';
import type { Workspace } from './workspace.ts';

/** Lines shown before and after an edit. */
const CONTEXT_LINES = 4;
/** Line numbers named for a text that occurs more than once. */
const NAMED_MATCHES = 20;

/** The editor's `create`: a new file, or another text for one that is there. */
export function createFile(workspace: Workspace, path: ScopedPath, text: string): EditorPlan {
  const replaced = workspace.read(path) !== undefined;
  return writing(workspace, path, text, () => {
    const size = `${utf8Bytes(text)} bytes, ${linesOf(text).length} lines`;
    return replaced ? `Replaced ${absolutePath(path)} (${size}).` : `Created ${absolutePath(path)} (${size}).`;
  });
}

/**
 * The editor's `str_replace`: one exact, unique occurrence, taken literally (no character of either text is special).
 */
export function replaceText(workspace: Workspace, path: ScopedPath, from: string, to: string): EditorPlan {
  const text = workspace.read(path);
  if (text === undefined) return failing('write', path, noSuchFile(path));
  if (from === '') return failing('write', path, failure('old_str is empty; use insert to add text'));
  const old = withLineEnds(from, text);
  const places = occurrences(text, old);
  const [at] = places;
  if (at === undefined) {
    return failing('write', path, failure(`old_str does not occur in ${absolutePath(path)}; it must match exactly`));
  }
  if (places.length > 1) {
    const numbers = places.slice(0, NAMED_MATCHES).map((place) => lineNumberAt(text, place));
    const more = places.length > NAMED_MATCHES ? ' and more' : '';
    const problem = `old_str occurs more than once in ${absolutePath(path)}, at lines ${numbers.join(', ')}${more}`;
    return failing('write', path, failure(`${problem}; add lines around it until it is unique`));
  }
  const inserted = withLineEnds(to, text);
  const after = text.slice(0, at) + inserted + text.slice(at + old.length);
  return writing(workspace, path, after, () => edited(path, after, at, at + inserted.length));
}

/** The editor's `insert`: whole lines after line `line`; 0 is before the first. */
export function insertText(workspace: Workspace, path: ScopedPath, line: number, added: string): EditorPlan {
  const text = workspace.read(path);
  if (text === undefined) return failing('write', path, noSuchFile(path));
  const count = linesOf(text).length;
  if (!Number.isInteger(line) || line < 0 || line > count) {
    const problem = `insert_line is ${line}; it must be a whole number from 0 to ${count}, the lines of the file`;
    return failing('write', path, failure(problem));
  }
  if (added === '') return failing('write', path, failure('insert_text is empty'));
  const lineEnd = lineEndOf(text);
  const at = offsetAfterLine(text, line);
  let piece = withLineEnds(added, text);
  let start = at;
  if (at === text.length && text !== '' && !text.endsWith('\n')) {
    // The last line has no newline and the new last line shall have none either.
    piece = lineEnd + (piece.endsWith(lineEnd) ? piece.slice(0, -lineEnd.length) : piece);
    start += lineEnd.length;
  } else if (!piece.endsWith('\n') && text !== '') {
    piece += lineEnd;
  }
  const after = text.slice(0, at) + piece + text.slice(at);
  return writing(workspace, path, after, () => edited(path, after, start, at + piece.length));
}

/** The editor's `undo_edit`: the state before the last change that a tool made to this file. */
export function undoEdit(workspace: Workspace, path: ScopedPath): EditorPlan {
  const former = workspace.undoable(path);
  if (former === undefined) return failing('write', path, failure(`there is no edit of ${absolutePath(path)} to undo`));
  const done = `Undid the last edit of ${absolutePath(path)}; ${former === null ? 'the file is gone again' : `it has ${linesOf(former).length} lines`}.`;
  return {
    operation: former === null ? 'delete' : 'write',
    path,
    ...(former === null ? {} : { bytes: utf8Bytes(former) }),
    apply: () => settled(path, workspace.undo(path)?.problem, () => done),
  };
}

function writing(workspace: Workspace, path: ScopedPath, text: string, say: () => string): EditorPlan {
  return {
    operation: 'write',
    path,
    bytes: utf8Bytes(text),
    apply: () => settled(path, workspace.write(path, text)?.problem, say),
  };
}

function failing(operation: EditorPlan['operation'], path: ScopedPath, result: EditorResult): EditorPlan {
  return { operation, path, apply: () => result };
}

function settled(path: ScopedPath, problem: string | undefined, say: () => string): EditorResult {
  if (problem !== undefined) return failure(`${absolutePath(path)} ${problem}`);
  return { text: say(), isError: false, reads: [], wrote: path };
}

/** A model writes newlines as `\n`; in a file whose lines all end in CRLF they mean that. */
function withLineEnds(piece: string, text: string): string {
  return lineEndOf(text) === '\r\n' ? piece.replace(/\r?\n/g, '\r\n') : piece;
}

/** Where `part` occurs, overlapping ones too, up to one more than are ever named. */
function occurrences(text: string, part: string): readonly number[] {
  const places: number[] = [];
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
    places.push(at);
    if (places.length > NAMED_MATCHES) break;
  }
  return places;
}

function lineNumberAt(text: string, offset: number): number {
  let number = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) number += 1;
  return number;
}

function offsetAfterLine(text: string, line: number): number {
  let at = 0;
  for (let passed = 0; passed < line; passed += 1) {
    const end = text.indexOf('\n', at);
    if (end === -1) return text.length;
    at = end + 1;
  }
  return at;
}

/** The lines around what an edit put in, for the model to check its work. */
function edited(path: ScopedPath, text: string, from: number, to: number): string {
  const lines = linesOf(text).map((line) => line.replace(/\r$/, ''));
  if (lines.length === 0) return `Edited ${absolutePath(path)}; the file is empty now.`;
  const first = Math.max(1, lineNumberAt(text, from) - CONTEXT_LINES);
  const last = Math.min(lines.length, lineNumberAt(text, Math.max(from, to - 1)) + CONTEXT_LINES);
  return `Edited ${absolutePath(path)}:\n${numberedLines(lines, Math.min(first, last), last)}`;
}
