import { MARK_KINDS, type MarkId } from '../space/marks.ts';
import type { MarkView } from '../space/mark-index.ts';

/** What came after a position of the log, and the position it goes up to. */
export interface LaterMarks {
  readonly seq: number;
  readonly ids: readonly MarkId[];
}

/**
 * All marks after position `seq`, whoever may see them. Costs its result, not the space and not its scopes: every connection of every
 * agent asks after every commit.
 */
export function marksAfter(view: Pick<MarkView, 'seq' | 'byKind'>, seq: number): LaterMarks {
  const ids: MarkId[] = [];
  for (const kind of MARK_KINDS) {
    const placed = view.byKind(kind);
    for (let at = placed.length - 1, one = placed[at]; one !== undefined && one.seq > seq; at -= 1, one = placed[at])
      ids.push(one.mark.id);
  }
  return { seq: view.seq, ids };
}
