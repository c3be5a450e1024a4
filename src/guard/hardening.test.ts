import { describe, expect, it } from 'vitest';
import type { Log } from '../space/log.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import type { MarkId } from '../space/marks.ts';
import { defineScope } from '../space/scope.ts';
import { markId, scopeName } from '../space/test-marks.ts';
import type { Gate, ToolLease } from './gate.ts';
import { ENVELOPE } from './policies/envelope.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import { ackDraft, ackRight, probeGrant, probeScope } from './probe.ts';
import {
  ANN,
  BOB,
  BOSS,
  decisionsOf,
  EVE,
  GRANTS,
  HIDDEN,
  LAB,
  openTestGate,
  plan,
  SCOPES,
  seen,
} from './test-space.ts';

const TOKEN = newPrincipalToken();
const principalTokenSha256 = tokenSha256(TOKEN);
const request = { scope: LAB, resource: 'r', action: 'do', confidence: 0.5 };
const hostile: unknown = new Proxy(
  {},
  {
    getPrototypeOf() {
      throw new Error('looked at');
    },
  },
);

/** A log that several gates may have, one after another or together. */
function shared(): Log {
  const log = createMemoryLog();
  return {
    head: () => log.head(),
    append: (expectedSeq, entries) => log.append(expectedSeq, entries),
    read: (fromSeq) => log.read(fromSeq),
    close: () => Promise.resolve(),
  };
}

