import type { ProgramLanguage } from '../trace/loaded-run.ts';
import { splitLines } from './diff.ts';
import { tokenize } from './tokens.ts';

export interface CodeSize {
  readonly characters: number;
  /** All lines, blank ones and comments included. */
  readonly lines: number;
  /** Lines that hold code or text of a literal; where the language is not known, lines that are not blank. */
  readonly codeLines: number;
  /** Null where the language is not known. */
  readonly numericLiterals: number | null;
}

/**
 * Size of one program's text. A numeric literal is one number as the language writes it (`0x1F`, `1_000`, `1e-5`, `2.5f`, `1'000`,
 * `10usize`, `3j`), without its sign; digits in names, strings and comments are none. Never throws: broken code gives some count.
 */
export function measureSize(code: string, language: ProgramLanguage): CodeSize {
  const lines = splitLines(code);
  const counted =
    language === 'other'
      ? { codeLines: lines.filter((line) => line.trim() !== '').length, numericLiterals: null }
      : language === 'cpp' || language === 'rust'
        ? countCurly(code, language)
        : countTokens(code, language === 'python' ? 'python' : 'javascript');
  return { characters: Array.from(code).length, lines: lines.length, ...counted };
}

function countTokens(code: string, language: 'python' | 'javascript'): Pick<CodeSize, 'codeLines' | 'numericLiterals'> {
  const { kinds, lines } = tokenize(code, language);
  return { codeLines: new Set(lines).size, numericLiterals: kinds.filter((kind) => kind === 'number').length };
}

const SEPARATOR = String.raw`'(?=[\dA-Fa-f])`;
/** A dot that goes on with the number: no range, no method call. */
const POINT = String.raw`\.(?!\.|[A-Za-z_])`;
const numberOf = (more: string): string =>
  String.raw`0[xXbBoO](?:[pP][+-](?=\d)|${more}|\w)*|(?:\d|\.\d)(?:[eE][+-](?=\d)|${more}|\w)*`;
const COMMENT = String.raw`\/\/[^\n\r]*|\/\*[^]*?(?:\*\/|$)`;
const STRING = String.raw`"(?:[^"\\]|\\[^])*"?`;
const WORD = String.raw`[\p{L}_$][\p{L}\p{N}_$]*`;
/** One alternative per kind of token: the first group is a comment, the second a number; what else matches is code. */
const SYNTAX = {
  cpp: new RegExp(
    String.raw`(${COMMENT})|(${numberOf(`${SEPARATOR}|${POINT}`)})|R"([^()\\\s]{0,16})\([^]*?(?:\)\3"|$)|${STRING}|'(?:[^'\\\n]|\\[^])*'|${WORD}|\S`,
    'gu',
  ),
  // `pair.0` is a field, `'a` a lifetime.
  rust: new RegExp(
    String.raw`(${COMMENT})|(${numberOf(POINT)})|b?r(#*)"[^]*?(?:"\3|$)|b?${STRING}|b?'(?:[^'\\]|\\[^'][^']{0,10}|\\')'|'${WORD}|${WORD}(?:\.\d+)*|\S`,
    'gu',
  ),
} as const;

function countCurly(code: string, language: 'cpp' | 'rust'): Pick<CodeSize, 'codeLines' | 'numericLiterals'> {
  const onLines = new Set<number>();
  let numericLiterals = 0;
  let line = 0;
  let from = 0;
  for (const match of code.matchAll(SYNTAX[language])) {
    line += lineEndsIn(code, from, match.index);
    from = match.index + match[0].length;
    const first = line;
    // A literal that is never closed runs to the end of the file: the line after the last one is none.
    const last = first + lineEndsIn(code, match.index, match.index + match[0].trimEnd().length);
    line += lineEndsIn(code, match.index, from);
    if (match[1] !== undefined) continue;
    if (match[2] !== undefined) numericLiterals++;
    for (let n = first; n <= last; n++) onLines.add(n);
  }
  return { codeLines: onLines.size, numericLiterals };
}

/** Line ends (LF, CR or CRLF) in `[from, to)`. */
function lineEndsIn(code: string, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to; i++) {
    const c = code.charCodeAt(i);
    if (c === 10 || (c === 13 && code.charCodeAt(i + 1) !== 10)) count++;
  }
  return count;
}
