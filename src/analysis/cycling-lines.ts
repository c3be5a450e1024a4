import { changedLines, type LineChanges } from './diff.ts';

/** How a line that came back relates to the one that had been removed. */
export type CycleClass = 'literal' | 'tuning' | 'trivial';

/** White space as Python's `str.strip` and `\s` see it. */
const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const OUTER_SPACE = new RegExp(`^${SPACE}+|${SPACE}+$`, 'gu');
const ANY_SPACE = new RegExp(SPACE, 'gu');
const ONE_LINE_COMMENT = /\/\*.*?\*\//g;
const NUMBER = /\p{Nd}+(?:\.\p{Nd}+)?(?:[eE][+-]?\p{Nd}+)?/gu;
const SYMBOLS = new RegExp(`[=+\\-*/()<>,;:{}.|&!~^%?[\\]]|${SPACE}`, 'gu');
const TRIVIAL = new Set(['{', '}', '};', '});', 'else {', 'else{', 'return;']);
const COMMENT_START = /^(?:\/\*|\*\/|\*|\/\/|#)/;
const MIN_LENGTH = 5;

/** A line as the reference compares it: cut from the first `//`, one-line `/* *\/` comments out, trimmed. */
export function normaliseLine(line: string): string {
  const cut = line.indexOf('//');
  return (cut < 0 ? line : line.slice(0, cut)).replace(ONE_LINE_COMMENT, '').replace(OUTER_SPACE, '');
}

/** The normalised line with every number collapsed to `#`. */
export function skeletonOf(normalised: string): string {
  return normalised.replace(NUMBER, '#');
}

/** Whether a normalised line says enough to be counted: not empty, trivial, only numbers and symbols, or under 5 characters. */
export function isCounted(normalised: string): boolean {
  if (Array.from(normalised.slice(0, 2 * MIN_LENGTH)).length < MIN_LENGTH) return false;
  if (TRIVIAL.has(normalised) || normalised.startsWith('#include')) return false;
  return normalised.replace(NUMBER, '').replace(SYMBOLS, '') !== '';
}

/** How `added` relates to `removed`, both normalised and of one skeleton. */
export function classOf(added: string, removed: string): CycleClass {
  if (added === removed) return 'literal';
  if (COMMENT_START.test(added) || COMMENT_START.test(removed)) return 'trivial';
  return added.replace(ANY_SPACE, '') === removed.replace(ANY_SPACE, '') ? 'trivial' : 'tuning';
}

/**
 * What an edit removed and added, as the reference reads it off a unified diff: added lines that start with `++` and removed
 * ones that start with `--` look like the file header there and are lost.
 */
export function changesOfEdit(parent: readonly string[], child: readonly string[]): LineChanges {
  const { removed, added } = changedLines(parent, child);
  return {
    removed: removed.filter((line) => !line.startsWith('--')),
    added: added.filter((line) => !line.startsWith('++')),
  };
}
