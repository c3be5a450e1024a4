import { describe, expect, it } from 'vitest';
import { type ArmUnit, compareArms, comparisonTable, type Spending } from './statistics.ts';

const units = (values: readonly number[], spent?: Spending): ArmUnit[] =>
  values.map((value, n) => ({ key: `seed ${n}`, value, ...(spent && { spent }) }));
const armed = (name: string, values: readonly number[], spent?: Spending) => ({ name, units: units(values, spent) });

describe('compareArms()', () => {
  it('pairs units of the same key and leaves the others out', () => {
    const b = { name: 'b', units: [...units([0.1, 0.2, 0.3]), { key: 'lonely', value: 9 }] };
    const one = compareArms(armed('a', [0.2, 0.4, 0.6]), b);
    expect(one).toMatchObject({
      n: [3, 3],
      leftOut: 1,
      paired: true,
      test: 'wilcoxon-signed-rank',
      method: 'exact',
      p: 0.25,
    });
    expect(one.effect?.value).toBeCloseTo(0.2, 12);
    expect(one.delta?.delta).toBeCloseTo(6 / 9, 12);
  });

  it('compares arms without common keys as independent samples', () => {
    const b = { name: 'b', units: [20, 11, 17, 12].map((value, n) => ({ key: `other ${n}`, value })) };
    const one = compareArms(armed('a', [19, 22, 16, 29, 24]), b);
    expect(one).toMatchObject({ n: [5, 4], leftOut: 0, paired: false, test: 'mann-whitney', p: 1 / 9 });
    expect(one.effect?.value).toBe(22 - 14.5);
    expect(one.effect?.n).toEqual([5, 4]);
  });

  it('says whether the budgets matched: within a tenth in everything known, or not known at all', () => {
    const verdict = (a?: Spending, b?: Spending): string =>
      compareArms(armed('a', [1, 2], a), armed('b', [1, 2], b)).budgets.verdict;
    expect(verdict({ generations: 20, usd: 1 }, { generations: 20, usd: 1.1 })).toBe('matched');
    expect(verdict({ generations: 20, usd: 1 }, { generations: 20, usd: 1.2 })).toBe('different');
    expect(verdict({ generations: 20 }, { usd: 1 })).toBe('unknown');
    expect(verdict()).toBe('unknown');
  });

  it('gives no p, effect or delta for an empty arm', () => {
    expect(compareArms(armed('a', []), armed('b', [1]))).toMatchObject({ n: [0, 1], p: undefined, effect: undefined });
  });

  it('gives no test, size or interval below three units an arm, and says so', () => {
    const one = compareArms(armed('a', [0.5, 0.6]), armed('b', [0.1, 0.2]));
    expect(one).toMatchObject({ n: [2, 2], p: undefined, delta: undefined });
    expect(one.effect?.value).toBeCloseTo(0.4, 12);
    const { columns, rows } = comparisonTable([one]);
    const cell = (name: string) => rows[0]?.[columns.indexOf(name)];
    expect(['low', 'high', "Cliff's delta", 'size', 'p'].map(cell)).toEqual([null, null, null, null, null]);
    expect(cell('test')).toBe('n too small');
  });

  it('refuses a key twice and a value that is no number', () => {
    const twice = { name: 'a', units: [...units([1]), ...units([2])] };
    expect(() => compareArms(twice, armed('b', [1]))).toThrow('cannot compare arm a: seed 0 is in it twice');
    expect(() => compareArms(armed('a', [Number.NaN]), armed('b', [1]))).toThrow('seed 0 has the value NaN');
  });

  it('comparisonTable() warns where budgets differ or are not known', () => {
    const table = comparisonTable([
      compareArms(armed('a', [1, 2], { usd: 1 }), armed('b', [1, 3], { usd: 2 })),
      compareArms(armed('c', [1, 2]), armed('d', [1, 3])),
    ]);
    for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
    expect(table.notes.slice(1)).toEqual([
      'a and b did not spend the same (usd 1 and 2): a difference may be one of budget.',
      'c and d: what they spent is not on record, so a difference may be one of budget.',
    ]);
  });
});
