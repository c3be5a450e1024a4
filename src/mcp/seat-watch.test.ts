import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from './participant.ts';
import { openTestSeat, type TestSeat } from './test-seat.ts';

/** Longer than changes are gathered to be told as one. */
const TOLD_MS = 60;

describe('a seat tells those who watch it', () => {
  let test: TestSeat;
  let told: Change[];

  beforeEach(async () => {
    test = await openTestSeat();
    told = [];
    test.seat.watch((change) => told.push(change));
  });
  afterEach(() => test.gate.close());

  it('of a mark that it may see, and of none that it may not', async () => {
    await test.hide();
    await sleep(TOLD_MS);
    expect(told).toEqual([]);
    await test.note('lunch', 'at noon');
    await test.hide();
    await sleep(TOLD_MS);
    expect(told).toEqual([{ files: [], marks: true, standing: false }]);
    await test.hide();
    await sleep(TOLD_MS);
    expect(told).toHaveLength(1);
  });

  it('of marks when a round ends: what was published in it comes to be seen', async () => {
    test.nextRound();
    await test.hide();
    await sleep(TOLD_MS);
    expect(told).toEqual([{ files: [], marks: true, standing: true }]);
    await test.hide();
    await sleep(TOLD_MS);
    expect(told).toHaveLength(1);
  });
});
