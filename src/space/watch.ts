import { z } from 'zod';
import { copyJson, isRecord, problemIn } from './json-value.ts';
import type { MarkView, PlacedMark } from './mark-index.ts';
import type { DraftProblem } from './mark-schema.ts';
import type { AgentName, Mark, MarkKind, ProjectedMark, ScopeName } from './marks.ts';
import { MARK_KINDS } from './marks.ts';
import { mergeTails, tailAfter, type Tail } from './merge-tails.ts';
import { accessOf, type Reader, readMark } from './query.ts';
import { covers, isAgentName, isScopeName } from './scope.ts';

/** Which marks somebody wants to hear of; every field narrows, an empty pattern is everything its reader may see. */
export interface WatchPattern {
  /** Exactly this scope. */
  readonly scope?: ScopeName;
  /** This scope and all below it. */
  readonly under?: ScopeName;
  readonly kind?: MarkKind;
  readonly topic?: string;
  readonly resource?: string;
  readonly agent?: AgentName;
}

/** Some of the marks after a position, and the position up to which everything was looked at. */
export interface WatchPage {
  /** In log order. */
  readonly marks: readonly (Mark | ProjectedMark)[];
  readonly seq: number;
}

const LONGEST_NAME = 1024;
const PATTERN_BOUNDS = { maxTextBytes: 4 * LONGEST_NAME, maxBytes: 32 * LONGEST_NAME, maxDepth: 2 } as const;
const name = z.string().min(1).max(LONGEST_NAME);
const scope = z.custom<ScopeName>(
  (value) => typeof value === 'string' && isScopeName(value),
  'is not the name of a scope',
);

/** The kinds of mark that have a topic. */
const ABOUT_TOPICS: readonly MarkKind[] = ['observation', 'warning'];
/** The kinds of mark that have a resource. */
const ABOUT_RESOURCES: readonly MarkKind[] = ['intent', 'action'];

/** @see WatchPattern */
export const watchPatternSchema = z
  .strictObject({
    scope: scope.exactOptional(),
    under: scope.exactOptional(),
    kind: z.enum(MARK_KINDS).exactOptional(),
    topic: name.exactOptional(),
    resource: name.exactOptional(),
    agent: z
      .custom<AgentName>((value) => typeof value === 'string' && isAgentName(value), 'is not the name of an agent')
      .exactOptional(),
  })
  .refine((pattern) => kindsOf(pattern).length > 0, 'asks for a topic or a resource of a kind of mark that has none')
  .refine(({ scope: exact, under }) => exact === undefined || under === undefined || covers(under, exact), {
    path: ['scope'],
    message: 'is not below `under`; give one of the two',
  });

/** Reads a pattern from a caller who is not trusted; every unknown field is refused, as is a pattern that no mark can match. */
export function parsePattern(
  input: unknown,
): { readonly ok: true; readonly pattern: WatchPattern } | { readonly ok: false; readonly problem: DraftProblem } {
  try {
    const copy = copyJson(input, PATTERN_BOUNDS);
    if (!isRecord(copy)) return problemOf('', 'is not an object');
    const parsed = watchPatternSchema.safeParse(copy);
    if (parsed.success) return { ok: true, pattern: Object.freeze(parsed.data) };
    const issue = parsed.error.issues[0];
    if (issue?.code === 'unrecognized_keys')
      return problemOf(
        issue.keys[0] ?? '',
        'is not a field of a watch pattern (scope, under, kind, topic, resource, agent)',
      );
    return problemOf(issue?.path.join('.') ?? '', issue?.message ?? 'is malformed');
  } catch (error) {
    // A getter or proxy of the caller's may throw anything.
    const known = problemIn(error);
    return problemOf(known.path, known.problem);
  }
}

function problemOf(field: string, problem: string): { readonly ok: false; readonly problem: DraftProblem } {
  return { ok: false, problem: { field: (field === '' ? '(pattern)' : field).slice(0, 64), problem } };
}

/** Whether a pattern is about a mark. Says nothing of whether somebody may see it. */
export function matchesPattern(pattern: WatchPattern, mark: Mark): boolean {
  return (
    (pattern.kind === undefined || pattern.kind === mark.kind) &&
    (pattern.agent === undefined || pattern.agent === mark.agent) &&
    (pattern.scope === undefined || pattern.scope === mark.scope) &&
    (pattern.under === undefined || covers(pattern.under, mark.scope)) &&
    (pattern.topic === undefined || ('topic' in mark && pattern.topic === mark.topic)) &&
    (pattern.resource === undefined || ('resource' in mark && pattern.resource === mark.resource))
  );
}

/**
 * The marks after position `seq` that match, as far as the reader may see them, the oldest first and at most `limit`. With fewer
 * than `limit`, everything up to the view's head was looked at and the page says so: what was skipped need not be skipped again.
 *
 * Costs the marks looked at, which are the ends of the narrowest lists that the pattern names, and the number of those lists.
 *
 * @param limit at least 1
 */
export function marksAfter(
  view: MarkView,
  reader: Reader | undefined,
  pattern: WatchPattern,
  seq: number,
  limit: number,
): WatchPage {
  if (view.seq <= seq) return { marks: [], seq };
  const marks: (Mark | ProjectedMark)[] = [];
  for (const placed of mergeTails(tailsOf(view, reader, pattern, seq))) {
    if (!matchesPattern(pattern, placed.mark)) continue;
    const read = readMark(view, reader, placed.mark.id);
    if (read === undefined) continue;
    marks.push(read);
    if (marks.length >= limit) return { marks, seq: placed.seq };
  }
  return { marks, seq: view.seq };
}

/** Up to this many new marks it costs less to look at each than to ask every scope for what it has. */
const FEW = 64;

/** The ends, after `seq`, of lists that hold all that the reader may see of the pattern. */
function tailsOf(view: MarkView, reader: Reader | undefined, pattern: WatchPattern, seq: number): readonly Tail[] {
  if (pattern.scope === undefined) {
    const recent = kindsOf(pattern).map((kind) => tailAfter(view.byKind(kind), seq));
    if (recent.reduce((sum, { list, next }) => sum + list.length - next, 0) <= FEW) return recent;
  }
  const tails: Tail[] = [];
  for (const within of pattern.scope === undefined ? view.scopesUnder(pattern.under) : [pattern.scope]) {
    if (accessOf(view, reader, within) !== 'none') tails.push(tailAfter(narrowest(view, within, pattern), seq));
  }
  return tails;
}

function kindsOf({ kind, topic, resource }: Pick<WatchPattern, 'kind' | 'topic' | 'resource'>): readonly MarkKind[] {
  return (kind === undefined ? MARK_KINDS : [kind]).filter(
    (one) =>
      (topic === undefined || ABOUT_TOPICS.includes(one)) && (resource === undefined || ABOUT_RESOURCES.includes(one)),
  );
}

function narrowest(view: MarkView, within: ScopeName, { kind, topic, resource }: WatchPattern): readonly PlacedMark[] {
  if (topic !== undefined) return view.byTopic(within, topic);
  if (resource !== undefined) return view.byResource(within, resource);
  return view.byScope(within, kind);
}
