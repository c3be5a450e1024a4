import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineScope } from '../../space/scope.ts';
import { markId } from '../../space/test-marks.ts';
import { rate } from '../policies/rate.ts';
import { limitsOver, ratePart, windowStart } from './rate.ts';
import { ANN, BOB, callOf, DEEP, LAB, OFFICE, PartTest, refusedBy } from './test-parts.ts';

const limited = (rateLimit: object, name = LAB) =>
  defineScope({ name, observationTopics: ['*'], rateLimit: rateLimit as never });
const test = (rateLimit: object, ...more: readonly ReturnType<typeof defineScope>[]): PartTest =>
  new PartTest(ratePart, rate, { scopes: [limited(rateLimit), defineScope({ name: OFFICE }), ...more] });
const denial = (limit: number, per: string, until = 1000): unknown => ({
  verdict: 'denied',
  denial: { code: 'rate-limit', check: 'rate', limit, windowMs: 1000, per, until },
});

describe('rate limits', () => {
  it('refuses one agent beyond its cap in a window, says until when, and leaves others alone (P64)', () => {
    const given = test({ windowMs: 1000, perAgent: 2 });
    given.fold(callOf({ at: 1 }));
    expect(given.ask({ now: 1 })).toBeUndefined();
    given.fold(callOf({ at: 999 }));
    expect(given.ask({ now: 999 })).toEqual(denial(2, 'agent'));
    expect(given.ask({ now: 999, agent: BOB })).toBeUndefined();
    expect(given.ask({ now: 999, scope: OFFICE })).toBeUndefined();
    expect(given.ask({ now: 1000 })).toBeUndefined();
  });

  it('refuses everybody beyond the cap of the fleet (P65)', () => {
    const given = test({ windowMs: 1000, perFleet: 2, perAgent: 2 });
    given.fold(callOf({ agent: ANN }), callOf({ agent: BOB }));
    expect(given.ask({ agent: BOB })).toEqual(denial(2, 'fleet'));
    expect(given.ask({ agent: BOB, now: 1500 })).toBeUndefined();
  });

  it('counts by the definition that imposes the limit: neither children nor their own definitions are a way round (S14)', () => {
    const own = defineScope({ name: DEEP, observationTopics: ['*'] });
    const given = test({ windowMs: 1000, perAgent: 2 }, own);
    given.fold(callOf({ scope: DEEP }), callOf({ scope: DEEP }));
    for (const scope of [LAB, DEEP]) expect(given.ask({ scope })).toEqual(denial(2, 'agent'));
  });

  it('holds every limit on the way up, each with its own window', () => {
    const given = test({ windowMs: 1000, perFleet: 3 }, limited({ windowMs: 100, perAgent: 1 }, DEEP));
    expect(limitsOver(given.view, DEEP).map(({ by }) => by)).toEqual([DEEP, LAB]);
    given.fold(callOf({ scope: DEEP, at: 5 }));
    expect(given.ask({ scope: DEEP, now: 50 })).toMatchObject({ denial: { limit: 1, until: 100 } });
    expect(given.ask({ scope: DEEP, now: 100 })).toBeUndefined();
    given.fold(callOf({ scope: LAB, at: 100 }), callOf({ scope: LAB, at: 100 }));
    expect(given.ask({ scope: DEEP, now: 200 })).toEqual(denial(3, 'fleet'));
  });

  it('spends a slot on what was stored alone: not on refusals, marks that were there, reads, or the principal (S7, P42)', () => {
    const given = test({ windowMs: 1000, perAgent: 1, perFleet: 1 });
    given.fold(
      refusedBy('authorization'),
      refusedBy('content'),
      refusedBy('rate', { count: 100 }),
      callOf({ verdict: 'conflict', mark: undefined }),
      callOf({ repeated: true }),
      callOf({ call: 'read', mark: markId('m') }),
      callOf({ call: 'principal' }),
    );
    expect(given.ask()).toBeUndefined();
    given.fold(callOf({ kind: 'intent', call: 'execute', verdict: 'blocked' }));
    expect(given.ask()).toEqual(denial(1, 'agent'));
  });

  it('takes nothing at all where the cap is 0, and everything where there is none', () => {
    expect(test({ windowMs: 1000, perAgent: 0 }).ask()).toEqual(denial(0, 'agent'));
    expect(test({ windowMs: 1000 }).fold(callOf()).ask()).toBeUndefined();
  });

  it('forgets what a batch staged that came to nothing', () => {
    const given = test({ windowMs: 1000, perAgent: 1 });
    given.stage(callOf());
    expect(given.ask()).toEqual(denial(1, 'agent'));
    given.state.drop();
    expect(given.ask()).toBeUndefined();
  });

  it('lets through exactly the cap in every window, whoever writes when and where (P64, P65)', () => {
    const step = record({
      wait: integer({ min: 0, max: 400 }),
      agent: constantFrom(ANN, BOB),
      scope: constantFrom(LAB, DEEP),
    });
    assert(
      property(array(step, { maxLength: 40 }), (steps) => {
        const given = test({ windowMs: 1000, perAgent: 2, perFleet: 3 });
        const stored: { agent: string; start: number }[] = [];
        let now = 0;
        for (const { wait, agent, scope } of steps) {
          now += wait;
          const start = windowStart(now, 1000);
          const inWindow = stored.filter((one) => one.start === start);
          const full = inWindow.length >= 3 || inWindow.filter((one) => one.agent === agent).length >= 2;
          expect(given.ask({ agent, scope, now }) !== undefined).toBe(full);
          if (full) given.fold(refusedBy('rate', { agent, scope, at: now }));
          else {
            given.fold(callOf({ agent, scope, at: now }));
            stored.push({ agent, start });
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});
