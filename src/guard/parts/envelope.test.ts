import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MarkKind } from '../../space/marks.ts';
import { MARK_KINDS } from '../../space/marks.ts';
import { defineScope } from '../../space/scope.ts';
import { agentName, scopeName } from '../../space/test-marks.ts';
import type { GuardEvent } from '../guard-event.ts';
import { ENVELOPE, envelope, type EnvelopeSettings } from '../policies/envelope.ts';
import { isConcentrated, rememberedTopics } from './concentration.ts';
import { envelopePart, envelopeStanding } from './envelope.ts';
import { ANN, BOB, type Call, callOf, DEEP, LAB, OFFICE, PartTest, refusedBy, SCOPES } from './test-parts.ts';

const W = ENVELOPE.windowMs;
const RESET: GuardEvent = { what: 'envelope-reset', agent: ANN };

class EnvelopeTest extends PartTest {
  constructor(settings: Partial<EnvelopeSettings> = {}) {
    const scopes = [...SCOPES, ...['s1', 's2', 's3'].map((name) => defineScope({ name: scopeName(name) }))];
    super(envelopePart, envelope, { settings: { envelope: { ...ENVELOPE, ...settings } }, scopes });
  }

  /** `n` calls in window `window`. */
  calls(window: number, n: number, rest: Partial<Call> = {}): this {
    for (let i = 0; i < n; i += 1) this.fold(callOf({ at: window * W + i, ...rest }));
    return this;
  }

  /** Ten windows with `n` observations each, from `first` on: the cold start, over with the next call. */
  cold(n = 4, first = 0): this {
    for (let window = first; window < first + 10; window += 1) this.calls(window, n);
    return this;
  }

  get standing(): ReturnType<typeof envelopeStanding> {
    return envelopeStanding(this.state, ANN);
  }
}

const test = (settings: Partial<EnvelopeSettings> = {}): EnvelopeTest => new EnvelopeTest(settings);
const restricted = (scope?: string): unknown => ({
  verdict: 'denied',
  denial: { code: 'restricted', check: 'envelope', ...(scope === undefined ? {} : { scope }) },
});

