/** Result of one comparison; all lengths in Unicode code points after universal newlines. */
export interface GestaltMatch {
  readonly lenA: number;
  readonly lenB: number;
  /** Code points in matching blocks. */
  readonly matched: number;
  /** Matching blocks, adjacent ones merged, as `get_matching_blocks` lists them (without its closing dummy). */
  readonly blocks: number;
  /** Distinct elements of b that were too frequent to be indexed. */
  readonly popular: number;
  readonly ratio: number;
}

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
/** Symbols below this code point are interned in a flat table, the rest in a map. */
const FLAT_CODE_POINTS = 0x3000;

/**
 * `SequenceMatcher(None, a, b).ratio()` of CPython's difflib, bit for bit: 2 x matched / (length of a + length of b); 1 if
 * both are empty. Not symmetric. CR and CRLF count as LF, as they do in text that Python has read from a file.
 *
 * @see https://github.com/python/cpython/blob/3.11/Lib/difflib.py (Ratcliff and Metzener's "gestalt" pattern matching)
 */
export function gestaltRatio(a: string, b: string): number {
  return a === b ? 1 : gestaltMatch(a, b).ratio;
}

/** The comparison behind `gestaltRatio`, with its intermediate counts. */
export function gestaltMatch(a: string, b: string): GestaltMatch {
  const [symbolsA, symbolsB, symbolCount] = internPair(codePoints(a), codePoints(b));
  const found = matchingBlocks(symbolsA, symbolsB, symbolCount);
  const lenA = symbolsA.length;
  const lenB = symbolsB.length;
  const ratio = lenA + lenB === 0 ? 1 : (2 * found.matched) / (lenA + lenB);
  return { lenA, lenB, matched: found.matched, blocks: countMerged(found), popular: found.popular, ratio };
}

/**
 * Matching blocks of two sequences of symbols `0..symbolCount-1` (code points, or lines, interned), found exactly as
 * `SequenceMatcher(None, a, b)` finds them.
 */
export function matchingBlocks(a: Int32Array, b: Int32Array, symbolCount: number): MatchingBlocks {
  const { starts, positions, popular } = indexPositions(b, symbolCount);
  const startsA: number[] = [];
  const startsB: number[] = [];
  const sizes: number[] = [];
  let matched = 0;

  // Row entry j + 1 is the length of the match that ends at b[j]; zero outside the entries that a row has just written.
  let previous = new Int32Array(b.length + 1);
  let current = new Int32Array(b.length + 1);
  const ranges = [0, a.length, 0, b.length];
  while (ranges.length > 0) {
    const bhi = ranges.pop() ?? 0;
    const blo = ranges.pop() ?? 0;
    const ahi = ranges.pop() ?? 0;
    const alo = ranges.pop() ?? 0;
    let bestA = alo;
    let bestB = blo;
    let bestSize = 0;
    let clearFrom = 0;
    let clearTo = 0;
    for (let i = alo; i < ahi; i++) {
      const symbol = at(a, i);
      const end = at(starts, symbol + 1);
      const first = lowerBound(positions, at(starts, symbol), end, blo);
      let p = first;
      for (; p < end; p++) {
        const j = at(positions, p);
        if (j >= bhi) break;
        const size = at(previous, j) + 1;
        current[j + 1] = size;
        if (size > bestSize) {
          bestA = i - size + 1;
          bestB = j - size + 1;
          bestSize = size;
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

    while (bestA > alo && bestB > blo && a[bestA - 1] === b[bestB - 1]) {
      bestA--;
      bestB--;
      bestSize++;
    }
    while (bestA + bestSize < ahi && bestB + bestSize < bhi && a[bestA + bestSize] === b[bestB + bestSize]) bestSize++;
    if (bestSize === 0) continue;

    startsA.push(bestA);
    startsB.push(bestB);
    sizes.push(bestSize);
    matched += bestSize;
    if (alo < bestA && blo < bestB) ranges.push(alo, bestA, blo, bestB);
    const endA = bestA + bestSize;
    const endB = bestB + bestSize;
    if (endA < ahi && endB < bhi) ranges.push(endA, ahi, endB, bhi);
  }
  const order = startsA.map((_, n) => n).sort((x, y) => (startsA[x] ?? 0) - (startsA[y] ?? 0));
  const sorted = (values: readonly number[]) => order.map((n) => values[n] ?? 0);
  return { startsA: sorted(startsA), startsB: sorted(startsB), sizes: sorted(sizes), matched, popular };
}

/** Element of a typed array at an index that the caller keeps inside its bounds. */
function at(values: Int32Array, index: number): number {
  return values[index] ?? 0;
}

/** Positions of every symbol in b, ascending: those of symbol s are `positions[starts[s] .. starts[s + 1])`, none if popular. */
function indexPositions(b: Int32Array, symbolCount: number) {
  const counts = new Int32Array(symbolCount);
  for (let j = 0; j < b.length; j++) counts[at(b, j)] = at(counts, at(b, j)) + 1;
  const limit = b.length >= POPULAR_FROM_LENGTH ? Math.floor(b.length / 100) + 1 : b.length;
  const starts = new Int32Array(symbolCount + 1);
  let popular = 0;
  for (let s = 0; s < symbolCount; s++) {
    if (at(counts, s) > limit) {
      popular++;
      counts[s] = 0;
    }
    starts[s + 1] = at(starts, s) + at(counts, s);
  }
  const positions = new Int32Array(at(starts, symbolCount));
  const next = starts.slice();
  for (let j = 0; j < b.length; j++) {
    const symbol = at(b, j);
    if (at(counts, symbol) === 0) continue;
    positions[at(next, symbol)] = j;
    next[symbol] = at(next, symbol) + 1;
  }
  return { starts, positions, popular };
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

/** Code points of a text in which CR and CRLF have become LF. A lone surrogate is an element of its own. */
function codePoints(text: string): Int32Array {
  const points = new Int32Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let point = text.charCodeAt(i);
    if (point === 0x0d) {
      if (text.charCodeAt(i + 1) === 0x0a) continue;
      point = 0x0a;
    } else if (point >= 0xd800 && point < 0xdc00) {
      const whole = text.codePointAt(i) ?? point;
      if (whole > 0xffff) i++;
      point = whole;
    }
    points[length++] = point;
  }
  return points.subarray(0, length);
}

/** Both sequences with their elements replaced by dense symbols, and how many symbols there are. */
function internPair(a: Int32Array, b: Int32Array): [Int32Array, Int32Array, number] {
  const flat = new Int32Array(FLAT_CODE_POINTS).fill(-1);
  const rest = new Map<number, number>();
  let count = 0;
  const intern = (points: Int32Array): Int32Array =>
    points.map((point) => {
      const known = point < FLAT_CODE_POINTS ? at(flat, point) : (rest.get(point) ?? -1);
      if (known >= 0) return known;
      if (point < FLAT_CODE_POINTS) flat[point] = count;
      else rest.set(point, count);
      return count++;
    });
  return [intern(a), intern(b), count];
}

function countMerged({ startsA, startsB, sizes }: MatchingBlocks): number {
  let merged = 0;
  let endA = -1;
  let endB = -1;
  for (const [n, size] of sizes.entries()) {
    const a = startsA[n] ?? 0;
    const b = startsB[n] ?? 0;
    if (a !== endA || b !== endB) merged++;
    endA = a + size;
    endB = b + size;
  }
  return merged;
}
