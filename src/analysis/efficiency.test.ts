import { describe, expect, it } from 'vitest';
import { createCallFold } from './call-fold.ts';
import { efficiency, efficiencyTable, publishedEfficiency, publishedEfficiencyTable } from './efficiency.ts';
import { pairedAgainstSolo } from './paired-against-solo.ts';
import { comparisonTable } from './statistics.ts';
import { program, runOf, scoring } from './test-runs.ts';

describe('efficiency()', () => {
  it('counts the gain over the first score, until the first generation that has the best', () => {
    const [found] = efficiency(runOf([scoring('a', [0.2, null, 0.55, 0.6, 0.6])]), [], [0.5, 0.6, 0.7]);
    expect(found).toMatchObject({
      generations: 5,
      initial: 0.2,
      best: 0.6,
      bestGeneration: 3,
      toThreshold: [2, 3, null],
      callsPer001: null,
      tokensPer001: null,
    });
    expect(found?.gain).toBeCloseTo(0.4, 12);
    expect(found?.gainPerGeneration).toBeCloseTo(0.4 / 3, 12);
  });

  it('charges what was spent up to the best, what came after it not', () => {
    const spent = (generation: number, score: number) => program('a', generation, { score, tokens: 1000, usd: 0.5 });
    const fold = createCallFold();
    for (const generation of [1, 1, 2]) fold.add({ agent: 'a', generation });
    fold.add({ agent: 'b', generation: 1 });
    const run = runOf([{ name: 'a', generations: [spent(0, 0.1), spent(1, 0.6), spent(2, 0.3)] }]);
    const [found] = efficiency(run, fold.finish());
    expect(found?.callsPer001).toBeCloseTo(2 / 50, 12);
    expect(found?.tokensPer001).toBeCloseTo(2000 / 50, 12);
    expect(found?.usdPer001).toBeCloseTo(1 / 50, 12);
  });

  it('counts no copies', () => {
    const generations = [program('a', 0, { score: 0.5 }), program('a', 1, { score: 0.5, copy: true })];
    expect(efficiency(runOf([{ name: 'a', generations }]))[0]?.generations).toBe(1);
  });

  it('has no cost of nothing gained, and no row without scores', () => {
    const [found] = efficiency(runOf([scoring('a', [0.5, 0.4])]));
    expect(found).toMatchObject({ gain: 0, gainPerGeneration: null, usdPer001: null });
    expect(efficiency(runOf([scoring('a', [null])]))).toEqual([]);
  });

  it('efficiencyTable() has a column a threshold', () => {
    const { columns, rows } = efficiencyTable(efficiency(runOf([scoring('a', [0.5])]), [], [0.4]), [0.4]);
    expect(columns).toContain('to 0.40');
    expect(rows[0]).toHaveLength(columns.length);
  });
});

describe('publishedEfficiency()', () => {
  it('takes the better agent of each run, the upper middle, and forgets who never got there', () => {
    const runs = [
      runOf([scoring('a', [0, 0.5]), scoring('b', [0, 0.1, 0.6])], { pairing: 'a_vs_b' }),
      runOf([scoring('a', [0, 0, 0, 0.5]), scoring('b', [0])], { pairing: 'a_vs_b' }),
      runOf([scoring('a', [0, 0.2]), scoring('b', [null])], { pairing: 'a_vs_b' }),
    ];
    const [found] = publishedEfficiency(runs, () => 30, [0.5]);
    expect(found).toMatchObject({
      pairing: 'a_vs_b',
      seeds: 3,
      thresholds: [{ threshold: 0.5, reached: 2, generations: { n: 2, median: 3, low: 2, high: 3 } }],
      rate: { n: 3, median: 0.2 },
    });
    expect(found?.callsPer001).toMatchObject({ n: 3, median: 0.6, low: 0.5 });
    expect(found?.callsPer001?.high).toBeCloseTo(1.5, 12);
    const { columns, rows } = publishedEfficiencyTable(found ? [found] : []);
    expect(rows[0]).toHaveLength(columns.length);
    expect(rows[0]?.[3]).toBe('2/3: 3 (2-3)');
  });

  it('does not pool different tasks, nor searches whose task is not known', () => {
    const at = (id: string, task: string | undefined, format: 'hyperspace' | 'openevolve') =>
      runOf([scoring('a', [0.5])], { id, pairing: 'a', format, ...(task !== undefined && { task }) });
    const found = publishedEfficiency([
      at('1', 'sine', 'hyperspace'),
      at('2', 'sine', 'hyperspace'),
      at('3', 'sort', 'hyperspace'),
      at('4', undefined, 'openevolve'),
      at('5', undefined, 'openevolve'),
    ]);
    expect(found.map(({ task, run, seeds }) => [task, run, seeds])).toEqual([
      ['sine', null, 2],
      ['sort', null, 1],
      [null, '4', 1],
      [null, '5', 1],
    ]);
    expect(publishedEfficiencyTable(found).rows.map(([pairing]) => pairing)).toEqual(['a', 'a', 'a: 4', 'a: 5']);
  });
});

