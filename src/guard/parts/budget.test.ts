import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MARK_KINDS } from '../../space/marks.ts';
import type { TokenBudget } from '../grants.ts';
import type { GuardEvent } from '../guard-event.ts';
import { budget } from '../policies/budget.ts';
import { type BudgetLine, budgetLines, budgetNeeds, budgetPart, NOTICE_SHARE } from './budget.ts';
import { ANN, BOB, PartTest } from './test-parts.ts';

const test = (): PartTest => new PartTest(budgetPart, budget);
const spent = (inputTokens: number, outputTokens = 0, round = 'r1', agent = ANN): GuardEvent => ({
  what: 'spent',
  agent,
  round,
  inputTokens,
  outputTokens,
});
const set = (budget: TokenBudget): GuardEvent => ({ what: 'budget-set', agent: ANN, budget });
const LIFETIME: TokenBudget = { lifetime: { inputTokens: 100 } };
const linesOf = (given: PartTest, granted?: TokenBudget): readonly BudgetLine[] =>
  budgetLines(given.state, { agent: ANN, ...(granted === undefined ? {} : { budget: granted }) });
/** Which dimensions the principal is told of by each event in turn. */
function told(given: PartTest, granted: TokenBudget | undefined, ...events: readonly GuardEvent[]): string[][] {
  return events.map((event) => {
    const before = linesOf(given, granted);
    given.event(event);
    return budgetNeeds(before, linesOf(given, granted)).map(({ dimension }) => dimension);
  });
}

describe('token budgets', () => {
  it('without one have no effect, whatever is spent (P59)', () => {
    const given = test().event(spent(1e12, 1e12));
    expect(given.ask()).toBeUndefined();
    expect(linesOf(given)).toEqual([]);
  });

  it('refuse everything but needs at 100 % of a dimension and name it (P61)', () => {
    const given = test().event(spent(99));
    const grant = { budget: LIFETIME };
    expect(given.ask({ grant })).toBeUndefined();
    given.event(spent(1));
    expect(given.ask({ grant })).toEqual({
      verdict: 'denied',
      denial: { code: 'token-budget', check: 'budget', dimension: 'lifetime.inputTokens', used: 100, limit: 100 },
    });
    expect(MARK_KINDS.filter((kind) => given.ask({ grant, kind }) === undefined)).toEqual(['need']);
    expect(given.ask({ grant, agent: BOB })).toBeUndefined();
  });

  it.each([
    ['lifetime.inputTokens', { lifetime: { inputTokens: 10 } }],
    ['lifetime.outputTokens', { lifetime: { outputTokens: 10 } }],
    ['round.inputTokens', { round: { inputTokens: 10 } }],
    ['round.outputTokens', { round: { outputTokens: 10 } }],
  ] as const)('counts %s apart', (dimension, limits) => {
    const given = test().event(
      spent(dimension.endsWith('inputTokens') ? 10 : 9, dimension.endsWith('outputTokens') ? 10 : 9),
    );
    expect(given.ask({ grant: { budget: limits } })).toMatchObject({ denial: { dimension } });
  });

  it('begin anew with each round, but not for life; a spending of nothing begins one', () => {
    const given = test().event(spent(10, 0, 'r1'));
    const grant = { budget: { round: { inputTokens: 10 }, lifetime: { inputTokens: 15 } } };
    expect(given.ask({ grant })).toMatchObject({ denial: { dimension: 'round.inputTokens' } });
    expect(given.event(spent(0, 0, 'r2')).ask({ grant })).toBeUndefined();
    expect(given.event(spent(5, 0, 'r2')).ask({ grant })).toMatchObject({
      denial: { dimension: 'lifetime.inputTokens' },
    });
  });

  it('resume with a larger budget from the principal, which takes the place of the grant (P62)', () => {
    const given = test().event(spent(100));
    const grant = { budget: LIFETIME };
    expect(given.event(set({ lifetime: { inputTokens: 50 } })).ask({ grant })).toMatchObject({ denial: { limit: 50 } });
    expect(given.event(set({ lifetime: { inputTokens: 101 } })).ask({ grant })).toBeUndefined();
    expect(given.event(spent(1)).ask({ grant })).toMatchObject({ denial: { used: 101 } });
    expect(given.event(set({})).ask({ grant })).toBeUndefined();
  });

  it('never count down: negative and broken reports change nothing, a late one of the last round does not end this one (P63)', () => {
    const given = test()
      .event(spent(50, 5, 'r1'))
      .event(spent(7, 7, 'r2'));
    const granted = { lifetime: { inputTokens: 1e6, outputTokens: 1e6 }, round: { inputTokens: 1e6 } };
    given
      .event(spent(-40, Number.NaN, 'r2'))
      .event(spent(1, 0, 'r1'))
      .event(spent(-Infinity, Infinity, 'r2'));
    expect(linesOf(given, granted).map(({ used }) => used)).toEqual([58, 12, 7]);
  });

  it('counts never fall, whatever is reported in whatever order (P63)', () => {
    const step = record({
      tokens: integer({ min: -5, max: 20 }),
      round: constantFrom('r1', 'r2', 'r3'),
    });
    assert(
      property(array(step, { maxLength: 30 }), (steps) => {
        const given = test();
        const granted = { lifetime: { inputTokens: 1 } };
        let sum = 0;
        for (const { tokens, round } of steps) {
          given.event(spent(tokens, 0, round));
          sum += Math.max(0, tokens);
          expect(linesOf(given, granted)[0]?.used).toBe(sum);
        }
      }),
    );
  });
});

describe('what the principal is told of budgets', () => {
  it('is each dimension once, at 80 % (P60)', () => {
    const granted = { lifetime: { inputTokens: 100, outputTokens: 10 } };
    expect(told(test(), granted, spent(79, 7), spent(1, 0), spent(5, 1), spent(50, 50))).toEqual([
      [],
      ['lifetime.inputTokens'],
      ['lifetime.outputTokens'],
      [],
    ]);
  });

  it('is told also when one spending goes from nothing to beyond the limit (P60)', () => {
    expect(told(test(), LIFETIME, spent(1000))).toEqual([['lifetime.inputTokens']]);
  });

  it('is once in all rounds, and once more for a new budget (P60)', () => {
    const granted = { round: { inputTokens: 10 } };
    const rounds = [spent(8, 0, 'r1'), spent(1, 0, 'r2'), spent(7, 0, 'r2')];
    const more = [set({ round: { inputTokens: 20 } }), spent(16, 0, 'r3'), spent(20, 0, 'r4')];
    expect(told(test(), granted, ...rounds, ...more)).toEqual([
      ['round.inputTokens'],
      [],
      [],
      [],
      ['round.inputTokens'],
      [],
    ]);
  });

  it('is at once where a new limit is past it from the start', () => {
    expect(told(test(), LIFETIME, spent(90), set({ lifetime: { inputTokens: 110 } }), spent(1))).toEqual([
      ['lifetime.inputTokens'],
      ['lifetime.inputTokens'],
      [],
    ]);
  });

  it('is exactly once per limit over any lifetime that passes the notice (P60)', () => {
    assert(
      property(array(integer({ min: 0, max: 30 }), { maxLength: 20 }), (amounts) => {
        const times = told(test(), LIFETIME, ...amounts.map((amount) => spent(amount))).flat().length;
        const sum = amounts.reduce((all, one) => all + one, 0);
        expect(times).toBe(sum >= NOTICE_SHARE * 100 ? 1 : 0);
      }),
    );
  });
});
