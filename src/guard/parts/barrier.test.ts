import { array, assert, constantFrom, option, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MARK_KINDS, type MarkKind } from '../../space/marks.ts';
import { covers } from '../../space/scope.ts';
import { actionOf, needOf, markId, observationOf, scopeName } from '../../space/test-marks.ts';
import type { GuardEvent, Restriction } from '../guard-event.ts';
import { barrier } from '../policies/barrier.ts';
import { barrierPart, standingRestrictions } from './barrier.ts';
import { ANN, BOB, BOSS, DEEP, LAB, OFFICE, PartTest } from './test-parts.ts';

const test = (): PartTest => new PartTest(barrierPart, barrier);
const revoked = (restriction: Restriction): GuardEvent => ({ what: 'revoked', restriction, reason: 'because' });
const needed = (restriction: Restriction): GuardEvent => ({ ...revoked(restriction), needed: true }) as GuardEvent;
const restored = (restriction: Restriction): GuardEvent => ({ what: 'restored', restriction });
const need = (id: string, agent = ANN, scope = LAB) => needOf(id, { agent, scope });
const resolution = (id: string, rest = {}) =>
  actionOf(`answer-${id}`, { agent: BOSS, action: 'resolve', supersedes: markId(id), ...rest });

describe('the barrier', () => {
  it('refuses what was taken away, there and below, of that agent and kind, and names what to restore (P44)', () => {
    const given = test().event(revoked({ agent: ANN, scope: LAB, kind: 'observation' }));
    const denial = { code: 'revoked', check: 'barrier', kind: 'observation', scope: LAB };
    expect(given.ask()).toEqual({ verdict: 'denied', denial });
    expect(given.ask({ scope: DEEP })).toEqual({ verdict: 'denied', denial });
    expect(given.ask({ scope: scopeName('lab2') })).toBeUndefined();
    expect(given.ask({ scope: OFFICE })).toBeUndefined();
    expect(given.ask({ kind: 'warning' })).toBeUndefined();
    expect(given.ask({ agent: BOB })).toBeUndefined();
  });

  it('leaves needs writable when everything is taken from everybody (S9)', () => {
    const given = test()
      .event(revoked({ scope: LAB }))
      .event(revoked({ agent: ANN, scope: LAB, kind: 'need' }));
    expect(MARK_KINDS.filter((kind) => given.ask({ kind }) === undefined)).toEqual(['need']);
    expect(given.ask({ agent: BOB, kind: 'need' })).toBeUndefined();
    expect(given.ask({ agent: BOB, kind: 'action' })).toMatchObject({ verdict: 'denied' });
  });

  it('stays until the principal restores what covers it: a child, another agent or another kind does not (P44)', () => {
    const given = test().event(revoked({ agent: ANN, scope: LAB, kind: 'action' }));
    for (const restriction of [
      { agent: ANN, scope: DEEP },
      { agent: BOB, scope: LAB },
      { scope: OFFICE },
      { scope: LAB, kind: 'intent' as const },
    ]) {
      given.event(restored(restriction));
      expect(given.ask({ kind: 'action' })).toMatchObject({ verdict: 'denied' });
    }
    expect(given.event(restored({ agent: ANN, scope: LAB })).ask({ kind: 'action' })).toBeUndefined();
    expect([...standingRestrictions(given.state)]).toEqual([]);
  });

  it('restores a child with its parent, one kind of all, and everybody with each', () => {
    const given = test()
      .event(revoked({ agent: ANN, scope: DEEP }))
      .event(revoked({ scope: LAB, kind: 'intent' }));
    given.event(restored({ agent: ANN, scope: LAB, kind: 'action' }));
    expect(given.ask({ scope: DEEP, kind: 'action' })).toBeUndefined();
    expect(given.ask({ scope: DEEP, kind: 'warning' })).toMatchObject({ verdict: 'denied' });
    expect(given.ask({ kind: 'intent' })).toMatchObject({ verdict: 'denied' });
    given.event(restored({ scope: LAB }));
    expect(MARK_KINDS.filter((kind) => given.ask({ scope: DEEP, kind }) !== undefined)).toEqual([]);
  });

  it('lists every restriction that holds', () => {
    const given = test()
      .event(revoked({ scope: LAB, kind: 'action' }))
      .event(needed({ agent: ANN, scope: OFFICE, kind: 'intent' }));
    expect([...standingRestrictions(given.state)]).toEqual([
      { scope: LAB, kind: 'action', needed: false },
      { agent: ANN, scope: OFFICE, kind: 'intent', needed: true },
    ]);
  });
});

