import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benjaminiHochberg } from './benjamini-hochberg.ts';

describe('benjaminiHochberg()', () => {
  const published = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1,
  ];

  it('rejects the first four of the fifteen hypotheses of Benjamini and Hochberg (1995, section 4.1)', () => {
    expect(benjaminiHochberg(published).filter((p) => p <= 0.05)).toHaveLength(4);
  });

  it("gives the adjusted values of scipy's false_discovery_control, in the order given", () => {
    const adjusted = [
      0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765, 0.486, 0.58118182, 0.714875,
      0.75323077, 0.81321429, 1,
    ];
    for (const [i, p] of benjaminiHochberg(published).entries()) expect(p).toBeCloseTo(adjusted[i] ?? 0, 8);
    expect(benjaminiHochberg([...published].reverse())).toEqual([...benjaminiHochberg(published)].reverse());
  });

  it('refuses what is no probability', () => {
    expect(() => benjaminiHochberg([0.5, Number.NaN])).toThrow('cannot adjust p-value 1: NaN is not between 0 and 1');
    expect(() => benjaminiHochberg([1.5])).toThrow(RangeError);
    expect(benjaminiHochberg([])).toEqual([]);
  });

  it('keeps order, never falls below p, and leaves equal values equal', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (values) => {
        const adjusted = benjaminiHochberg(values);
        for (const [i, p] of values.entries()) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(Math.min(p, 1) * (1 - 1e-12));
          const later = adjusted.filter((_, j) => p <= (values[j] ?? 0));
          for (const other of later) expect(adjusted[i]).toBeLessThanOrEqual(other);
        }
      }),
    );
  });
});
