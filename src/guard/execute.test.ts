import { AsyncLocalStorage } from 'node:async_hooks';
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
    // It has no lease any more: nothing is left for the session's end to free.
    const types: string[] = [];
    for await (const { body } of log.read()) types.push(body.type);
    expect(types.filter((type) => type === 'event')).toEqual([]);
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

describe('a tool', () => {
  it('runs in the context of whoever made the call', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const context = new AsyncLocalStorage<string>();
    const by = (agent: typeof ANN): Promise<unknown> =>
      context.run(agent, () => gate.session(agent, 'e').execute(request(agent), () => context.getStore()));
    expect(await Promise.all([by(ANN), by(BOB)])).toMatchObject([{ value: 'ann' }, { value: 'bob' }]);
  });

  it('whose promise breaks the rules of promises harms nobody else', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    const odd = (then: (settle: (value: unknown) => void) => void): Promise<unknown> =>
      // oxlint-disable-next-line unicorn/no-thenable -- that is what is tried
      Object.assign(Promise.resolve(), { then });
    const throwing = ann.execute(request('throwing'), () =>
      odd(() => {
        throw new Error('no promise');
      }),
    );
    expect(await Promise.allSettled([throwing])).toHaveLength(1);
    const endless = waitingTool<number>();
    const running = ann.execute(request('running'), endless.tool);
    await endless.begun;
    const twice = await ann.execute(request('twice'), () =>
      odd((settle) => {
        settle(1);
        settle(2);
      }),
    );
    expect(twice).toMatchObject({ verdict: 'allow', mark: { id: 'run-1/ann/e/m6' } });
    // Its ids are its own as long as its tool runs.
    for (const id of ['run-1/ann/e/m3', 'run-1/ann/e/m4'])
      expect(await ann.write(plan('q'), { retryOf: markId(id) })).toMatchObject({ denial: { code: 'id-taken' } });
    endless.finish(7);
    expect(await running).toMatchObject({ verdict: 'allow', value: 7, mark: { id: 'run-1/ann/e/m4' } });
  });

  it('that starts the next execution and does not wait for it leaves room for everything else', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    let steps = 0;
    let stepsBefore: number | undefined;
    const calls: Promise<unknown>[] = [];
    const step = (): void => {
      steps += 1;
      if (steps === 10) setImmediate(() => (stepsBefore = steps));
      if (steps < 200) calls.push(ann.execute(request(`r${steps}`), step));
    };
    step();
    for (let i = 0; i < calls.length; i += 1) await calls[i];
    expect(steps).toBe(200);
    expect(stepsBefore).toBeLessThan(20);
  });
});

describe('an id', () => {
  it('that was given before is found whatever came of the calls since', async () => {
    const { gate } = await openTestGate(createMemoryLog());
    const ann = gate.session(ANN, 'e');
    await ann.write(plan('r'));
    expect(await ann.write({ ...plan('r'), scope: 'nowhere' })).toMatchObject({ verdict: 'denied' });
    expect(await ann.write(plan('r'), { retryOf: markId('run-1/ann/e/m1') })).toMatchObject({ repeated: true });
  });

  it('of an action that another process of the same name has used meanwhile is not used again: the tool comes too late (S1)', async () => {
    const log = createMemoryLog();
    const [{ gate: one }, { gate: two }] = [await openTestGate(log), await openTestGate(log)];
    const { begun, tool, finish } = waitingTool<undefined>();
    const running = one.session(ANN, 'e').execute(request('r'), tool);
    await begun;
    const other = two.session(ANN, 'e');
    expect(await other.write(plan('q'))).toMatchObject({ denial: { code: 'id-taken' } });
    expect(await other.write(plan('q'))).toMatchObject({ verdict: 'allow', mark: { id: 'run-1/ann/e/m2' } });
    finish(undefined);
    expect(await running).toMatchObject({ denial: { code: 'fenced' } });
    expect((await one.session(BOB, 'e').write(plan('alive'))).verdict).toBe('allow');
  });
});
