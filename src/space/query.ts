import type { AgentName, Mark, MarkId, MarkKind, ProjectedMark, ScopeName } from './marks.ts';
import type { MarkView, PlacedMark } from './mark-index.ts';
import { coversAny } from './scope.ts';
import { effectiveStrength, type StrengthView, TRUST_WEIGHTS, type TrustWeights } from './strength.ts';

/** Who reads: the scopes (with all below them) it has the right to. Infrastructure reads without a reader and sees all. */
export interface Reader {
  readonly read: readonly ScopeName[];
}

/** Which marks; every field narrows. */
export interface MarkQuery {
  /** Exactly this scope. */
  readonly scope?: ScopeName;
  /** This scope and all below it. */
  readonly under?: ScopeName;
  readonly kind?: MarkKind;
  readonly topic?: string;
  readonly resource?: string;
  readonly agent?: AgentName;
  /** Effective strength at `now` at least this; anything above 0 leaves out what is superseded or expired. */
  readonly minStrength?: number;
  /** Leave out superseded marks. */
  readonly live?: boolean;
  /** The newest this many, still in log order. */
  readonly last?: number;
}

export type Access = 'full' | 'projected' | 'none';

/** What a reader gets of the marks of one scope. Classified never falls back to projection. */
export function accessOf(view: Pick<MarkView, 'definitionOf'>, reader: Reader | undefined, scope: ScopeName): Access {
  if (reader === undefined || coversAny(reader.read, scope)) return 'full';
  switch (view.definitionOf(scope)?.visibility) {
    case 'open':
      return 'full';
    case 'protected':
      return 'projected';
    case 'classified':
    case undefined:
      break;
  }
  return 'none';
}

/** A mark with its content fields emptied and its structure kept. */
export function projectMark(mark: Mark): ProjectedMark {
  return Object.freeze({ ...withoutContent(mark), projected: true as const });
}

function withoutContent(mark: Mark): Mark {
  switch (mark.kind) {
    case 'action':
      return { ...mark, result: null };
    case 'observation':
      return { ...mark, content: null };
    case 'warning':
      return { ...mark, reason: '' };
    case 'need':
      return { ...mark, question: '', context: null };
    case 'intent':
      break;
  }
  return mark;
}

/** One mark by id, as far as the reader may see it; undefined alike for what is hidden and what is not there. */
export function readMark(view: MarkView, reader: Reader | undefined, id: MarkId): Mark | ProjectedMark | undefined {
  const mark = view.byId(id);
  if (mark === undefined) return undefined;
  const access = accessOf(view, reader, mark.scope);
  if (access === 'none') return undefined;
  return asRead(view, reader, mark, access);
}

/** A stored mark as it is read: a need says what resolved it, a protected mark is projected. */
function asRead(view: MarkView, reader: Reader | undefined, mark: Mark, access: Access): Mark | ProjectedMark {
  const resolvedBy = mark.kind === 'need' ? view.supersededBy(mark.id) : undefined;
  const answer = resolvedBy === undefined ? undefined : view.byId(resolvedBy);
  const isSeen = answer !== undefined && accessOf(view, reader, answer.scope) !== 'none';
  const read = isSeen ? Object.freeze({ ...mark, resolvedBy: answer.id }) : mark;
  return access === 'full' ? read : projectMark(read);
}

/** Strength of a mark as a reader has it: warnings in scopes that it may not see do not show through. */
export function strengthFor(
  view: MarkView,
  reader: Reader | undefined,
  mark: Mark,
  now: number,
  trust: TrustWeights = TRUST_WEIGHTS,
): number {
  return effectiveStrength(reader === undefined ? view : asSeenBy(view, reader), mark, now, trust);
}

function asSeenBy(view: MarkView, reader: Reader): StrengthView {
  return {
    isSuperseded: (id) => view.isSuperseded(id),
    definitionOf: (scope) => view.definitionOf(scope),
    invalidators: (id) => view.invalidators(id).filter(({ scope }) => accessOf(view, reader, scope) !== 'none'),
  };
}

/**
 * The marks that match, in log order, as far as the reader may see them. Costs the marks of the narrowest list that the query
 * names (scope with topic, resource or kind) in the scopes it may see; hidden scopes are skipped unread.
 */
export function queryMarks(
  view: MarkView,
  reader: Reader | undefined,
  query: MarkQuery,
  now: number,
  trust: TrustWeights = TRUST_WEIGHTS,
): readonly (Mark | ProjectedMark)[] {
  const scopes = query.scope === undefined ? view.scopesUnder(query.under) : [query.scope];
  const found: { readonly placed: PlacedMark; readonly access: Access }[] = [];
  for (const scope of scopes) {
    const access = accessOf(view, reader, scope);
    if (access === 'none') continue;
    const placed = candidates(view, scope, query);
    // The newest are looked at first: nothing older than the last that was asked for is.
    let wanted = Math.max(0, query.last ?? Infinity);
    for (let i = placed.length - 1; i >= 0 && wanted > 0; i -= 1) {
      const candidate = placed[i];
      if (candidate === undefined || !matches(view, reader, candidate.mark, query, now, trust)) continue;
      found.push({ placed: candidate, access });
      wanted -= 1;
    }
  }
  found.sort((a, b) => a.placed.seq - b.placed.seq);
  const newest = query.last === undefined ? found : found.slice(Math.max(0, found.length - Math.max(0, query.last)));
  return newest.map(({ placed, access }) => asRead(view, reader, placed.mark, access));
}

function candidates(view: MarkView, scope: ScopeName, query: MarkQuery): readonly PlacedMark[] {
  if (query.topic !== undefined) return view.byTopic(scope, query.topic);
  if (query.resource !== undefined) return view.byResource(scope, query.resource);
  return view.byScope(scope, query.kind);
}

function matches(
  view: MarkView,
  reader: Reader | undefined,
  mark: Mark,
  query: MarkQuery,
  now: number,
  trust: TrustWeights,
): boolean {
  if (query.kind !== undefined && mark.kind !== query.kind) return false;
  if (query.agent !== undefined && mark.agent !== query.agent) return false;
  if (query.resource !== undefined && !('resource' in mark && mark.resource === query.resource)) return false;
  if (query.scope !== undefined && query.under !== undefined && !coversAny([query.under], mark.scope)) return false;
  if (query.live === true && view.isSuperseded(mark.id)) return false;
  return query.minStrength === undefined || strengthFor(view, reader, mark, now, trust) >= query.minStrength;
}
