import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryLog } from '../space/memory-log.ts';
import { defineScope } from '../space/scope.ts';
import { markId, scopeName } from '../space/test-marks.ts';
import type { DecisionRecord, Outcome } from './decision.ts';
import { denialText } from './denial-text.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import type { ContentPolicy } from './policies/content.ts';
import type { GuardSettings } from './settings.ts';
import {
  ANN,
  BOB,
  BOSS,
  decisionsOf,
  EVE,
  file,
  GRANTS,
  HIDDEN,
  keysOf,
  LAB,
  openTestGate,
  OWN,
  plan,
  SCOPES,
  seen,
} from './test-space.ts';

const TOKEN = newPrincipalToken();
const principalTokenSha256 = tokenSha256(TOKEN);
const booking = (resource: string): { scope: typeof LAB; resource: string; action: string; confidence: number } => ({
  scope: LAB,
  resource,
  action: 'do',
  confidence: 0.5,
});

describe('ids', () => {
  it('are each given to one mark, whoever writes in however many sessions, retries included (P31)', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    const sessions = [ANN, BOB, ANN, BOSS].map((agent, i) => gate.session(agent, `e${i}`));
    const calls = sessions.flatMap((session, i) =>
      Array.from({ length: 25 }, (_, n) => [
        session.write(seen(`t${n}`)),
        session.write(seen(`t${n}`), { retryOf: markId(`run-1/${session.agent}/e${i}/m1`) }),
        session.execute(booking(`${i} ${n}`), () => n),
      ]).flat(),
    );
    await Promise.all(calls);
    const ids = await keysOf(log, 'mark');
    expect(ids.length).toBe(4 * 25 * 3);
    expect(new Set(ids).size).toBe(ids.length);
    expect(gate.view.size).toBe(ids.length);
  });
});

describe('hooks', () => {
  it('that throw hurt no write: whoever is told of decisions, and whoever is told of commits (P33, P57)', async () => {
    const log = createMemoryLog();
    let told = 0;
    const { gate } = await openTestGate(log, {
      observe: () => {
        told += 1;
        throw new Error('a sink that breaks');
      },
    });
    gate.onCommit(() => {
      told += 1;
      throw new Error('a listener that breaks');
    });
    const ann = gate.session(ANN, 'e');
    expect(await ann.write(seen('a'))).toMatchObject({ verdict: 'allow' });
    expect(await ann.write(seen('b'))).toMatchObject({ verdict: 'allow' });
    expect(told).toBe(4);
    expect(ann.read().length).toBe(2);
  });

  it('are told of every call once, reads apart, with what is on record (P58, S15)', async () => {
    const log = createMemoryLog();
    const told: DecisionRecord[] = [];
    const { gate } = await openTestGate(log, { observe: (record) => told.push(record), principalTokenSha256 });
    const [ann, eve] = [gate.session(ANN, 'e'), gate.session(EVE, 'e')];
    const principal = gate.principal(TOKEN);
    await ann.write(seen('a'));
    await eve.write(seen('a'));
    await ann.write({});
    await ann.execute(booking('r'), () => 1);
    await ann.execute(booking('s'), () => Promise.reject(new Error('broken'))).catch(() => undefined);
    await ann.release(markId('nothing'));
    await ann.subscribe('all', {});
    await ann.use({ tool: 'bash', operation: 'run' });
    await principal.revoke({ scope: LAB, kind: 'action' }, 'enough');
    await principal.boundary(LAB);
    ann.read();
    await ann.poll('all');
    await gate.flush();
    expect(told.map(({ call, verdict }) => `${call} ${verdict}`)).toEqual([
      'write allow',
      'write denied',
      'write denied',
      'execute allow',
      'execute allow',
      'release denied',
      'subscribe allow',
      'use allow',
      'principal allow',
      'principal denied',
    ]);
    expect(await decisionsOf(log)).toEqual(told);
  });
});

