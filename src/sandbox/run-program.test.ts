import { afterAll, describe, expect, it } from 'vitest';
import { createSandbox } from './create-sandbox.ts';
import type { HostFunction, Json, SandboxCase, SandboxLimits, Verdict } from './sandbox.ts';

const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

const once = (input: Json, seed = 1): SandboxCase => ({ seed, next: (step) => (step === 0 ? input : undefined) });

async function runOne(
  program: string | Record<string, string>,
  options: { input?: Json; limits?: Partial<SandboxLimits>; host?: Record<string, HostFunction> } = {},
): Promise<Verdict> {
  const modules = typeof program === 'string' ? { 'task_agent.ts': program } : program;
  const { input = {}, ...rest } = options;
  const [verdict] = await sandbox.run({ modules, entry: 'task_agent.ts', cases: [once(input)], ...rest });
  if (verdict === undefined) throw new Error('no verdict');
  return verdict;
}

const valueOf = (verdict: Verdict | undefined): Json => {
  if (verdict?.status !== 'value') throw new Error(`not a value: ${JSON.stringify(verdict)}`);
  return verdict.value;
};
const errorOf = (verdict: Verdict): { status: string; code: string; message: string } => {
  if (verdict.status === 'value') throw new Error(`a value: ${JSON.stringify(verdict)}`);
  return { status: verdict.status, ...verdict.error };
};

