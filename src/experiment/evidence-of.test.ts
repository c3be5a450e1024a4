import { describe, expect, it } from 'vitest';
import { trailOf } from './evidence-of.ts';
import type { Step } from './think.ts';

const read = (path: string): Step => ({ type: 'read', id: `r:${path}`, path });
const said = (text: string, call = 'a/1/2'): Step => ({ type: 'said', call, text });
const wrote: Step = { type: 'wrote' };
const theirs = 'strategies/b_gen3/task_agent.ts';

describe('trailOf()', () => {
  it('a read counts when an edit comes after it, and the words between them are the stated reason', () => {
    expect(trailOf([read(theirs), said('I take the swap pass of b'), wrote], 'b')).toEqual({
      reads: [`r:${theirs}`],
      statement: { call: 'a/1/2', text: 'I take the swap pass of b' },
    });
  });

  it('a read after the last edit, of metadata, or of another peer is no evidence', () => {
    expect(trailOf([wrote, read(theirs)], 'b').reads).toEqual([]);
    expect(trailOf([read('strategies/b_gen3/metadata.json'), wrote], 'b').reads).toEqual([]);
    expect(trailOf([read('strategies/bb_gen3/task_agent.ts'), wrote], 'b').reads).toEqual([]);
  });

  it('words before the read, or about something else, are no stated reason', () => {
    expect(trailOf([said('let me look at b'), read(theirs), wrote], 'b').statement).toBeUndefined();
    const zeds = 'strategies/zed_gen1/task_agent.ts';
    expect(trailOf([read(zeds), said('More steps'), wrote], 'zed')).toEqual({
      reads: [`r:${zeds}`],
      statement: undefined,
    });
  });
});