describe('a flood of one refusal', () => {
  it('leaves a few records of its own and then some that stand for many, none uncounted; other refusals are apart (S15)', async () => {
    const log = createMemoryLog();
    let told = 0;
    const { gate, clock } = await openTestGate(log, {
      settings: { folding: { after: 3, windowMs: 1_000 } },
      observe: ({ agent }) => (told += agent === EVE ? 1 : 0),
    });
    const eve = gate.session(EVE, 'e');
    const counts = async (code: string): Promise<number[]> =>
      (await decisionsOf(log)).filter(({ denial }) => denial?.code === code).map(({ count = 1 }) => count);
    const total = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0);
    for (let i = 0; i < 4; i += 1) await eve.write(seen(`t${i}`));
    expect(await counts('no-right')).toEqual([1, 1, 1]);
    for (let i = 4; i < 1_000; i += 1) await eve.write(seen(`t${i}`));
    await eve.write({});
    expect((await counts('no-right')).length).toBeLessThan(20);
    expect(await counts('malformed')).toEqual([1]);
    clock.now += 1_000;
    await gate.tick();
    expect(total(await counts('no-right'))).toBe(1_000);
    // A new window begins; what it counted so far is told when somebody asks for all there is.
    for (let i = 0; i < 5; i += 1) await eve.write(seen('again'));
    expect((await counts('no-right')).slice(-3)).toEqual([1, 1, 1]);
    await gate.flush();
    expect(total(await counts('no-right'))).toBe(1_005);
    expect(told).toBe(1_006);
  });
});

describe('a refusal', () => {
  it('explains itself: the holder, the reason, or the check that failed with what it failed on (P38)', async () => {
    const { gate } = await openTestGate(createMemoryLog(), {
      principalTokenSha256,
      scopes: [
        ...SCOPES,
        defineScope({ name: scopeName('lab/wait'), deferred: true }),
        defineScope({ name: scopeName('lab/few'), rateLimit: { windowMs: 1e9, perAgent: 0 } }),
      ],
      grants: GRANTS.map((grant) =>
        grant.agent === BOB ? { ...grant, budget: { lifetime: { inputTokens: 10 } } } : grant,
      ),
    });
    const [ann, bob, boss] = [gate.session(ANN, 'e'), gate.session(BOB, 'e'), gate.session(BOSS, 'e')];
    await ann.write(plan('r'));
    await boss.write({ ...plan('r'), scope: HIDDEN });
    const refused: Outcome[] = [
      await bob.write(plan('r')),
      await bob.write({ ...plan('r'), scope: HIDDEN }),
      await bob.write({ ...plan('r'), scope: 'lab/wait' }),
      await bob.write({ ...plan('r'), scope: 'lab/few' }),
      await bob.write({ ...plan('r'), strength: 11 }),
      await bob.write(seen('t', { text: 'x'.repeat(200_000) })),
      await ann.write(file('other.ts', 'x')),
      await ann.write({ ...seen('t'), scope: HIDDEN }),
      await ann.write({ ...seen('t'), supersedes: 'nothing' }),
    ];
    await gate.spend(BOB, 'one', { inputTokens: 10, outputTokens: 0 });
    refused.push(await bob.write(seen('t')));
    await gate.principal(TOKEN).revoke({ agent: ANN, scope: LAB, kind: 'observation' }, 'enough');
    refused.push(await ann.write(seen('t')));
    expect(refused.map(explanationOf)).toEqual([
      'conflict with run-1/ann/e/m1 of ann',
      'blocked: busy',
      'blocked: pending-boundary',
      'rate: refused: 0 marks in 1000000000 ms are the most that one agent may write here; try again at 1000000000',
      expect.stringMatching(/^shape: refused: "strength" /u),
      expect.stringMatching(/^shape: refused: "content.text" /u),
      'edit-scope: refused: "other.ts" is not an editable file; nothing was changed',
      'authorization: refused: no right to write a mark of kind observation in scope "hidden"',
      'authorization: refused: mark "nothing" is not there or not yours to overrule',
      expect.stringMatching(/^budget: refused: the budget of lifetime.inputTokens is used up \(10 of 10\)/u),
      expect.stringMatching(/^barrier: refused: the right to write marks of kind observation was taken away/u),
    ]);
  });

  function explanationOf(outcome: Outcome): string {
    switch (outcome.verdict) {
      case 'allow':
        return 'none';
      case 'conflict':
        return `conflict with ${outcome.holder} of ${outcome.holderAgent}`;
      case 'blocked':
        return `blocked: ${outcome.reason}`;
      case 'denied':
        return `${outcome.denial.check}: ${denialText(outcome.denial)}`;
    }
  }
});

