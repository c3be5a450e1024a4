import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MatchingBlocks, matchingBlocks } from './matching-blocks.ts';

/** The definition, line for line as analysis.md and CPython have it, with maps and no tricks. */
function definition(a: readonly number[], b: readonly number[]): MatchingBlocks {
  const indexOf = new Map<number, number[]>();
  for (const [j, symbol] of b.entries()) indexOf.set(symbol, [...(indexOf.get(symbol) ?? []), j]);
  let popular = 0;
  if (b.length >= 200) {
    for (const [symbol, positions] of indexOf) {
      if (positions.length <= Math.floor(b.length / 100) + 1) continue;
      popular++;
      indexOf.delete(symbol);
    }
  }
  const blocks: [number, number, number][] = [];
  const ranges: [number, number, number, number][] = [[0, a.length, 0, b.length]];
  for (let range = ranges.pop(); range; range = ranges.pop()) {
    const [alo, ahi, blo, bhi] = range;
    let [i, j, k] = [alo, blo, 0];
    let row = new Map<number, number>();
    for (let x = alo; x < ahi; x++) {
      const next = new Map<number, number>();
      for (const y of indexOf.get(a[x] ?? -1) ?? []) {
        if (y < blo || y >= bhi) continue;
        const size = (row.get(y - 1) ?? 0) + 1;
        next.set(y, size);
        if (size > k) [i, j, k] = [x - size + 1, y - size + 1, size];
      }
      row = next;
    }
    while (i > alo && j > blo && a[i - 1] === b[j - 1]) [i, j, k] = [i - 1, j - 1, k + 1];
    while (i + k < ahi && j + k < bhi && a[i + k] === b[j + k]) k++;
    if (k === 0) continue;
    blocks.push([i, j, k]);
    if (alo < i && blo < j) ranges.push([alo, i, blo, j]);
    if (i + k < ahi && j + k < bhi) ranges.push([i + k, ahi, j + k, bhi]);
  }
  blocks.sort((x, y) => x[0] - y[0]);
  return {
    startsA: blocks.map(([i]) => i),
    startsB: blocks.map(([, j]) => j),
    sizes: blocks.map(([, , k]) => k),
    matched: blocks.reduce((sum, [, , k]) => sum + k, 0),
    popular,
  };
}

function blocksOf(a: readonly number[], b: readonly number[]): MatchingBlocks {
  return matchingBlocks(Int32Array.from(a), Int32Array.from(b), Math.max(0, ...a, ...b) + 1);
}

const sequence = (symbols: number, maxLength: number) =>
  array(integer({ min: 0, max: symbols - 1 }), { maxLength, size: 'max' });

describe('matchingBlocks()', () => {
  it.each([1, 2, 3, 12, 90])('finds the blocks of the definition, block for block, with %i symbols', (symbols) => {
    assert(
      property(sequence(symbols, 260), sequence(symbols, 260), (a, b) => {
        expect(blocksOf(a, b)).toEqual(definition(a, b));
      }),
      { numRuns: 150 },
    );
  });

  it('finds them in sequences made of the same long pieces, repeated, cut and joined', () => {
    const piece = sequence(30, 40);
    const order = array(integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 });
    const made = record({
      pieces: array(piece, { minLength: 4, maxLength: 4 }),
      a: order,
      b: order,
      cut: constantFrom(0, 1, 5),
    });
    assert(
      property(made, ({ pieces, a, b, cut }) => {
        const join = (numbers: readonly number[]) => numbers.flatMap((n) => (pieces[n] ?? []).slice(cut));
        expect(blocksOf(join(a), join(b))).toEqual(definition(join(a), join(b)));
      }),
      { numRuns: 300 },
    );
  });

  it.each([199, 200, 201, 299, 300, 301])('draws the line of what is popular right at a length of %i', (length) => {
    for (const often of [1, 2, 3, 4, 5]) {
      const b = Array.from({ length }, (_, n) => (n % Math.floor(length / often) === 0 ? 0 : n));
      const [a, reversed] = [[5, 0, 9, 0, 0, 7], [...b].reverse()];
      expect(blocksOf(a, b)).toEqual(definition(a, b));
      expect(blocksOf(b, reversed)).toEqual(definition(b, reversed));
    }
  });

  it('finds long runs whole: longer than the longest that is indexed', () => {
    const run = Array.from({ length: 150 }, (_, n) => n);
    const [a, b] = [
      [...run, 900, ...run.slice(3, 40)],
      [901, ...run.slice(2), 902, ...run],
    ];
    expect(blocksOf(a, b)).toEqual(definition(a, b));
  });
});
