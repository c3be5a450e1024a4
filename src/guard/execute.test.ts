import { describe, expect, it } from 'vitest';
import { createMemoryLog } from '../space/memory-log.ts';
import { markId } from '../space/test-marks.ts';
import { ANN, BOB, decisionsOf, LAB, openTestGate, plan } from './test-space.ts';

const request = (
  resource: string,
  confidence = 0.5,
): { scope: typeof LAB; resource: string; action: string; confidence: number } => ({
  scope: LAB,
  resource,
  action: 'do',
  confidence,
});
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A tool that runs until it is told what it comes to, and says when it has begun. */
function waitingTool<Value>(): {
  readonly begun: Promise<void>;
  readonly tool: () => Promise<Value>;
  readonly finish: (value: Value) => void;
} {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: value, resolve: finish } = Promise.withResolvers<Value>();
  const tool = (): Promise<Value> => {
    begin();
    return value;
  };
  return { begun, tool, finish };
}

describe('execute()', () => {
  it('runs the tool and records an action that supersedes its intent', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    const outcome = await ann.execute(request('r'), () => ({ answer: 42 }));
    expect(outcome).toMatchObject({
      verdict: 'allow',
      value: { answer: 42 },
      mark: {
        id: 'run-1/ann/e/m2',
        kind: 'action',
        resource: 'r',
        result: { answer: 42 },
        supersedes: 'run-1/ann/e/m1',
      },
    });
    expect(gate.view.isSuperseded(markId('run-1/ann/e/m1'))).toBe(true);
    expect(await gate.session(BOB, 'e').execute(request('r'), () => 0)).toMatchObject({
      verdict: 'conflict',
      holder: 'run-1/ann/e/m2',
      holderAgent: 'ann',
    });
  });

  it('never runs the tool unless allowed (P37)', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    await gate.session(BOB, 'e').write(plan('r'));
    let runs = 0;
    const tool = (): number => (runs += 1);
    const ann = gate.session(ANN, 'e');
    const outcomes = [
      await ann.execute(request('r'), tool),
      await ann.execute({ ...request('x'), action: 'undo' }, tool),
      await ann.execute({ ...request('x'), confidence: 2 }, tool),
    ];
    expect(outcomes).toMatchObject([
      { verdict: 'conflict' },
      { denial: { code: 'verb-not-allowed' } },
      { denial: { code: 'malformed' } },
    ]);
    gate.revoke(ann);
    expect(await ann.execute(request('x'), tool)).toMatchObject({ denial: { code: 'session-revoked' } });
    expect(runs).toBe(0);
  });

  it('records a failed action that claims nothing when the tool throws, and throws on', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const broken = gate.session(ANN, 'e').execute(request('r'), () => {
      throw new TypeError('tool broke');
    });
    await expect(broken).rejects.toThrow(new TypeError('tool broke'));
    expect(gate.view.byId(markId('run-1/ann/e/m2'))).toMatchObject({ kind: 'action', failed: true, result: null });
    expect(await gate.session(BOB, 'e').execute(request('r'), () => 1)).toMatchObject({ verdict: 'allow' });
  });

  it('lets nobody else on the resource while the tool runs: not by confidence, not after the TTL, not the agent itself (S1)', async () => {
    const { gate, clock } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    const { begun, tool, finish } = waitingTool<number>();
    const running = ann.execute(request('r', 0.1), tool);
    await begun;
    clock.now += 100 * 1_800_000;
    const others = [
      gate.session(BOB, 'e').write(plan('r', { confidence: 1 })),
      gate.session(BOB, 'f').execute(request('r', 1), () => 1),
      ann.execute(request('r', 1), () => 1),
    ];
    for (const outcome of await Promise.all(others))
      expect(outcome).toMatchObject({ verdict: 'conflict', holder: 'run-1/ann/e/m1' });
    finish(7);
    expect(await running).toMatchObject({ verdict: 'allow', value: 7 });
  });

  it.each([
    0, 5, 50,
  ])('under 20 concurrent callers with a tool of %i ms nobody executes beside another (S1)', async (ms) => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    const inside = new Map<string, number>();
    let overlaps = 0;
    const executedBy = new Map<string, Set<string>>();
    const calls = Array.from({ length: 20 }, async (_, i) => {
      const agent = i % 2 === 0 ? ANN : BOB;
      const session = gate.session(agent, `e${i}`);
      for (const resource of ['a', 'b', 'c']) {
        await session.execute(request(resource, i / 20), async () => {
          inside.set(resource, (inside.get(resource) ?? 0) + 1);
          if ((inside.get(resource) ?? 0) > 1) overlaps += 1;
          executedBy.set(resource, (executedBy.get(resource) ?? new Set()).add(agent));
          await sleep(ms);
          inside.set(resource, (inside.get(resource) ?? 0) - 1);
          return i;
        });
      }
    });
    await Promise.all(calls);
    expect(overlaps).toBe(0);
    expect([...executedBy.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
    expect(await decisionsOf(log)).toHaveLength(60);
  });

  it("takes over the agent's own booking, and releases the resource of a session that is revoked", async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    await ann.write(plan('r'));
    const { begun, tool, finish } = waitingTool<undefined>();
    const running = ann.execute(request('r'), tool);
    await begun;
    expect(gate.view.isSuperseded(markId('run-1/ann/e/m1'))).toBe(true);
    gate.revoke(ann);
    finish(undefined);
    expect(await running).toMatchObject({ verdict: 'denied', denial: { code: 'session-revoked' } });
    expect(gate.view.byId(markId('run-1/ann/e/m3'))).toBeUndefined();
  });

  it('after a crash goes on where it was: a finished action is not run again, a begun one is', async () => {
    const log = createMemoryLog();
    const { gate } = await openTestGate(log);
    await gate.session(ANN, 'e').execute(request('done'), () => 1);
    const endless = waitingTool();
    void gate.session(ANN, 'f').execute(request('begun'), endless.tool);
    await endless.begun;
    const { gate: next } = await openTestGate(log);
    let runs = 0;
    const tool = (): number => (runs += 1);
    expect(await next.session(ANN, 'e').execute(request('done'), tool)).toMatchObject({
      verdict: 'allow',
      repeated: true,
      mark: { id: 'run-1/ann/e/m2' },
    });
    expect(runs).toBe(0);
    expect(await next.session(BOB, 'g').execute(request('begun'), tool)).toMatchObject({ verdict: 'conflict' });
    expect(await next.session(ANN, 'f').execute(request('begun'), tool)).toMatchObject({ verdict: 'allow', value: 1 });
    expect(await decisionsOf(log)).toHaveLength(3);
  });

  it('leaves out of the action a result that JSON cannot carry or that is too large; the caller still gets it', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const outcomes = [
      await ann.execute(request('a'), () => loop),
      await ann.execute(request('b'), () => 'x'.repeat(3_000_000)),
      await ann.execute(request('c'), () => undefined),
    ];
    expect(outcomes[0]).toMatchObject({
      value: loop,
      mark: { result: { omitted: expect.stringMatching(/nested deeper/u) as unknown } },
    });
    expect(outcomes[1]).toMatchObject({
      mark: { result: { omitted: expect.stringMatching(/longer than/u) as unknown } },
    });
    expect(outcomes[2]).toMatchObject({ mark: { result: null } });
  });
});