describe('who may only warn in a scope', () => {
  it('may say that something there no longer holds, and supersede nothing there, from elsewhere neither (S3)', async () => {
    const { gate } = await openTestGate(createMemoryLog(), {
      grants: [
        ...GRANTS.filter(({ agent }) => agent !== EVE),
        {
          agent: EVE,
          read: [],
          write: [
            { kind: 'warning', scope: LAB },
            { kind: 'observation', scope: HIDDEN },
          ],
        },
      ],
    });
    await gate.session(BOB, 'e').write(seen('t'));
    const eve = gate.session(EVE, 'e');
    const target = 'run-1/bob/e/m1';
    const warning = { scope: LAB, topic: 't', reason: 'stale', severity: 'info' };
    expect(await eve.write({ ...seen('t'), scope: HIDDEN, supersedes: target })).toMatchObject({
      denial: { code: 'target-not-yours' },
    });
    expect(await eve.write({ ...warning, supersedes: target })).toMatchObject({ denial: { code: 'target-not-yours' } });
    expect(await eve.write({ ...warning, invalidates: target })).toMatchObject({ verdict: 'allow' });
  });
});

describe('who holds a resource in a scope that the caller may not see', () => {
  it('is not told, whether it only intends to, acts at the moment, or has acted (S4)', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const [boss, bob] = [gate.session(BOSS, 'e'), gate.session(BOB, 'e')];
    const hidden = (resource: string): ReturnType<typeof booking> => ({ ...booking(resource), scope: HIDDEN });
    const busy = { verdict: 'blocked', reason: 'busy' };
    await boss.write(hidden('intended'));
    await boss.execute(hidden('done'), () => 1);
    let answers: Outcome[] = [];
    await boss.execute(hidden('under way'), async () => {
      answers = await Promise.all(['intended', 'done', 'under way'].map((resource) => bob.write(hidden(resource))));
    });
    expect(answers).toEqual([busy, busy, busy]);
    expect(bob.read()).toEqual([]);
  });
});

describe('a tool that comes back after its execution was finished elsewhere', () => {
  it('is fenced off: nothing is recorded for it, and it is told so (S1)', async () => {
    const log = createMemoryLog();
    const [one, two] = [await openTestGate(log), await openTestGate(log)];
    const fences: number[] = [];
    const late = Promise.withResolvers<string>();
    const first = one.gate.session(ANN, 'e').execute(booking('r'), ({ fence }) => {
      fences.push(fence);
      return late.promise;
    });
    await one.gate.tick();
    // The same session in another process, where it goes on after what looked like a crash.
    const second = await two.gate.session(ANN, 'e').execute(booking('r'), ({ fence }) => {
      fences.push(fence);
      return 'mine';
    });
    expect(second).toMatchObject({ verdict: 'allow', value: 'mine' });
    late.resolve('too late');
    expect(await first).toEqual({
      verdict: 'denied',
      denial: { code: 'fenced', check: 'conflict', resource: 'r' },
    });
    expect(await keysOf(log, 'mark')).toEqual(['run-1/ann/e/m1', 'run-1/ann/e/m2']);
    expect(fences).toHaveLength(2);
  });

  it('is fenced off too when its session was ended elsewhere and somebody else has the resource (S1)', async () => {
    const log = createMemoryLog();
    const [one, two] = [await openTestGate(log), await openTestGate(log)];
    const late = Promise.withResolvers<string>();
    const first = one.gate.session(ANN, 'e').execute(booking('r'), () => late.promise);
    await one.gate.tick();
    two.gate.revoke(two.gate.session(ANN, 'e'));
    expect(await two.gate.session(BOB, 'e').execute(booking('r'), () => 'mine')).toMatchObject({ verdict: 'allow' });
    late.resolve('too late');
    expect(await first).toMatchObject({ verdict: 'denied', denial: { code: 'fenced' } });
    expect(await keysOf(log, 'mark')).toEqual(['run-1/ann/e/m1', 'run-1/bob/e/m1', 'run-1/bob/e/m2']);
  });
});

