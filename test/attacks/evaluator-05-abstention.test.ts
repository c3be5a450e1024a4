import { afterAll, describe, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { doublingTask, evaluate } from './evaluator-task.ts';

const sandbox = createSandbox();
afterAll(() => sandbox.close());

const abstentions: Record<string, string> = {
  'an empty text': "return ''",
  null: 'return null',
  undefined: 'return undefined',
  'an exception': "throw new Error('no idea')",
  'a promise that rejects': "return Promise.reject(new Error('no idea'))",
  'an endless loop': 'for (;;);',
  'a promise that never settles': 'return new Promise(() => {})',
  'more than may be returned': "return 'x'.repeat(50_000_000)",
};

// EV-05
describe('answering the three easiest of ten is worth 3/10, the rest being', () => {
  for (const [name, statement] of Object.entries(abstentions)) {
    test(`${name} each time`, async () => {
      const { limits, ...task } = doublingTask();
      const brief = { caseMs: 4_000, computeMs: 6_000 };
      const source = `export const forward = (input) => { if (input.n < 24) return 2 * input.n; ${statement}; };`;
      const { score, cases } = await evaluate(
        { ...task, limits: name === 'an endless loop' ? brief : limits },
        source,
        sandbox.run,
      );
      expect(cases).toHaveLength(10);
      expect(score).toBe(0.3);
    });
  }
});
