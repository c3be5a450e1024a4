import { describe, expect, test } from 'vitest';
import { slopeOf } from './memory.ts';
import { spreadOf } from './spread.ts';

describe('bytes per cycle', () => {
  const points = (bytes: (cycles: number) => number) =>
    [0, 100, 200, 300, 400].map((cycles) => ({ cycles, heapBytes: bytes(cycles) }));

  test('are the slope of the line, not the difference of its ends', () => {
    expect(slopeOf(points((cycles) => 5e6 + 700 * cycles))).toBeCloseTo(700);
    expect(slopeOf(points(() => 5e6))).toBe(0);
    // One point that the collector left larger.
    expect(Math.abs(slopeOf(points((cycles) => 5e6 + (cycles === 200 ? 1e6 : 0))))).toBeLessThan(1);
  });
});

test('a spread is the median and what one of a hundred is above', () => {
  expect(spreadOf(Array.from({ length: 1000 }, (_, n) => 1000 - n))).toEqual({ median: 501, p99: 991 });
});