describe('what the principal took away', () => {
  it('stops every path that uses it: writes, executions, retries, in this process and the next (P44, S9, S11)', async () => {
    const log = createMemoryLog();
    const keep = {
      ...log,
      head: () => log.head(),
      append: log.append.bind(log),
      read: log.read.bind(log),
      close: () => Promise.resolve(),
    };
    const first = await openTestGate(keep, { principalTokenSha256 });
    await first.gate.principal(TOKEN).revoke({ agent: ANN, scope: LAB, kind: 'action' }, 'enough');
    const revoked = { verdict: 'denied', denial: { code: 'revoked', check: 'barrier' } };
    const need = { scope: LAB, question: 'why?', context: null, priority: 1, blocking: true };
    let ran = 0;
    const attempt = async (gate: typeof first.gate, epoch: string): Promise<void> => {
      const ann = gate.session(ANN, epoch);
      expect(await ann.execute(booking('r'), () => (ran += 1))).toMatchObject(revoked);
      expect(await ann.write({ scope: LAB, action: 'do', result: null })).toMatchObject(revoked);
      expect(
        await ann.write({ scope: LAB, action: 'do', result: null }, { retryOf: markId(`run-1/ann/${epoch}/m3`) }),
      ).toMatchObject(revoked);
      expect(await ann.write(plan('r'))).toMatchObject({ verdict: 'allow' });
      expect(await ann.write(need)).toMatchObject({ verdict: 'allow' });
      await ann.release(markId(`run-1/ann/${epoch}/m4`));
    };
    await attempt(first.gate, 'e1');
    await first.gate.close();
    const second = await openTestGate(keep, { principalTokenSha256 });
    await attempt(second.gate, 'e2');
    expect(ran).toBe(0);
    await second.gate.principal(TOKEN).restore({ agent: ANN, scope: LAB });
    expect(await second.gate.session(ANN, 'e3').execute(booking('r'), () => (ran += 1))).toMatchObject({ value: 1 });
  });
});