/** Each of these was found by attacking the guard. */
describe('what did not hold once', () => {
  it("an execution's ids cannot be taken by a retry while its tool runs (S1, P31)", async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    const done = await ann.execute(request, async () => {
      for (const n of [1, 2])
        expect(await ann.write(seen('x'), { retryOf: markId(`run-1/ann/e/m${n}`) })).toMatchObject({
          denial: { code: 'id-taken' },
        });
    });
    expect(done).toMatchObject({ verdict: 'allow', mark: { kind: 'action', id: 'run-1/ann/e/m2' } });
    expect((await gate.session(BOB, 'e').execute(request, () => 0)).verdict).toBe('conflict');
  });

  it('overruling needs the right to what is overruled, and is barred where writing it is (S3, P19, P44)', async () => {
    const grants = [
      ...GRANTS.filter(({ agent }) => agent !== EVE),
      {
        agent: EVE,
        read: [LAB],
        write: [
          { kind: 'need' as const, scope: LAB },
          { kind: 'observation' as const, scope: LAB, topics: ['ack'] },
        ],
      },
    ];
    const { gate } = await openTestGate(createMemoryLog(), { grants, principalTokenSha256 });
    await gate.session(BOB, 'e').write(seen('t'));
    const supersedes = markId('run-1/bob/e/m1');
    const need = { scope: LAB, question: '?', context: null, priority: 0.5, blocking: false, supersedes };
    const eve = gate.session(EVE, 'e');
    expect(await eve.write(need)).toMatchObject({ denial: { code: 'target-not-yours' } });
    expect(await eve.write({ ...seen('ack'), supersedes })).toMatchObject({ denial: { code: 'target-not-yours' } });
    await gate.principal(TOKEN).revoke({ agent: ANN, scope: LAB, kind: 'observation' }, 'a test');
    const ann = gate.session(ANN, 'e');
    expect(await ann.write(need)).toMatchObject({ denial: { code: 'revoked', kind: 'observation' } });
    const warning = { scope: LAB, topic: 't', reason: 'no', severity: 'critical', invalidates: supersedes };
    expect(await ann.write(warning)).toMatchObject({ denial: { code: 'revoked' } });
    expect(gate.view.isSuperseded(supersedes)).toBe(false);
  });

  it('no argument closes the gate, and every call leaves its record (P33, S15)', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log, { principalTokenSha256 });
    const ann = gate.session(ANN, 'e');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a caller without types may pass
    const any = (value: unknown): never => value as never;
    const evil = {
      get scope(): string {
        // oxlint-disable-next-line no-throw-literal -- a hostile getter
        throw hostile;
      },
      toString() {
        // oxlint-disable-next-line no-throw-literal -- a hostile conversion
        throw hostile;
      },
    };
    const outcomes = [
      await ann.release(any(evil)),
      await ann.release(any('x'.repeat(5_000_000))),
      await ann.subscribe('s', any(evil)),
      await ann.write(evil),
      await ann.write(seen('t'), any({ retryOf: 5 })),
      await ann.write(seen('t'), { retryOf: markId('y'.repeat(6_000_000)) }),
      await ann.execute(any(null), () => 0),
      await ann.execute(any(evil), () => 0),
    ];
    for (const outcome of outcomes) expect(outcome).toMatchObject({ verdict: 'denied' });
    expect(await ann.execute(request, () => evil)).toMatchObject({
      verdict: 'allow',
      mark: { result: { omitted: expect.any(String) as string } },
    });
    const principal = gate.principal(TOKEN);
    const refused = [
      await principal.revoke(any({ scope: 5 }), 'x'),
      await principal.revoke({ scope: any('lab/') }, 'x'),
      await principal.revoke({ scope: LAB, kind: 'need' }, 'x'),
      await principal.restore(any({ scope: LAB, kind: 'observations' })),
      await principal.setBudget(ANN, { lifetime: { inputTokens: Infinity } }),
      await principal.endSession(any('Not A Name'), 'e'),
      await principal.resolve(any(5), 'x'),
    ];
    for (const outcome of refused) expect(outcome).toMatchObject({ denial: { code: 'malformed' } });
    expect((await ann.write(seen('alive'))).verdict).toBe('allow');
    await gate.close();
    const decisions = await decisionsOf(log);
    expect(decisions.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(8 + 1 + 7 + 1);
    expect(JSON.stringify(decisions).length).toBeLessThan(20_000);
  });

  it('an execution that goes on in another process has a fence of its own: who ran it before comes too late (S1)', async () => {
    const log = shared();
    const [one, two] = [await openTestGate(log), await openTestGate(log)];
    const fences: number[] = [];
    const ends: (() => void)[] = [];
    const tool = ({ fence }: ToolLease): Promise<void> => {
      fences.push(fence);
      return new Promise((resolve) => ends.push(resolve));
    };
    const first = one.gate.session(ANN, 'e').execute(request, tool);
    await one.gate.tick();
    const second = two.gate.session(ANN, 'e').execute(request, tool);
    await two.gate.tick();
    await two.gate.tick();
    expect(fences).toHaveLength(2);
    expect(fences[1]).toBeGreaterThan(fences[0] ?? Infinity);
    for (const end of ends) end();
    expect(await second).toMatchObject({ verdict: 'allow' });
    expect(await first).toMatchObject({ denial: { code: 'fenced' } });
  });

  it('sessions of two runs in one space are not each other’s (S6)', async () => {
    const log = shared();
    const { gate: one } = await openTestGate(log, { principalTokenSha256 });
    const { gate: two } = await openTestGate(log, { run: 'run-2' });
    let finish = (): void => undefined;
    const running = one.session(ANN, 'e').execute(request, () => new Promise<void>((resolve) => (finish = resolve)));
    await one.tick();
    two.revoke(two.session(ANN, 'e'));
    expect((await two.session(BOB, 'b').execute(request, () => 0)).verdict).toBe('conflict');
    finish();
    expect((await running).verdict).toBe('allow');
    await one.principal(TOKEN).endSession(ANN, 'e');
    expect((await two.session(ANN, 'e').write(seen('t'))).verdict).toBe('allow');
  });

  it('a flood is remembered alike by who saw it and by who reads of it (S11, S15, P40)', async () => {
    const log = shared();
    const settings = {
      envelope: { ...ENVELOPE, windowMs: 1_000, coldWindows: 2 },
      folding: { after: 3, windowMs: 1_000 },
    };
    const scopes = [defineScope({ name: LAB, observationTopics: ['*'], rateLimit: { windowMs: 1_000, perAgent: 5 } })];
    const { gate, clock } = await openTestGate(log, { settings, scopes, principalTokenSha256 });
    const ann = gate.session(ANN, 'e');
    for (let window = 0; window < 4; window += 1) {
      for (let i = 0; i < 3; i += 1) await ann.write(seen('t'));
      clock.now += 1_000;
    }
    for (let i = 0; i < 200; i += 1) await ann.write(seen('t'));
    await gate.flush();
    clock.now += 1_000;
    const live = await ann.write(seen('after'));
    expect(live).toMatchObject({ denial: { code: 'restricted' } });
    const { gate: again, clock: same } = await openTestGate(log, { settings, scopes });
    same.now = clock.now;
    expect(await again.session(ANN, 'e2').write(seen('after'))).toEqual(live);
  });

  it('an answer to a canary counts as soon as the canary can be seen (P46)', async () => {
    const scope = scopeName('probe');
    const bob = { ...GRANTS.find(({ agent }) => agent === BOB), agent: BOB };
    const grants = [
      probeGrant(scope, ANN),
      { agent: BOB, read: [LAB, scope], write: [...(bob.write ?? []), ackRight(scope)] },
    ];
    const { gate, clock } = await openTestGate(createMemoryLog(), { grants, scopes: [...SCOPES, probeScope(scope)] });
    const session = gate.session(BOB, 'e');
    let answered: Promise<unknown> | undefined;
    gate.onCommit(() => {
      const canary = session.read({ scope, topic: 'canary' })[0]?.id;
      if (canary !== undefined) answered ??= session.write(ackDraft(scope, canary));
    });
    await session.write(seen('busy'));
    await gate.probe(gate.session(ANN, 'e'), scope, 1_000);
    await answered;
    await session.write(seen('busy'));
    clock.now += 5_000;
    expect((await session.write(seen('still here'))).verdict).toBe('allow');
  });

  it("the guard's own marks cannot be changed by who reads them (P30)", async () => {
    const { gate } = await openTestGate(createMemoryLog(), {
      scopes: [defineScope({ name: LAB, conflictPolicy: 'yield-all', actionVerbs: ['do'] })],
    });
    await gate.session(ANN, 'e').write(plan('r'));
    await gate.session(BOB, 'e').write(plan('r'));
    const [need] = gate.session(ANN, 'e2').read({ kind: 'need' });
    expect(() => Object.assign((need as unknown as { context: object }).context, { resource: 'q' })).toThrow(TypeError);
  });

  it('what is hidden does not show in the strength of what is seen (P22, S4)', async () => {
    const { gate } = await openTestGate(createMemoryLog(), {
      scopes: [
        ...SCOPES.filter(({ name }) => name !== HIDDEN),
        defineScope({ name: HIDDEN, visibility: 'classified', warningTopics: ['*'] }),
      ],
    });
    await gate.session(ANN, 'e').write(seen('t'));
    const invalidates = markId('run-1/ann/e/m1');
    const warning = { scope: HIDDEN, topic: 't', reason: 'no', severity: 'info', strength: 0.4, invalidates };
    expect((await gate.session(BOSS, 'e').write(warning)).verdict).toBe('allow');
    expect(gate.session(BOSS, 'e2').strengthOf(invalidates)).toBeCloseTo(0.6);
    const bob = gate.session(BOB, 'e');
    expect(bob.strengthOf(invalidates)).toBe(1);
    expect(bob.read({ minStrength: 0.9 }).map(({ id }): MarkId => id)).toEqual([invalidates]);
  });

  it('a clock that was ten years ahead for a moment does not stop time (P16, P32, P64)', async () => {
    let wall = 1_000_000;
    let passed = 0;
    const scopes = [defineScope({ name: LAB, observationTopics: ['*'], rateLimit: { windowMs: 1_000, perAgent: 1 } })];
    const { gate }: { gate: Gate } = await openTestGate(createMemoryLog(), {
      scopes,
      clock: () => wall,
      monotonic: () => passed,
    });
    const ann = gate.session(ANN, 'e');
    wall += 315_360_000_000;
    expect((await ann.write(seen('a'))).verdict).toBe('allow');
    wall -= 315_360_000_000;
    expect(await ann.write(seen('b'))).toMatchObject({ denial: { code: 'rate-limit' } });
    passed += 2_000;
    wall += 2_000;
    expect((await ann.write(seen('c'))).verdict).toBe('allow');
  });

  it("the guard's scope is nobody else's (S4)", async () => {
    const guard = scopeName('guard');
    await expect(openTestGate(createMemoryLog(), { scopes: [defineScope({ name: guard })] })).rejects.toThrow(
      RangeError,
    );
    const grants = [{ agent: ANN, read: [guard], write: [] }];
    await expect(openTestGate(createMemoryLog(), { grants })).rejects.toThrow(RangeError);
  });
});
