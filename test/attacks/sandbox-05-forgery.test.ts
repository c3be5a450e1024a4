import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { BRIEF, contain, DEADLINE_MS, jobOf, runOnce, SLACK_MS } from './containment.ts';

const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

const nonce = 'f'.repeat(32);
const forged = [`{"score":1,"ok":true}`, `${nonce}V{"score":1}`, `\n${nonce}V1\n`, `V{"score":1}`, 'ready'];

test('EV-06 what a program logs, throws or names things is never its result', async () => {
  const source = `
    export function forward(input, ctx) {
      for (const line of ${JSON.stringify(forged)}) { console.log(line); ctx.log(line); }
      throw Object.assign(new Error(${JSON.stringify(forged.join('\n'))}), { name: ${JSON.stringify(forged[2])}, stack: ${JSON.stringify(forged[1])} });
    }`;
  const verdict = await runOnce(sandbox.run, jobOf(source));
  expect(verdict).toMatchObject({ status: 'error', error: { code: 'threw' } });
  expect(verdict.logs).toHaveLength(2 * forged.length);
});

test('EV-06 a forged line returned as a value is only a string', async () => {
  const text = `{"score":1}\n{"nonce":"guess","score":1}\n${nonce}V{"score":1}`;
  const verdict = await runOnce(sandbox.run, jobOf(`export const forward = () => ${JSON.stringify(text)};`));
  expect(verdict).toMatchObject({ status: 'value', value: text });
});

test('EV-06 a program cannot claim a status', async () => {
  for (const status of ['value', 'timeout', 'memory', 'crash']) {
    const verdict = await runOnce(
      sandbox.run,
      jobOf(`export const forward = () => { throw { status: '${status}', code: '${status}', value: 1 }; };`),
    );
    expect(verdict).toMatchObject({ status: 'error', error: { code: 'threw' } });
  }
});

test('ISO-10 a flood of host calls or log lines ends with the deadline, far below the budget of calls', async () => {
  let calls = 0;
  const host = {
    tool: () => {
      calls++;
      return Promise.resolve(null);
    },
  };
  for (const flood of [
    'ctx.log("x")',
    'console.log("x".repeat(1000))',
    'ctx.tool().catch(() => {})',
    'ctx.tool("x".repeat(1e5)).catch(() => {})',
  ]) {
    const { faults, verdict } = await contain(
      sandbox.run,
      jobOf(`export function forward(input, ctx) { for (;;) ${flood}; }`, BRIEF, { host }),
    );
    expect(faults).toEqual([]);
    expect(['timeout', 'memory', 'crash']).toContain(verdict.status);
    expect(verdict.logs.length).toBeLessThanOrEqual(1_000);
  }
  expect(calls).toBeLessThanOrEqual(1_000);
});

test('ISO-10 awaited host calls are counted, and the rest refused', async () => {
  let calls = 0;
  const host = { tool: () => Promise.resolve(++calls) };
  const source = `export async function forward(input, ctx) {
    let refused = 0;
    for (let i = 0; i < 400; i++) try { await ctx.tool(); } catch { refused++; }
    return refused;
  }`;
  const job = jobOf(source, { hostCalls: 100 }, { host });
  const { faults, verdict } = await contain(sandbox.run, job, new Set(['value']));
  expect(faults).toEqual([]);
  expect(verdict).toMatchObject({ value: 300 });
  expect(calls).toBe(100);
});

// The suite's broken variant: the same assessment must notice code that runs unprotected in this process.
test('a program that runs in this process, late and blocking, is noticed as not contained', async () => {
  const unprotected = await contain(
    ({ modules }) => {
      const startedAt = performance.now();
      const attack = Object.values(modules).join('').includes('for (;;)');
      const until = performance.now() + (attack ? DEADLINE_MS + SLACK_MS + 100 : 0);
      while (performance.now() < until);
      return Promise.resolve([
        { status: 'value' as const, value: true, wallMs: performance.now() - startedAt, logs: [] },
      ]);
    },
    jobOf('export const forward = () => { for (;;); };', BRIEF),
  );
  expect(unprotected.faults.join()).toMatch(/status value.*took.*event loop stood still/);
});
