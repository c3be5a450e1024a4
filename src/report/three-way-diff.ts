import { diffArrays } from 'diff';

/**
 * Where a stretch of lines is found. Of the new program: in both of the others, in the own one before (`kept`), in the peer's
 * (`taken`), in neither (`new`). Not in the new program: of the own one (`dropped`), of the peer's (`left`).
 */
export type DiffKind = 'both' | 'kept' | 'taken' | 'new' | 'dropped' | 'left';

/** Lines that stand together and are of one kind. Line numbers are 1-based and of the first line; absent: not in that program. */
export interface DiffBlock {
  readonly kind: DiffKind;
  readonly lines: readonly string[];
  readonly own?: number;
  readonly peer?: number;
  readonly after?: number;
}

export interface ThreeWayDiff {
  readonly blocks: readonly DiffBlock[];
  /** Lines of each kind that have a letter or digit in them. */
  readonly counts: Readonly<Record<DiffKind, number>>;
}

/** Programs further apart than this many line edits are taken for entirely different: the time of a diff grows with its square. */
const MAX_EDITS = 6_000;

/**
 * What a new program has of its own predecessor and of a peer's program, in the order of the new one. Lines are compared without
 * white space at their ends. Dropped and left lines stand where they would have been, before the line that follows them.
 */
export function threeWayDiff(own: string, peer: string, after: string): ThreeWayDiff {
  const [ownLines, peerLines, afterLines] = [linesOf(own), linesOf(peer), linesOf(after)];
  const inOwn = matchLines(ownLines, afterLines);
  const inPeer = matchLines(peerLines, afterLines);
  const blocks: Open[] = [];
  let ownAt = 0;
  let peerAt = 0;
  const [usedOwn, usedPeer] = [new Set(inOwn.lines), new Set(inPeer.lines)];
  const skipTo = (ownTo: number, peerTo: number): void => {
    for (; ownAt < ownTo; ownAt++) {
      if (!usedOwn.has(ownAt)) push(blocks, 'dropped', ownLines[ownAt] ?? '', { own: ownAt });
    }
    for (; peerAt < peerTo; peerAt++) {
      if (!usedPeer.has(peerAt)) push(blocks, 'left', peerLines[peerAt] ?? '', { peer: peerAt });
    }
  };
  for (const [n, line] of afterLines.entries()) {
    const own = inOwn.lines[n];
    const peer = inPeer.lines[n];
    // Where a line was put elsewhere, what stands before it in its old place stays where it is.
    skipTo(inOwn.moved.has(n) ? ownAt : (own ?? ownAt), inPeer.moved.has(n) ? peerAt : (peer ?? peerAt));
    const kind = own === undefined ? (peer === undefined ? 'new' : 'taken') : peer === undefined ? 'kept' : 'both';
    push(blocks, kind, line, {
      after: n,
      ...(own !== undefined && { own }),
      ...(peer !== undefined && { peer }),
    });
  }
  skipTo(ownLines.length, peerLines.length);
  const counts = { both: 0, kept: 0, taken: 0, new: 0, dropped: 0, left: 0 };
  for (const { kind, lines } of blocks) counts[kind] += lines.filter(tells).length;
  return { blocks, counts };
}

type Open = DiffBlock & { readonly lines: string[] };
/** 0-based positions of a line. */
type Places = { readonly own?: number; readonly peer?: number; readonly after?: number };

function push(blocks: Open[], kind: DiffKind, line: string, { own, peer, after }: Places): void {
  const last = blocks.at(-1);
  const goesOn = (first: number | undefined, at: number | undefined): boolean =>
    first === undefined || at === first - 1 + (last?.lines.length ?? 0);
  if (last?.kind === kind && goesOn(last.own, own) && goesOn(last.peer, peer)) {
    last.lines.push(line);
    return;
  }
  blocks.push({
    kind,
    lines: [line],
    ...(own !== undefined && { own: own + 1 }),
    ...(peer !== undefined && { peer: peer + 1 }),
    ...(after !== undefined && { after: after + 1 }),
  });
}

interface Matches {
  /** For every line of the new program, the line that it is of the other one. */
  readonly lines: readonly (number | undefined)[];
  /** Lines of the new program that stand elsewhere there, out of order. */
  readonly moved: ReadonlySet<number>;
}

/**
 * For every line of `after`, the line of `before` that it is: first by a shortest edit script, then, of what is left on both sides,
 * the longest stretch that a line begins, so that code that was put elsewhere is found too.
 */
function matchLines(before: readonly string[], after: readonly string[]): Matches {
  const keysOf = (lines: readonly string[]): string[] => lines.map((line) => line.trimEnd());
  const [from, to] = [keysOf(before), keysOf(after)];
  const matches: (number | undefined)[] = [];
  let at = 0;
  for (const { added, removed, value } of diffArrays(from, to, { maxEditLength: MAX_EDITS }) ?? []) {
    for (const _ of value) {
      if (added) matches.push(undefined);
      else if (removed) at++;
      else matches.push(at++);
    }
  }
  while (matches.length < to.length) matches.push(undefined);
  return { moved: findMoved(from, to, matches), lines: matches };
}

/** A stretch that was put elsewhere has at least so many signs that are not white space: less of it comes about by itself. */
const MIN_MOVED = 24;

/** Adds to `matches` the stretches that were put elsewhere, and says which lines of `to` they are. */
function findMoved(
  from: readonly string[],
  to: readonly string[],
  matches: (number | undefined)[],
): ReadonlySet<number> {
  const moved = new Set<number>();
  const used = new Set(matches);
  const places = new Map<string, number[]>();
  for (const [n, line] of from.entries()) {
    if (used.has(n) || line === '') continue;
    const same = places.get(line) ?? [];
    same.push(n);
    places.set(line, same);
  }
  for (let n = 0; n < to.length; n++) {
    let best = { from: 0, size: 0 };
    if (matches[n] !== undefined) continue;
    for (const start of places.get(to[n] ?? '') ?? []) {
      let size = 0;
      while (
        start + size < from.length &&
        n + size < to.length &&
        from[start + size] === to[n + size] &&
        matches[n + size] === undefined &&
        !used.has(start + size)
      )
        size++;
      if (size > best.size) best = { from: start, size };
    }
    const signs = to
      .slice(n, n + best.size)
      .join('')
      .replaceAll(/\s+/g, '').length;
    if (signs < MIN_MOVED) continue;
    for (let i = 0; i < best.size; i++) {
      matches[n + i] = best.from + i;
      used.add(best.from + i);
      moved.add(n + i);
    }
    n += best.size - 1;
  }
  return moved;
}

/** Brackets and blank lines say nothing about who wrote them. */
function tells(line: string): boolean {
  return /[\p{L}\p{N}]/u.test(line);
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
