/** Matching blocks in three parallel arrays, in ascending order, not merged. */
export interface MatchingBlocks {
  readonly startsA: readonly number[];
  readonly startsB: readonly number[];
  readonly sizes: readonly number[];
  readonly matched: number;
  readonly popular: number;
}

/** From this length of b on, frequent elements are left out of the index ("autojunk"). */
const POPULAR_FROM_LENGTH = 200;
/** Lengths of the runs of indexed elements that are indexed: each twice the one before. */
const GRAM_LEVELS = 4;
/** No run of indexed elements is that long. */
const UNBOUNDED = 0x7fffffff;

/**
 * Matching blocks of two sequences of symbols `0..symbolCount-1` (code points, or lines, interned), found exactly as CPython's
 * `SequenceMatcher(None, a, b)` finds them.
 *
 * CPython follows every pair of equal indexed elements of a range to find its longest match. Nearly all of these pairs lead to
 * runs of one or two elements. So runs of 8, 4, 2 and 1 are indexed, and a range is searched with the longest of them that
 * occurs in it: a match of n elements shows in the index of every shorter run, in the same order. What was found in a range bounds what can be found in its parts.
 */
export function matchingBlocks(a: Int32Array, b: Int32Array, symbolCount: number): MatchingBlocks {
  const { levels, popular } = indexGrams(a, b, symbolCount);
  const rows: Rows = { previous: new Int32Array(b.length + 1), current: new Int32Array(b.length + 1) };
  const startsA: number[] = [];
  const startsB: number[] = [];
  const sizes: number[] = [];
  let matched = 0;
  const ranges = [0, a.length, 0, b.length, UNBOUNDED];
  while (ranges.length > 0) {
    const bound = ranges.pop() ?? 0;
    const bhi = ranges.pop() ?? 0;
    const blo = ranges.pop() ?? 0;
    const ahi = ranges.pop() ?? 0;
    const alo = ranges.pop() ?? 0;
    const best = longestIndexedRun(levels, rows, alo, ahi, blo, bhi, bound);
    const found = best.size;
    while (best.a > alo && best.b > blo && a[best.a - 1] === b[best.b - 1]) {
      best.a--;
      best.b--;
      best.size++;
    }
    let endA = best.a + best.size;
    let endB = best.b + best.size;
    while (endA < ahi && endB < bhi && a[endA] === b[endB]) {
      endA++;
      endB++;
    }
    if (endA === best.a) continue;
    startsA.push(best.a);
    startsB.push(best.b);
    sizes.push(endA - best.a);
    matched += endA - best.a;
    if (alo < best.a && blo < best.b) ranges.push(alo, best.a, blo, best.b, found);
    if (endA < ahi && endB < bhi) ranges.push(endA, ahi, endB, bhi, found);
  }
  const order = startsA.map((_, n) => n).sort((x, y) => (startsA[x] ?? 0) - (startsA[y] ?? 0));
  const sorted = (values: readonly number[]) => order.map((n) => values[n] ?? 0);
  return { startsA: sorted(startsA), startsB: sorted(startsB), sizes: sorted(sizes), matched, popular };
}

/** Where grams (runs of so many indexed elements) start in one sequence: positions, ascending, and which gram is at each. */
interface Occurrences {
  readonly positions: Int32Array;
  readonly grams: Int32Array;
}

/** Grams of one length that both sequences hold. */
interface GramLevel {
  readonly length: number;
  readonly inA: Occurrences;
  /** Gram g starts in b at `positions[offsets[g] .. offsets[g + 1])`, ascending. */
  readonly offsets: Int32Array;
  readonly positions: Int32Array;
}

/** Entry j + 1 is the number of grams in a row that end with the one at b[j]; all zero between searches. */
interface Rows {
  previous: Int32Array;
  current: Int32Array;
}

/**
 * The longest run of indexed elements that a[alo, ahi) and b[blo, bhi) share, of equals the first in a, then in b; size 0 at
 * (alo, blo) if there is none. `bound` is a size that none exceeds.
 */
function longestIndexedRun(
  levels: readonly GramLevel[],
  rows: Rows,
  alo: number,
  ahi: number,
  blo: number,
  bhi: number,
  bound: number,
): { a: number; b: number; size: number } {
  const best = { a: alo, b: blo, size: 0 };
  let most = Math.min(bound, ahi - alo, bhi - blo);
  for (let n = levels.length - 1; n >= 0 && most > 0; n--) {
    const level = levels[n];
    if (level === undefined || level.length > most) continue;
    searchLevel(level, rows, best, ahi, bhi, most);
    if (best.size > 0) break;
    most = level.length - 1;
  }
  return best;
}

