import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MarkIndex } from './mark-index.ts';
import type { Mark, Need } from './marks.ts';
import { groupNeeds } from './needs.ts';
import { defineScope } from './scope.ts';
import { actionOf, agentName, markId, markRecord, needOf, scopeName } from './test-marks.ts';

const LAB = scopeName('lab');
const SHOP = scopeName('shop');
const DESK = scopeName('desk');

function indexOf(marks: readonly Mark[]): MarkIndex {
  const index = new MarkIndex();
  const definitions = [
    defineScope({ name: LAB }),
    defineScope({ name: SHOP, visibility: 'classified' }),
    defineScope({ name: DESK, visibility: 'protected' }),
  ];
  let seq = 0;
  for (const value of definitions)
    index.apply({ seq: (seq += 1), body: { type: 'define', what: 'scope', value: JSON.parse(JSON.stringify(value)) } });
  for (const mark of marks) index.apply(markRecord((seq += 1), mark));
  return index;
}

const ask = (id: string, question: string, rest: Partial<Need> = {}): Need => needOf(id, { question, ...rest });

describe('groupNeeds()', () => {
  it('puts equal questions of one scope together: strongest plus 0.3 of the rest, blocking if one is', () => {
    const view = indexOf([
      ask('n1', 'buy?', { priority: 0.5, createdAt: 10 }),
      ask('n2', 'buy?', { priority: 0.2, createdAt: 20, agent: agentName('bob'), blocking: true }),
      ask('n3', 'buy?', { priority: 0.1, createdAt: 30, agent: agentName('bob') }),
      ask('n4', 'buy?', { scope: DESK, priority: 0.4, createdAt: 40 }),
    ]);
    const groups = groupNeeds(view, undefined);
    expect(groups.map(({ needs }) => needs)).toEqual([['n1', 'n2', 'n3'], ['n4']]);
    expect(groups[0]).toMatchObject({
      question: 'buy?',
      scope: 'lab',
      agents: ['ann', 'bob'],
      blocking: true,
      oldest: 10,
    });
    expect(groups[0]?.priority).toBeCloseTo(0.5 + 0.3 * 0.3);
  });

  it('lists blocking ones first, then by priority, then by age', () => {
    const view = indexOf([
      ask('old', 'a?', { priority: 0.4, createdAt: 1 }),
      ask('young', 'b?', { priority: 0.4, createdAt: 2 }),
      ask('high', 'c?', { priority: 0.9, createdAt: 3 }),
      ask('stuck', 'd?', { priority: 0.1, createdAt: 4, blocking: true }),
    ]);
    expect(groupNeeds(view, undefined).flatMap(({ needs }) => needs)).toEqual(['stuck', 'high', 'old', 'young']);
  });

  it('a resolved need is gone at once (P29)', () => {
    const marks = [ask('n1', 'buy?'), ask('n2', 'sell?')];
    expect(groupNeeds(indexOf(marks), undefined)).toHaveLength(2);
    const resolved = indexOf([...marks, actionOf('a1', { supersedes: markId('n1') })]);
    expect(groupNeeds(resolved, undefined).map(({ question }) => question)).toEqual(['sell?']);
  });

  it('tells a reader nothing of a classified scope, and of a protected one no question (S4, P22)', () => {
    const view = indexOf([
      ask('n1', 'secret?', { scope: SHOP }),
      ask('n2', 'private?', { scope: DESK }),
      ask('n3', 'private?', { scope: DESK }),
    ]);
    expect(groupNeeds(view, { read: [] })).toMatchObject([
      { question: '', needs: ['n2'] },
      { question: '', needs: ['n3'] },
    ]);
    expect(groupNeeds(view, { read: [SHOP, DESK] }).map(({ needs }) => needs)).toEqual([['n2', 'n3'], ['n1']]);
  });

  it('every open need is in one group, and no group goes beyond priority 1', () => {
    const someNeeds = fc.array(
      fc.record({
        question: fc.constantFrom('a?', 'b?'),
        scope: fc.constantFrom(LAB, DESK),
        priority: fc.double({ min: 0, max: 1, noNaN: true }),
        blocking: fc.boolean(),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(someNeeds, (drawn) => {
        const needs = drawn.map((rest, i) => needOf(`n${i}`, { ...rest, createdAt: i }));
        const groups = groupNeeds(indexOf(needs), undefined);
        expect(groups.flatMap((group) => group.needs).sort()).toEqual(needs.map(({ id }) => id).sort());
        for (const { priority } of groups) expect(priority).toBeLessThanOrEqual(1);
        const calm = groups.findIndex(({ blocking }) => !blocking);
        expect(groups.slice(calm < 0 ? groups.length : calm).some(({ blocking }) => blocking)).toBe(false);
      }),
    );
  });
});
