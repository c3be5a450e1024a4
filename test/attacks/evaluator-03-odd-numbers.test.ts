import { afterAll, describe, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import { doublingTask, evaluate } from './evaluator-task.ts';

const sandbox = createSandbox();
afterAll(() => sandbox.close());

const odd = [
  'NaN',
  'Infinity',
  '-0',
  '1e309',
  '2 ** 53 + 1',
  '10n',
  "'42'",
  '[42]',
  'new Date(NaN)',
  '{ valueOf: () => 42 }',
];

// EV-03
describe('odd numbers never rank:', () => {
  for (const value of odd) {
    test(`${value} scores 0`, async () => {
      const { score, valid, cases } = await evaluate(
        doublingTask(),
        `export const forward = () => (${value});`,
        sandbox.run,
      );
      expect({ score, valid }).toEqual({ score: 0, valid: false });
      for (const one of cases) expect(Number.isFinite(one.value)).toBe(true);
    });
  }

  test('new Number(42) is at most the number it prints as, in the one case it is right for', async () => {
    const { score } = await evaluate(doublingTask(), 'export const forward = () => new Number(42);', sandbox.run);
    expect(score).toBeLessThanOrEqual(0.1);
  });
});
