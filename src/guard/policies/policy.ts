import type { MarkId } from '../../space/marks.ts';
import type { KindedDraft } from '../../space/mark-schema.ts';
import type { MarkView } from '../../space/mark-index.ts';
import type { Decision, Denial } from '../decision.ts';
import type { Grant } from '../grants.ts';
import type { GuardSettings } from '../settings.ts';
import type { GuardMemory } from '../state.ts';
import type { ContentFacts } from './content.ts';

/** What a decision may look at of the space. */
export type DecisionView = Pick<MarkView, 'byId' | 'isSuperseded' | 'claims' | 'openIntents' | 'definitionOf'>;

/** What was found out about a draft before its turn, outside the pure part. */
export interface GatheredFacts {
  /** The file in the draft does not parse. */
  readonly syntax?: { readonly path: string; readonly problem: string };
  /** What the content policies said; absent: there are none, or the draft is no observation. */
  readonly content?: ContentFacts;
}

/** All that a decision knows apart from the view. */
export interface Facts extends GatheredFacts {
  /** The draft's own id, if it may already be stored as an intent: a retry never loses to itself. */
  readonly self?: MarkId;
}

/** One call, as a policy sees it. */
export interface PolicyInput {
  readonly view: DecisionView;
  readonly memory: GuardMemory;
  readonly settings: GuardSettings;
  readonly grant: Grant;
  readonly draft: KindedDraft;
  readonly facts: Facts;
  /** Epoch milliseconds that the mark would carry. */
  readonly now: number;
}

/** One check: pure and synchronous; `undefined` has no objection. */
export type Policy = (input: PolicyInput) => Decision | undefined;

/** What a draft is, and what it overrules: each is an act of its kind in its scope. */
export function touchedBy({ view, draft }: PolicyInput): readonly Pick<KindedDraft, 'kind' | 'scope'>[] {
  const invalidates = draft.kind === 'warning' ? draft.invalidates : undefined;
  if (draft.supersedes === undefined && invalidates === undefined) return [draft];
  const targets = [draft.supersedes, invalidates].flatMap((id) => (id === undefined ? [] : (view.byId(id) ?? [])));
  return [draft, ...targets];
}

export function deny(denial: Denial): Decision {
  return { verdict: 'denied', denial };
}
