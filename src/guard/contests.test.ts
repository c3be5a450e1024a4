import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../space/log.ts';
import type { MarkId } from '../space/marks.ts';
import { defineScope, type ScopeDefinition } from '../space/scope.ts';
import { agentName, scopeName } from '../space/test-marks.ts';
import { type Gate, NotPrincipalError, type Principal, type Session } from './gate.ts';
import type { Grant } from './grants.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import { decisionsOf, LOGS, openTestGate } from './test-space.ts';

const OPEN = scopeName('open');
const POOL = scopeName('pool');
const WAIT = scopeName('wait');
const YIELD = scopeName('yield');
const WAIT_ALL = scopeName('wait-all');
const WAIT_YIELD = scopeName('wait-yield');
const NAMES = ['ann', 'bob', 'cat', 'dan'].map(agentName);
const TTL = 1_000_000;
const TOKEN = newPrincipalToken();

const define = (name: ScopeDefinition['name'], rest: Partial<ScopeDefinition>): ScopeDefinition =>
  defineScope({ name, intentTtlMs: TTL, observationTopics: ['*'], ...rest });
const SCOPES = [
  define(OPEN, {}),
  define(POOL, { units: { seats: 2 } }),
  define(WAIT, {
    deferred: true,
    conflictPolicy: 'highest-confidence',
    units: { seats: 2 },
    boundary: { everyMs: 500 },
  }),
  define(WAIT_ALL, { deferred: true, boundary: { expected: 3 } }),
  define(YIELD, { conflictPolicy: 'yield-all' }),
  define(WAIT_YIELD, { deferred: true, conflictPolicy: 'yield-all' }),
];
const GRANTS: readonly Grant[] = NAMES.map((agent) => ({
  agent,
  read: [],
  write: SCOPES.flatMap(({ name }) =>
    (['intent', 'action', 'observation', 'need'] as const).map((kind) => ({ kind, scope: name })),
  ),
}));

