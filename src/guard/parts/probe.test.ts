import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentName, MARK_KINDS, type Observation } from '../../space/marks.ts';
import { agentName, markId, observationOf, scopeName } from '../../space/test-marks.ts';
import { probe } from '../policies/probe.ts';
import { ackDraft, probeScope } from '../probe.ts';
import { probePart, probeStanding } from './probe.ts';
import { ANN, BOB, callOf, LAB, PartTest, refusedBy, SCOPES } from './test-parts.ts';

const PROBE = scopeName('probe');
const WATCHER = agentName('watcher');
const C1 = markId('canary-1');

class ProbeTest extends PartTest {
  constructor() {
    super(probePart, probe, { scopes: [...SCOPES, probeScope(PROBE)] });
  }

  /** A canary, put out at `at` and to be answered by `deadline`. */
  canary(id = C1, at = 100, deadline = 200): this {
    this.mark(observationOf(id, { agent: WATCHER, scope: PROBE, topic: 'canary', createdAt: at }));
    return this.event({ what: 'probed', scope: PROBE, canary: id, deadline }, at);
  }

  ack(at: number, agent: AgentName = ANN, id = C1, rest = {}): this {
    const { topic, content } = ackDraft(PROBE, id) as Observation;
    const mark = observationOf(`ack-${agent}-${at}-${id}`, {
      agent,
      scope: PROBE,
      topic,
      content,
      createdAt: at,
      ...rest,
    });
    return this.fold(callOf({ at, agent, scope: PROBE, topic, mark: mark.id })).mark(mark);
  }

  standing(now: number, agent: AgentName = ANN): ReturnType<typeof probeStanding> {
    return probeStanding(this.state, agent, now);
  }
}

const locked = { verdict: 'denied', denial: { code: 'revoked', check: 'barrier', kind: 'observation', scope: PROBE } };

