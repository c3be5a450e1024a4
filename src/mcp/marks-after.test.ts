import { describe, expect, it } from 'vitest';
import { openTestSeat } from './test-seat.ts';
import { marksAfter } from './marks-after.ts';

describe('marksAfter()', () => {
  it('gives the marks after a position, of every kind, and nothing before it', async () => {
    const test = await openTestSeat();
    const { gate, seat } = test;
    await test.note('before', 1);
    const { seq } = marksAfter(gate.view, 0);
    expect(seq).toBe(gate.view.seq);
    expect(marksAfter(gate.view, 0).ids).toHaveLength(gate.view.size);
    expect(marksAfter(gate.view, seq)).toEqual({ seq, ids: [] });
    const observation = await test.note('after', 2);
    const hidden = await test.hide();
    const left = await seat.leave({
      scope: seat.notes,
      question: 'May I?',
      context: null,
      priority: 0.5,
      blocking: false,
    });
    const later = marksAfter(gate.view, seq);
    if (left.verdict !== 'allow' || left.mark === undefined) throw new Error(JSON.stringify(left));
    expect(later.ids.toSorted()).toEqual([observation, hidden, left.mark.id].toSorted());
    expect(later.seq).toBeGreaterThan(seq);
    await gate.close();
  });
});
