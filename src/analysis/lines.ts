import type { TokenList } from './tokens.ts';

/**
 * Fewer words, numbers or pieces of text than this make a line trivial: brackets, `return x;`, `} else {`, `i++` are written by
 * everybody and say nothing about where code came from.
 */
export const MIN_LINE_WORDS = 3;

export interface NormalisedLines {
  /** Distinct lines that can tell where code came from, in order of first appearance: their tokens joined by single spaces. */
  readonly lines: ReadonlySet<string>;
  /** Lines left out because they are trivial. Comments and blank lines are not counted anywhere. */
  readonly trivial: number;
}

/** The lines of a tokenized source: white space, comments, quotes and indentation do not show in them. */
export function normaliseLines({ texts, kinds, lines }: TokenList): NormalisedLines {
  const kept = new Set<string>();
  let trivial = 0;
  for (let from = 0; from < texts.length; ) {
    let to = from;
    let words = 0;
    for (; to < texts.length && lines[to] === lines[from]; to++) if (kinds[to] !== 'punctuation') words++;
    if (words < MIN_LINE_WORDS) trivial++;
    else kept.add(texts.slice(from, to).join(' '));
    from = to;
  }
  return { lines: kept, trivial };
}
