import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import type { SandboxLimits } from '../../src/sandbox/sandbox.ts';
import { asForward, childrenOf, contain, type Containment, jobOf } from './containment.ts';

const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

/** Contains an attack while watching the largest child (Linux; elsewhere 0). */
async function watched(
  source: string,
  limits: Partial<SandboxLimits> = {},
): Promise<Containment & { readonly peakMb: number }> {
  let peakMb = 0;
  const timer = setInterval(() => {
    if (process.platform === 'linux') peakMb = Math.max(peakMb, ...childrenOf(process.pid).map((child) => child.rssMb));
  }, 40);
  const contained = await contain(sandbox.run, jobOf(source, limits));
  clearInterval(timer);
  return { ...contained, peakMb };
}

test('ISO-05 a fatal error of the engine is a crash of the child, with its signal on record', async () => {
  const { faults, verdict } = await watched(asForward('return "x".repeat(2**28).split("")'));
  expect(faults).toEqual([]);
  expect(verdict).toMatchObject({ status: 'crash', error: { code: 'crash', message: expect.stringContaining('SIG') } });
});

test('ISO-06 memory outside the heap stays under the cap', async () => {
  const script =
    'var a=[];for(var i=0;i<16;i++){var b=new ArrayBuffer(8,{maxByteLength:2**30});b.resize(2**28);new Uint8Array(b).fill(1);a.push(b)} for(var i=0;i<4;i++){var m=new WebAssembly.Memory({initial:16384});new Uint8Array(m.buffer).fill(1);a.push(m)} return a.length';
  const { faults, verdict, peakMb } = await watched(asForward(script));
  expect(faults).toEqual([]);
  expect(['memory', 'crash']).toContain(verdict.status);
  expect(peakMb).toBeLessThan(1_500);
});

test('ISO-07 a value that grows when it is written down is cut off where it is written', async () => {
  const script = 'var s="x".repeat(2**23);/y/.test(s);return new Array(400).fill(s)';
  const { faults, verdict, peakMb } = await watched(asForward(script));
  expect(faults).toEqual([]);
  expect(['output-limit', 'memory']).toContain(verdict.status);
  expect(peakMb).toBeLessThan(1_500);
});

test.each([
  ['arrays of numbers', 'const a=[];for(;;)a.push(new Array(1000).fill(1.5))'],
  ['small objects', 'const a=[];for(;;)a.push({x:1,y:[1,2,3]})'],
  ['typed arrays', 'const a=[];for(;;)a.push(new Uint8Array(1e6).fill(1))'],
  ['a map', 'const m=new Map();for(let i=0;;i++)m.set(i,"v"+i)'],
  [
    'a string doubled',
    'let s="x".repeat(1000);const k=[];for(;;){k.push((s+k.length).split("").join("-"));s+="yy"+s.slice(0,9e5)}',
  ],
])('a bomb of %s ends as a failure', { timeout: 60_000 }, async (_, script) => {
  const { faults, verdict, peakMb } = await watched(asForward(script), { caseMs: 30_000, computeMs: 30_000 });
  expect(faults).toEqual([]);
  expect(['memory', 'crash']).toContain(verdict.status);
  expect(peakMb).toBeLessThan(1_500);
});

test.each([
  ['one long string', 'return "x".repeat(70_000)'],
  ['many short ones', 'return Array.from({ length: 20_000 }, () => "xyz")'],
  ['an array of holes', 'return new Array(2 ** 32 - 1)'],
  ['a tree that repeats itself', 'let a = []; for (let i = 0; i < 60; i++) a = [a, a]; return a'],
])('%s over the result cap is an output limit', async (_, script) => {
  const { faults, verdict } = await watched(asForward(script));
  expect(faults).toEqual([]);
  expect(verdict.status).toBe('output-limit');
});