describe('pairedAgainstSolo()', () => {
  const solo = (seed: number, scores: readonly number[]) =>
    runOf([{ ...scoring('kimi', scores), model: 'kimi' }], { id: `solo ${seed}`, seed, pairing: 'kimi', arm: 'solo' });
  const pair = (seed: number, scores: readonly number[], other: string, more: readonly number[]) =>
    runOf(
      [
        { ...scoring('kimi', scores), model: 'kimi' },
        { ...scoring('peer', more), model: other },
      ],
      { id: `pair ${seed}`, seed, pairing: `kimi_vs_${other}`, arm: 'paired' },
    );

  it('compares a model in each pairing with itself alone, by seed, up to the same generation', () => {
    const runs = [
      solo(1, [0, 0.3, 0.4]),
      solo(2, [0, 0.2, 0.9]),
      pair(1, [0, 0.5], 'qwen', [0, 0.9]),
      pair(2, [0, 0.6], 'qwen', [0, 0.9]),
      pair(3, [0, 0.7], 'qwen', [0, 0.9]),
    ];
    const found = pairedAgainstSolo(runs);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      b: 'kimi alone',
      n: [2, 2],
      leftOut: 1,
      paired: true,
      budgets: { verdict: 'matched' },
    });
    expect(found[0]?.a).toBe('kimi in kimi_vs_qwen, paired');
    // 0.5 - 0.3 and 0.6 - 0.2: the solo run's third generation is beyond the horizon.
    expect(found[0]?.effect?.value).toBeCloseTo(0.3, 12);
  });

  it('does not set two tries against one where both agents have the model', () => {
    const found = pairedAgainstSolo([
      solo(1, [0.5]),
      solo(2, [0.5]),
      pair(1, [0.9], 'kimi', [0.1]),
      pair(2, [0.9], 'kimi', [0.3]),
    ]);
    expect(found[0]?.medianA?.value).toBeCloseTo(0.55, 12);
  });

  it('leaves out and names a run that broke off early, which would otherwise cut all others', () => {
    const whole = [0, 0.3, 0.6];
    const runs = [
      ...[1, 2, 3].map((seed) => solo(seed, whole)),
      ...[1, 2, 3, 4].map((seed) => pair(seed, [0, 0.5, 0.9], 'qwen', whole)),
      pair(5, [0], 'qwen', [0]),
      pair(6, [], 'qwen', whole),
    ];
    const [found] = pairedAgainstSolo(runs);
    expect(found).toMatchObject({ n: [3, 3], upTo: 2, tooShort: ['pair 5'], leftOut: 2 });
    expect(found?.effect?.value).toBeCloseTo(0.3, 12);
    const { columns, rows, notes } = comparisonTable(found ? [found] : []);
    expect(rows[0]?.[columns.indexOf('up to generation')]).toBe(2);
    expect(notes.join()).toContain('ended before generation 2: pair 5.');
  });

  it('has nothing to say without solo runs', () => {
    expect(pairedAgainstSolo([pair(1, [0.5], 'qwen', [0.5])])).toEqual([]);
  });
});
