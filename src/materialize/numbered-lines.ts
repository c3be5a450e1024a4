/** What a tool shows at most: characters (UTF-16 code units) of one answer, and of one line in it. */
export const SHOWN = { answerChars: 30_000, lineChars: 2_000 } as const;

/** The lines of a text without their ends: a final newline ends the last line, it does not begin another. */
export function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The line end of a text: CRLF only where every line has it. */
export function lineEndOf(text: string): '\n' | '\r\n' {
  return text.includes('\n') && !/(?:^|[^\r])\n/.test(text) ? '\r\n' : '\n';
}

/** Cuts after so many characters, never inside a surrogate pair. */
export function cutAt(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const last = text.charCodeAt(chars - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? chars - 1 : chars);
}

/** A text cut to so many characters, with a last line that says how many were left off. */
export function clipText(text: string, chars: number): string {
  const kept = cutAt(text, chars);
  return kept.length === text.length ? text : `${kept}\n[clipped: ${text.length - kept.length} more characters]`;
}

/** One line of a file, cut if it is very long. */
export function clipLine(line: string): string {
  const kept = cutAt(line, SHOWN.lineChars);
  return kept.length === line.length ? line : `${kept} [line clipped: ${line.length - kept.length} more characters]`;
}

/**
 * Lines `from`..`to` (1-based, inclusive) as `cat -n` writes them: number, tab, line. Since every line of the file has its
 * number before it, nothing in the file can be taken for a word of the tool. Stops when the answer is full and says so.
 */
export function numberedLines(lines: readonly string[], from: number, to: number): string {
  const shown: string[] = [];
  let chars = 0;
  for (let number = from; number <= to; number += 1) {
    const line = `${String(number).padStart(6)}\t${clipLine(lines[number - 1] ?? '')}`;
    chars += line.length + 1;
    if (chars > SHOWN.answerChars) {
      shown.push(`[clipped: lines ${number}-${to} of ${lines.length} are not shown; ask for them with view_range]`);
      break;
    }
    shown.push(line);
  }
  return shown.join('\n');
}
