import { describe, expect, it } from 'vitest';
import { agentName, markId } from '../space/test-marks.ts';
import { DecisionLedger } from './decision-ledger.ts';

const ANN = 'run/ann/e';
const PENDING = { agent: agentName('ann'), epoch: 'e', call: 'write', verdict: 'blocked', subject: {} } as const;

describe('whether nothing can be stored under the number of a mark', () => {
  it('is said of numbers above those of all marks that calls left, in this process or before', () => {
    const ledger = new DecisionLedger();
    expect(ledger.isNew(ANN, 1)).toBe(true);
    ledger.noteAllowed(ANN, 1, 'write', 1);
    expect([ledger.isNew(ANN, 1), ledger.isNew(ANN, 2)]).toEqual([false, true]);
    ledger.applyPlain(ANN, 2, markId('run/ann/e/m4'));
    expect([ledger.isNew(ANN, 4), ledger.isNew(ANN, 5)]).toEqual([false, true]);
    expect(ledger.isNew('run/ann/f', 1)).toBe(true);
  });

  it('is not said of the action that an execution may have left, but to that execution', () => {
    const live = new DecisionLedger();
    live.noteAllowed(ANN, 1, 'execute', 1);
    const opened = new DecisionLedger();
    opened.applyPlain(ANN, -1, markId('run/ann/e/m1'));
    for (const ledger of [live, opened]) {
      expect([ledger.isNew(ANN, 2), ledger.isNew(ANN, 3)]).toEqual([false, true]);
      expect(ledger.isNew(ANN, 2, true)).toBe(true);
    }
    // Another process that has the session's name wrote under it.
    live.applyPlain(ANN, 2, markId('run/ann/e/m2'));
    expect(live.isNew(ANN, 2, true)).toBe(false);
  });

  it('is not said of what a call left whose decision has a record of its own', () => {
    const made = new DecisionLedger();
    made.idFor(ANN, 1, { ...PENDING, mark: markId('run/ann/e/m1') });
    const opened = new DecisionLedger();
    opened.apply(ANN, 'c1', { ...PENDING, mark: markId('run/ann/e/m1') });
    const again = new DecisionLedger();
    again.apply(ANN, 'c1~2', { ...PENDING, mark: markId('run/ann/e/m1') });
    for (const ledger of [made, opened, again]) expect(ledger.isNew(ANN, 1)).toBe(false);
  });

  it('is not said again when a batch was dropped', () => {
    const ledger = new DecisionLedger();
    ledger.noteAllowed(ANN, 1, 'write', 1);
    ledger.drop();
    expect(ledger.isNew(ANN, 1)).toBe(false);
    // The call itself is made for the first time again.
    expect(ledger.noteAllowed(ANN, 1, 'write', 1)).toBe(true);
    ledger.keep();
    ledger.drop();
    expect(ledger.noteAllowed(ANN, 1, 'write', 1)).toBe(false);
  });
});
