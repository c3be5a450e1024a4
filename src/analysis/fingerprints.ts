/**
 * Tokens per k-gram: the shortest run that counts as found elsewhere. Shorter runs are idiom (`for (let i = 0;` is seven tokens
 * of which the names differ); longer ones miss code whose every other line was changed.
 */
export const KGRAM_TOKENS = 6;
/**
 * K-grams per winnowing window: of these consecutive ones at least one is a fingerprint, so every common run of at least
 * KGRAM_TOKENS + WINNOW_WINDOW - 1 = 9 tokens is found, about one line.
 *
 * @see Schleimer, Wilkerson, Aiken: Winnowing: Local Algorithms for Document Fingerprinting. SIGMOD 2003.
 */
export const WINNOW_WINDOW = 4;

/** Multipliers of the two polynomial hashes that make one 53-bit k-gram hash. */
const BASE_HIGH = 0x01000193;
const BASE_LOW = 0x5bd1e995;

/** Hash of the k-gram that starts at each position, `ids.length - k + 1` of them; integers below 2^53. */
export function kgramHashes(ids: Int32Array, k: number = KGRAM_TOKENS): Float64Array {
  const hashes = new Float64Array(Math.max(0, ids.length - k + 1));
  for (let i = 0; i < hashes.length; i++) {
    let high = 0;
    let low = 0;
    for (let j = i; j < i + k; j++) {
      const id = (ids[j] ?? 0) + 1;
      high = Math.imul(high ^ id, BASE_HIGH);
      low = Math.imul(low, BASE_LOW) + Math.imul(id, 0x9e3779b1);
      low ^= low >>> 15;
    }
    hashes[i] = (high >>> 11) * 0x1_0000_0000 + (low >>> 0);
  }
  return hashes;
}

/**
 * Positions of the fingerprints among `hashes[from .. to)`: in each window the rightmost of the smallest hashes. A stretch
 * shorter than one window still gives one.
 */
export function winnow(hashes: Float64Array, from: number, to: number, window: number = WINNOW_WINDOW): number[] {
  const picked: number[] = [];
  for (let start = from; start < to && (start === from || start + window <= to); start++) {
    let smallest = start;
    for (let i = start + 1; i < Math.min(start + window, to); i++) {
      if ((hashes[i] ?? 0) <= (hashes[smallest] ?? 0)) smallest = i;
    }
    if (picked.at(-1) !== smallest) picked.push(smallest);
  }
  return picked;
}
