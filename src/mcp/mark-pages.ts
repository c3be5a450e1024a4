import type { Mark, ProjectedMark } from '../space/marks.ts';
import type { MarkQuery } from '../space/query.ts';
import { cursorOf, readCursor } from './paging.ts';
import type { Participant } from './participant.ts';

type Seen = Mark | ProjectedMark;

/** Marks newest first; `nextCursor` while there are older ones. */
export interface MarkPage {
  readonly marks: readonly Seen[];
  readonly nextCursor?: string;
}

/** Marks that may have come since the page before, so that its end is mostly found without looking at all marks. */
const SLACK = 256;

/**
 * One page of the marks that match, newest first; undefined for a cursor that is none. A cursor names the last mark given and how many came
 * before it: marks written meanwhile move nothing, and a page costs about as many marks as were given so far.
 */
export function markPage(
  participant: Participant,
  query: Omit<MarkQuery, 'last'>,
  limit: number,
  cursor: string | undefined,
): MarkPage | undefined {
  if (cursor === undefined) return pageOf(participant.marks({ ...query, last: limit + 1 }), limit, 0);
  const [, depth, id] = /^(\d{1,9}) (.+)$/s.exec(readCursor(cursor) ?? '') ?? [];
  if (depth === undefined || id === undefined) return undefined;
  const given = Number(depth);
  const near = participant.marks({ ...query, last: given + limit + SLACK });
  const at = near.findLastIndex((mark) => mark.id === id);
  // With fewer than were asked for there is nothing older than `near`.
  if (at > limit || (at !== -1 && near.length < given + limit + SLACK)) return pageOf(near.slice(0, at), limit, given);
  return farPage(participant, query, limit, id, given);
}

/** The last mark given is far back, or matches no longer (it was superseded meanwhile): looked for among all marks. */
function farPage(
  participant: Participant,
  query: Omit<MarkQuery, 'last'>,
  limit: number,
  id: string,
  given: number,
): MarkPage | undefined {
  const { live: _, ...always } = query;
  const all = participant.marks(always);
  const end = all.findLastIndex((mark) => mark.id === id);
  if (end === -1) return undefined;
  const newer = new Set(all.slice(end).map((mark) => mark.id));
  return pageOf(
    participant.marks(query).filter((mark) => !newer.has(mark.id)),
    limit,
    given,
  );
}

/** The last `limit` of `older`, which is in log order. */
function pageOf(older: readonly Seen[], limit: number, given: number): MarkPage {
  const marks = older.slice(Math.max(0, older.length - limit)).reverse();
  const last = marks.at(-1);
  const more = older.length > marks.length && last !== undefined;
  return { marks, ...(more ? { nextCursor: cursorOf(`${given + marks.length} ${last.id}`) } : {}) };
}
