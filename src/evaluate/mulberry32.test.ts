import { expect, test } from 'vitest';
import { mulberry32 } from './mulberry32.ts';

test('mulberry32(1) draws the published stream', () => {
  const random = mulberry32(1);
  expect([1, 2, 3, 4, 5].map(() => random.u32())).toEqual([2693262067, 11749833, 2265367787, 4213581821, 4159151403]);
});

test('int() includes both ends and nothing else', () => {
  const random = mulberry32(7);
  const seen = new Set<number>();
  for (let i = 0; i < 500; i++) seen.add(random.int(5, 9));
  expect([...seen].sort((a, b) => a - b)).toEqual([5, 6, 7, 8, 9]);
});

test('gaussian() has mean 0 and variance 1, and takes two draws', () => {
  const random = mulberry32(3);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 20_000; i++) {
    const x = random.gaussian();
    sum += x;
    squares += x * x;
  }
  expect(Math.abs(sum / 20_000)).toBeLessThan(0.03);
  expect(Math.abs(squares / 20_000 - 1)).toBeLessThan(0.05);
  const one = mulberry32(9);
  const other = mulberry32(9);
  one.gaussian();
  other.u32();
  other.u32();
  expect(one.u32()).toBe(other.u32());
});
