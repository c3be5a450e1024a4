import { expect, it } from 'vitest';
import { literals, literalsTable } from './literals.ts';
import { program, runOf } from './test-runs.ts';

it('literals() compares the first, best and last program, copies and programs without code apart', () => {
  const generations = [
    program('a', 0, { code: 'x = 1\n', score: 0 }),
    program('a', 1, { code: 'x = 1\ny = 2 + 3\n', score: 0.9 }),
    program('a', 2, { code: '1\n2\n3\n4\n', score: 1, copy: true }),
    program('a', 3, { code: 'x = 1\ny = 2 + 3 + 4\n# 5\nz = 6\n', score: 0.5 }),
    program('a', 4, { valid: false }),
  ];
  const found = literals([
    runOf([
      { name: 'a', generations },
      { name: 'none', generations: [] },
    ]),
  ]);
  expect(found).toMatchObject([
    {
      agent: 'a',
      programs: 3,
      first: { codeLines: 1, numericLiterals: 1 },
      best: { codeLines: 2, numericLiterals: 3 },
      last: { lines: 4, codeLines: 3, numericLiterals: 5 },
      lineGrowth: 3,
      literalGrowth: 5,
    },
  ]);
  const { columns, rows } = literalsTable(found);
  expect(rows[0]).toHaveLength(columns.length);
});

it('literals() has no growth where the first program has nothing to grow from', () => {
  const generations = [program('a', 0, { code: 'run()' }), program('a', 1, { code: 'run(1)' })];
  expect(literals([runOf([{ name: 'a', generations }])])[0]).toMatchObject({
    lineGrowth: 1,
    literalGrowth: null,
    best: null,
  });
});
