import { MIN_LINE_WORDS } from './lines.ts';
import { type CodeLanguage, tokenize } from './tokens.ts';

/** `trivial`: brackets, `return x`, too little to tell where it came from. */
export type LineKind = 'code' | 'trivial' | 'comment' | 'blank';

export interface SourceLine {
  /** As stored, without its end. */
  readonly text: string;
  readonly kind: LineKind;
  /** Equal for lines that differ in nothing but white space, comments and quotes; of a comment its text. Empty if blank. */
  readonly key: string;
  /** The key with a slot for every name, and the names in order: what a renamed line keeps and what it changes. */
  readonly skeleton: string;
  readonly names: readonly string[];
  readonly tokens: number;
}

/** Words that no one can give another name, of the languages that agents write here. */
const KEYWORDS = new Set(
  (
    'and as assert async await break case catch class const continue def default del delete do elif else enum except export extends ' +
    'False finally fn for from function global if impl import in instanceof is lambda let loop match mod mut new None nonlocal not null ' +
    'or pass pub raise return self static struct super switch this throw True try true false type typeof undefined use var void while ' +
    'with yield int float double bool char auto long unsigned template typename namespace using include'
  ).split(' '),
);
const SLOT = '\u0001';

/** The lines of a source, each with what the attribution of lines compares. */
export function sourceLines(text: string, language: CodeLanguage): readonly SourceLine[] {
  const texts = text.split(/\r\n|\r|\n/);
  if (texts.at(-1) === '') texts.pop();
  const { texts: tokens, kinds, lines } = tokenize(text, language);
  let at = 0;
  return texts.map((line, n): SourceLine => {
    const from = at;
    while (at < tokens.length && lines[at] === n + 1) at++;
    const trimmed = line.trim();
    if (at === from) {
      const kind = trimmed === '' ? 'blank' : 'comment';
      return { text: line, kind, key: trimmed, skeleton: '', names: [], tokens: 0 };
    }
    const own = tokens.slice(from, at);
    const names: string[] = [];
    let words = 0;
    const skeleton = own.map((token, i) => {
      const kind = kinds[from + i];
      if (kind !== 'punctuation') words++;
      if (kind !== 'word' || KEYWORDS.has(token)) return token;
      names.push(token);
      return SLOT;
    });
    return {
      text: line,
      kind: words < MIN_LINE_WORDS ? 'trivial' : 'code',
      key: own.join(' '),
      skeleton: skeleton.join(' '),
      names,
      tokens: own.length,
    };
  });
}
