import { describe, expect, it } from 'vitest';
import { outcomeOf } from './outcome.ts';
import type { Findings } from './outcome.ts';

const fine: Findings = {
  metaFailure: undefined,
  refusals: [],
  unchanged: false,
  evaluation: { valid: true, score: 0.5, feedback: '' },
  bestScore: 0.6,
};
const invalid = { valid: false, score: 0, feedback: 'case 3 timed out' };

describe('outcomeOf()', () => {
  it('builds upon a valid program even when it is worse, unless the policy is rollback-best', () => {
    expect(outcomeOf('rollback-invalid', fine)).toEqual({ status: 'accepted', head: 'this' });
    expect(outcomeOf('keep', fine)).toEqual({ status: 'accepted', head: 'this' });
    expect(outcomeOf('rollback-best', fine)).toMatchObject({ status: 'rejected', head: 'best' });
  });

  it('does not build upon a program that cannot run, unless the policy is keep', () => {
    expect(outcomeOf('rollback-invalid', { ...fine, evaluation: invalid })).toMatchObject({
      status: 'failed',
      head: 'parent',
    });
    expect(outcomeOf('rollback-best', { ...fine, evaluation: invalid })).toMatchObject({
      status: 'failed',
      head: 'best',
    });
    expect(outcomeOf('keep', { ...fine, evaluation: invalid })).toMatchObject({ status: 'failed', head: 'this' });
  });

  it('a broken meta agent fails its generation, whatever the program is', () => {
    const metaFailure = { code: 'error', message: 'x is not a function' };
    expect(outcomeOf('keep', { ...fine, metaFailure })).toMatchObject({ status: 'failed', head: 'parent' });
  });

  it('tells a refused program from one that was left alone', () => {
    const refusals = [{ path: 'task_agent.ts', code: 'syntax', text: 'no' }];
    expect(outcomeOf('keep', { ...fine, unchanged: true, refusals }).status).toBe('failed');
    expect(outcomeOf('keep', { ...fine, unchanged: true }).status).toBe('copy');
  });
});
