import { describe, expect, test } from 'vitest';
import { evaluateProgram } from '../../../src/evaluate/evaluate-program.ts';
import type { Split } from '../../../src/evaluate/task.ts';
import { testSecretOf } from '../../../src/evaluate/secret.ts';
import { runInProcess } from '../../../src/evaluate/test-run.ts';
import type { Json } from '../../../src/sandbox/sandbox.ts';
import checks from './checks.json' with { type: 'json' };
import { drawInstances, judgePlacement, pooledBound, task } from './task.ts';
import type { Instance } from './task.ts';

type Solver = (instance: Instance) => number[];

/** Each model on the first GPU with room. */
const firstFit: Solver = ({ gpuCount, models }) => {
  const size = Array.from({ length: gpuCount }, () => 0);
  return models.map((model) => {
    const gpu = size.findIndex((gb) => gb + model.size <= 80);
    size[gpu] = (size[gpu] ?? 0) + model.size;
    return gpu;
  });
};

/** Most demanding first, on the GPU with least pressure before or after placing it. */
function greedy(when: 'current' | 'after'): Solver {
  return ({ gpuCount, models }) => {
    const gpus = Array.from({ length: gpuCount }, () => ({ demand: 0, size: 0 }));
    const placement: number[] = [];
    for (const model of [...models].sort((a, b) => b.req / b.slo - a.req / a.slo)) {
      const pressures = gpus.map(({ demand, size }) => {
        if (size + model.size > 80) return Infinity;
        if (when === 'current') return demand / (80 - size);
        return size + model.size < 80 ? (demand + model.req / model.slo) / (80 - size - model.size) : 1e6;
      });
      const best = pressures.indexOf(Math.min(...pressures));
      const gpu = gpus[best];
      if (gpu === undefined) throw new Error('no GPU');
      gpu.demand += model.req / model.slo;
      gpu.size += model.size;
      placement[model.id] = best;
    }
    return placement;
  };
}

const solvers: Record<string, Solver> = {
  naive_first_fit: firstFit,
  greedy_field_initial: greedy('current'),
  greedy_after_placement: greedy('after'),
};

function instanceOf(input: Json): Instance {
  if (typeof input !== 'object' || input === null || !('models' in input) || !('gpuCount' in input)) throw new Error();
  const { models, gpuCount } = input;
  if (!Array.isArray(models) || typeof gpuCount !== 'number') throw new Error('not an instance');
  return { gpuCount, models };
}

function evaluate(solve: Solver, split: Split) {
  const { run } = runInProcess((input) => solve(instanceOf(input)));
  return evaluateProgram({ task, split, secret: testSecretOf('s', task.name), modules: {}, run });
}

describe('prism_placement draws', () => {
  test('the published first case from seed 7001', () => {
    const [first] = drawInstances(7001);
    expect({ gpus: first?.gpuCount, models: first?.models }).toEqual(checks.first_case_seed7001);
  });

  test('the published lower bounds', () => {
    for (const seed of ['7001', '7002'] as const) {
      const bounds = drawInstances(Number(seed)).map(pooledBound);
      const mean = bounds.reduce((sum, bound) => sum + bound, 0) / 50;
      const published = checks.results[seed].lower_bound_pooled;
      expect(mean).toBeCloseTo(published.mean_kvpr, 14);
      expect(1 / mean).toBeCloseTo(published.inv, 9);
    }
  });

  test('3 x 50 test cases from the secret, different for every secret and from the open splits', () => {
    const inputs = (secret: string) =>
      task.cases('test', testSecretOf(secret, task.name)).map((one) => JSON.stringify(one.next(0, undefined)));
    const one = inputs('one');
    expect(one).toHaveLength(150);
    expect(inputs('one')).toEqual(one);
    const others = new Set([
      ...inputs('two'),
      ...[7001, 7002].flatMap((seed) => drawInstances(seed).map((i) => JSON.stringify(i))),
    ]);
    expect(one.filter((text) => others.has(text))).toEqual([]);
  });

  test('inputs that a program can change without changing the case', () => {
    const [first] = task.cases('train', () => 0);
    const input = instanceOf(first?.next(0, undefined) ?? null);
    Object.assign(input.models[0] ?? {}, { size: 0 });
    expect(instanceOf(first?.next(0, undefined) ?? null).models[0]?.size).toBe(11);
    expect(first?.next(1, [0])).toBeUndefined();
  });
});

