/** What could move a cursor, hide text or reorder it: control and format characters, line separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Text of strangers as it may go to a terminal: on one line, with everything that a terminal would act on written as an escape, and cut to
 * `max` characters.
 */
export function oneLine(text: string, max = Infinity): string {
  let shown = '';
  for (const character of text) {
    shown += UNSAFE.test(character) ? escaped(character) : character;
    if (shown.length > max) return `${shown.slice(0, Math.max(0, max - 3)).replace(/\p{Cs}$/u, '')}...`;
  }
  return shown;
}

function escaped(character: string): string {
  return SHORT[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Epoch milliseconds as people read them. */
export function timeText(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString();
}
