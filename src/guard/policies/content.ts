import type { Json } from '../../space/marks.ts';
import { deny, type Policy } from './policy.ts';

/** What one content policy says of an observation's content. `rewrite` replaces the content, nothing else. */
export type ContentVerdict =
  | { readonly verdict: 'allow' }
  | { readonly verdict: 'rewrite'; readonly content: Json }
  | { readonly verdict: 'reject'; readonly problem: string }
  | { readonly verdict: 'flag'; readonly problem: string };

/** What a content policy is told. */
export interface ContentQuestion {
  readonly scope: string;
  readonly topic: string;
  readonly content: Json;
}

/** One check of observations' content; may be slow. One that throws or takes too long rejects. */
export interface ContentPolicy {
  readonly name: string;
  readonly check: (question: ContentQuestion) => ContentVerdict | Promise<ContentVerdict>;
}

/** What all content policies together said, found out before a draft's turn. */
export interface ContentFacts {
  /** The content to store in place of the draft's. */
  readonly content?: Json;
  readonly rejected?: { readonly policy: string; readonly problem: string };
  /** Names of the policies that flagged it. */
  readonly flags: readonly string[];
}

/** An observation that a content policy rejected is not stored; marks of other kinds are none of theirs. @see protocol rules P67, P69 */
export const content: Policy = ({ draft, facts }) =>
  draft.kind !== 'observation' || facts.content?.rejected === undefined
    ? undefined
    : deny({ code: 'content', check: 'content', ...facts.content.rejected });
