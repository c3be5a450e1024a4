import { RE2JS } from 're2js';
import type { Json } from '../../space/marks.ts';
import type { ContentPolicy, ContentVerdict } from '../policies/content.ts';
import { mapTexts, textsIn } from './json-text.ts';

export interface PatternOptions {
  readonly name: string;
  /** RE2 syntax: no backreferences, no lookaround, so that no text can make it slow. Matched anywhere in a text. */
  readonly pattern: string;
  /** @default true */
  readonly caseSensitive?: boolean;
  /** What becomes of a content with a text, or a key, that matches. `rewrite` puts `replacement` in place of every match. */
  readonly on: 'reject' | 'flag' | 'rewrite';
  /** Taken literally. @default '[removed]' */
  readonly replacement?: string;
  /** What the agent is told. @default 'takes no such content' */
  readonly problem?: string;
  /** Finding all matches is not linear for every pattern: a content that takes longer is rejected. @default 500 */
  readonly maxRewriteMs?: number;
}

/** A pattern that cannot be one. */
export class InvalidPatternError extends Error {
  override readonly name = 'InvalidPatternError';
  readonly code = 'invalid-pattern';
}

const LONGEST_PATTERN = 4096;

/**
 * Looks for a pattern in all texts of a content, in time linear in the content.
 *
 * @throws {InvalidPatternError} for a pattern that RE2 does not know.
 * @see https://github.com/google/re2/wiki/Syntax
 * @example patternPolicy({ name: 'no-links', pattern: 'https?://', on: 'flag' })
 */
export function patternPolicy(options: PatternOptions): ContentPolicy {
  const { name, on, replacement = '[removed]', problem = 'takes no such content', maxRewriteMs = 500 } = options;
  const pattern = compiled(options);
  const reject: ContentVerdict = { verdict: 'reject', problem };
  return {
    name,
    check: ({ content }) => {
      for (const text of textsIn(content)) {
        if (!pattern.test(text)) continue;
        if (on !== 'rewrite') return on === 'flag' ? { verdict: 'flag', problem } : reject;
        const changed = rewritten(content, pattern, replacement, performance.now() + maxRewriteMs);
        return changed === undefined ? reject : { verdict: 'rewrite', content: changed };
      }
      return { verdict: 'allow' };
    },
  };
}

function compiled({ name, pattern, caseSensitive = true }: PatternOptions): RE2JS {
  const shown = JSON.stringify(pattern.slice(0, 80));
  if (pattern.length > LONGEST_PATTERN)
    throw new InvalidPatternError(`the pattern ${shown} of content policy ${name} is longer than ${LONGEST_PATTERN}`);
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(pattern, caseSensitive ? 0 : RE2JS.CASE_INSENSITIVE);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown';
    throw new InvalidPatternError(`the pattern ${shown} of content policy ${name} is not RE2 syntax: ${why}`, {
      cause,
    });
  }
  if (compiled.test(''))
    throw new InvalidPatternError(
      `the pattern ${shown} of content policy ${name} matches the empty text, and so everything`,
    );
  return compiled;
}

/** `undefined` when it is not done by `until`, in milliseconds of `performance.now()`. */
function rewritten(content: Json, pattern: RE2JS, replacement: string, until: number): Json | undefined {
  let late = false;
  const changed = mapTexts(content, (text) => {
    if (late) return text;
    const matcher = pattern.matcher(text);
    let out = '';
    let from = 0;
    while (matcher.find()) {
      if (performance.now() > until) {
        late = true;
        return text;
      }
      out += text.slice(from, matcher.start()) + replacement;
      from = matcher.end();
    }
    return out + text.slice(from);
  });
  return late ? undefined : changed;
}