describe('a restriction until a Need is resolved', () => {
  const denied = { verdict: 'denied', denial: expect.objectContaining({ code: 'revoked', needs: true }) as unknown };

  it("lifts when the principal has resolved a Need of the agent's in that scope or below", () => {
    for (const scope of [LAB, DEEP]) {
      const given = test().event(needed({ agent: ANN, scope: LAB }));
      expect(given.ask()).toEqual(denied);
      expect(given.ask({ kind: 'need' })).toBeUndefined();
      given.mark(need('n', ANN, scope));
      expect(given.ask()).toEqual(denied);
      expect(given.mark(resolution('n')).ask()).toBeUndefined();
      expect([...standingRestrictions(given.state)]).toEqual([]);
    }
  });

  it('does not lift for a Need from before, from elsewhere, of somebody else, or one that nobody answered', () => {
    const given = test()
      .mark(need('early'))
      .event(needed({ agent: ANN, scope: LAB }));
    given
      .mark(need('elsewhere', ANN, OFFICE))
      .mark(need('of-bob', BOB))
      .mark(need('withdrawn'))
      .mark(need('failed'));
    given.mark(resolution('early')).mark(resolution('elsewhere')).mark(resolution('of-bob'));
    given.mark(observationOf('o', { agent: BOSS, supersedes: markId('withdrawn') }));
    given.mark(resolution('failed', { failed: true }));
    expect(given.ask()).toEqual(denied);
  });

  it('is not lifted by the agent that asked (S9)', () => {
    const given = test()
      .event(needed({ agent: ANN, scope: LAB }))
      .mark(need('n'));
    expect(given.mark(resolution('n', { agent: ANN })).ask()).toEqual(denied);
  });

  it('asked again, takes a Need written since', () => {
    const given = test()
      .event(needed({ agent: ANN, scope: LAB }))
      .mark(need('first'));
    given.event(needed({ agent: ANN, scope: LAB })).mark(resolution('first'));
    expect(given.ask()).toEqual(denied);
    expect(given.mark(need('second')).mark(resolution('second')).ask()).toBeUndefined();
  });

  it('of everybody lifts for each agent by its own Need, and may be imposed again', () => {
    const given = test()
      .event(needed({ scope: LAB }))
      .mark(need('n'))
      .mark(resolution('n'));
    expect(given.ask()).toBeUndefined();
    expect(given.ask({ agent: BOB })).toEqual(denied);
    given.event(needed({ scope: LAB }));
    expect(given.ask()).toEqual(denied);
    expect(given.event(restored({ scope: LAB })).ask({ agent: BOB })).toBeUndefined();
  });

  it('leaves what was taken away for good: that is named first', () => {
    const given = test()
      .event(needed({ agent: ANN, scope: DEEP }))
      .event(revoked({ agent: ANN, scope: LAB }));
    expect(given.ask({ scope: DEEP })).toMatchObject({ denial: { scope: LAB } });
    expect(given.ask({ scope: DEEP })).not.toHaveProperty('denial.needs');
    given.mark(need('n', ANN, DEEP)).mark(resolution('n'));
    expect(given.ask({ scope: DEEP })).toMatchObject({ denial: { code: 'revoked', scope: LAB } });
  });
});

describe('any history of revoking and restoring', () => {
  const agents = [ANN, BOB];
  const scopes = [LAB, DEEP, OFFICE];
  const kinds: readonly MarkKind[] = ['intent', 'action', 'observation', 'warning'];
  const restriction = record({
    agent: option(constantFrom(...agents), { nil: undefined }),
    scope: constantFrom(...scopes),
    kind: option(constantFrom(...kinds), { nil: undefined }),
  });
  const step = record({ restores: constantFrom(true, false, false), restriction });

  /** The same by plain lists: one entry a kind, taken off by a restoration that covers it. */
  function model(
    steps: readonly { restores: boolean; restriction: Partial<Restriction> & { scope: Restriction['scope'] } }[],
  ) {
    let all: { agent: string | undefined; scope: Restriction['scope']; kind: MarkKind }[] = [];
    for (const { restores, restriction: of } of steps) {
      const { agent, scope } = of;
      const wanted = of.kind === undefined ? kinds : [of.kind];
      if (!restores) all.push(...wanted.map((kind) => ({ agent, scope, kind })));
      else
        all = all.filter(
          (one) =>
            !(wanted.includes(one.kind) && covers(scope, one.scope) && (agent === undefined || agent === one.agent)),
        );
    }
    return all;
  }

  it('refuses exactly what an obvious model refuses, and only a restoration lets more through (P44)', () => {
    assert(
      property(array(step, { maxLength: 12 }), (steps) => {
        const given = test();
        const done: typeof steps = [];
        for (const one of steps) {
          const { agent, scope, kind } = one.restriction;
          const of = { scope, ...(agent === undefined ? {} : { agent }), ...(kind === undefined ? {} : { kind }) };
          given.event(one.restores ? restored(of) : revoked(of));
          done.push(one);
          const expected = model(done as never);
          for (const who of agents)
            for (const where of scopes)
              for (const what of kinds) {
                const barred = expected.some(
                  (entry) => (entry.agent ?? who) === who && covers(entry.scope, where) && entry.kind === what,
                );
                expect(given.ask({ agent: who, scope: where, kind: what }) !== undefined).toBe(barred);
              }
        }
      }),
      { numRuns: 150 },
    );
  });
});
