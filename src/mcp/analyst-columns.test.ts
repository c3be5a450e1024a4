import { describe, expect, test } from 'vitest';
import { TRACE_TABLES } from '../trace/schema.ts';
import { checkColumn, checkCondition, columnsOf, holds, valueAt } from './analyst-columns.ts';

const row = {
  id: 'a/1',
  n: 3,
  none: null,
  evidence: { level: 'read' },
  sources: { 'task_agent.ts': 'h' },
  tags: ['x'],
};

describe('columns', () => {
  test('are known for every table, and hidden ones are not among them', () => {
    for (const table of TRACE_TABLES) expect(columnsOf(table).length, table).toBeGreaterThan(2);
    expect(columnsOf('evaluations')).not.toContain('detail');
    expect(() => checkColumn('evaluations', 'detail')).toThrow(/no column "detail"; it has: candidate, agent/);
    expect(() => checkColumn('adoptions', 'evidence.level')).not.toThrow();
  });

  test.each([
    ['id', 'a/1'],
    ['evidence.level', 'read'],
    ['sources.task_agent.ts', 'h'],
    ['evidence.nothing', undefined],
    ['constructor', undefined],
    ['evidence.__proto__.toString', undefined],
    ['tags.length', undefined],
  ])('%s is found among own fields only', (column, value) => {
    expect(valueAt(row, column)).toBe(value);
  });
});

describe('a condition', () => {
  test.each([
    ['id', 'eq', 'a/1', true],
    ['id', 'ne', 'a/1', false],
    ['none', 'eq', null, true],
    ['missing', 'eq', null, true],
    ['n', 'lt', 4, true],
    ['n', 'le', 3, true],
    ['n', 'gt', 3, false],
    ['n', 'ge', '3', false],
    ['id', 'gt', 'a/0', true],
    ['missing', 'lt', 4, false],
    ['id', 'contains', '/', true],
    ['tags', 'contains', 'x', true],
    ['id', 'contains', '(a+)+$', false],
    ['n', 'in', [1, 3], true],
  ] as const)('%s %s %j holds: %s', (column, op, value, expected) => {
    expect(holds(row, { column, op, value })).toBe(expected);
  });

  test('whose operator and value do not go together is refused, naming both', () => {
    expect(() => checkCondition('calls', { column: 'usd', op: 'in', value: 1 })).toThrow(/"usd": in takes a list/);
    expect(() => checkCondition('calls', { column: 'usd', op: 'eq', value: [1] })).toThrow(/eq takes one value/);
    expect(() => checkCondition('calls', { column: 'usd', op: 'lt', value: true })).toThrow(
      /lt takes a number or a text, not true/,
    );
  });
});