describe('run()', () => {
  it('gives the value of forward, with its own modules and stripped types', async () => {
    const verdict = await runOne(
      {
        'task_agent.ts':
          "import { twice } from './lib/math';\nexport async function forward(input: { x: number }): Promise<object> { return { y: twice(input.x), z: -0 }; }",
        'lib/math.ts': "import { two } from '../constants.js';\nexport const twice = (x: number): number => two * x;",
        'constants.ts': 'export const two: number = 2;',
      },
      { input: { x: 21 } },
    );
    expect(valueOf(verdict)).toEqual({ y: 42, z: 0 });
    expect(verdict.wallMs).toBeGreaterThan(0);
  });

  it('gives mulberry32 of the seed to Math.random and ctx.random, and freezes the clock', async () => {
    const source =
      'export const forward = (_, ctx) => [Math.random(), ctx.random(), Date.now(), +new Date(), new Date(5).getTime(), Date().slice(0, 15), new Date() instanceof Date];';
    const cases = [once({}, 1), once({}, 1), once({}, 2)];
    const verdicts = await sandbox.run({ modules: { 'task_agent.ts': source }, entry: 'task_agent.ts', cases });
    expect(valueOf(verdicts[0])).toEqual([0.6270739405881613, 0.002735721180215478, 0, 0, 5, 'Thu Jan 01 1970', true]);
    expect(valueOf(verdicts[1])).toEqual(valueOf(verdicts[0]));
    expect(valueOf(verdicts[2])).not.toEqual(valueOf(verdicts[0]));
  });

  it('calls forward step by step in one realm and hands each output to the case', async () => {
    const seen: (Json | undefined)[] = [];
    const stepwise: SandboxCase = {
      seed: 1,
      next: (step, previous) => {
        seen.push(previous);
        return step < 4 ? { add: step } : undefined;
      },
    };
    const source = 'let sum = 0; export function forward(input) { sum += input.add; return sum; }';
    const [first, second] = await sandbox.run({
      modules: { 'task_agent.ts': source },
      entry: 'task_agent.ts',
      cases: [stepwise, once({ add: 1 })],
    });
    expect(seen).toEqual([undefined, 0, 1, 3, 6]);
    expect(valueOf(first)).toBe(6);
    expect(valueOf(second)).toBe(1);
  });

  it('gives a null value to a case without a step, and verdicts in the order of the cases', async () => {
    const cases = [{ seed: 1, next: () => undefined }, ...[1, 2, 3].map((n) => once(n))];
    const verdicts = await sandbox.run({
      modules: { 'task_agent.ts': 'export const forward = (n) => n;' },
      entry: 'task_agent.ts',
      cases,
    });
    expect(verdicts.map(valueOf)).toEqual([null, 1, 2, 3]);
  });

  it.each([
    ['syntax', 'export function forward() {\n  let a: = 1;\n}', 'task_agent.ts:2:'],
    ['syntax', 'export function forward() {}\nexport function forward() {}', 'task_agent.ts:2:'],
    ['unsupported-typescript', '\n\nenum A { B }\nexport const forward = () => A.B;', 'task_agent.ts:3:'],
    [
      'syntax',
      `export const forward = () => ${'['.repeat(100_000)}${']'.repeat(100_000)};`,
      'task_agent.ts: cannot be parsed',
    ],
    ['missing-module', "import fs from 'node:fs';\nexport const forward = () => 1;", "imports 'node:fs'"],
    ['no-forward', 'export const backward = 1;', 'no export function forward'],
    ['threw-at-load', '\nnull.x;\nexport const forward = () => 1;', 'task_agent.ts:2: TypeError'],
    [
      'threw',
      'export function forward(): number {\n  const f: unknown = 1;\n  return (f as () => number)();\n}',
      'task_agent.ts:3: TypeError: f is not a function',
    ],
    ['threw', "export const forward = () => { throw 'plain'; };", 'thrown: plain'],
  ])('reports %s in the terms of the agent', async (code, source, message) => {
    const error = errorOf(await runOne(source));
    expect(error).toMatchObject({ status: 'error', code });
    expect(error.message).toContain(message);
  });

  it('reports a static error for every case without trying each', async () => {
    const cases = [once(1), once(2), once(3)];
    const verdicts = await sandbox.run({ modules: { 'task_agent.ts': 'let = ' }, entry: 'task_agent.ts', cases });
    expect(verdicts.map((verdict) => verdict.status)).toEqual(['error', 'error', 'error']);
    expect(verdicts[2]?.wallMs).toBe(0);
  });

  it('refuses a program over its size and one without its entry', async () => {
    expect(errorOf(await runOne('x'.repeat(600_000))).code).toBe('too-large');
    const [verdict] = await sandbox.run({ modules: {}, entry: 'task_agent.ts', cases: [once(1)] });
    expect(verdict && errorOf(verdict)).toMatchObject({ status: 'error', code: 'missing-module' });
  });

  it('keeps what a case logged, capped, also when the case is killed', async () => {
    const logged = await runOne(
      "export const forward = (_, ctx) => { ctx.log('a', { b: 1 }, [2]); console.warn('c', undefined); return 1; };",
    );
    expect(logged.logs).toEqual(['a {"b":1} [2]', 'c undefined']);
    const looped = await runOne("export const forward = (_, ctx) => { ctx.log('before'); for (;;); };", {
      limits: { caseMs: 4_000 },
    });
    expect(looped).toMatchObject({ status: 'timeout', logs: ['before'] });
    const noisy = await runOne(
      "export const forward = (_, ctx) => { for (let i = 0; i < 1e5; i++) ctx.log('x'.repeat(100)); return 1; };",
      { limits: { logBytes: 1000 } },
    );
    expect(noisy.logs.join('').length).toBeLessThan(1100);
    expect(noisy.logs.at(-1)).toContain('[log limit reached]');
  });

  it('goes on with the next case after a killed one while compute time lasts', async () => {
    const source = 'export const forward = (n) => { if (n === 1) for (;;); return n; };';
    const cases = [0, 1, 2].map((n) => once(n));
    const job = { modules: { 'task_agent.ts': source }, entry: 'task_agent.ts', cases };
    const statuses = async (caseMs: number, computeMs: number) =>
      (await sandbox.run({ ...job, limits: { caseMs, computeMs } })).map((verdict) => verdict.status);
    expect(await statuses(4_000, 20_000)).toEqual(['value', 'timeout', 'value']);
    expect(await statuses(4_500, 4_000)).toEqual(['value', 'timeout', 'timeout']);
  });

  it('rejects with the reason of its signal and leaves nothing behind', async () => {
    const controller = new AbortController();
    const running = sandbox.run({
      modules: { 'task_agent.ts': 'export const forward = () => { for (;;); };' },
      entry: 'task_agent.ts',
      cases: [once(1)],
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error('enough')), 100);
    await expect(running).rejects.toThrow('enough');
  });

  it('throws what a case of the task throws', async () => {
    const broken = {
      seed: 1,
      next: () => {
        throw new Error('task is broken');
      },
    };
    await expect(
      sandbox.run({
        modules: { 'task_agent.ts': 'export const forward = () => 1;' },
        entry: 'task_agent.ts',
        cases: [broken],
      }),
    ).rejects.toThrow('task is broken');
  });

  it('removes globals a task forbids, before the program loads', async () => {
    const [verdict] = await sandbox.run({
      modules: {
        'task_agent.ts': 'const seen = typeof Math.sin; export const forward = () => [seen, typeof Math.cos];',
      },
      entry: 'task_agent.ts',
      cases: [once(1)],
      withoutGlobals: ['Math.sin', 'No.such'],
    });
    expect(valueOf(verdict)).toEqual(['undefined', 'function']);
  });
});

