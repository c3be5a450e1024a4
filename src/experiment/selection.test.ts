import { describe, expect, it } from 'vitest';
import type { Selectable } from './selection.ts';
import { childProportionalWeights, selectParent } from './selection.ts';

const candidate = (generation: number, score: number, more: Partial<Selectable> = {}): Selectable => ({
  id: `a/${generation}`,
  generation,
  valid: true,
  score,
  children: 0,
  ...more,
});

describe('selectParent()', () => {
  const some = [candidate(0, 0.2), candidate(1, 0.8), candidate(2, 0.9, { valid: false }), candidate(3, 0.8)];

  it('latest takes the head, drawing no random number', () => {
    const never = (): number => expect.unreachable('drew a number');
    expect(selectParent('latest', 'a/3', some, never)).toBe('a/3');
  });

  it('best takes the earliest of the best valid ones', () => {
    expect(selectParent('best', 'a/3', some, () => 0)).toBe('a/1');
  });

  it('random reaches every valid candidate and no invalid one', () => {
    const drawn = [0, 0.34, 0.67, 0.999].map((draw) => selectParent('random', 'a/3', some, () => draw));
    expect(drawn).toEqual(['a/0', 'a/1', 'a/3', 'a/3']);
  });

  it('takes the head when nothing valid is there', () => {
    expect(selectParent('best', 'a/2', [candidate(2, 0.9, { valid: false })], () => 0)).toBe('a/2');
  });

  it('score-child-prop follows sigmoid x penalty', () => {
    const weights = childProportionalWeights([
      candidate(0, 0.5),
      candidate(1, 0.7, { children: 8 }),
      candidate(2, 0.6),
    ]);
    const mean = 0.6;
    expect(weights[0]).toBeCloseTo(1 / (1 + Math.exp(-10 * (0.5 - mean))), 12);
    expect(weights[1]).toBeCloseTo((1 / (1 + Math.exp(-10 * (0.7 - mean)))) * Math.exp(-1), 12);
    expect(weights[2]).toBeCloseTo(0.5, 12);
  });

  it('score-child-prop draws in proportion to the weights', () => {
    const many = [candidate(0, 0.1), candidate(1, 0.9)];
    const [low = 0, high = 0] = childProportionalWeights(many);
    const edge = low / (low + high);
    expect(selectParent('score-child-prop', 'a/0', many, () => edge * 0.999)).toBe('a/0');
    expect(selectParent('score-child-prop', 'a/0', many, () => edge * 1.001)).toBe('a/1');
  });
});