describe('rate limits, envelope, barrier and content policies', () => {
  const few = defineScope({
    name: LAB,
    observationTopics: ['*'],
    rateLimit: { windowMs: 1_000, perAgent: 3, perFleet: 5 },
  });
  const scopes = [few, ...SCOPES.slice(1)];
  const calls = fc.array(
    fc.record({ who: fc.boolean(), ms: fc.constantFrom(0, 1, 400, 1_000), topic: fc.constantFrom('a', 'b') }),
    {
      maxLength: 25,
    },
  );
  const envelope = {
    windowMs: 1_000,
    coldWindows: 3,
    sigmas: 3.5,
    shareShift: 0.5,
    minVolume: 10,
    concentration: 3,
    globalAfter: 3,
  };

  async function verdicts(
    steps: readonly { readonly who: boolean; readonly ms: number; readonly topic: string }[],
    settings: Partial<GuardSettings>,
    barred = false,
  ): Promise<string[]> {
    const { gate, clock } = await openTestGate(createMemoryLog(), { scopes, settings, principalTokenSha256 });
    if (barred) await gate.principal(TOKEN).revoke({ scope: HIDDEN }, 'elsewhere');
    const [ann, bob] = [gate.session(ANN, 'e'), gate.session(BOB, 'e')];
    const came: string[] = [];
    for (const { who, ms, topic } of steps) {
      clock.now += ms;
      const outcome = await (who ? ann : bob).write(seen(topic));
      came.push(outcome.verdict === 'denied' ? outcome.denial.check : outcome.verdict);
    }
    return came;
  }

  it('limit alike with and without the others beside them (P66)', async () => {
    await fc.assert(
      fc.asyncProperty(calls, async (steps) => {
        const alone = await verdicts(steps, {});
        const allowing = [{ name: 'any', check: () => ({ verdict: 'allow' as const }) }];
        expect(await verdicts(steps, { content: allowing }, true)).toEqual(alone);
        // An envelope that never gets warm has nothing to say.
        expect(await verdicts(steps, { envelope: { ...envelope, coldWindows: 1_000 } })).toEqual(alone);
        expect(alone.filter((check) => check !== 'allow' && check !== 'rate')).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('content policies change the verdicts of none of the others, whether they rewrite, flag or let pass (P70)', async () => {
    await fc.assert(
      fc.asyncProperty(calls, async (steps) => {
        const rewriting = [
          { name: 'rewrites', check: () => ({ verdict: 'rewrite' as const, content: 'other' }) },
          { name: 'flags', check: () => ({ verdict: 'flag' as const, problem: 'odd' }) },
        ];
        const without = await verdicts(steps, { envelope });
        expect(await verdicts(steps, { envelope, content: rewriting })).toEqual(without);
      }),
      { numRuns: 30 },
    );
  });

  it('content policies are asked of observations alone, in order, and change nothing but their content (P68, P69)', async () => {
    const asked: string[] = [];
    const appending = (name: string): ContentPolicy => ({
      name,
      check: ({ topic, content: before }) => {
        asked.push(`${name} ${topic}`);
        return { verdict: 'rewrite', content: `${JSON.stringify(before)} ${name}` };
      },
    });
    const { gate } = await openTestGate(createMemoryLog(), {
      settings: { content: [appending('first'), appending('second')] },
    });
    const ann = gate.session(ANN, 'e');
    const drafts = [
      seen('t', 1),
      plan('r'),
      { scope: LAB, topic: 't', reason: 'why', severity: 'info' },
      { scope: LAB, question: 'which?', context: 1, priority: 1, blocking: false },
      { scope: LAB, action: 'do', result: 1 },
    ];
    for (const draft of drafts) await ann.write(draft);
    expect(asked).toEqual(['first t', 'second t']);
    expect(ann.read()).toMatchObject([{ ...seen('t'), content: '"1 first" second' }, ...drafts.slice(1)]);
  });

  it('what the envelope restricts stays so in the next process, needs apart, until the principal resets it (P40, S9, S11)', async () => {
    const log = createMemoryLog();
    const kept = {
      head: () => log.head(),
      append: log.append.bind(log),
      read: log.read.bind(log),
      close: () => Promise.resolve(),
    };
    const settings = { envelope };
    const first = await openTestGate(kept, { settings, principalTokenSha256 });
    const before = first.gate.session(ANN, 'e1');
    for (let window = 0; window < 5; window += 1) {
      await before.write(seen(`t${window}`));
      first.clock.now += 1_000;
    }
    for (let i = 0; i < 30; i += 1) await before.write(seen(`flood ${i}`));
    const restricted = { verdict: 'denied', denial: { code: 'restricted', check: 'envelope', scope: 'lab' } };
    expect(await before.write(seen('more'))).toMatchObject(restricted);
    await first.gate.close();
    const second = await openTestGate(kept, { settings, principalTokenSha256 });
    second.clock.now = first.clock.now + 1e9;
    const after = second.gate.session(ANN, 'e2');
    expect(await after.write(seen('more'))).toMatchObject(restricted);
    expect(await after.execute(booking('r'), () => 1)).toMatchObject(restricted);
    const need = { scope: LAB, question: 'why?', context: null, priority: 1, blocking: true };
    expect(await after.write(need)).toMatchObject({ verdict: 'allow' });
    expect(await second.gate.session(BOB, 'e').write(seen('t'))).toMatchObject({ verdict: 'allow' });
    await second.gate.principal(TOKEN).resetEnvelope(ANN);
    expect(await after.write(seen('more'))).toMatchObject({ verdict: 'allow' });
  });

  it('what a content policy rejects uses no slot of a limit, and stores nothing (P67, P70)', async () => {
    const content = [
      {
        name: 'no b',
        check: ({ topic }: { readonly topic: string }) =>
          topic === 'b' ? ({ verdict: 'reject', problem: 'is b' } as const) : ({ verdict: 'allow' } as const),
      },
    ];
    const steps = ['b', 'b', 'b', 'b', 'a', 'a', 'b', 'a', 'a'].map((topic) => ({ who: true, ms: 0, topic }));
    expect(await verdicts(steps, { content })).toEqual([
      'content',
      'content',
      'content',
      'content',
      'allow',
      'allow',
      'content',
      'allow',
      'rate',
    ]);
  });

  it('who may not write consumes nothing and triggers nothing: no slot, no policy, no baseline (S7)', async () => {
    let asked = 0;
    const content = [{ name: 'counts', check: () => ((asked += 1), { verdict: 'allow' as const }) }];
    const { gate } = await openTestGate(createMemoryLog(), { scopes, settings: { content, envelope } });
    const [ann, eve] = [gate.session(ANN, 'e'), gate.session(EVE, 'e')];
    for (let i = 0; i < 20; i += 1) expect(await eve.write(seen('a'))).toMatchObject({ denial: { code: 'no-right' } });
    for (let i = 0; i < 20; i += 1)
      expect(await ann.write({ ...seen('a'), scope: OWN })).toMatchObject({ denial: { check: 'edit-scope' } });
    expect(asked).toBe(0);
    for (let i = 0; i < 3; i += 1) expect(await ann.write(seen('a'))).toMatchObject({ verdict: 'allow' });
    expect(await ann.write(seen('a'))).toMatchObject({ denial: { check: 'rate' } });
  });
});
