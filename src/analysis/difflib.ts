import { type MatchingBlocks, matchingBlocks } from './matching-blocks.ts';

export { matchingBlocks };

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

/** Symbols below this code point are interned in a flat table, the rest in a map. */
const FLAT_CODE_POINTS = 0x800;

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
  const interner = new Interner();
  const symbolsA = interner.symbolsOf(a);
  const symbolsB = interner.symbolsOf(b);
  const found = matchingBlocks(symbolsA, symbolsB, interner.count);
  const lenA = symbolsA.length;
  const lenB = symbolsB.length;
  const ratio = lenA + lenB === 0 ? 1 : (2 * found.matched) / (lenA + lenB);
  return { lenA, lenB, matched: found.matched, blocks: countMerged(found), popular: found.popular, ratio };
}

/** Gives every different code point of some texts a small number, its symbol. */
class Interner {
  readonly #flat = new Int32Array(FLAT_CODE_POINTS).fill(-1);
  readonly #rest = new Map<number, number>();
  count = 0;

  /** The symbols of a text in which CR and CRLF have become LF. A lone surrogate is an element of its own. */
  symbolsOf(text: string): Int32Array {
    const symbols = new Int32Array(text.length);
    let length = 0;
    for (let i = 0; i < text.length; i++) {
      let point = text.charCodeAt(i);
      if (point === 0x0d) {
        if (text.charCodeAt(i + 1) === 0x0a) continue;
        point = 0x0a;
      } else if (point >= 0xd800 && point < 0xdc00) {
        point = text.codePointAt(i) ?? point;
        if (point > 0xffff) i++;
      }
      symbols[length++] = this.#symbolOf(point);
    }
    return symbols.subarray(0, length);
  }

  #symbolOf(point: number): number {
    const isFlat = point < FLAT_CODE_POINTS;
    const known = isFlat ? (this.#flat[point] ?? -1) : (this.#rest.get(point) ?? -1);
    if (known >= 0) return known;
    if (isFlat) this.#flat[point] = this.count;
    else this.#rest.set(point, this.count);
    return this.count++;
  }
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
