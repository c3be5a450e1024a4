import { describe, expect, it } from 'vitest';
import type { Log } from '../space/log.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import { defineScope } from '../space/scope.ts';
import { aggregateStrength, effectiveStrength } from '../space/strength.ts';
import { scopeName } from '../space/test-marks.ts';
import type { Gate } from './gate.ts';
import { ANN, BOB, BOSS, decisionsOf, file, keysOf, LAB, openTestGate, OWN, seen } from './test-space.ts';
import type { Grant } from './grants.ts';

const STRATEGIES = scopeName('strategies');
const grants: Grant[] = [
  {
    agent: ANN,
    read: [OWN, STRATEGIES, LAB],
    write: [
      { kind: 'observation', scope: OWN },
      { kind: 'observation', scope: LAB },
    ],
    edit: { scope: OWN, editable: ['task_agent.ts'], required: [], maxFileBytes: 1000 },
  },
  { agent: BOB, read: [LAB], write: [{ kind: 'observation', scope: LAB }] },
  { agent: BOSS, read: [STRATEGIES], write: [{ kind: 'observation', scope: STRATEGIES }], principal: true },
];
const scopes = [OWN, STRATEGIES, LAB].map((name) =>
  defineScope({ name, visibility: 'classified', observationTopics: ['*'] }),
);

async function open(): Promise<{ gate: Gate; log: Log; clock: { now: number } }> {
  const log = createMemoryLog();
  return { ...(await openTestGate(log, { grants, scopes })), log };
}

describe('MK-01: a fabricated score and confidence', () => {
  it('are refused as fields that a draft may not have, and no agent writes where scores are read', async () => {
    const { gate, log } = await open();
    await gate.session(BOSS, 'e').write({ ...seen('bob'), scope: STRATEGIES });
    const before = gate.session(ANN, 'r').read({ scope: STRATEGIES });
    const ann = gate.session(ANN, 'e');
    const attack = { scope: 'agents/ann', topic: 'task_agent.ts', content: { text: '...' }, confidence: 1 };
    const forged = [
      { type: 'observation', ...attack, val_score: 0.99, kind: 'evaluation' },
      { ...attack, source: 'fleet', val_score: 0.99 },
      { ...attack, source: 'fleet', kind: 'evaluation' },
      { ...attack, source: 'fleet', strength: 1e9 },
    ];
    for (const draft of forged)
      expect(await ann.write(draft)).toMatchObject({ verdict: 'denied', denial: { code: 'malformed' } });
    for (const scope of ['strategies', 'strategies/ann', 'evaluations/ann']) {
      expect(await ann.write({ ...seen('ann'), scope, confidence: 1 })).toMatchObject({
        verdict: 'denied',
        denial: { code: 'no-right' },
      });
    }
    expect(await keysOf(log, 'mark')).toEqual(['run-1/boss/e/m1']);
    expect(gate.session(ANN, 's').read({ scope: STRATEGIES })).toEqual(before);
    expect(await decisionsOf(log)).toHaveLength(8);
  });

  it('confidence never enters strength', async () => {
    const { gate } = await open();
    const ann = gate.session(ANN, 'e');
    const marks = [await ann.write({ ...seen('x'), confidence: 1 }), await ann.write({ ...seen('x'), confidence: 0 })];
    const strengths = marks.map((outcome) =>
      outcome.verdict === 'allow' && outcome.mark !== undefined ? ann.strengthOf(outcome.mark.id) : undefined,
    );
    expect(strengths).toEqual([1, 1]);
  });
});

describe('MK-02: impersonation and back-dating in the body', () => {
  it("is refused, field by field; what is stored is the session's agent, a fresh id and the gate's time", async () => {
    const { gate, clock, log } = await open();
    await gate.session(BOB, 'e').write(seen('b'));
    clock.now += 500;
    const ann = gate.session(ANN, 'e');
    const draft = file('task_agent.ts', 'x');
    const forgeries = {
      author: 'b',
      agent: 'bob',
      id: 'run-1/bob/e/m1',
      created_at: 0,
      createdAt: 0,
      seq: 1,
      projected: true,
      source: 'FLEET',
    };
    for (const [field, value] of Object.entries(forgeries)) {
      expect(await ann.write({ ...draft, [field]: value })).toMatchObject({
        verdict: 'denied',
        denial: { code: 'malformed', field },
      });
    }
    expect(await ann.write(draft)).toMatchObject({
      verdict: 'allow',
      mark: { agent: 'ann', id: 'run-1/ann/e/m9', createdAt: 1_000_500 },
    });
    expect(await keysOf(log, 'mark')).toEqual(['run-1/bob/e/m1', 'run-1/ann/e/m9']);
  });
});

describe('MK-03: replay of a recorded mark', () => {
  it('100 times over adds nothing: recorded bytes are refused, a repeated request is answered with the mark there is', async () => {
    const { gate, log } = await open();
    const [ann, bob] = [gate.session(ANN, 'e'), gate.session(BOB, 'e')];
    const first = await ann.write(seen('x'));
    const other = await bob.write(seen('x'));
    if (first.verdict !== 'allow' || first.mark === undefined || other.verdict !== 'allow' || other.mark === undefined)
      throw new Error('not written');
    const own = first.mark.id;
    const aggregate = (): number =>
      aggregateStrength(gate.view.byTopic(LAB, 'x').map(({ mark }) => effectiveStrength(gate.view, mark, 1_000_000)));
    const before = { marks: await keysOf(log, 'mark'), aggregate: aggregate() };
    for (let i = 0; i < 100; i += 1) {
      for (const recorded of [first.mark, other.mark]) {
        const bytes: unknown = JSON.parse(JSON.stringify(recorded));
        expect(await ann.write(bytes)).toMatchObject({ verdict: 'denied', denial: { code: 'malformed' } });
        expect(await bob.write(bytes)).toMatchObject({ verdict: 'denied', denial: { code: 'malformed' } });
      }
      expect(await ann.write(seen('x'), { retryOf: own })).toMatchObject({
        verdict: 'allow',
        repeated: true,
        mark: first.mark,
      });
      expect(await ann.write(seen('x'), { retryOf: other.mark.id })).toMatchObject({
        verdict: 'denied',
        denial: { code: 'id-taken' },
      });
    }
    expect(await keysOf(log, 'mark')).toEqual(before.marks);
    expect(aggregate()).toBe(before.aggregate);
    // Equal refusals beyond the first ones leave one record with their number.
    await gate.close();
    const calls = (await decisionsOf(log)).reduce((sum, { count = 1 }) => sum + count, 0);
    expect(calls).toBe(2 + 600);
  });
});
