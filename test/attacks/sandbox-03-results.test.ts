import { createHash } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { asForward, contain, jobOf, runOnce, valueOf } from './containment.ts';

const sandbox = createSandbox({ shellPoolSize: 0 });
afterAll(() => sandbox.close());

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('ISO-08 own __proto__ and constructor keys are refused and pollute nothing', async () => {
  const script = `return JSON.parse('{"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"p2":1}},"score":1}')`;
  const { faults, verdict } = await contain(sandbox.run, jobOf(asForward(script)));
  expect(faults).toEqual([]);
  expect(verdict.status).toBe('bad-result');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  expect(Object.hasOwn(Object.prototype, 'p2')).toBe(false);
});

test('ISO-08 nested and in an array as well', async () => {
  for (const inner of [`[{"a":{"__proto__":1}}]`, `{"a":[{"constructor":1}]}`]) {
    const verdict = await runOnce(sandbox.run, jobOf(asForward(`return JSON.parse('${inner}')`)));
    expect(verdict.status).toBe('bad-result');
  }
});

test('EV-02 what is checked is what is stored: each property is read once', async () => {
  const source = `var n = 0; export const forward = () => ({ get score() { return n++ ? 1e9 : 1; }, list: [1, { get a() { return n++; } }] });`;
  const value = await valueOf(sandbox.run, source);
  expect(value).toEqual({ score: 1, list: [1, { a: 1 }] });
  expect(sha256(JSON.stringify(value))).toBe(sha256(JSON.stringify(value)));
  expect(Object.getOwnPropertyDescriptor(value, 'score')).toMatchObject({ value: 1 });
});

test.each([
  ['toJSON', 'return { toJSON() { return { score: 1e9 }; }, valueOf() { return 1; } }'],
  ['a class instance', 'class A { score = 1 } return new A()'],
  ['a boxed number', 'return new Number(42)'],
  ['a date', 'return new Date(NaN)'],
  ['a map', 'return new Map([[1, 2]])'],
  ['a typed array', 'return new Float64Array(3)'],
  ['a function', 'return () => 1'],
  ['a symbol', "return Symbol('score')"],
  ['a symbol as key', "return { [Symbol('s')]: 1 }"],
  ['undefined', 'return undefined'],
  ['nothing', ''],
  ['an undefined property', 'return { a: undefined }'],
  ['a hole', 'return [1, , 2]'],
  ['NaN', 'return NaN'],
  ['Infinity inside', 'return { score: [Infinity] }'],
  ['1e309', 'return 1e309'],
  ['a bigint', 'return 10n'],
  ['a cycle', 'const a = {}; a.a = a; return a'],
  ['an array with another prototype', 'return Object.setPrototypeOf([1], { get 0() { return 42; } })'],
])('EV-02, EV-03: %s is no result', async (_, script) => {
  const verdict = await runOnce(sandbox.run, jobOf(asForward(script)));
  expect(verdict.status).toBe('bad-result');
});

test('EV-02 a value that throws while it is read is an error', async () => {
  const verdict = await runOnce(
    sandbox.run,
    jobOf(asForward('return new Proxy({}, { getPrototypeOf() { throw 1; } })')),
  );
  expect(verdict).toMatchObject({ status: 'error', error: { message: 'thrown: 1' } });
});

test('EV-02 a shared buffer cannot even be made', async () => {
  const source = asForward(
    'return [typeof SharedArrayBuffer, typeof Atomics, typeof WebAssembly, typeof new ArrayBuffer(8).constructor.prototype.grow]',
  );
  expect(await valueOf(sandbox.run, source)).toEqual(['undefined', 'undefined', 'undefined', 'undefined']);
});

test('EV-02 a proxy and a thenable give one snapshot', async () => {
  const proxy =
    'let n = 0; return new Proxy({ score: 0 }, { get: () => n++, getOwnPropertyDescriptor: (t, k) => ({ value: 7, enumerable: true, configurable: true }) });';
  expect(await valueOf(sandbox.run, asForward(proxy))).toEqual({ score: expect.any(Number) });
  const thenable = 'return { then(resolve) { resolve({ score: 1 }); resolve({ score: 2 }); } };';
  expect(await valueOf(sandbox.run, asForward(thenable))).toEqual({ score: 1 });
});

test('EV-03 odd numbers stay what they are', async () => {
  expect(await valueOf(sandbox.run, asForward("return [-0, 2 ** 53 + 1, '42', [42], 0.1, 5e-324]"))).toEqual([
    0,
    2 ** 53,
    '42',
    [42],
    0.1,
    5e-324,
  ]);
});

test('EV-01 intrinsics patched by the program do not touch what crosses', async () => {
  const patches = `
    Array.prototype.every = () => true; Object.is = () => true; JSON.stringify = () => '42'; JSON.parse = () => 42;
    Math.abs = () => 0; Number.isFinite = () => true; Date.now = () => 0; Array.isArray = () => false; Object.keys = () => ['score'];
    Object.getPrototypeOf = () => null; Reflect.construct = () => 42; String.prototype.slice = () => 'V42'; Promise.prototype.then = () => 42;
    Object.defineProperty(Array.prototype, 0, { set() { throw 1; }, get() { return 42; }, configurable: true });
    Object.defineProperty(Object.prototype, 'expected', { get() { return 42; } });
    Object.prototype.toJSON = () => 42; String.prototype.toJSON = () => 42; Number.prototype.toString = () => '42';
    Array.prototype[Symbol.iterator] = function* () { yield 42; };`;
  const source = `${patches}
    globalThis.solve = () => ({ valueOf() { return 42; }, toString() { return '42'; }, toJSON() { return 42; } });
    export const forward = async (input) => ({ a: [1, 'two', null], b: { c: false } });`;
  expect(await valueOf(sandbox.run, source)).toEqual({ a: [1, 'two', null], b: { c: false } });
  const odd = await runOnce(
    sandbox.run,
    jobOf(`${patches} export const forward = () => ({ valueOf() { return 42; }, toJSON() { return 42; } });`),
  );
  expect(odd.status).toBe('bad-result');
});