/** Raises `best`, which holds the start of the range, to the longest run of at least `level.length`; stops at one of `most`. */
function searchLevel(
  { length, inA, offsets, positions }: GramLevel,
  rows: Rows,
  best: { a: number; b: number; size: number },
  ahi: number,
  bhi: number,
  most: number,
): void {
  const { positions: starts, grams } = inA;
  const blo = best.b;
  const lastA = ahi - length;
  const lastB = bhi - length;
  let { previous, current } = rows;
  let clearFrom = 0;
  let clearTo = 0;
  let size = 0;
  let before = -2;
  for (let n = lowerBound(starts, 0, starts.length, best.a); n < starts.length && size < most; n++) {
    const i = at(starts, n);
    if (i > lastA) break;
    if (i !== before + 1) {
      for (let p = clearFrom; p < clearTo; p++) previous[at(positions, p) + 1] = 0;
      clearTo = clearFrom;
    }
    before = i;
    const gram = at(grams, n);
    const end = at(offsets, gram + 1);
    const first = lowerBound(positions, at(offsets, gram), end, blo);
    let p = first;
    for (; p < end; p++) {
      const j = at(positions, p);
      if (j > lastB) break;
      const row = at(previous, j) + 1;
      current[j + 1] = row;
      if (row + length - 1 > size) {
        size = row + length - 1;
        best.a = i - row + 1;
        best.b = j - row + 1;
        if (size === most) {
          p++;
          break;
        }
      }
    }
    for (let q = clearFrom; q < clearTo; q++) previous[at(positions, q) + 1] = 0;
    clearFrom = first;
    clearTo = p;
    const swap = previous;
    previous = current;
    current = swap;
  }
  for (let q = clearFrom; q < clearTo; q++) previous[at(positions, q) + 1] = 0;
  best.size = size;
}

/** The levels that both sequences have grams of, shortest first, and the number of symbols that were too frequent in b to index. */
function indexGrams(a: Int32Array, b: Int32Array, symbolCount: number): { levels: GramLevel[]; popular: number } {
  const counts = new Int32Array(symbolCount);
  for (let j = 0; j < b.length; j++) counts[at(b, j)] = at(counts, at(b, j)) + 1;
  const limit = b.length >= POPULAR_FROM_LENGTH ? Math.floor(b.length / 100) + 1 : b.length;
  let popular = 0;
  for (let s = 0; s < symbolCount; s++) {
    if (at(counts, s) <= limit) continue;
    popular++;
    counts[s] = 0;
  }
  let inA = occurrencesOf(a, counts);
  let inB = occurrencesOf(b, counts);
  let gramCount = symbolCount;
  const levels: GramLevel[] = [];
  for (let length = 1; inA.grams.length > 0 && levels.length < GRAM_LEVELS; length *= 2) {
    levels.push({ length, inA, ...placesOf(inB, gramCount) });
    [inA, inB, gramCount] = pairGrams(inA, inB, gramCount, length);
  }
  return { levels, popular };
}

/** Where a sequence has symbols that are counted, that is indexed. */
function occurrencesOf(symbols: Int32Array, counts: Int32Array): Occurrences {
  const positions = new Int32Array(symbols.length);
  const grams = new Int32Array(symbols.length);
  let count = 0;
  for (let i = 0; i < symbols.length; i++) {
    const symbol = at(symbols, i);
    if (at(counts, symbol) === 0) continue;
    positions[count] = i;
    grams[count++] = symbol;
  }
  return { positions: positions.subarray(0, count), grams: grams.subarray(0, count) };
}

/** The positions of each gram, one gram after the other. */
function placesOf({ positions, grams }: Occurrences, gramCount: number): Pick<GramLevel, 'offsets' | 'positions'> {
  // Counts at g + 2, so that filling moves offsets[g + 1] from the start of g to its end, which is the start of g + 1.
  const offsets = new Int32Array(gramCount + 2);
  for (let n = 0; n < grams.length; n++) offsets[at(grams, n) + 2] = at(offsets, at(grams, n) + 2) + 1;
  for (let g = 2; g < offsets.length; g++) offsets[g] = at(offsets, g) + at(offsets, g - 1);
  const places = new Int32Array(grams.length);
  for (let n = 0; n < grams.length; n++) {
    const gram = at(grams, n);
    const place = at(offsets, gram + 1);
    places[place] = at(positions, n);
    offsets[gram + 1] = place + 1;
  }
  return { offsets, positions: places };
}

/** Grams of twice the length in both sequences; of a only those that occur in b. Pairs are found by their first half. */
function pairGrams(
  inA: Occurrences,
  inB: Occurrences,
  gramCount: number,
  length: number,
): [inA: Occurrences, inB: Occurrences, count: number] {
  const firstPair = new Int32Array(gramCount).fill(-1);
  const second = new Int32Array(inB.grams.length);
  const nextPair = new Int32Array(inB.grams.length);
  let pairs = 0;
  const pair = ({ positions, grams }: Occurrences, add: boolean): Occurrences => {
    const found = { positions: new Int32Array(grams.length), grams: new Int32Array(grams.length) };
    let count = 0;
    let m = 0;
    for (let n = 0; n < grams.length; n++) {
      const position = at(positions, n);
      while (m < grams.length && at(positions, m) < position + length) m++;
      if (positions[m] !== position + length) continue;
      const head = at(grams, n);
      const tail = at(grams, m);
      let id = at(firstPair, head);
      while (id >= 0 && second[id] !== tail) id = at(nextPair, id);
      if (id < 0) {
        if (!add) continue;
        id = pairs++;
        second[id] = tail;
        nextPair[id] = at(firstPair, head);
        firstPair[head] = id;
      }
      found.positions[count] = position;
      found.grams[count++] = id;
    }
    return { positions: found.positions.subarray(0, count), grams: found.grams.subarray(0, count) };
  };
  const pairsInB = pair(inB, true);
  return [pair(inA, false), pairsInB, pairs];
}

/** Element of a typed array at an index that the caller keeps inside its bounds. */
function at(values: Int32Array, index: number): number {
  return values[index] ?? 0;
}

/** First index in `[from, to)` whose value is at least `value`; `to` if there is none. */
function lowerBound(values: Int32Array, from: number, to: number, value: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(values, middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
