import { describe, expect, it } from 'vitest';
import { test } from '@fast-check/vitest';
import fc from 'fast-check';
import { KGRAM_TOKENS, kgramHashes, WINNOW_WINDOW, winnow } from './fingerprints.ts';

const symbols = (min: number, max: number) => fc.array(fc.integer({ min: 0, max: 9 }), { minLength: min, maxLength: max });

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

  it('gives one fingerprint for a stretch shorter than a window, and none for an empty one', () => {
    expect(winnow(Float64Array.of(5, 3, 9), 0, 3)).toEqual([1]);
    expect(winnow(Float64Array.of(5, 3, 9), 2, 2)).toEqual([]);
    expect(winnow(Float64Array.of(5, 3, 9), 2, 0)).toEqual([]);
  });

  test.prop([symbols(9, 20), symbols(0, 20), symbols(0, 20)])(
    'finds every common run of k + w - 1 tokens, wherever it stands',
    (run, before, after) => {
      const fingerprintsOf = (ids: number[]) => {
        const hashes = kgramHashes(Int32Array.from(ids));
        return new Set(winnow(hashes, 0, hashes.length).map((position) => hashes[position]));
      };
      expect(run.length).toBeGreaterThanOrEqual(KGRAM_TOKENS + WINNOW_WINDOW - 1);
      const inA = fingerprintsOf([...before, ...run]);
      const inB = fingerprintsOf([...run, ...after]);
      expect(inA.intersection(inB).size).toBeGreaterThan(0);
    },
  );
});

describe('kgramHashes()', () => {
  test.prop([symbols(6, 6), symbols(6, 6)])('are equal for equal k-grams and differ for others', (a, b) => {
    const hashOf = (ids: number[]) => kgramHashes(Int32Array.from(ids))[0];
    expect(hashOf(a) === hashOf(b)).toBe(a.join() === b.join());
  });

  it('are safe integers, none for a sequence shorter than k', () => {
    expect(kgramHashes(new Int32Array(5))).toHaveLength(0);
    expect(kgramHashes(Int32Array.from({ length: 500 }, (_, n) => n)).every(Number.isSafeInteger)).toBe(true);
  });
});
