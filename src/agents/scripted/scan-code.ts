/** Characters after which a `/` begins a regular expression, not a division. */
const BEFORE_REGEX = new Set([
  '',
  '(',
  ',',
  '=',
  ':',
  '[',
  '!',
  '&',
  '|',
  '?',
  '{',
  '}',
  ';',
  '+',
  '-',
  '*',
  '<',
  '>',
  '~',
  '^',
  '%',
]);

/** Characters; keeps the walk linear on text that only begins regular expressions. */
const LONGEST_REGEX = 2000;

const OPENERS = '([{';
const CLOSERS = ')]}';

export interface CodeCharacter {
  readonly at: number;
  readonly char: string;
  /** Bracket depth before this character is counted. */
  readonly depth: number;
  /** The nearest significant character before it, `''` at the start. */
  readonly previous: string;
}

/**
 * Walks the characters of TypeScript text that are code: strings, templates, comments, regular expressions and white
 * space are passed over (a newline is reported, as statements may end there). A scanner, not a parser: it is
 * good enough to find where top-level declarations begin and end in programs that compile, and never throws for others.
 */
export function* scanCode(text: string): Generator<CodeCharacter> {
  let depth = 0;
  let previous = '';
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    const skipped = endOfSkipped(text, at, previous);
    if (skipped > at) {
      if (char !== '/' || previous === '' || isRegexStart(text, at, previous))
        previous = isComment(text, at) ? previous : '"';
      at = skipped;
      continue;
    }
    if (CLOSERS.includes(char)) depth = Math.max(0, depth - 1);
    if (char === '\n' || !/\s/.test(char)) yield { at, char, depth, previous };
    if (OPENERS.includes(char)) depth += 1;
    if (!/\s/.test(char)) previous = char;
    at += 1;
  }
}

/** The identifiers a piece of code mentions, property names after a dot apart. */
export function identifiersOf(text: string): ReadonlySet<string> {
  let code = '';
  let last = -1;
  for (const { at, char } of scanCode(text)) {
    code += at === last + 1 ? char : ` ${char}`;
    last = at;
  }
  const names = new Set<string>();
  for (const match of code.matchAll(/(?<![\w$])(?<!(?<!\.\.)\.\s?)[A-Za-z_$][\w$]*/g)) names.add(match[0]);
  return names;
}

function isComment(text: string, at: number): boolean {
  return text.startsWith('//', at) || text.startsWith('/*', at);
}

function isRegexStart(text: string, at: number, previous: string): boolean {
  return BEFORE_REGEX.has(previous) || /\breturn\s*$/.test(text.slice(Math.max(0, at - 12), at));
}

/** The index after the string, template, comment or regular expression that begins at `at`; `at` itself when none does. */
function endOfSkipped(text: string, at: number, previous: string): number {
  const char = text.charAt(at);
  if (text.startsWith('//', at)) return indexOrEnd(text, text.indexOf('\n', at), 0);
  if (text.startsWith('/*', at)) return indexOrEnd(text, text.indexOf('*/', at + 2), 2);
  if (char === "'" || char === '"') return endOfQuoted(text, at, char);
  if (char === '`') return endOfTemplate(text, at);
  if (char === '/' && isRegexStart(text, at, previous)) return endOfRegex(text, at);
  return at;
}

function indexOrEnd(text: string, index: number, plus: number): number {
  return index < 0 ? text.length : index + plus;
}

function endOfQuoted(text: string, at: number, quote: string): number {
  for (let index = at + 1; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '\\') index += 1;
    else if (char === quote) return index + 1;
    else if (char === '\n') return index;
  }
  return text.length;
}

function endOfTemplate(text: string, at: number): number {
  let depth = 0;
  for (let index = at + 1; index < text.length; index += 1) {
    const char = text.charAt(index);
    if (char === '\\') index += 1;
    else if (char === '`' && depth === 0) return index + 1;
    else if (char === '$' && text.charAt(index + 1) === '{') {
      depth += 1;
      index += 1;
    } else if (char === '{' && depth > 0) depth += 1;
    else if (char === '}' && depth > 0) depth -= 1;
  }
  return text.length;
}

function endOfRegex(text: string, at: number): number {
  let inClass = false;
  const limit = Math.min(text.length, at + LONGEST_REGEX);
  for (let index = at + 1; index < limit; index += 1) {
    const char = text.charAt(index);
    if (char === '\n') return at;
    if (char === '\\') index += 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return index + 1;
  }
  return at;
}