describe('prism_placement reproduces the published values of', () => {
  for (const [seed, split] of [
    ['7001', 'train'],
    ['7002', 'validation'],
  ] as const) {
    for (const name of ['naive_first_fit', 'greedy_field_initial', 'greedy_after_placement'] as const) {
      test(`${name} on seed ${seed}`, async () => {
        const published = checks.results[seed][name];
        const solve = solvers[name];
        if (solve === undefined) throw new Error(name);
        const { valid, score, metrics, cases } = await evaluate(solve, split);
        expect(valid).toBe(true);
        expect(metrics['meanPressure']).toBeCloseTo(published.mean_kvpr, 9);
        expect(1 / (metrics['meanPressure'] ?? 0)).toBeCloseTo(published.inv, 9);
        expect(metrics['fieldScore']).toBeCloseTo(published.field_score, 9);
        for (const [i, value] of published.first3.entries()) expect(cases[i]?.value).toBeCloseTo(value, 12);
        expect(score).toBeCloseTo(checks.results[seed].lower_bound_pooled.mean_kvpr / published.mean_kvpr, 9);
      });
    }
  }

  test('the order of the algorithms: bound, annealing, greedy, first fit', () => {
    for (const seed of ['7001', '7002'] as const) {
      const { results } = checks;
      const { lower_bound_pooled, annealing_2x20000, greedy_after_placement, greedy_field_initial } = results[seed];
      const annealing = annealing_2x20000.mean_kvpr;
      const bound = drawInstances(Number(seed)).map(pooledBound);
      for (const [i, value] of annealing_2x20000.first3.entries()) expect(value).toBeGreaterThanOrEqual(bound[i] ?? 1);
      expect(lower_bound_pooled.mean_kvpr).toBeLessThan(annealing);
      expect(annealing).toBeLessThan(greedy_after_placement.mean_kvpr);
      expect(greedy_after_placement.mean_kvpr).toBeLessThan(greedy_field_initial.mean_kvpr);
      expect(annealing_2x20000.inv).toBeCloseTo(1 / annealing, 9);
      expect(annealing_2x20000.field_score).toBeCloseTo(1 / annealing + 1, 9);
    }
  });

  test('the published literature, on its own 50 cases', () => {
    const instances = fieldInstances();
    const combined = (solve: Solver): number => {
      const pressures = instances.map((one) => judgePlacement(one, { status: 'value', output: solve(one) }).value);
      return 1 / (pressures.reduce((sum, pressure) => sum + pressure, 0) / 50) + 1;
    };
    const published = checks.field_numpy_seed42;
    expect(combined(greedy('current'))).toBeCloseTo(published.initial_combined, 9);
    expect(combined(firstFit)).toBeCloseTo(published.naive_combined, 9);
    const bound = 1 / (instances.map(pooledBound).reduce((sum, one) => sum + one, 0) / 50) + 1;
    expect(bound).toBeCloseTo(published.proved_upper_bound_combined, 9);
    // A placement of every model cannot reach what was published: it came from an evaluator that could be gamed.
    expect(published.published_value_above_the_bound).toBeGreaterThan(bound);
    expect(published.annealing_3x40000_combined).toBeLessThan(bound);
    expect(published.skip_hard_cases_cheat_combined).toBeGreaterThan(published.initial_combined);
  });
});

describe('prism_placement scores', () => {
  test('0 when one case has no valid placement, and counts that case as 1,000,000', async () => {
    const solve = greedy('after');
    let calls = 0;
    const { valid, score, metrics } = await evaluate((one) => (++calls === 30 ? [] : solve(one)), 'train');
    expect({ valid, score }).toEqual({ valid: false, score: 0 });
    expect(metrics['validCases']).toBe(49);
    expect(metrics['meanPressure']).toBeGreaterThan(20_000);
    expect(metrics['rawScore']).toBeLessThan(1e-5);
  });

  test('skipping the hard cases never above answering them', async () => {
    const solve = greedy('current');
    const honest = await evaluate(solve, 'train');
    const skipping = await evaluate((one) => {
      if (pooledBound(one) > 0.036) throw new Error('too hard');
      return solve(one);
    }, 'train');
    expect(honest.score).toBeCloseTo(0.692, 4);
    expect(skipping.score).toBe(0);
  });

  test('a full GPU as 1,000,000, an overfull one as invalid, an empty one as 0', () => {
    const models = [40, 40].map((size, id) => ({ id, size, req: 4, slo: 5 }));
    const judge = (placement: Json, instance: Instance = { gpuCount: 2, models }) =>
      judgePlacement(instance, { status: 'value', output: placement });
    expect(judge([0, 0])).toMatchObject({ valid: true, value: 1e6 });
    expect(judge([0, 1])).toMatchObject({ valid: true, value: 0.8 / 40 });
    expect(judge([1, 1], { gpuCount: 2, models: models.map((one) => ({ ...one, size: 41 })) })).toEqual({
      valid: false,
      value: 1e6,
      feedback: 'GPU 1 holds 82 GB of 80',
    });
    for (const bad of [null, {}, 'ab', [0], [0, 1, 0], [0, 2], [0, -1], [0, 0.5], [0, '1'], [0, [1]], [0, null]]) {
      expect(judge(bad)).toMatchObject({ valid: false, value: 1e6 });
    }
    for (const status of ['error', 'timeout', 'memory', 'crash', 'bad-result', 'output-limit', 'not-run'] as const) {
      expect(judgePlacement({ gpuCount: 2, models }, { status })).toMatchObject({ valid: false, value: 1e6 });
    }
  });
});

/** The literature's 50 cases: NumPy's `RandomState(42).randint`, that is MT19937 with masked rejection. */
function fieldInstances(): readonly Instance[] {
  const state = new Uint32Array(624);
  const at = (i: number): number => state[i % 624] ?? 0;
  state[0] = 42;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, at(i - 1) ^ (at(i - 1) >>> 30)) + i;
  let used = 624;
  const draw = (): number => {
    if (used === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (at(i) & 0x80000000) | (at(i + 1) & 0x7fffffff);
        state[i] = at(i + 397) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      used = 0;
    }
    let y = at(used++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  const randint = (low: number, end: number): number => {
    const range = end - low - 1;
    const mask = 2 ** (32 - Math.clz32(range)) - 1;
    let value = draw() & mask;
    while (value > range) value = draw() & mask;
    return low + value;
  };
  return Array.from({ length: 50 }, () => {
    const gpuCount = randint(5, 10);
    const models = Array.from({ length: 2 * gpuCount }, (_, id) => ({
      id,
      size: randint(10, 30),
      req: randint(1, 10),
      slo: randint(5, 10),
    }));
    return { gpuCount, models };
  });
}