describe.each(LOGS)('claims over %s', (_, make) => {
  let place: ReturnType<typeof make>;
  let log: Log;
  let gate: Gate;
  let clock: { now: number };
  let agents: Session[];
  let principal: Principal;

  async function open(epoch = 'e'): Promise<void> {
    log = await place.open();
    ({ gate, clock } = await openTestGate(log, {
      scopes: SCOPES,
      grants: GRANTS,
      principalTokenSha256: tokenSha256(TOKEN),
    }));
    principal = gate.principal(TOKEN);
    agents = NAMES.map((agent) => gate.session(agent, epoch));
  }
  /** As after a crash: other sessions, the same log. */
  async function reopen(epoch = 'e2'): Promise<void> {
    const { now } = clock;
    await gate.close();
    await open(epoch);
    clock.now = now;
  }
  beforeEach(async () => {
    place = make();
    await open();
  });
  afterEach(async () => {
    await gate.close();
    place.dispose();
  });

  const at = (i: number): Session => {
    const session = agents[i];
    if (session === undefined) throw new Error(`there is no agent ${i}`);
    return session;
  };
  const book = (i: number, scope: typeof OPEN, resource: string, confidence = 0.5) =>
    at(i).execute({ scope, resource, action: 'sit', confidence }, () => `${i}`);
  const intend = async (i: number, scope: typeof OPEN, resource: string, confidence = 0.5) => {
    const outcome = await at(i).write({ scope, resource, action: 'sit', confidence });
    const id = at(i)
      .read({ scope, resource, kind: 'intent', live: true })
      .findLast(({ agent }) => agent === at(i).agent)?.id;
    return { outcome, id };
  };
  const idOf = (id: MarkId | undefined): MarkId => {
    if (id === undefined) throw new Error('nothing was stored');
    return id;
  };
  const needs = () => [...gate.view.openNeeds()];

  it('a pool of equal units takes as many agents as it has units, each once, concurrently too (S1)', async () => {
    const verdicts = (await Promise.all([0, 1, 2, 3, 0].map((i) => book(i, POOL, 'seats')))).map(
      ({ verdict }) => verdict,
    );
    expect(verdicts).toEqual(['allow', 'allow', 'conflict', 'conflict', 'conflict']);
    expect([...gate.view.claims(POOL, 'seats')].map(({ agent }) => agent)).toEqual(['ann', 'bob']);
    // A unit that is given back is free for the next, not for who still has one.
    const [first] = gate.view.claims(POOL, 'seats');
    await at(0).write({ scope: POOL, action: 'leave', result: null, supersedes: first?.id });
    expect((await book(1, POOL, 'seats')).verdict).toBe('conflict');
    expect((await book(2, POOL, 'seats')).verdict).toBe('allow');
    expect((await book(0, POOL, 'seats')).verdict).toBe('conflict');
  });

  it('a lease lasts as long as its tool, whatever the TTL, and its late holder is fenced off once it ended (S1)', async () => {
    let finish: (value: string) => void = () => undefined;
    const fences: number[] = [];
    const slow = at(0).execute({ scope: OPEN, resource: 'r', action: 'sit', confidence: 0 }, ({ fence }) => {
      fences.push(fence);
      return new Promise<string>((resolve) => {
        finish = resolve;
      });
    });
    await gate.tick();
    clock.now += TTL * 50;
    expect(await book(1, OPEN, 'r', 1)).toMatchObject({ verdict: 'conflict', holderAgent: 'ann' });
    expect(await book(0, OPEN, 'r', 1)).toMatchObject({ verdict: 'conflict', holderAgent: 'ann' });
    expect(await intend(1, OPEN, 'r', 1)).toMatchObject({ outcome: { verdict: 'conflict' } });
    gate.revoke(at(0));
    const next = await at(1).execute({ scope: OPEN, resource: 'r', action: 'sit', confidence: 0 }, ({ fence }) => {
      fences.push(fence);
      return 'mine';
    });
    expect(next.verdict).toBe('allow');
    finish('too late');
    expect(await slow).toMatchObject({ verdict: 'denied' });
    expect(fences[1]).toBeGreaterThan(fences[0] ?? Infinity);
    expect([...gate.view.claims(OPEN, 'r')].map(({ agent }) => agent)).toEqual(['bob']);
  });

  it('a lease survives a restart and keeps others out; its own session goes on where it was cut off (S1, S11)', async () => {
    void at(0)
      .execute({ scope: OPEN, resource: 'r', action: 'sit', confidence: 0.5 }, () => new Promise(() => undefined))
      .catch(() => undefined);
    await gate.tick();
    await reopen('e');
    clock.now += TTL * 2;
    expect(await book(1, OPEN, 'r')).toMatchObject({ verdict: 'conflict', holderAgent: 'ann' });
    expect(await book(0, OPEN, 'r')).toMatchObject({ verdict: 'allow', value: '0' });
    expect(gate.view.byResource(OPEN, 'r').filter(({ mark }) => mark.kind === 'action')).toHaveLength(1);
  });

  it('the principal ends a session for good: its leases are free, in every process, after a restart too (S6, S11)', async () => {
    void at(0).execute(
      { scope: OPEN, resource: 'r', action: 'sit', confidence: 0.5 },
      () => new Promise(() => undefined),
    );
    await gate.tick();
    await principal.endSession(at(0).agent, 'e');
    expect(at(0).revoked).toBe(true);
    expect(await book(1, OPEN, 'r')).toMatchObject({ verdict: 'allow' });
    await reopen('e');
    expect(await book(0, OPEN, 'q')).toMatchObject({ denial: { code: 'session-revoked' } });
    expect(
      await gate.session(at(0).agent, 'e3').write({ scope: OPEN, resource: 'z', action: 'sit', confidence: 1 }),
    ).toMatchObject({
      verdict: 'allow',
    });
  });

  describe('deferred', () => {
    it('settles all live intents at the timer: the most confident, one unit each; the rest come to nothing (P14-P18, S2)', async () => {
      const intents = await Promise.all(
        [0.1, 0.9, 0.5, 0.8].map((confidence, i) => intend(i, WAIT, 'seats', confidence)),
      );
      expect(intents.map(({ outcome }) => outcome)).toEqual(
        intents.map(({ id }) => ({ verdict: 'blocked', reason: 'pending-boundary', intent: id })),
      );
      expect(intents.map(({ id }, i) => at(i).standing(idOf(id)))).toEqual([
        'pending',
        'pending',
        'pending',
        'pending',
      ]);
      clock.now += 499;
      await gate.tick();
      expect(at(1).standing(idOf(intents[1]?.id))).toBe('pending');
      clock.now += 1;
      await gate.tick();
      expect(intents.map(({ id }, i) => at(i).standing(idOf(id)))).toEqual(['lost', 'awarded', 'lost', 'awarded']);
      expect(
        (await Promise.all([0, 1, 2, 3].map((i) => book(i, WAIT, 'seats')))).map(({ verdict }) => verdict),
      ).toEqual(['conflict', 'allow', 'conflict', 'allow']);
      expect([...gate.view.openIntents(WAIT)]).toEqual([]);
    });

    it('runs a boundary once per set of intents, and a retry before it keeps its place (S2)', async () => {
      const first = await book(0, WAIT, 'r', 0.5);
      expect(first).toEqual({ verdict: 'blocked', reason: 'pending-boundary', intent: 'run-1/ann/e/m1' });
      expect(await book(0, WAIT, 'r', 0.5)).toEqual(first);
      expect([...gate.view.openIntents(WAIT)]).toHaveLength(1);
      expect(await book(0, WAIT, 'r', 0.7)).toMatchObject({ reason: 'pending-boundary' });
      expect([...gate.view.openIntents(WAIT)]).toMatchObject([{ confidence: 0.7 }]);
      await principal.boundary(WAIT);
      const events = await eventsOf(log);
      clock.now += 10_000;
      await gate.tick();
      expect(await eventsOf(log)).toEqual(events);
      expect((await book(0, WAIT, 'r', 0.5)).verdict).toBe('allow');
    });

    it('happens as soon as all expected claims are in (P16)', async () => {
      const intents = [await intend(0, WAIT_ALL, 'r'), await intend(1, WAIT_ALL, 'r'), await intend(1, WAIT_ALL, 's')];
      expect(at(0).standing(idOf(intents[0]?.id))).toBe('pending');
      await intend(2, WAIT_ALL, 'r');
      expect(at(0).standing(idOf(intents[0]?.id))).toBe('awarded');
      expect(at(1).standing(idOf(intents[2]?.id))).toBe('awarded');
      expect((await book(1, WAIT_ALL, 'r')).verdict).toBe('conflict');
    });

    it('an action beats any intent; an award that nobody comes for lapses and locks nobody out (P13, P39)', async () => {
      await intend(0, WAIT, 'r');
      await principal.boundary(WAIT);
      expect(await book(1, WAIT, 'r')).toMatchObject({ verdict: 'conflict', holderAgent: 'ann' });
      clock.now += TTL + 1;
      expect(await book(1, WAIT, 'r')).toMatchObject({ reason: 'pending-boundary' });
      await principal.boundary(WAIT);
      expect((await book(1, WAIT, 'r')).verdict).toBe('allow');
      expect(await intend(2, WAIT, 'r', 1)).toMatchObject({ outcome: { verdict: 'conflict', holderAgent: 'bob' } });
      await principal.boundary(WAIT);
      expect((await book(2, WAIT, 'r', 1)).verdict).toBe('conflict');
    });

    it('waits, awards and withdrawn intents survive a restart (S11)', async () => {
      await intend(0, WAIT, 'r', 0.9);
      const lost = await intend(1, WAIT, 'r', 0.1);
      await reopen();
      clock.now += 500;
      await gate.tick();
      await reopen('e3');
      expect(await book(1, WAIT, 'r')).toMatchObject({ verdict: 'conflict', holderAgent: 'ann' });
      expect(at(1).standing(idOf(lost.id))).toBe('lost');
      expect((await book(0, WAIT, 'r')).verdict).toBe('allow');
    });

    it('nobody acts without having won, by writing the action straight away either', async () => {
      const act = { scope: WAIT, resource: 'r', action: 'sit', result: null };
      expect(await at(0).write(act)).toEqual({ verdict: 'blocked', reason: 'pending-boundary' });
      expect(gate.view.byResource(WAIT, 'r')).toEqual([]);
      await intend(0, WAIT, 'r');
      await principal.boundary(WAIT);
      expect(await at(0).write(act)).toMatchObject({ verdict: 'allow' });
      expect((await book(0, WAIT, 'r')).verdict).toBe('conflict');
    });
  });

  describe('yield-all', () => {
    it('nobody proceeds; one blocking Need asks the principal, whose pick may act (S2)', async () => {
      const first = await intend(0, YIELD, 'board');
      expect(first.outcome.verdict).toBe('allow');
      const second = await book(1, YIELD, 'board');
      const third = await intend(2, YIELD, 'board');
      expect([second, third.outcome]).toMatchObject([
        { verdict: 'blocked', reason: 'awaiting-principal' },
        { verdict: 'blocked', reason: 'awaiting-principal' },
      ]);
      expect(await book(0, YIELD, 'board')).toEqual({ ...second, intent: first.id });
      expect(needs()).toMatchObject([{ agent: 'guard', blocking: true, context: { resource: 'board' } }]);
      expect(at(0).standing(idOf(first.id))).toBe('awaiting-principal');
      await reopen();
      const [need] = needs();
      const answer = await principal.resolve(idOf(need?.id), 'cat', { winner: idOf(third.id) });
      expect(answer).toMatchObject({
        verdict: 'allow',
        mark: { kind: 'action', agent: 'principal', supersedes: need?.id },
      });
      expect(needs()).toEqual([]);
      expect((await book(0, YIELD, 'board')).verdict).toBe('conflict');
      expect((await book(2, YIELD, 'board')).verdict).toBe('allow');
    });

    it('a winner must be one of the contenders, a need must be open; without a winner nobody gets it', async () => {
      const first = await intend(0, YIELD, 'board');
      await intend(1, YIELD, 'board');
      const elsewhere = await intend(2, YIELD, 'other');
      const [need] = needs();
      expect(await principal.resolve(idOf(need?.id), 'x', { winner: idOf(elsewhere.id) })).toMatchObject({
        denial: { code: 'malformed', field: 'winner' },
      });
      expect((await principal.resolve(idOf(need?.id), 'nobody')).verdict).toBe('allow');
      expect(await principal.resolve(idOf(need?.id), 'again')).toMatchObject({ denial: { code: 'no-such-need' } });
      expect(at(0).standing(idOf(first.id))).toBe('lost');
      expect((await book(1, YIELD, 'board')).verdict).toBe('allow');
    });

    it('a later contest on the same resource asks again', async () => {
      for (const round of [0, 1]) {
        const one = await intend(0, YIELD, `board`);
        await intend(1, YIELD, `board`);
        expect(needs(), `round ${round}`).toHaveLength(1);
        await principal.resolve(idOf(needs()[0]?.id), 'ann', { winner: idOf(one.id) });
        const done = await book(0, YIELD, 'board');
        if (done.verdict !== 'allow') throw new Error('not allowed');
        await at(0).write({ scope: YIELD, action: 'leave', result: null, supersedes: done.mark.id });
      }
    });

    it('at a boundary asks too, once, and settles what is not contested', async () => {
      const alone = await intend(0, WAIT_YIELD, 'a');
      const [x] = [await intend(0, WAIT_YIELD, 'b'), await intend(1, WAIT_YIELD, 'b')];
      await principal.boundary(WAIT_YIELD);
      await principal.boundary(WAIT_YIELD);
      expect(needs()).toHaveLength(1);
      expect([at(0).standing(idOf(alone.id)), at(0).standing(idOf(x.id))]).toEqual(['awarded', 'pending']);
      await principal.resolve(idOf(needs()[0]?.id), 'ann', { winner: idOf(x.id) });
      expect((await book(0, WAIT_YIELD, 'b')).verdict).toBe('allow');
      expect((await book(1, WAIT_YIELD, 'b')).verdict).toBe('conflict');
    });
  });

  it('release gives up an own intent or award, nobody else’s, and not what a tool runs for', async () => {
    const held = await intend(0, OPEN, 'r');
    expect(await at(1).release(idOf(held.id))).toMatchObject({ denial: { code: 'target-not-yours' } });
    expect(await at(0).release(idOf(held.id))).toMatchObject({ verdict: 'allow' });
    expect(at(0).standing(idOf(held.id))).toBe('lost');
    expect((await book(1, OPEN, 'r')).verdict).toBe('allow');
    const won = await intend(0, WAIT, 'r');
    await principal.boundary(WAIT);
    expect(at(0).standing(idOf(won.id))).toBe('awarded');
    expect((await at(0).release(idOf(won.id))).verdict).toBe('allow');
    expect(await book(1, WAIT, 'r')).toMatchObject({ reason: 'pending-boundary' });
    let id: MarkId | undefined;
    await at(2).execute({ scope: OPEN, resource: 's', action: 'sit', confidence: 1 }, async () => {
      id = [...gate.view.claims(OPEN, 's')][0]?.id;
      expect(at(2).standing(idOf(id))).toBe('running');
      expect(await at(2).release(idOf(id))).toMatchObject({ verdict: 'denied' });
    });
    expect(at(2).standing(idOf(id))).toBe('done');
  });

  it("only the principal's token makes the principal, after a restart too (P45, S9)", async () => {
    for (const token of ['', `${TOKEN}x`, TOKEN.slice(1), newPrincipalToken()])
      expect(() => gate.principal(token)).toThrow(NotPrincipalError);
    await gate.close();
    log = await place.open();
    ({ gate } = await openTestGate(log, { scopes: SCOPES, grants: GRANTS }));
    expect(() => gate.principal(newPrincipalToken())).toThrow(NotPrincipalError);
    expect(await gate.principal(TOKEN).boundary(WAIT)).toMatchObject({ verdict: 'allow' });
    expect(await gate.principal(TOKEN).boundary(OPEN)).toMatchObject({ verdict: 'denied' });
    const calls = (await decisionsOf(log)).filter(({ call }) => call === 'principal');
    expect(calls.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual([
      'run-1/principal/p/c1 allow',
      'run-1/principal/p/c2 denied',
    ]);
  });
});

async function eventsOf(log: Log): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key, body } of log.read()) if (body.type === 'event') keys.push(key);
  return keys;
}
