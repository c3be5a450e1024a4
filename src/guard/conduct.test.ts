import { describe, expect, it } from 'vitest';
import { createMemoryLog } from '../space/memory-log.ts';
import { defineScope } from '../space/scope.ts';
import { scopeName } from '../space/test-marks.ts';
import { redactSecretsPolicy } from './content-policies/redact-secrets.ts';
import { ENVELOPE } from './policies/envelope.ts';
import { newPrincipalToken, tokenSha256 } from './principal-token.ts';
import { ackDraft, ackRight, probeGrant, probeScope } from './probe.ts';
import { ANN, BOB, BOSS, decisionsOf, EVE, GRANTS, LAB, openTestGate, plan, SCOPES, seen } from './test-space.ts';

const TOKEN = newPrincipalToken();
const principalTokenSha256 = tokenSha256(TOKEN);
const need = { scope: LAB, question: 'why?', context: null, priority: 0.5, blocking: false };
const request = { scope: LAB, resource: 'r', action: 'do', confidence: 0.5 };

/** The policies by themselves are tested beside their sources; here they work in the gate, over a log, through a restart. */
describe('conduct, through the gate', () => {
  it('a right that the principal takes away is gone on every path until it is restored, over a restart too (P44, P45, S9, S11)', async () => {
    const log = keep(createMemoryLog());
    let { gate } = await openTestGate(log, { principalTokenSha256 });
    await gate.principal(TOKEN).revoke({ agent: ANN, scope: LAB, kind: 'action' }, 'a test');
    const denied = { verdict: 'denied', denial: { code: 'revoked', check: 'barrier' } };
    const ann = gate.session(ANN, 'e');
    expect(await ann.execute(request, () => 'never')).toMatchObject(denied);
    expect(await ann.write({ scope: LAB, resource: 'r', action: 'do', result: null })).toMatchObject(denied);
    expect((await ann.write(plan('r'))).verdict).toBe('allow');
    expect((await ann.write(need)).verdict).toBe('allow');
    await gate.close();
    ({ gate } = await openTestGate(log));
    const again = gate.session(ANN, 'e2');
    expect(await again.execute({ ...request, resource: 's' }, () => 'never')).toMatchObject(denied);
    await gate.principal(TOKEN).restore({ agent: ANN, scope: LAB });
    expect((await again.execute({ ...request, resource: 's' }, () => 'now')).verdict).toBe('allow');
  });

  it('a needed restriction is lifted by a Need that the principal resolves (P44)', async () => {
    const { gate } = await openTestGate(createMemoryLog(), { principalTokenSha256 });
    const principal = gate.principal(TOKEN);
    await principal.requireNeed({ agent: ANN, scope: LAB, kind: 'observation' }, 'ask first');
    const ann = gate.session(ANN, 'e');
    expect(await ann.write(seen('t'))).toMatchObject({ denial: { code: 'revoked', needs: true } });
    const asked = await ann.write(need);
    if (asked.verdict !== 'allow' || asked.mark === undefined) throw new Error('not written');
    expect((await ann.write(seen('t'))).verdict).toBe('denied');
    await principal.resolve(asked.mark.id, 'go on');
    expect((await ann.write(seen('t'))).verdict).toBe('allow');
  });

  it('a budget asks the principal once at 80 %, stops all but needs at 100 %, and a larger one goes on (P59-P63)', async () => {
    const log = keep(createMemoryLog());
    const grants = GRANTS.map((grant) =>
      grant.agent === ANN ? { ...grant, budget: { lifetime: { inputTokens: 100 } } } : grant,
    );
    let { gate } = await openTestGate(log, { grants, principalTokenSha256 });
    const spend = (inputTokens: number): Promise<void> => gate.spend(ANN, 'round 1', { inputTokens, outputTokens: 1 });
    await spend(79);
    expect([...gate.view.openNeeds()]).toEqual([]);
    await spend(1);
    await spend(1);
    expect([...gate.view.openNeeds()]).toMatchObject([
      { agent: 'guard', blocking: false, context: { agent: 'ann', dimension: 'lifetime.inputTokens', used: 80 } },
    ]);
    await spend(19);
    await gate.close();
    ({ gate } = await openTestGate(log, { grants }));
    const ann = gate.session(ANN, 'e');
    expect(await ann.write(seen('t'))).toMatchObject({ denial: { code: 'token-budget', used: 100, limit: 100 } });
    expect((await ann.write(need)).verdict).toBe('allow');
    expect((await gate.session(BOB, 'e').write(seen('t'))).verdict).toBe('allow');
    await gate.principal(TOKEN).setBudget(ANN, { lifetime: { inputTokens: 200 } });
    expect((await ann.write(seen('t'))).verdict).toBe('allow');
    await expect(gate.spend(scopeName('nobody') as never, 'r', { inputTokens: 1, outputTokens: 1 })).rejects.toThrow(
      'no grant',
    );
  });

  it('a rate limit holds per agent and for all, in children too, and goes on counting after a restart (P64-P66, S11, S14)', async () => {
    const log = keep(createMemoryLog());
    const scopes = [
      defineScope({ name: LAB, observationTopics: ['*'], rateLimit: { windowMs: 1_000, perAgent: 2, perFleet: 3 } }),
      defineScope({ name: scopeName('lab/child'), observationTopics: ['*'] }),
      ...SCOPES.slice(1),
    ];
    let { gate, clock } = await openTestGate(log, { scopes });
    const ann = gate.session(ANN, 'e');
    await ann.write(seen('a'));
    await ann.write({ ...seen('b'), scope: 'lab/child' });
    await gate.close();
    ({ gate, clock } = await openTestGate(log, { scopes }));
    const write = (agent: typeof ANN, epoch: string) => gate.session(agent, epoch).write(seen('c'));
    expect(await write(ANN, 'e2')).toMatchObject({ denial: { code: 'rate-limit', per: 'agent', limit: 2 } });
    expect((await write(BOB, 'e2')).verdict).toBe('allow');
    expect(await write(BOB, 'e3')).toMatchObject({ denial: { code: 'rate-limit', per: 'fleet', limit: 3 } });
    expect(await gate.session(EVE, 'e').write(seen('x'))).toMatchObject({ denial: { code: 'no-right' } });
    clock.now += 1_000;
    expect((await write(ANN, 'e4')).verdict).toBe('allow');
  });

  it('an agent that floods is restricted until the principal resets it; needs stay open (P40-P43, S9)', async () => {
    const { gate, clock } = await openTestGate(createMemoryLog(), {
      principalTokenSha256,
      settings: { envelope: { ...ENVELOPE, windowMs: 1_000 } },
    });
    const ann = gate.session(ANN, 'e');
    for (let window = 0; window < 11; window += 1) {
      for (let i = 0; i < 5; i += 1) expect((await ann.write(seen(`t${i}`))).verdict).toBe('allow');
      clock.now += 1_000;
    }
    const flood = await Promise.all(Array.from({ length: 100 }, (_, i) => ann.write(seen(`f${i}`))));
    expect(flood.some(({ verdict }) => verdict === 'allow')).toBe(true);
    expect(flood.at(-1)).toMatchObject({ denial: { code: 'restricted', check: 'envelope' } });
    clock.now += 10_000;
    expect(await ann.write(seen('t'))).toMatchObject({ denial: { code: 'restricted' } });
    expect((await ann.write(need)).verdict).toBe('allow');
    expect((await gate.session(BOB, 'e').write(seen('t'))).verdict).toBe('allow');
    await gate.principal(TOKEN).resetEnvelope(ANN);
    expect((await ann.write(seen('t'))).verdict).toBe('allow');
  });

  it('content is rewritten before it is stored, and a flood of one refusal is one record with its number (P67, P68, S15)', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log, {
      settings: {
        content: [
          redactSecretsPolicy(),
          { name: 'no-swearing', check: () => ({ verdict: 'flag', problem: 'it might' }) },
          {
            name: 'short',
            check: ({ content }) =>
              JSON.stringify(content).length > 500
                ? { verdict: 'reject', problem: 'is too long' }
                : { verdict: 'allow' },
          },
        ],
      },
    });
    const ann = gate.session(ANN, 'e');
    const key = `sk-ant-api03-${'Ab3'.repeat(30)}`;
    const outcome = await ann.write(seen('t', { text: `my key is ${key}` }));
    expect(JSON.stringify(outcome)).toContain('[redacted:');
    for await (const { body } of gate.records()) expect(JSON.stringify(body)).not.toContain(key);
    for (let i = 0; i < 1_000; i += 1)
      expect(await ann.write(seen(`t${i}`, { text: 'x'.repeat(600) }))).toMatchObject({
        denial: { code: 'content', policy: 'short' },
      });
    await gate.close();
    const decisions = await decisionsOf(log);
    expect(decisions[0]).toMatchObject({ verdict: 'allow', flags: ['no-swearing'] });
    expect(decisions.length).toBeLessThan(40);
    expect(decisions.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(1_001);
  });

  it('who is active and does not answer a canary may write only needs until it is restored (P46)', async () => {
    const scope = scopeName('probe');
    const probe = ANN;
    const grants = [
      probeGrant(scope, probe),
      ...GRANTS.filter(({ agent }) => agent === BOB || agent === BOSS).map((grant) => ({
        ...grant,
        read: [...grant.read, scope],
        write: [...grant.write, ackRight(scope)],
      })),
    ];
    const { gate, clock } = await openTestGate(createMemoryLog(), {
      grants,
      scopes: [...SCOPES, probeScope(scope)],
      principalTokenSha256,
    });
    const [bob, boss] = [gate.session(BOB, 'e'), gate.session(BOSS, 'e')];
    const session = gate.session(probe, 'e');
    expect(await session.write(seen('t'))).toMatchObject({ denial: { code: 'no-right' } });
    const canary = await gate.probe(session, scope, 1_000);
    if (canary.verdict !== 'allow') throw new Error('no canary');
    await bob.write(seen('busy'));
    await boss.write(seen('busy'));
    expect((await boss.write(ackDraft(scope, canary.canary))).verdict).toBe('allow');
    clock.now += 1_001;
    expect(await bob.write(seen('t'))).toMatchObject({ denial: { code: 'revoked', check: 'barrier', scope: 'probe' } });
    expect((await bob.write(need)).verdict).toBe('allow');
    expect((await boss.write(seen('t'))).verdict).toBe('allow');
    await gate.principal(TOKEN).restore({ agent: BOB, scope });
    expect((await bob.write(seen('t'))).verdict).toBe('allow');
  });
});

/** A log that outlives its gate. */
function keep(log: ReturnType<typeof createMemoryLog>): ReturnType<typeof createMemoryLog> {
  return {
    head: () => log.head(),
    append: (expectedSeq, entries) => log.append(expectedSeq, entries),
    read: (fromSeq) => log.read(fromSeq),
    close: () => Promise.resolve(),
  };
}
