import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import type { SandboxCase, Verdict } from '../../src/sandbox/sandbox.ts';
import { childrenOf } from './containment.ts';

const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

const cases = (inputs: readonly number[]): readonly SandboxCase[] =>
  inputs.map((n) => ({ seed: n, next: (step) => (step === 0 ? n : undefined) }));
const valuesOf = (verdicts: readonly Verdict[]) =>
  verdicts.map((verdict) => (verdict.status === 'value' ? verdict.value : verdict.status));

/** Tries to leave something for the next case in every place a realm has. */
const LEAKER = `
  let seen = 0;
  const places = [globalThis, Object.prototype, Array.prototype, Function.prototype, Math, JSON, Promise, Symbol, Intl, RegExp, Error];
  export const forward = (n, ctx) => {
    const found = places.filter((place) => Object.hasOwn(place, 'left')).length + (Symbol.for('left').description === 'left' ? 0 : 1);
    seen++;
    for (const place of places) place.left = n;
    ctx.left = n; console.left = n; forward.left = n;
    RegExp('(.)').exec(String(n));
    return { seen, found, last: RegExp.$1 === String(n)[0], first: Math.random(), ctx: Object.hasOwn(ctx, 'before') };
  };`;

test('nothing of one case is found by the next, whatever their order', async () => {
  const run = async (inputs: readonly number[]) =>
    valuesOf(await sandbox.run({ modules: { 'a.js': LEAKER }, entry: 'a.js', cases: cases(inputs) }));
  const forwards = await run([1, 2, 3, 4]);
  const backwards = await run([4, 3, 2, 1]);
  expect(forwards).toEqual(backwards.toReversed());
  for (const value of forwards) expect(value).toMatchObject({ seen: 1, found: 0, ctx: false });
});

test('promises left pending by one case are never continued in another', async () => {
  let answered = 0;
  const host = {
    later: async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      answered++;
      return 'late';
    },
    wait: () => new Promise<null>((resolve) => setTimeout(() => resolve(null), 120)),
  };
  const source = `
    let log = [];
    export const forward = async (n, ctx) => {
      if (n === 1) { ctx.later().then((x) => log.push(x)); await ctx.wait(); return log.length; }
      await ctx.wait();
      return log.length;
    };`;
  const verdicts = await sandbox.run({ modules: { 'a.js': source }, entry: 'a.js', cases: cases([1, 2]), host });
  expect(valuesOf(verdicts)).toEqual([1, 0]);
  expect(answered).toBe(1);
});

test('inputs are copies: a program that changes them changes nothing here', async () => {
  const input = { sizes: [1, 2, 3], deep: { a: 1 } };
  const source =
    'export const forward = (input) => { input.sizes.length = 0; input.deep.a = 0; delete input.deep; return 1; };';
  await sandbox.run({
    modules: { 'a.js': source },
    entry: 'a.js',
    cases: [{ seed: 1, next: (step) => (step === 0 ? input : undefined) }],
  });
  expect(input).toEqual({ sizes: [1, 2, 3], deep: { a: 1 } });
});

test.runIf(process.platform === 'linux')('each run has a child of its own, and it is gone afterwards', async () => {
  const job = { modules: { 'a.js': 'export const forward = () => 1;' }, entry: 'a.js', cases: cases([1]) };
  await sandbox.run(job);
  const seen = new Set<number>();
  for (let i = 0; i < 4; i++) {
    for (const { pid } of childrenOf(process.pid)) seen.add(pid);
    await sandbox.run(job);
  }
  // Four runs used up the children that were seen waiting; at most the pool's own size of them is still unused.
  const still = () => childrenOf(process.pid).filter(({ pid }) => seen.has(pid)).length;
  for (const until = performance.now() + 10_000; still() > 2 && performance.now() < until; ) await pause(50);
  expect(seen.size).toBeGreaterThanOrEqual(3);
  expect(still()).toBeLessThanOrEqual(2);
});
