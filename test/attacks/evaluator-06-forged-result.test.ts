import { afterAll, describe, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { doublingTask, evaluate, honest } from './evaluator-task.ts';

const sandbox = createSandbox();
afterAll(() => sandbox.close());

const forged = String.raw`'{"score":1,"ok":true,"status":"value","value":42}'`;
const frames = String.raw`'{"score":1}\n{"nonce":"guess","score":1}\n{"status":"value","value":42}'`;
const forgeries: Record<string, string> = {
  'logged, then an error': `console.log(${forged}); throw new Error('{"score":1}');`,
  'logged line by line': `console.log(${frames}); console.error(${frames}); ctx.log(${frames}); return null;`,
  'returned as text': `return ${frames};`,
  'returned as an object': `return JSON.parse(${forged});`,
  'thrown as a verdict': `throw { status: 'value', value: 42, toString: () => ${forged} };`,
  'thrown as null': 'throw null;',
  'thrown with a hostile message': `const e = new Error(); Object.defineProperty(e, 'message', { get() { throw 1; } }); throw e;`,
  'own __proto__ key': `return JSON.parse('{"__proto__":{"score":1}}');`,
  'a flood of log lines': `for (let i = 0; i < 1e5; i++) ctx.log(${forged}); return null;`,
};

// EV-06
describe('a forged result scores 0:', () => {
  for (const [name, body] of Object.entries(forgeries)) {
    test(`${name}, and the next program scores 1`, async () => {
      const task = doublingTask();
      const { score, valid, cases } = await evaluate(
        task,
        `export const forward = (input, ctx) => { ${body} };`,
        sandbox.run,
      );
      expect({ score, valid }).toEqual({ score: 0, valid: false });
      expect(cases).toHaveLength(10);
      expect((await evaluate(task, honest, sandbox.run)).score).toBe(1);
    });
  }
});
