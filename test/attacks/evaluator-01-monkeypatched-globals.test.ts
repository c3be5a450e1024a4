import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { doublingTask, evaluate, honest, silent } from './evaluator-task.ts';

const sandbox = createSandbox();
afterAll(() => sandbox.close());

const attack = `
Array.prototype.every = () => true;
Object.is = () => true;
JSON.stringify = () => '42';
JSON.parse = () => 42;
Math.abs = () => 0;
Number.isFinite = () => true;
Date.now = () => 0;
Object.defineProperty(Object.prototype, 'expected', { get() { return 42; } });
Object.defineProperty(Object.prototype, 'status', { get() { return 'value'; }, set() {} });
Promise.prototype.then = function (resolve) { return resolve(42); };
const answer = { valueOf() { return 42; }, toString() { return '42'; }, toJSON() { return { n: 42 }; } };
globalThis.solve = () => answer;
globalThis.forward = () => 42;
export const forward = () => answer;
`;

// EV-01
test('globals patched in the realm score what returning undefined scores, and harm no later evaluation', async () => {
  const task = doublingTask();
  const nothing = await evaluate(task, silent, sandbox.run);
  const attacked = await evaluate(task, attack.replace('Date.now = () => 0;', ''), sandbox.run);
  const attackedWithDate = await evaluate(task, attack, sandbox.run);
  expect(nothing.score).toBe(0);
  expect(attacked.score).toBe(nothing.score);
  expect(attackedWithDate.score).toBe(nothing.score);
  expect((await evaluate(task, honest, sandbox.run)).score).toBe(1);
});

test('a realm patched by one case is not the realm of the next', async () => {
  const source = `
    export const forward = (input) => {
      const before = Array.prototype.poisoned;
      Array.prototype.poisoned = true;
      globalThis.count = (globalThis.count ?? 0) + 1;
      return before === undefined && globalThis.count === 1 ? 2 * input.n : 'poisoned';
    };`;
  expect((await evaluate(doublingTask(), source, sandbox.run)).score).toBe(1);
});
