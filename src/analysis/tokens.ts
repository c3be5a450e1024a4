/** What the comment and literal syntax of a source is; nothing else of a language matters to the measures. */
export type CodeLanguage = 'javascript' | 'python';
export type TokenKind = 'word' | 'number' | 'string' | 'punctuation';

/** Tokens in three parallel arrays. `lines` are 1-based numbers of the lines the tokens start in. */
export interface TokenList {
  readonly texts: readonly string[];
  readonly kinds: readonly TokenKind[];
  readonly lines: readonly number[];
}

const OPERATORS = new Set(
  '>>>= ... === !== **= <<= >>= >>> &&= ||= ??= //= => == != <= >= && || ?? ?. ++ -- += -= *= /= %= &= |= ^= << >> ** -> := //'.split(
    ' ',
  ),
);
/** Words after which a slash opens a regular expression. */
const BEFORE_OPERAND = new Set(
  'return typeof case in of delete void throw new else do yield await instanceof'.split(' '),
);
const AFTER_OPERAND = new Set([')', ']', '}', '++', '--']);

const LF = 10;
const CR = 13;
const HASH = 35;
const STAR = 42;
const DOT = 46;
const SLASH = 47;
const BACKSLASH = 92;
const BACKTICK = 96;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Splits a source into tokens for the measures: comments and white space are dropped, so formatting does not show. Text in
 * string literals comes as one token per white-space separated piece (marked with a leading `"`, whatever the quotes were), so
 * that an edited word of a long prompt costs that word only. Never throws: broken code gives some tokens. Linear time.
 */
export function tokenize(code: string, language: CodeLanguage = 'javascript'): TokenList {
  const scanner = new Scanner(code, language);
  scanner.run();
  return scanner;
}

class Scanner implements TokenList {
  readonly texts: string[] = [];
  readonly kinds: TokenKind[] = [];
  readonly lines: number[] = [];
  readonly #code: string;
  readonly #python: boolean;
  #pos = 0;
  #line = 1;
  /** Brace depth at which each open template literal continues, innermost last. */
  readonly #templates: number[] = [];
  #braces = 0;
  /** No regular expression starts before this position: one that was tried on this line did not end on it. */
  #noRegexBefore = 0;

  constructor(code: string, language: CodeLanguage) {
    this.#code = code;
    this.#python = language === 'python';
  }

