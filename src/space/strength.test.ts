import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mark } from './marks.ts';
import { MarkIndex } from './mark-index.ts';
import { defineScope } from './scope.ts';
import {
  AGGREGATE_CAP,
  aggregateStrength,
  assertTrustWeights,
  baseStrength,
  decayOf,
  effectiveStrength,
} from './strength.ts';
import { actionOf, intentOf, markId, markRecord, needOf, observationOf, scopeName, warningOf } from './test-marks.ts';

const HOUR = 3_600_000;
const lab = defineScope({ name: scopeName('lab') });
const near = (value: number): unknown => expect.closeTo(value, 9);

function indexOf(...marks: Mark[]): MarkIndex {
  const index = new MarkIndex();
  const slow = defineScope({ name: scopeName('slow'), warningHalfLifeMs: 4 * HOUR, observationHalfLifeMs: 12 * HOUR });
  [lab, slow].forEach((scope, i) =>
    index.apply({ seq: i + 1, body: { type: 'define', what: 'scope', value: JSON.parse(JSON.stringify(scope)) } }),
  );
  marks.forEach((mark, i) => index.apply(markRecord(i + 3, mark)));
  return index;
}

describe('decay', () => {
  it('halves observations and warnings at their half-lives and never lets them grow (P1, P3)', () => {
    expect(decayOf(observationOf('o'), lab, 6 * HOUR)).toBe(0.5);
    expect(decayOf(warningOf('w'), lab, 2 * HOUR)).toBe(0.5);
    fc.assert(
      fc.property(
        fc.nat(1e10),
        fc.nat(1e10),
        fc.constantFrom(observationOf('o'), warningOf('w'), intentOf('i')),
        (a, b, mark) => {
          expect(decayOf(mark, lab, a + b)).toBeLessThanOrEqual(decayOf(mark, lab, a));
        },
      ),
    );
    expect(decayOf(observationOf('o'), lab, 10_000 * HOUR)).toBeLessThan(1e-300);
  });

  it('keeps intents full up to and at their TTL, then 0 (P4); actions and needs for ever (P2, P5)', () => {
    expect([lab.intentTtlMs, lab.intentTtlMs + 1].map((now) => decayOf(intentOf('i'), lab, now))).toEqual([1, 0]);
    expect(decayOf(actionOf('a'), lab, 1e15)).toBe(1);
    expect(decayOf(needOf('n'), lab, 1e15)).toBe(1);
    expect(decayOf(needOf('n', { resolvedBy: markId('a') }), lab, 0)).toBe(0);
  });

  it('does not make a mark from the future stronger', () => {
    expect(decayOf(observationOf('o', { createdAt: 5 * HOUR }), lab, 0)).toBe(1);
  });
});

describe('strength', () => {
  it('weighs by source, never by confidence, never above what was written (P6, P7)', () => {
    const at = (source: 'fleet' | 'external-verified' | 'external-unverified', confidence: number): number =>
      baseStrength(indexOf(), observationOf('o', { source, confidence, strength: 10 }), 0);
    expect([at('fleet', 0), at('external-verified', 1), at('external-unverified', 1)]).toEqual([10, 7, 3]);
    expect(() => assertTrustWeights({ fleet: 1, 'external-verified': 0.2, 'external-unverified': 0.3 })).toThrow(
      RangeError,
    );
    expect(() => assertTrustWeights({ fleet: 2, 'external-verified': 1, 'external-unverified': 0 })).toThrow(
      RangeError,
    );
  });

  it('is 0 once superseded, transitively, actions and needs too (P47)', () => {
    const index = indexOf(
      actionOf('a'),
      actionOf('b', { supersedes: markId('a') }),
      actionOf('c', { supersedes: markId('b') }),
      needOf('n'),
      actionOf('d', { supersedes: markId('n') }),
    );
    const strengths = ['a', 'b', 'c', 'n'].map((id) =>
      effectiveStrength(index, index.byId(markId(id)) ?? actionOf('none'), 0),
    );
    expect(strengths).toEqual([0, 0, 1, 0]);
  });

  it('is lowered by warnings, not below 0, and recovers as they fade, each by its own scope (P34, P35)', () => {
    const target = actionOf('a', { strength: 2 });
    const index = indexOf(
      target,
      warningOf('w', { invalidates: target.id }),
      warningOf('v', { invalidates: target.id, scope: scopeName('slow') }),
    );
    const at = (now: number): number => effectiveStrength(index, target, now);
    expect(at(0)).toBe(0);
    expect(at(4 * HOUR)).toEqual(near(2 - 0.25 - 0.5));
    expect(at(1_000 * HOUR)).toEqual(near(2));
    const strong = indexOf(target, warningOf('w', { invalidates: target.id, strength: 10 }));
    expect(effectiveStrength(strong, target, 0)).toBe(0);
  });

  it('lets a warning be invalidated, and a superseded warning takes nothing away', () => {
    const target = actionOf('a');
    const doubted = indexOf(
      target,
      warningOf('w', { invalidates: target.id }),
      warningOf('v', { invalidates: markId('w'), strength: 0.4 }),
    );
    expect(effectiveStrength(doubted, target, 0)).toEqual(near(0.4));
    const withdrawn = indexOf(
      target,
      warningOf('w', { invalidates: target.id }),
      warningOf('v', { supersedes: markId('w') }),
    );
    expect(effectiveStrength(withdrawn, target, 0)).toBe(1);
  });

  it('bears a chain of 100 000 warnings on warnings', () => {
    const warnings = Array.from({ length: 100_000 }, (_, i) =>
      warningOf(`w${i + 1}`, { invalidates: markId(`w${i}`), strength: 0.5 }),
    );
    const index = indexOf(actionOf('w0'), ...warnings);
    const strength = effectiveStrength(index, actionOf('w0'), 0);
    expect(strength).toBeGreaterThan(0);
    expect(strength).toBeLessThanOrEqual(1);
  });
});

describe('aggregate', () => {
  const strengths = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { maxLength: 30 });

  it('is the strongest plus 0.3 of the rest', () => {
    expect(aggregateStrength([])).toBe(0);
    expect(aggregateStrength([1, 4, 2])).toEqual(near(4.9));
  });

  it('weighs n equal marks less than n times one (P8), bounded (P9)', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 10, noNaN: true }), fc.integer({ min: 2, max: 500 }), (one, n) => {
        const sum = aggregateStrength(Array.from({ length: n }, () => one));
        expect(sum).toBeLessThan(n * one);
        expect(sum).toBeGreaterThanOrEqual(one);
        expect(sum).toBeLessThanOrEqual(AGGREGATE_CAP);
      }),
    );
  });

  it('never falls when a mark is added (P10), whatever the order', () => {
    fc.assert(
      fc.property(strengths, fc.double({ min: 0, max: 10, noNaN: true }), (list, extra) => {
        const before = aggregateStrength(list);
        expect(aggregateStrength([...list, extra])).toBeGreaterThanOrEqual(before - 1e-9);
        expect(aggregateStrength([...list].reverse())).toBeCloseTo(before, 9);
      }),
    );
  });
});