describe('host functions', () => {
  it('answer in order of asking, several at once, and the clock stands still meanwhile', async () => {
    const slow: HostFunction = async ([n]) => {
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      return { n: n ?? null };
    };
    const source =
      'export const forward = async (_, ctx) => [await Promise.all([ctx.slow(1), ctx.slow(2)]), await ctx.slow(3)];';
    const verdict = await runOne(source, { host: { slow }, limits: { caseMs: 3_000, computeMs: 3_000 } });
    expect(valueOf(verdict)).toEqual([[{ n: 1 }, { n: 2 }], { n: 3 }]);
  });

  it('fail with a code and nothing of the host', async () => {
    const host = {
      coded: () => Promise.reject(Object.assign(new Error('/srv/secret'), { code: 'over-budget' })),
      plain: () => Promise.reject(Object.assign(new Error('/srv/secret'), { code: 'ENOENT' })),
    };
    const source =
      "export const forward = (_, ctx) => Promise.all(['coded', 'plain'].map((name) => ctx[name]().catch((e) => [e.code, e.message])));";
    expect(valueOf(await runOne(source, { host }))).toEqual([
      ['over-budget', 'the host refused: over-budget'],
      ['failed', 'the host refused: failed'],
    ]);
  });

  it('are counted and capped', async () => {
    let calls = 0;
    const host = { ask: () => Promise.resolve(++calls), much: () => Promise.resolve('x'.repeat(5_000)) };
    const source = `export const forward = async (_, ctx) => {
      const code = (promise) => promise.then(() => 'ok', (e) => e.code);
      const codes = [await code(ctx.ask('x'.repeat(5_000))), await code(ctx.ask(() => 1)), await code(ctx.much())];
      for (let i = 0; i < 20; i++) codes.push(await code(ctx.ask(i)));
      return codes;
    };`;
    const codes = valueOf(await runOne(source, { host, limits: { hostCalls: 5, hostBytes: 1_000 } }));
    expect(codes).toEqual([
      'too-large',
      'bad-arguments',
      'reply-too-large',
      ...Array(4).fill('ok'),
      ...Array(16).fill('call-limit'),
    ]);
    expect(calls).toBe(4);
  });

  it('are aborted when the wall limit ends the run', async () => {
    let aborted = false;
    const host: Record<string, HostFunction> = {
      hang: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('aborted'));
          });
        }),
    };
    // A child is ready, so that the program begins well before the limit.
    await runOne('export const forward = () => 1;');
    const verdict = await runOne('export const forward = (_, ctx) => ctx.hang();', { host, limits: { wallMs: 5_000 } });
    expect(errorOf(verdict)).toMatchObject({ status: 'timeout', code: 'wall-limit' });
    expect(aborted).toBe(true);
  });

  it('do not reach a later case with an answer asked for in an earlier one', async () => {
    let asked = 0;
    const host: Record<string, HostFunction> = {
      late: async () => {
        asked++;
        await new Promise((resolve) => setTimeout(resolve, 50));
        return 'late';
      },
      wait: async () => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        return 'waited';
      },
    };
    const source =
      "export const forward = async (n, ctx) => { if (n === 0) { ctx.late(); return 'first'; } return ctx.wait(); };";
    const verdicts = await sandbox.run({
      modules: { 'task_agent.ts': source },
      entry: 'task_agent.ts',
      cases: [once(0), once(1)],
      host,
    });
    expect(verdicts.map(valueOf)).toEqual(['first', 'waited']);
    // The first case returned before it went idle: its call was still made, and dropped.
    expect(asked).toBeLessThanOrEqual(1);
  });
});
