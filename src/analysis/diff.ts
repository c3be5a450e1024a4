import { matchingBlocks } from './matching-blocks.ts';

/** Lines that an edit took out and put in, in the order in which a diff lists them. */
export interface LineChanges {
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/** What Python's `str.splitlines` ends a line at. */
const LINE_ENDS = '\n\v\f\r\x1c\x1d\x1e\x85\u2028\u2029';
const LINE_END = new RegExp(`\r\n|[${LINE_ENDS}]`);

/** The lines of a text, without their ends, as Python's `str.splitlines` gives them: no empty line after the last line end. */
export function splitLines(text: string): readonly string[] {
  if (text === '') return [];
  const lines = text.split(LINE_END);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The lines that differ by the opcodes of `SequenceMatcher(None, before, after)` over lines, without context. */
export function changedLines(before: readonly string[], after: readonly string[]): LineChanges {
  const symbols = new Map<string, number>();
  const intern = (lines: readonly string[]): Int32Array =>
    Int32Array.from(lines, (line) => {
      const known = symbols.get(line);
      if (known !== undefined) return known;
      symbols.set(line, symbols.size);
      return symbols.size - 1;
    });
  const a = intern(before);
  const b = intern(after);
  const { startsA, startsB, sizes } = matchingBlocks(a, b, symbols.size);
  const removed: string[] = [];
  const added: string[] = [];
  let fromA = 0;
  let fromB = 0;
  for (const [n, size] of [...sizes, 0].entries()) {
    const toA = startsA[n] ?? before.length;
    const toB = startsB[n] ?? after.length;
    for (const line of before.slice(fromA, toA)) removed.push(line);
    for (const line of after.slice(fromB, toB)) added.push(line);
    fromA = toA + size;
    fromB = toB + size;
  }
  return { removed, added };
}
