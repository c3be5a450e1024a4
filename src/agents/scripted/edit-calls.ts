import { structuredPatch } from 'diff';
import type { Json } from '../../space/marks.ts';

/** The arguments of one `editor` call. */
export type EditorArguments = { readonly [key: string]: Json };

/**
 * The `str_replace` calls that turn `before` into `after`, to be made in order: one for each stretch of changed lines, with
 * just as many lines around it as make the old text occur once. Where that cannot be had, one `create` of the whole.
 */
export function editCalls(path: string, before: string, after: string): readonly EditorArguments[] {
  const whole = [{ command: 'create', path, file_text: after }];
  const patch = structuredPatch(path, path, before, after, '', '', { context: 0 });
  const calls: EditorArguments[] = [];
  let current = before;
  let moved = 0;
  for (const hunk of patch.hunks) {
    const removed = hunk.lines.filter((line) => line.startsWith('-')).map((line) => line.slice(1));
    const added = hunk.lines.filter((line) => line.startsWith('+')).map((line) => line.slice(1));
    const call = uniqueEdit(current, hunk.oldStart - 1 + moved, removed.length, added);
    if (call === undefined) return whole;
    current = current.replace(call.from, () => call.to);
    moved += added.length - removed.length;
    calls.push({ command: 'str_replace', path, old_str: call.from, new_str: call.to });
  }
  return current === after ? calls : whole;
}

function uniqueEdit(
  text: string,
  start: number,
  removed: number,
  added: readonly string[],
): { readonly from: string; readonly to: string } | undefined {
  const lines = text.split('\n');
  // Without a line on one side it takes a neighbour, so that no empty line is left or lost.
  for (let around = removed === 0 || added.length === 0 ? 1 : 0; around <= 12; around += 1) {
    const first = Math.max(0, start - around);
    const last = Math.min(lines.length, start + removed + around);
    const head = lines.slice(first, start);
    const tail = lines.slice(start + removed, last);
    const from = [...head, ...lines.slice(start, start + removed), ...tail].join('\n');
    if (from !== '' && text.indexOf(from) === text.lastIndexOf(from))
      return { from, to: [...head, ...added, ...tail].join('\n') };
  }
  return undefined;
}
