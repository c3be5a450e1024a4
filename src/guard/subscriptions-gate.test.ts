import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Log } from '../space/log.ts';
import type { Gate } from './gate.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import { createScheduler } from './scheduler.ts';
import type { Page } from './subscriptions.ts';
import { ANN, BOB, BOSS, EVE, HIDDEN, keysOf, LAB, LOGS, openTestGate, seen } from './test-space.ts';

const topics = ({ marks }: Page): unknown[] => marks.map((mark) => ('topic' in mark ? mark.topic : mark.kind));
const TOKEN = newPrincipalToken();

describe.each(LOGS)('subscriptions through the gate over %s', (_, make) => {
  let place: ReturnType<typeof make>;
  let log: Log;
  let gate: Gate;
  const open = async (): Promise<void> => {
    log = await place.open();
    ({ gate } = await openTestGate(log, { principalTokenSha256: tokenSha256(TOKEN) }));
  };
  beforeEach(async () => {
    place = make();
    await open();
  });
  afterEach(async () => {
    await gate.close();
    place.dispose();
  });

  it('begin with the call that makes them, also among calls made at the same moment (P49)', async () => {
    const [ann, bob] = [gate.session(ANN, 'e1'), gate.session(BOB, 'e1')];
    await Promise.all([
      bob.write(seen('before')),
      ann.subscribe('in', { scope: LAB }),
      bob.write(seen('after')),
      bob.write(seen('later')),
    ]);
    expect(topics(await ann.poll('in'))).toEqual(['after', 'later']);
  });

  it('go on after a restart where they were acknowledged, and are on record as events (P51, S10, S11)', async () => {
    const [ann, bob] = [gate.session(ANN, 'e1'), gate.session(BOB, 'e1')];
    await ann.subscribe('in', { scope: LAB });
    for (const topic of ['1', '2', '3', '4']) await bob.write(seen(topic));
    const { cursor = '' } = await ann.poll('in', { limit: 2 });
    expect(topics(await ann.poll('in', { limit: 1, ack: cursor }))).toEqual(['3']);
    expect(topics(await ann.poll('in'))).toEqual(['4']);
    await gate.close();
    await open();
    const again = gate.session(ANN, 'e2');
    expect(topics(await again.poll('in'))).toEqual(['3', '4']);
    await gate.session(BOB, 'e2').write(seen('5'));
    expect(topics(await again.poll('in'))).toEqual(['5']);
    expect(await keysOf(log, 'event')).toHaveLength(3);
  });

  it('end when they are given up, and when the session is revoked by the principal (P45, S6, S10)', async () => {
    const ann = gate.session(ANN, 'e1');
    await ann.subscribe('in', {});
    await ann.subscribe('too', {});
    expect((await ann.unsubscribe('in')).verdict).toBe('allow');
    expect((await ann.unsubscribe('in')).verdict).toBe('allow');
    await expect(ann.poll('in')).rejects.toThrow('there is no subscription "in"');
    const waiting = ann.wait(new AbortController().signal);
    await gate.principal(TOKEN).endSession(ANN, 'e1');
    expect(await waiting).toBe(false);
    await expect(gate.session(ANN, 'e2').poll('too')).rejects.toThrow('there is no subscription "too"');
  });

  it('show nobody what he may not see, and nobody else’s subscriptions (S4, S6)', async () => {
    const [bob, eve, boss] = [gate.session(BOB, 'e1'), gate.session(EVE, 'e1'), gate.session(BOSS, 'e1')];
    await bob.subscribe('in', {});
    await boss.subscribe('in', { scope: HIDDEN });
    await boss.write({ ...seen('secret'), scope: HIDDEN });
    await boss.write(seen('open'));
    expect(topics(await bob.poll('in'))).toEqual(['open']);
    expect(topics(await boss.poll('in'))).toEqual(['secret']);
    await expect(eve.poll('in')).rejects.toThrow('there is no subscription');
  });

  it('refuse a pattern that is none, with one decision record and nothing kept (S5, S15)', async () => {
    const ann = gate.session(ANN, 'e1');
    const input: unknown = { everything: true };
    const outcome = await ann.subscribe('in', input as object);
    expect(outcome).toMatchObject({ verdict: 'denied', denial: { code: 'malformed', field: 'everything' } });
    await expect(ann.poll('in')).rejects.toThrow('there is no subscription');
    expect(await keysOf(log, 'decision')).toEqual(['run-1/ann/e1/c1']);
  });

  it('wake a scheduled agent that answers what it hears (P50, P56)', async () => {
    const [ann, bob] = [gate.session(ANN, 'e1'), gate.session(BOB, 'e1')];
    await ann.subscribe('in', { topic: 'question', agent: BOB });
    const errors: unknown[] = [];
    const scheduler = createScheduler({ report: ({ error }) => errors.push(error) });
    scheduler.add({
      agent: ANN,
      news: (signal) => ann.wait(signal),
      step: async () => {
        const { marks } = await ann.poll('in');
        for (const { id } of marks) await ann.write(seen('answer', { to: id }));
      },
    });
    scheduler.start();
    await bob.subscribe('in', { topic: 'answer' });
    for (let i = 0; i < 5; i += 1) await bob.write(seen('question'));
    const heard: unknown[] = [];
    const { signal } = new AbortController();
    while (heard.length < 5 && (await bob.wait(signal))) heard.push(...topics(await bob.poll('in')));
    expect(heard).toEqual(Array.from({ length: 5 }, () => 'answer'));
    expect(await scheduler.stop()).toEqual([]);
    expect(errors).toEqual([]);
  });
});