describe('the envelope', () => {
  // Ten windows of 4: mean 4, spread of a Poisson process 2, so that 11 are ordinary and 12 are not.
  it('judges nobody before ten active windows, and everybody after (P41)', () => {
    const given = test();
    for (let window = 0; window < 10; window += 1) given.calls(window * 7, window === 9 ? 1000 : 4);
    expect(given.ask()).toBeUndefined();
    expect(given.standing).toMatchObject({ ready: false, windows: 9, anomalies: 0, restricted: 'nowhere' });
    given.calls(100, 12);
    expect(given.standing).toMatchObject({ ready: true, windows: 10, anomalies: 1, means: { observation: 4 } });
    expect(given.ask()).toEqual(restricted(LAB));
  });

  it('restricts from mean + 3.5 x max(sigma, sqrt(mean)) on: the call that tips the scale is the last that passes', () => {
    const given = test().cold(4).calls(20, 11);
    expect(given.ask()).toBeUndefined();
    expect(given.calls(20, 1).ask()).toEqual(restricted(LAB));
  });

  it('leaves needs writable however restricted (S9)', () => {
    const given = test({ globalAfter: 1 }).cold().calls(20, 50);
    expect(MARK_KINDS.filter((kind) => given.ask({ kind }) === undefined)).toEqual(['need']);
  });

  it('stays restricted until the principal resets it, which is a cold start again (P40)', () => {
    const given = test().cold().calls(20, 12);
    for (let window = 21; window < 60; window += 1) given.calls(window, 4);
    expect(given.ask({ now: 60 * W })).toEqual(restricted(LAB));
    given.event({ what: 'envelope-reset', agent: BOB });
    expect(given.ask()).toEqual(restricted(LAB));
    expect(given.event(RESET).ask()).toBeUndefined();
    expect(given.standing).toMatchObject({ ready: false, windows: 0, anomalies: 0 });
    expect(given.calls(61, 500).ask()).toBeUndefined();
  });

  it('narrows one scope for one anomaly: where it was, all below, and nowhere else (P43)', () => {
    const given = test().cold().calls(20, 12);
    expect(given.ask({ scope: LAB })).toEqual(restricted(LAB));
    expect(given.ask({ scope: DEEP })).toEqual(restricted(LAB));
    expect(given.ask({ scope: OFFICE })).toBeUndefined();
    expect(given.ask({ agent: BOB })).toBeUndefined();
  });

  it('narrows what the definition covers: a flood over made-up children narrows their parent (S14)', () => {
    const given = test().cold();
    for (let i = 0; i < 12; i += 1) given.calls(20, 1, { scope: scopeName(`lab/x${i}`) });
    expect(given.ask({ scope: scopeName('lab/x99') })).toEqual(restricted(LAB));
  });

  it('narrows everything after three anomalies, not three attempts (P43)', () => {
    const given = test()
      .cold()
      .calls(20, 500, { scope: scopeName('s1') });
    expect(given.standing).toMatchObject({ anomalies: 1, restricted: 'scopes', scopes: ['s1'] });
    given.calls(22, 500, { scope: scopeName('s2') });
    expect(given.standing).toMatchObject({ anomalies: 2, scopes: ['s1', 's2'] });
    expect(given.ask({ scope: scopeName('s3') })).toBeUndefined();
    given.calls(24, 500, { scope: scopeName('s2') });
    expect(given.ask({ scope: scopeName('s3') })).toEqual(restricted());
    expect(given.standing.restricted).toBe('everywhere');
  });

  it('counts an anomaly once per kind and window, two kinds apart', () => {
    const given = test({ shareShift: 1 }).cold().calls(20, 100).calls(20, 100, { kind: 'warning' }).calls(20, 100);
    expect(given.standing.anomalies).toBe(2);
  });

  it('counts what other checks refused, and each of many equal refusals (P64)', () => {
    for (const check of ['rate', 'barrier', 'budget', 'content', 'conflict', 'syntax'] as const) {
      const given = test().cold();
      for (let i = 0; i < 12; i += 1) given.fold(refusedBy(check, { at: 20 * W }));
      expect(given.standing.anomalies).toBe(1);
    }
    expect(
      test()
        .cold()
        .fold(refusedBy('rate', { at: 20 * W, count: 12 })).standing.anomalies,
    ).toBe(1);
    expect(
      test()
        .cold()
        .fold(callOf({ at: 20 * W, verdict: 'conflict', mark: undefined, count: 12 })).standing.anomalies,
    ).toBe(1);
  });

  it('does not count what was refused before it mattered, its own refusals, needs, or the principal (S7)', () => {
    const given = test().cold();
    for (const check of ['shape', 'identity', 'authorization', 'edit-scope', 'size', 'envelope'] as const)
      given.fold(refusedBy(check, { at: 20 * W, count: 100 }));
    given.calls(20, 100, { kind: 'need' }).calls(20, 100, { call: 'principal' }).calls(20, 100, { kind: undefined });
    expect(given.standing).toMatchObject({ anomalies: 0, counts: { observation: 4 } });
  });

  it('learns nothing from an anomalous window', () => {
    const given = test({ globalAfter: 99 }).cold().calls(20, 100).calls(22, 4).calls(24, 4);
    expect(given.standing).toMatchObject({ windows: 11, means: { observation: 4 } });
  });

  it('learns from active windows alone: who pauses is not strange when it comes back', () => {
    const given = test().cold().calls(1000, 4).calls(5000, 4).calls(5001, 1);
    expect(given.standing).toMatchObject({ windows: 12, means: { observation: 4 }, anomalies: 0 });
  });

  it('adds up two windows in a row: a burst that the cold start let pass is seen as it goes on', () => {
    const burst = test().cold(4, 0);
    burst.calls(9, 20);
    // 24 in the tenth cold window, unjudged; 22 is twice what is ordinary.
    expect(burst.calls(10, 1).standing.anomalies).toBe(1);
    const apart = test().cold(4, 0);
    apart.calls(9, 20);
    expect(apart.calls(11, 1).standing.anomalies).toBe(0);
  });

  it('does not flag again in the next window what was flagged in the last', () => {
    const given = test().cold().calls(20, 100).calls(21, 4);
    expect(given.standing.anomalies).toBe(1);
  });

  it('flags a change of habits once a window holds enough marks to tell', () => {
    const given = test({ minVolume: 6 }).cold(10).calls(20, 3, { kind: 'warning' });
    expect(given.standing.anomalies).toBe(0);
    // Three of a kind never written before are within one mark's spread; six of six are a shift of 1.
    const more = test({ minVolume: 3 }).cold(10).calls(20, 3, { kind: 'warning' });
    expect(more.standing).toMatchObject({ anomalies: 1, scopes: [LAB] });
    expect(test({ minVolume: 3 }).cold(10).calls(20, 5).calls(20, 3, { kind: 'warning' }).standing.anomalies).toBe(0);
  });

  it('takes refusals that are told late for the window they were in, or for nothing', () => {
    const given = test().cold().calls(20, 4).calls(21, 4);
    given.fold(refusedBy('rate', { at: 20 * W, count: 10 }));
    expect(given.standing).toMatchObject({ anomalies: 0, counts: { observation: 4 } });
    given.fold(refusedBy('rate', { at: 20 * W, count: 10 }));
    expect(given.standing.anomalies).toBe(1);
    const old = test()
      .cold()
      .calls(20, 4)
      .calls(21, 4)
      .fold(refusedBy('rate', { at: 19 * W, count: 1000 }));
    expect(old.standing.anomalies).toBe(0);
  });

  it('is off where it is not set: nothing is remembered, nobody restricted', () => {
    const given = new PartTest(envelopePart, envelope);
    for (let i = 0; i < 5000; i += 1) given.fold(callOf({ at: i * W * (i < 20 ? 1 : 0) }));
    expect(given.ask()).toBeUndefined();
    expect(envelopeStanding(given.state, ANN)).toMatchObject({ windows: 0 });
  });

  it('forgets what a batch staged that came to nothing', () => {
    const given = test().cold().calls(20, 11);
    given.stage(callOf({ at: 20 * W }));
    expect(given.ask()).toEqual(restricted(LAB));
    given.state.drop();
    expect(given.ask()).toBeUndefined();
  });

  it('never un-restricts by anything but a reset, and never restricts more than one scope per anomaly (P40, P43)', () => {
    const kinds: readonly MarkKind[] = ['intent', 'action', 'observation', 'warning', 'need'];
    const step = record({
      skip: integer({ min: 0, max: 2 }),
      n: integer({ min: 1, max: 40 }),
      kind: constantFrom(...kinds),
      scope: constantFrom(LAB, OFFICE, DEEP, scopeName('s1'), scopeName('s2')),
    });
    assert(
      property(array(step, { maxLength: 40 }), (steps) => {
        const given = test({ coldWindows: 2 });
        let window = 0;
        let before = given.standing;
        for (const { skip, n, kind, scope } of steps) {
          window += skip;
          given.fold(callOf({ at: window * W, kind, scope, count: n }));
          const { standing } = given;
          expect(standing.anomalies - before.anomalies).toBeLessThanOrEqual(1);
          expect(standing.anomalies).toBeGreaterThanOrEqual(before.anomalies);
          expect(standing.scopes.slice(0, before.scopes.length)).toEqual(before.scopes);
          expect(standing.scopes.length).toBeLessThanOrEqual(standing.anomalies);

          expect(standing.restricted === 'everywhere').toBe(standing.anomalies >= ENVELOPE.globalAfter);
          expect(given.ask({ kind: 'need', scope })).toBeUndefined();
          before = standing;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a concentration', () => {
  const settings = ENVELOPE;
  const written = (given: EnvelopeTest, agent: string, topic: string, window = 0): void => {
    given.fold(callOf({ at: window * W, agent: agentName(agent), topic }));
  };

  it('is three agents on one topic in one window, and restricts none of them', () => {
    const given = test();
    for (const agent of ['a', 'b', 'a', 'b']) written(given, agent, 'hot');
    expect(isConcentrated(given.state, settings, LAB, 'hot', 0)).toBe(false);
    written(given, 'c', 'hot');
    expect(isConcentrated(given.state, settings, LAB, 'hot', W - 1)).toBe(true);
    expect(isConcentrated(given.state, settings, LAB, 'hot', W)).toBe(false);
    expect(isConcentrated(given.state, settings, OFFICE, 'hot', 0)).toBe(false);
    expect(given.ask({ agent: agentName('c') })).toBeUndefined();
  });

  it('is not made of agents of different windows, or of what was refused', () => {
    const given = test();
    for (const [window, agent] of ['a', 'b', 'c'].entries()) written(given, agent, 'hot', window);
    given.fold(refusedBy('content', { at: 2 * W, agent: agentName('d'), topic: 'hot' }));
    given.fold(refusedBy('content', { at: 2 * W, agent: agentName('e'), topic: 'hot' }));
    expect(isConcentrated(given.state, settings, LAB, 'hot', 2 * W)).toBe(false);
  });

  it('is forgotten with its window: topics that agents make up take no memory for ever', () => {
    const given = test();
    for (let i = 0; i < 3000; i += 1) written(given, 'a', `topic ${i}`, Math.floor(i / 100));
    expect(rememberedTopics(given.state)).toBeLessThanOrEqual(200);
    written(given, 'a', 'topic 2999', 40);
    for (let i = 0; i < 200; i += 1) written(given, 'a', `later ${i}`, 40);
    expect(rememberedTopics(given.state)).toBe(201);
    // A busy window leaves nothing behind, however quiet those after it are.
    for (let window = 41; window < 80; window += 1)
      for (let i = 0; i < 10; i += 1) written(given, 'a', `quiet ${i}`, window);
    expect(rememberedTopics(given.state)).toBeLessThanOrEqual(20);
  });
});