  run(): void {
    const code = this.#code;
    if (code.startsWith('#!')) this.#skipLine();
    while (this.#pos < code.length) {
      const c = code.charCodeAt(this.#pos);
      if (c === LF || c === CR) this.#newline(c);
      else if (c <= 32 || c === 0xa0 || c === 0xfeff) this.#pos++;
      else if (isWordStart(c)) this.#word();
      else if (isDigit(c) || (c === DOT && isDigit(code.charCodeAt(this.#pos + 1)))) this.#number();
      else if (c === 34 || c === 39) this.#quoted(c);
      else if (this.#python) this.#pythonMark(c);
      else this.#javascriptMark(c);
    }
  }

  #pythonMark(c: number): void {
    if (c === HASH) this.#skipLine();
    else if (c === BACKSLASH) this.#pos++;
    else this.#operator();
  }

  #javascriptMark(c: number): void {
    const next = this.#code.charCodeAt(this.#pos + 1);
    if (c === SLASH && next === SLASH) this.#skipLine();
    else if (c === SLASH && next === STAR) this.#blockComment();
    else if (c === SLASH && this.#regexMayStart() && this.#regex()) return;
    else if (c === HASH && isWordStart(next)) this.#word();
    else if (c === BACKTICK) this.#template(this.#pos + 1);
    else if (c === CLOSE_BRACE && this.#templates.at(-1) === this.#braces) {
      this.#templates.pop();
      this.#template(this.#pos + 1);
    } else {
      if (c === OPEN_BRACE) this.#braces++;
      else if (c === CLOSE_BRACE) this.#braces--;
      this.#operator();
    }
  }

  #push(kind: TokenKind, text: string): void {
    this.texts.push(text);
    this.kinds.push(kind);
    this.lines.push(this.#line);
  }

  #newline(c: number): void {
    this.#pos += c === CR && this.#code.charCodeAt(this.#pos + 1) === LF ? 2 : 1;
    this.#line++;
  }

  #skipLine(): void {
    while (this.#pos < this.#code.length && !isLineEnd(this.#code.charCodeAt(this.#pos))) this.#pos++;
  }

  #blockComment(): void {
    const close = this.#code.indexOf('*/', this.#pos + 2);
    const end = close < 0 ? this.#code.length : close + 2;
    while (this.#pos < end) {
      const c = this.#code.charCodeAt(this.#pos);
      if (isLineEnd(c)) this.#newline(c);
      else this.#pos++;
    }
  }

  #word(): void {
    const start = this.#pos++;
    while (isWordPart(this.#code.charCodeAt(this.#pos))) this.#pos++;
    this.#push('word', this.#code.slice(start, this.#pos));
  }

  #number(): void {
    const start = this.#pos++;
    for (;;) {
      const c = this.#code.charCodeAt(this.#pos);
      const sign = c === 43 || c === 45;
      const exponent =
        sign && (this.#code.charCodeAt(this.#pos - 1) | 32) === 101 && !this.#code.startsWith('0x', start);
      if (!isWordPart(c) && c !== DOT && !exponent) break;
      this.#pos++;
    }
    this.#push('number', this.#code.slice(start, this.#pos));
  }

  #operator(): void {
    for (let length = 4; length > 1; length--) {
      const text = this.#code.slice(this.#pos, this.#pos + length);
      if (text.length !== length || !OPERATORS.has(text)) continue;
      this.#push('punctuation', text);
      this.#pos += length;
      return;
    }
    this.#push('punctuation', this.#code.charAt(this.#pos));
    this.#pos++;
  }

  #regexMayStart(): boolean {
    if (this.#pos < this.#noRegexBefore) return false;
    const kind = this.kinds.at(-1);
    const text = this.texts.at(-1) ?? '';
    if (kind === undefined) return true;
    if (kind === 'word') return BEFORE_OPERAND.has(text);
    return kind === 'punctuation' && !AFTER_OPERAND.has(text);
  }

  #regex(): boolean {
    const code = this.#code;
    let inClass = false;
    for (let i = this.#pos + 1; ; i++) {
      const c = code.charCodeAt(i);
      if (i >= code.length || isLineEnd(c)) {
        this.#noRegexBefore = i;
        return false;
      }
      if (c === BACKSLASH) i++;
      else if (c === 91) inClass = true;
      else if (c === 93) inClass = false;
      else if (c === SLASH && !inClass) {
        const start = this.#pos;
        this.#pos = i + 1;
        while (isWordPart(code.charCodeAt(this.#pos))) this.#pos++;
        this.#push('string', code.slice(start, this.#pos));
        return true;
      }
    }
  }

  /** A literal in single or double quotes; in Python also in three of them. Ends at the line's end if it is not closed. */
  #quoted(quote: number): void {
    const code = this.#code;
    const q = code.charAt(this.#pos);
    const triple = this.#python && code.startsWith(q + q + q, this.#pos);
    const start = this.#pos + (triple ? 3 : 1);
    let end = start;
    for (; end < code.length; end++) {
      const c = code.charCodeAt(end);
      if (c === BACKSLASH) end += code.charCodeAt(end + 1) === CR && code.charCodeAt(end + 2) === LF ? 2 : 1;
      else if (c === quote && (!triple || code.startsWith(q + q + q, end))) break;
      else if (!triple && isLineEnd(c)) break;
    }
    end = Math.min(end, code.length);
    const closed = code.charCodeAt(end) === quote;
    this.#pieces(start, end);
    if (closed) this.#pos = end + (triple ? 3 : 1);
  }

  /** The text of a template literal from `start` to its end or its next `${`. */
  #template(start: number): void {
    const code = this.#code;
    for (let i = start; ; i++) {
      const c = code.charCodeAt(i);
      if (i >= code.length) return this.#pieces(start, code.length);
      if (c === BACKSLASH) i++;
      else if (c === BACKTICK) {
        this.#pieces(start, i);
        this.#pos = i + 1;
        return;
      } else if (c === 36 && code.charCodeAt(i + 1) === OPEN_BRACE) {
        this.#pieces(start, i);
        this.#push('punctuation', '${');
        this.#templates.push(this.#braces);
        this.#pos = i + 2;
        return;
      }
    }
  }

  /** Emits the text of a literal piece by piece and moves to `end`. An empty literal is one token. */
  #pieces(start: number, end: number): void {
    this.#pos = start;
    if (start >= end) this.#push('string', '"');
    while (this.#pos < end) {
      const c = this.#code.charCodeAt(this.#pos);
      if (isLineEnd(c)) this.#newline(c);
      else if (c <= 32) this.#pos++;
      else {
        const from = this.#pos;
        while (this.#pos < end && this.#code.charCodeAt(this.#pos) > 32) this.#pos++;
        this.#push('string', `"${this.#code.slice(from, this.#pos)}`);
      }
    }
  }
}

function isLineEnd(c: number): boolean {
  return c === LF || c === CR;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function isWordStart(c: number): boolean {
  return (
    (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c === 36 || (c > 127 && c !== 0xa0 && c !== 0xfeff)
  );
}

function isWordPart(c: number): boolean {
  return isWordStart(c) || isDigit(c);
}
