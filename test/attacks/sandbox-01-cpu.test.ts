import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { asForward, BRIEF, busyChildren, contain, DEADLINE_MS, jobOf, SLACK_MS } from './containment.ts';

const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

const LOOPS: readonly (readonly [id: string, script: string])[] = [
  ['ISO-01 loop with catch and finally', 'for(;;){try{for(;;);}catch(e){}finally{for(;;);}}'],
  ['ISO-02 builtin over an endless array-like', 'Array.prototype.indexOf.call({length:2**53-1},1)'],
  ['ISO-03 thrown Proxy whose traps never return', 'throw new Proxy({}, {get(){for(;;);}})'],
  ['ISO-04 microtask bomb', '(function bad(){Promise.resolve().then(()=>{bad();for(;;);})})();for(;;);'],
  [
    'ISO-04 microtasks that only breed',
    'const again = () => void Promise.resolve().then(again); again(); return new Promise(() => {});',
  ],
  ['a regular expression that backtracks', "return /^(a+)+$/.test('a'.repeat(40) + 'b');"],
  ['a returned object whose getters loop', 'return { get score() { for (;;); } };'],
  ['a returned Proxy whose keys never end', 'return new Proxy({}, { ownKeys() { for (;;); } });'],
  ['a thenable that loops', 'return { then() { for (;;); } };'],
];

test.each(LOOPS)('%s ends with the deadline, as forward and at load', async (_, script) => {
  const called = await contain(sandbox.run, jobOf(asForward(script), BRIEF));
  expect(called.faults).toEqual([]);
  expect(called.verdict.status).toBe('timeout');
  expect(called.verdict.wallMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
});

test.each([
  ['ISO-01', 'for(;;){try{for(;;);}catch(e){}finally{for(;;);}}'],
  ['ISO-02', 'Array.prototype.indexOf.call({length:2**53-1},1)'],
  ['ISO-03', 'throw new Proxy({}, {get(){for(;;);}})'],
  ['ISO-04', '(function bad(){Promise.resolve().then(()=>{bad();for(;;);})})();for(;;);'],
])('%s at top level, with no forward at all, is contained too', async (_, script) => {
  const loaded = await contain(sandbox.run, jobOf(script, BRIEF), new Set(['timeout', 'error']));
  expect(loaded.faults).toEqual([]);
});

test('a promise that nothing can settle is a timeout, told at once', async () => {
  const { faults, verdict } = await contain(sandbox.run, jobOf(asForward('return new Promise(() => {});')));
  expect(faults).toEqual([]);
  expect(verdict).toMatchObject({ status: 'timeout', error: { code: 'never-settles' } });
});

test('a loop entered after a host call resumes ends with the deadline', async () => {
  const host = { wait: () => pause(200, 'done') };
  const source = 'export async function forward(input, ctx) { await ctx.wait(); for (;;); }';
  const { faults, verdict } = await contain(sandbox.run, jobOf(source, BRIEF, { host }));
  expect(faults).toEqual([]);
  expect(verdict.status).toBe('timeout');
});

test('computing while a host call is under way does not stop the clock', async () => {
  const host = { wait: () => pause(5_000, 'done', { ref: false }) };
  const source = 'export async function forward(input, ctx) { const p = ctx.wait(); for (;;); }';
  const { faults, verdict } = await contain(sandbox.run, jobOf(source, BRIEF, { host }));
  expect(faults).toEqual([]);
  expect(verdict.status).toBe('timeout');
});

test.runIf(process.platform === 'linux')('ISO-02: nothing of it is left running', async () => {
  const { faults } = await contain(
    sandbox.run,
    jobOf(asForward('Array.prototype.indexOf.call({length:2**53-1},1)'), BRIEF),
  );
  expect(faults).toEqual([]);
  expect(await busyChildren()).toEqual([]);
});
