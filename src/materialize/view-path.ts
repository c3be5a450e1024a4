import { type EditorResult, failure, noSuchFile } from './editor-result.ts';
import { clipText, lineEndOf, linesOf, numberedLines, SHOWN } from './numbered-lines.ts';
import { canonicalPath, ROOT, type ScopedPath } from './paths.ts';
import type { Workspace } from './workspace.ts';

/** The editor's `view`: a file with numbered lines, or a directory two levels deep. */
export function viewPath(workspace: Workspace, path: ScopedPath, range?: readonly number[]): EditorResult {
  const text = workspace.read(path);
  if (text !== undefined) return viewFile(path, text, range);
  if (workspace.status(path) === undefined) return noSuchFile(path);
  if (range !== undefined) return failure('view_range is for files; this is a directory');
  return { text: clipText(listing(workspace, path).join('\n'), SHOWN.answerChars), isError: false, reads: [] };
}

function viewFile(path: ScopedPath, text: string, range: readonly number[] | undefined): EditorResult {
  const crlf = lineEndOf(text) === '\r\n';
  const lines = crlf ? linesOf(text).map((line) => line.replace(/\r$/, '')) : linesOf(text);
  const bounds = range === undefined ? { from: 1, to: lines.length } : boundsOf(range, lines.length);
  if (typeof bounds === 'string') return failure(bounds);
  const notes = [
    ...(text === '' ? ['[the file is empty]'] : []),
    ...(crlf ? ['[lines end in CRLF]'] : []),
    ...(text !== '' && !text.endsWith('\n') && bounds.to === lines.length ? ['[no newline at the end]'] : []),
  ];
  const shown = lines.length === 0 ? [] : [numberedLines(lines, bounds.from, bounds.to)];
  return { text: [...shown, ...notes].join('\n'), isError: false, reads: [path] };
}

/** Checks `[first, last]`, 1-based and inclusive, last = -1 for the end. A string says what is wrong with it. */
function boundsOf(range: readonly number[], lines: number): { readonly from: number; readonly to: number } | string {
  const [from, last] = range;
  if (range.length !== 2 || !Number.isInteger(from) || !Number.isInteger(last)) {
    return 'view_range must be two whole numbers: [first line, last line]';
  }
  if (from === undefined || last === undefined) return 'view_range must be two whole numbers: [first line, last line]';
  const size = `the file has ${lines} ${lines === 1 ? 'line' : 'lines'}`;
  if (from < 1 || from > lines) return `view_range starts at line ${from}; ${size}, counted from 1`;
  if (last === -1) return { from, to: lines };
  if (last > lines) return `view_range ends at line ${last}; ${size} (-1 means the last)`;
  if (last < from) return `view_range ends at line ${last}, before it starts at line ${from}`;
  return { from, to: last };
}

function listing(workspace: Workspace, directory: ScopedPath): readonly string[] {
  const rows: string[] = [];
  for (const name of workspace.list(directory)) {
    const path = childOf(directory, name);
    rows.push(rowOf(workspace, path));
    if (!name.endsWith('/')) continue;
    for (const inner of workspace.list(path)) {
      const innerPath = childOf(path, inner);
      const files = inner.endsWith('/') ? ` (${workspace.list(innerPath).length} entries)` : '';
      rows.push(`${rowOf(workspace, innerPath)}${files}`);
    }
  }
  return rows.length === 0 ? ['[the directory is empty]'] : rows;
}

function rowOf(workspace: Workspace, path: ScopedPath): string {
  const status = workspace.status(path);
  const readOnly = status?.access === 'read' ? '  read-only' : '';
  return status?.kind === 'file' ? `${path}  ${status.bytes} bytes${readOnly}` : `${path}/${readOnly}`;
}

/** Names that the workspace lists are canonical, so this never fails. */
function childOf(directory: ScopedPath, name: string): ScopedPath {
  const result = canonicalPath(directory === ROOT ? name : `${directory}/${name}`);
  return result.ok ? result.path : directory;
}
