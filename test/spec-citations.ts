import { readSource } from './source-code.ts';

/** A test that cites a rule in its title. */
export interface Citation {
  readonly id: string;
  /** Path of the test file in the repository. */
  readonly file: string;
  readonly title: string;
}

const ID = /^([PS])([1-9]\d?)$/;
const RANGE = /^([PS])([1-9]\d?)-([PS])([1-9]\d?)$/;

/** All rules that the titles of a test file's tests cite: ids in round brackets, as in `(P44, S9)` or `(P20-P25)`. */
export function citationsIn(file: string, source: string): readonly Citation[] {
  return titlesIn(source).flatMap((title) =>
    [...title.matchAll(/\(([^()]*)\)/g)].flatMap(([, list = '']) => idsIn(list).map((id) => ({ id, file, title }))),
  );
}

/** The ids of a bracket that holds nothing but ids; of any other bracket none. */
function idsIn(list: string): readonly string[] {
  const ids: string[] = [];
  for (const item of list.split(',').map((part) => part.trim())) {
    const [, from, low, to, high] = RANGE.exec(item) ?? [];
    if (ID.test(item)) ids.push(item);
    else if (from !== undefined && from === to && Number(low) < Number(high))
      for (let n = Number(low); n <= Number(high); n += 1) ids.push(`${from}${n}`);
    else return [];
  }
  return ids;
}

/** Titles of the tests of a file that run: those of `skip` and `todo` are left out, and so are those of groups. */
export function titlesIn(source: string): readonly string[] {
  const { code } = readSource(source);
  const titles: string[] = [];
  for (const match of code.matchAll(/(?<![.\w$])(?:it|test)((?:\s*\.\s*\w+)*)\s*(?=\()/g)) {
    if (/\.\s*(?:skip|todo|fails)\b(?!If)/.test(match[1] ?? '')) continue;
    const title = titleAt(source, code, match.index + match[0].length);
    if (title !== undefined) titles.push(title);
  }
  return titles;
}

/** The title in the call whose bracket opens at `at`: its first argument, or that of the call on its result (`each(...)(title, ...)`). */
function titleAt(source: string, code: string, at: number): string | undefined {
  let open = at;
  while (code.charAt(open) === '(') {
    const start = skipSpace(code, open + 1);
    const quote = code.charAt(start);
    if (/['"`]/.test(quote)) return source.slice(start + 1, code.indexOf(quote, start + 1));
    open = skipSpace(code, endOfBracket(code, open));
  }
  return undefined;
}

function skipSpace(code: string, at: number): number {
  let end = at;
  while (/\s/.test(code.charAt(end))) end += 1;
  return end;
}

/** The place after the bracket that closes the one at `open`. */
function endOfBracket(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    const char = code.charAt(at);
    if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    if (depth === 0) return at + 1;
  }
  return code.length;
}
