import { expect, it } from 'vitest';
import { BudgetStop, Meter } from './budget.ts';

const stops = (meter: Meter): string | undefined => {
  try {
    meter.check();
    return undefined;
  } catch (error) {
    return error instanceof BudgetStop ? error.dimension : String(error);
  }
};

it.each([
  [{ usd: 1 }, 'usd'],
  [{ tokens: 100 }, 'tokens'],
  [{ calls: 2 }, 'calls'],
] as const)('a meter stops at its limit and not before: %o', (limits, dimension) => {
  const meter = new Meter(limits, () => 0);
  meter.add({ usd: 0.5, tokens: 50 });
  expect(stops(meter)).toBeUndefined();
  meter.add({ usd: 0.5, tokens: 50 });
  expect(stops(meter)).toBe(dimension);
});

it('a meter counts the wall time of earlier sessions', () => {
  let now = 1_000;
  const meter = new Meter({ wallMinutes: 1 }, () => now, 50_000);
  expect(stops(meter)).toBeUndefined();
  expect(meter.wallLeftMs()).toBe(10_000);
  now += 10_000;
  expect(stops(meter)).toBe('wall minutes');
});

it('what a run uses counts against the experiment', () => {
  const total = new Meter({ calls: 1 }, () => 0);
  const run = new Meter({}, () => 0, 0, total);
  run.add({ usd: 0, tokens: 0 });
  expect(stops(run)).toBe('calls');
});
