import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { doublingTask, evaluate, outputsOf } from './evaluator-task.ts';

const sandbox = createSandbox();
afterAll(() => sandbox.close());

const values: Record<string, string> = {
  'getters and toJSON':
    '({ get score() { return n++ ? 1e9 : 1; }, toJSON() { return { score: 1e9 }; }, valueOf() { return n++; } })',
  'getter that counts': '({ get answer() { return n++; } })',
  'nested getter': '[{ get answer() { return n++ ? 42 : 0; } }]',
  'proxy of a number': 'new Proxy(Object(42), { get: (t, k) => (k === "toJSON" ? undefined : () => n++ ) })',
  'proxy of an array': 'new Proxy([42], { get: (t, k) => (k === "length" ? ++n : 42) })',
  'shared memory': 'typeof SharedArrayBuffer === "function" ? new SharedArrayBuffer(8) : { none: true }',
  'array buffer': 'new Float64Array([42])',
  'class instance': 'new (class Answer { value = 42; valueOf() { return 42; } })()',
  thenable: '({ then(resolve) { resolve({ n: n++ }); } })',
  'thenable that never answers': '({ then() {} })',
  function: '() => 42',
  symbol: 'Symbol.for("42")',
};

// EV-02
describe('a value that changes between checks scores from one snapshot:', () => {
  for (const [name, value] of Object.entries(values)) {
    test(`${name}, never what it becomes`, async () => {
      const task = doublingTask();
      const source = `let n = 0; export const forward = () => (${value});`;
      const evaluation = await evaluate(task, source, sandbox.run);
      expect(evaluation.score).toBe(0);
      const hash = (judged: unknown) => createHash('sha256').update(JSON.stringify(judged)).digest('hex');
      expect(hash(outputsOf(evaluation).map((one) => one ?? null))).toBe(
        hash(task.seen.map((answer) => answer.output ?? null)),
      );
    });
  }
});
