import { describe, expect, it } from 'vitest';
import { agentName, scopeName } from '../../space/test-marks.ts';
import { MarkIndex } from '../../space/mark-index.ts';
import { TRUST_WEIGHTS } from '../../space/strength.ts';
import type { GuardEvent } from '../guard-event.ts';
import type { Happened } from '../happened.ts';
import { FOLDING } from '../settings.ts';
import { GuardState, stateKey } from '../state.ts';
import { subscriptionNames, subscriptionOf, subscriptionsPart } from './subscriptions.ts';

const ANN = agentName('ann');
const BOB = agentName('bob');
const settings = { trust: TRUST_WEIGHTS, folding: FOLDING };
const X = { topic: 'x' };
const Y = { under: scopeName('lab') };

type Call = Extract<Happened, { type: 'call' }>;
type Called = Pick<Call, 'agent' | 'epoch'> & Partial<Pick<Call, 'call' | 'verdict'>>;

/** Given what happened, from position 1 on. */
function given(...all: readonly (GuardEvent | Called)[]): GuardState {
  const state = new GuardState();
  for (const [i, one] of all.entries()) {
    const happened: Happened =
      'what' in one
        ? { type: 'event', at: 0, event: one }
        : { type: 'call', at: 0, call: 'write', verdict: 'allow', count: 1, ...one };
    subscriptionsPart.fold(state, happened, { view: new MarkIndex(), settings, seq: i + 1 });
    state.keep();
  }
  return state;
}

const subscribed = (name: string, pattern = {}, agent = ANN): GuardEvent => ({
  what: 'subscribed',
  agent,
  name,
  pattern,
});
const acknowledged = (name: string, seq: number): GuardEvent => ({ what: 'acknowledged', agent: ANN, name, seq });
const ended = (epoch: string, revoked: boolean): GuardEvent => ({
  what: 'session-ended',
  run: 'r',
  agent: ANN,
  epoch,
  revoked,
});

describe('the memory of subscriptions', () => {
  it('begins where the subscription was made (P49)', () => {
    const state = given(subscribed('other', {}, BOB), subscribed('in', X));
    expect(subscriptionOf(state, ANN, 'in')).toEqual({ pattern: X, from: 2, acknowledged: 2 });
    expect(subscriptionOf(state, ANN, 'other')).toBeUndefined();
    expect(subscriptionOf(state, BOB, 'in')).toBeUndefined();
  });

  it('subscribing again under a name replaces pattern, beginning and acknowledgement (P48)', () => {
    const state = given(subscribed('in', X), acknowledged('in', 2), subscribed('in', Y));
    expect(subscriptionOf(state, ANN, 'in')).toEqual({ pattern: Y, from: 3, acknowledged: 3 });
    expect(subscriptionNames(state, ANN)).toEqual(['in']);
  });

  it('acknowledgement only ever grows', () => {
    const state = given(subscribed('in', X), acknowledged('in', 9), acknowledged('in', 4), acknowledged('none', 5));
    expect(subscriptionOf(state, ANN, 'in')?.acknowledged).toBe(9);
    expect(subscriptionOf(state, ANN, 'none')).toBeUndefined();
  });

  it('keeps nothing of what was unsubscribed, nor of an agent whose last session was revoked (S10)', () => {
    const unsubscribed: GuardEvent = { what: 'unsubscribed', agent: ANN, name: 'in' };
    expect(nothingOf(given(subscribed('in'), unsubscribed))).toBe(true);
    expect(nothingOf(given(subscribed('in'), subscribed('too'), unsubscribed, ended('e1', true)))).toBe(true);
    const calling = { epoch: 'e1', agent: ANN };
    expect(nothingOf(given(subscribed('in'), calling, ended('e1', true)))).toBe(true);
  });

  it('keeps the subscriptions of an agent that may come back (S11)', () => {
    const crashed = given(subscribed('in'), { epoch: 'e1', agent: ANN }, ended('e1', false));
    expect(subscriptionNames(crashed, ANN)).toEqual(['in']);
    const movedOn = given(
      subscribed('in'),
      { epoch: 'e1', agent: ANN },
      { epoch: 'e2', agent: ANN },
      { epoch: 'e9', agent: BOB },
      ended('e1', true),
    );
    expect(subscriptionNames(movedOn, ANN)).toEqual(['in']);
    const silent = given({ epoch: 'e1', agent: ANN, call: 'subscribe' }, subscribed('in'), ended('e0', true));
    expect(subscriptionNames(silent, ANN)).toEqual(['in']);
  });

  it('remembers nothing of agents without subscriptions, nor of one that was refused them (S10)', () => {
    const refused = { epoch: 'e1', agent: ANN, call: 'subscribe', verdict: 'denied' } as const;
    expect(nothingOf(given({ epoch: 'e1', agent: ANN }, refused))).toBe(true);
    expect(nothingOf(given({ epoch: 'e1', agent: ANN, call: 'subscribe' }, ended('e1', true)))).toBe(true);
  });

  it('is not folded without a position', () => {
    const happened: Happened = { type: 'event', at: 0, event: subscribed('in') };
    expect(() => subscriptionsPart.fold(new GuardState(), happened, { view: new MarkIndex(), settings })).toThrow(
      TypeError,
    );
  });

  it('what was staged and dropped was never so', () => {
    const state = given(subscribed('in', X));
    const context = { view: new MarkIndex(), settings, seq: 2 };
    subscriptionsPart.fold(state, { type: 'event', at: 0, event: subscribed('in', Y) }, context);
    expect(subscriptionOf(state, ANN, 'in')?.pattern).toEqual(Y);
    state.drop();
    expect(subscriptionOf(state, ANN, 'in')).toEqual({ pattern: X, from: 1, acknowledged: 1 });
  });
});

function nothingOf(state: GuardState): boolean {
  return (
    subscriptionNames(state, ANN).length === 0 &&
    subscriptionOf(state, ANN, 'in') === undefined &&
    subscriptionOf(state, ANN, 'too') === undefined &&
    ['subscriptions/by-name', 'subscriptions/by-agent'].every(
      (name) => [...state.map(stateKey(name)).entries()].length === 0,
    )
  );
}
