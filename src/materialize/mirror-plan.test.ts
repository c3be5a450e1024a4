import { describe, expect, test } from 'vitest';
import { planMirror, type ThreeWays } from './mirror-plan.ts';

describe('planMirror()', () => {
  test.each<[string, Omit<ThreeWays, 'editable'>, string]>([
    ['all agree', { base: 'a', here: 'a', there: 'a' }, 'none'],
    ['nothing anywhere', { base: null, here: null, there: null }, 'none'],
    ['the same on both sides, unknown before', { base: null, here: 'a', there: 'a' }, 'settle'],
    ['the same change on both sides', { base: 'a', here: 'b', there: 'b' }, 'settle'],
    ['gone on both sides', { base: 'a', here: null, there: null }, 'settle'],
    ['edited here', { base: 'a', here: 'b', there: 'a' }, 'send'],
    ['deleted here', { base: 'a', here: null, there: 'a' }, 'send'],
    ['new here', { base: null, here: 'b', there: null }, 'send'],
    ['edited there', { base: 'a', here: 'a', there: 'b' }, 'take'],
    ['deleted there', { base: 'a', here: 'a', there: null }, 'take'],
    ['new there', { base: null, here: null, there: 'b' }, 'take'],
    ['edited on both sides', { base: 'a', here: 'b', there: 'c' }, 'conflict'],
    ['new on both sides', { base: null, here: 'b', there: 'c' }, 'conflict'],
    ['edited here, deleted there', { base: 'a', here: 'b', there: null }, 'conflict'],
    ['deleted here, edited there', { base: 'a', here: null, there: 'c' }, 'take'],
  ])('%s', (_what, ways, action) => {
    expect(planMirror({ ...ways, editable: true })).toBe(action);
  });

  test('offers a change of what may not be changed, so that its refusal is on record, and makes no conflict of it', () => {
    expect(planMirror({ base: 'a', here: 'b', there: 'c', editable: false })).toBe('send');
    expect(planMirror({ base: 'a', here: null, there: 'c', editable: false })).toBe('send');
    expect(planMirror({ base: 'a', here: 'a', there: 'c', editable: false })).toBe('take');
  });

  test('never drops a text of a person that is nowhere else: what is here and is neither base nor there is sent or kept', () => {
    const texts = [null, 'a', 'b', 'c'];
    for (const base of texts)
      for (const here of texts)
        for (const there of texts)
          for (const editable of [true, false]) {
            if (here === null || here === base || here === there) continue;
            expect(['send', 'conflict']).toContain(planMirror({ base, here, there, editable }));
          }
  });
});
