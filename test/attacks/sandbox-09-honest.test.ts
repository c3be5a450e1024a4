import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import type { HostFunction } from '../../src/sandbox/sandbox.ts';
import { jobOf, runOnce } from './containment.ts';

const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

/** What one that asks may compute, on machines that may not let it begin for seconds. */
const ASKING_MS = 3_000;
const host: Record<string, HostFunction> = {
  chat: async ([text]) => {
    await new Promise((resolve) => setTimeout(resolve, 1.5 * ASKING_MS));
    return ['heard', text ?? null];
  },
};

const HONEST: readonly (readonly [name: string, source: string])[] = [
  ['a fast one', 'export const forward = (input) => ({ n: 1 });'],
  ['an asynchronous one', 'export const forward = async () => { await null; return [1, 2]; };'],
  [
    'one that takes most of its time',
    'export const forward = (_, ctx) => { let s = 0; for (let i = 0; i < 4e7; i++) s += i % 7; return s; };',
  ],
  [
    'one that uses 60 MB',
    'export const forward = () => { const a = Array.from({ length: 2e6 }, (_, i) => [i]); return a.length; };',
  ],
  ['one with a large answer', 'export const forward = () => Array.from({ length: 9_000 }, (_, i) => i);'],
  [
    'one that asks its host for longer than it may compute',
    'export const forward = async (_, ctx) => ctx.chat("you");',
  ],
  [
    'one that searches at random',
    'export const forward = (_, ctx) => { let best = 0; for (let i = 0; i < 1e6; i++) best = Math.max(best, ctx.random()); return best; };',
  ],
  [
    'one that catches its own errors',
    'export const forward = () => { try { null.x; } catch (e) { return e.message; } };',
  ],
  [
    'one that logs',
    'export const forward = (_, ctx) => { for (let i = 0; i < 100; i++) ctx.log("step", i); return 1; };',
  ],
  [
    'one with classes, maps and regular expressions inside',
    'class A { #m = new Map([["a", 1]]); get() { return [...this.#m].flat(); } } export const forward = () => [new A().get(), "a-b".split(/-/), `${1n + 2n}`];',
  ],
];

test.each(HONEST)('accepts %s', async (name, source) => {
  const limits = name.includes('host') ? { caseMs: ASKING_MS, computeMs: ASKING_MS } : {};
  const job = jobOf(source, limits, { host });
  const verdict = await runOnce(sandbox.run, job);
  expect(verdict).toMatchObject({ status: 'value' });
});

test('accepts ten at once on as few processors as there are', async () => {
  const source = 'export const forward = () => { let s = 0; for (let i = 0; i < 2e7; i++) s += i % 7; return s; };';
  const verdicts = await Promise.all(Array.from({ length: 10 }, () => sandbox.run(jobOf(source))));
  expect(verdicts.map(([verdict]) => verdict?.status)).toEqual(Array(10).fill('value'));
});
