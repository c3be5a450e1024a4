import { describe, expect, it } from 'vitest';
import { array, assert, integer, property } from 'fast-check';
import { KGRAM_TOKENS, kgramHashes, WINNOW_WINDOW, winnow } from './fingerprints.ts';

const symbols = (min: number, max: number) => array(integer({ min: 0, max: 9 }), { minLength: min, maxLength: max });

describe('winnow()', () => {
  it('reproduces the example of the paper, figure 2', () => {
    const hashes = [77, 74, 42, 17, 98, 50, 17, 98, 8, 88, 67, 39, 77, 74, 42, 17, 98];
    const picked = winnow(Float64Array.from(hashes), 0, hashes.length, 4);
    expect(picked.map((position) => [hashes[position], position])).toEqual([
      [17, 3],
      [17, 6],
      [8, 8],
      [39, 11],
      [17, 15],
    ]);
  });

  it('takes the rightmost of equal hashes, so that a flood of one symbol gives few', () => {
    expect(winnow(Float64Array.of(5, 5, 5, 7, 7), 0, 5, 4)).toEqual([2]);
    expect(winnow(new Float64Array(6), 0, 6, 4)).toEqual([3, 4, 5]);
  });

  it('gives one fingerprint for a stretch shorter than a window, and none for an empty one', () => {
    expect(winnow(Float64Array.of(5, 3, 9), 0, 3)).toEqual([1]);
    expect(winnow(Float64Array.of(5, 3, 9), 2, 2)).toEqual([]);
    expect(winnow(Float64Array.of(5, 3, 9), 2, 0)).toEqual([]);
  });

  it('finds every common run of k + w - 1 tokens, wherever it stands', () => {
    const fingerprintsOf = (ids: number[]) => {
      const hashes = kgramHashes(Int32Array.from(ids));
      return new Set(winnow(hashes, 0, hashes.length).map((position) => hashes[position]));
    };
    const shortest = KGRAM_TOKENS + WINNOW_WINDOW - 1;
    assert(
      property(symbols(shortest, 20), symbols(0, 20), symbols(0, 20), (run, before, after) => {
        const inA = fingerprintsOf([...before, ...run]);
        const inB = fingerprintsOf([...run, ...after]);
        expect([...inA].some((hash) => inB.has(hash))).toBe(true);
      }),
    );
  });
});

describe('kgramHashes()', () => {
  it('are equal for equal k-grams and differ for others', () => {
    const hashOf = (ids: number[]) => kgramHashes(Int32Array.from(ids))[0];
    const kgram = symbols(KGRAM_TOKENS, KGRAM_TOKENS);
    assert(
      property(kgram, kgram, (a, b) => {
        expect(hashOf(a) === hashOf(b)).toBe(a.join() === b.join());
        expect(hashOf(a)).toBe(hashOf([...a, ...b]));
      }),
    );
  });

  it('are safe integers, none for a sequence shorter than k', () => {
    expect(kgramHashes(new Int32Array(5))).toHaveLength(0);
    expect(kgramHashes(Int32Array.from({ length: 500 }, (_, n) => n)).every(Number.isSafeInteger)).toBe(true);
  });
});