describe('the probe', () => {
  it('locks who was active and did not answer down to needs, everywhere, after the deadline and not before', () => {
    const given = new ProbeTest().canary().fold(callOf({ at: 150 }));
    expect(given.ask({ now: 200 })).toBeUndefined();
    expect(given.standing(200)).toEqual({ verdict: 'waiting' });
    expect(given.ask({ now: 201 })).toEqual(locked);
    expect(given.standing(201)).toEqual({ verdict: 'locked', canary: C1, scope: PROBE });
    expect(MARK_KINDS.filter((kind) => given.ask({ kind, scope: LAB, now: 201 }) === undefined)).toEqual(['need']);
    expect(given.ask({ now: 201, agent: BOB })).toBeUndefined();
  });

  it.each([
    ['answered in time, before or after acting', (given: ProbeTest) => given.ack(120).fold(callOf({ at: 150 }))],
    ['answered in the last moment', (given: ProbeTest) => given.fold(callOf({ at: 150 })).ack(200)],
    ['did nothing', (given: ProbeTest) => given],
    ['acted before or after alone', (given: ProbeTest) => given.fold(callOf({ at: 201 }))],
    ['was refused before it mattered', (given: ProbeTest) => given.fold(refusedBy('authorization', { at: 150 }))],
    ['wrote in the scope of the probe alone', (given: ProbeTest) => given.fold(callOf({ at: 150, scope: PROBE }))],
  ])('leaves alone who %s', (_, act) => {
    const given = act(new ProbeTest().fold(callOf({ at: 50 })).canary());
    expect(given.ask({ now: 1000 })).toBeUndefined();
    expect(given.standing(1000).verdict).toBe('healthy');
  });

  it.each([
    ['of another canary', {}, markId('canary-0')],
    ['in another scope', { scope: LAB }, C1],
    ['on another topic', { topic: 'canary' }, C1],
    ['that names no canary', { content: { canary: null } }, C1],
  ])('takes no answer %s', (_, rest, id) => {
    const given = new ProbeTest()
      .canary()
      .fold(callOf({ at: 150 }))
      .ack(160, ANN, id, rest);
    expect(given.ask({ now: 201 })).toEqual(locked);
  });

  it('takes no answer of somebody else, none too late, and none of whoever put the canary out', () => {
    const given = new ProbeTest().canary().fold(callOf({ at: 150 }), callOf({ at: 150, agent: WATCHER }));
    given.ack(160, BOB).ack(160, WATCHER).ack(201);
    expect(given.ask({ now: 300 })).toEqual(locked);
    expect(given.ask({ now: 300, agent: WATCHER })).toMatchObject({ verdict: 'denied' });
    expect(given.ask({ now: 300, agent: BOB })).toBeUndefined();
  });

  it('counts attempts that later checks refused as activity', () => {
    expect(
      new ProbeTest()
        .canary()
        .fold(refusedBy('rate', { at: 150 }))
        .ask({ now: 201 }),
    ).toEqual(locked);
  });

  it("stays locked through answered canaries until the principal restores the agent in the probe's scope", () => {
    const given = new ProbeTest()
      .canary()
      .fold(callOf({ at: 150 }))
      .canary(markId('c2'), 300, 400)
      .ack(350, ANN, markId('c2'));
    const restore = (restriction: object): ProbeTest =>
      given.event({ what: 'restored', restriction: restriction as never }, 500);
    for (const one of [
      { agent: BOB, scope: PROBE },
      { agent: ANN, scope: LAB },
      { agent: ANN, scope: PROBE, kind: 'observation' },
    ]) {
      restore(one);
      expect(given.ask({ now: 500 })).toEqual(locked);
    }
    expect(restore({ agent: ANN, scope: PROBE }).ask({ now: 500 })).toBeUndefined();
    expect(given.fold(callOf({ at: 600 })).ask({ now: 700 })).toBeUndefined();
  });

  it('is restored with everybody too, and asks again with the next canary', () => {
    const given = new ProbeTest().canary().fold(callOf({ at: 150 }));
    given.event({ what: 'restored', restriction: { scope: PROBE } }, 250);
    expect(given.ask({ now: 250 })).toBeUndefined();
    given.canary(markId('c2'), 300, 400).fold(callOf({ at: 350 }));
    expect(given.ask({ now: 401 })).toEqual(locked);
  });

  it('keeps several canaries apart that are out at a time', () => {
    const given = new ProbeTest()
      .canary(C1, 100, 200)
      .canary(markId('c2'), 110, 300)
      .fold(callOf({ at: 150 }))
      .ack(160);
    expect(given.ask({ now: 250 })).toBeUndefined();
    expect(given.ask({ now: 301 })).toEqual(locked);
    expect(given.standing(301)).toMatchObject({ canary: 'c2' });
  });

  it('locks exactly those who acted while a canary was out that they did not answer', () => {
    const step = record({ wait: integer({ min: 0, max: 60 }), does: constantFrom('act', 'ack', 'probe', 'restore') });
    assert(
      property(array(step, { maxLength: 25 }), (steps) => {
        const given = new ProbeTest();
        // The obvious model: every canary with what ann did while it was out; `forgiven` up to a time.
        const canaries: {
          id: string;
          from: number;
          deadline: number;
          active: boolean;
          acked: boolean;
          forgiven: boolean;
        }[] = [];
        let now = 0;
        for (const { wait, does } of steps) {
          now += wait;
          const out = canaries.filter((one) => now <= one.deadline);
          const newest = canaries.at(-1);
          if (does === 'act') {
            given.fold(callOf({ at: now }));
            for (const one of out) one.active = true;
          } else if (does === 'ack' && newest !== undefined) {
            given.ack(now, ANN, markId(newest.id), { id: markId(`ack-${now}-${given.view.size}`) });
            if (now <= newest.deadline) newest.acked = true;
          } else if (does === 'probe') {
            const id = `c${canaries.length}`;
            given.canary(markId(id), now, now + 100);
            canaries.push({ id, from: now, deadline: now + 100, active: false, acked: false, forgiven: false });
          } else if (does === 'restore') {
            given.event({ what: 'restored', restriction: { agent: ANN, scope: PROBE } }, now);
            for (const one of canaries) if (one.deadline < now) one.forgiven = true;
          }
          const missed = canaries.some((one) => one.active && !one.acked && !one.forgiven && now > one.deadline);
          expect(given.ask({ now }) !== undefined).toBe(missed);
        }
      }),
      { numRuns: 300 },
    );
  });
});
