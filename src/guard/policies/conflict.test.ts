import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Intent } from '../../space/marks.ts';
import { CONFLICT_POLICIES, defineScope } from '../../space/scope.ts';
import { agentName, intentOf, scopeName } from '../../space/test-marks.ts';
import { unitsOf, winnersOf } from './conflict.ts';

const AGENTS = ['ann', 'bob', 'cat', 'dan', 'eve'].map(agentName);
/** Intents of one resource, several of an agent among them, in log order. */
const intents = fc
  .array(
    fc.record({
      agent: fc.constantFrom(...AGENTS),
      confidence: fc.constantFrom(0, 0.3, 0.3, 0.9, 1),
      elapsed: fc.constantFrom(0, 0, 1),
    }),
    { maxLength: 12 },
  )
  .map((drawn) => {
    let createdAt = 0;
    return drawn.map(({ elapsed, ...rest }, i) => intentOf(`i${i}`, { ...rest, createdAt: (createdAt += elapsed) }));
  });
const policy = fc.constantFrom(...CONFLICT_POLICIES);
const free = fc.integer({ min: -1, max: 6 });
const ids = (list: readonly Intent[]): string[] => list.map(({ id }) => id);
const seqOf = (id: string): number => Number(id.slice(1));

describe('winnersOf()', () => {
  it('is the same for the same intents in any order (P11)', () => {
    fc.assert(
      fc.property(
        intents.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        policy,
        free,
        ([list, shuffled], how, units) => {
          expect(ids(winnersOf(how, shuffled, units, seqOf))).toEqual(ids(winnersOf(how, list, units, seqOf)));
        },
      ),
    );
  });

  it('leaves no unit free that somebody wants, unless all must yield to each other (P12)', () => {
    fc.assert(
      fc.property(intents, policy, free, (list, how, units) => {
        const agents = new Set(list.map(({ agent }) => agent)).size;
        const winners = winnersOf(how, list, units, seqOf);
        const allYield = how === 'yield-all' && agents > units;
        expect(winners).toHaveLength(allYield ? 0 : Math.min(agents, Math.max(0, units)));
      }),
    );
  });

  it('gives a unit to one agent, and no agent two (P17)', () => {
    fc.assert(
      fc.property(intents, policy, free, (list, how, units) => {
        const winners = winnersOf(how, list, units, seqOf);
        expect(winners.length).toBeLessThanOrEqual(Math.max(0, units));
        expect(new Set(winners.map(({ agent }) => agent)).size).toBe(winners.length);
      }),
    );
  });

  it('prefers nobody who is less confident, or as confident and later, and under first-writer nobody later (P15)', () => {
    fc.assert(
      fc.property(
        intents,
        fc.constantFrom('first-writer' as const, 'highest-confidence' as const),
        free,
        (list, how, units) => {
          const winners = winnersOf(how, list, units, seqOf);
          const rank = (intent: Intent): number =>
            (how === 'highest-confidence' ? -1000 * intent.confidence : 0) + seqOf(intent.id);
          const worst = Math.max(...winners.map(rank));
          const losers = list.filter(({ agent }) => !winners.some((winner) => winner.agent === agent));
          expect(losers.every((loser) => winners.length === 0 || rank(loser) > worst)).toBe(true);
        },
      ),
    );
  });
});

describe('unitsOf()', () => {
  it('is 1 unless the definition says otherwise, also for names that every object has', () => {
    const definition = defineScope({ name: scopeName('lab'), units: { seats: 3 } });
    expect(['seats', 'room', 'toString', '__proto__', 'constructor'].map((name) => unitsOf(definition, name))).toEqual([
      3, 1, 1, 1, 1,
    ]);
  });
});
