import { z } from 'zod';
import { isRecord } from '../space/json-value.ts';
import { ROW_SCHEMAS } from '../trace/row-schema.ts';
import type { TraceTables } from '../trace/schema.ts';
import { AnalystError } from './analyst-error.ts';
import { isHidden } from './analyst-native.ts';
import type { AnyRow } from './analyst-results.ts';
import { quoted } from './protocol-handlers.ts';

export const OPERATORS = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'contains', 'in'] as const;
export type Operator = (typeof OPERATORS)[number];

export type Scalar = string | number | boolean | null;

export interface Condition {
  readonly column: string;
  readonly op: Operator;
  readonly value: Scalar | readonly Scalar[];
}

/** Columns of a table that may be asked for. */
export function columnsOf(table: keyof TraceTables): readonly string[] {
  const schema: unknown = ROW_SCHEMAS[table];
  return schema instanceof z.ZodObject ? Object.keys(schema.shape).filter((column) => !isHidden(table, column)) : [];
}

/**
 * Checks a column's name: one of the table's, or a place in what it holds (`evidence.level`, `sources.task_agent.ts`).
 *
 * @throws AnalystError `no-such-column`
 */
export function checkColumn(table: keyof TraceTables, column: string): void {
  const known = columnsOf(table);
  if (known.some((name) => column === name || column.startsWith(`${name}.`))) return;
  throw new AnalystError(
    'no-such-column',
    `the table ${table} has no column ${quoted(column)}; it has: ${known.join(', ')}`,
  );
}

/** @throws AnalystError `bad-arguments` where an operator and its value do not go together */
export function checkCondition(table: keyof TraceTables, { column, op, value }: Condition): void {
  checkColumn(table, column);
  const isList = Array.isArray(value);
  if (isList !== (op === 'in')) {
    const wanted = op === 'in' ? 'a list of values' : 'one value, not a list';
    throw new AnalystError('bad-arguments', `where on ${quoted(column)}: ${op} takes ${wanted}`);
  }
  if (
    (op === 'lt' || op === 'le' || op === 'gt' || op === 'ge') &&
    typeof value !== 'number' &&
    typeof value !== 'string'
  ) {
    throw new AnalystError(
      'bad-arguments',
      `where on ${quoted(column)}: ${op} takes a number or a text, not ${JSON.stringify(value)}`,
    );
  }
}

/** What a row has in a column; undefined where it has nothing. Only own fields, and keys may have dots in them. */
export function valueAt(row: unknown, column: string): unknown {
  if (!isRecord(row)) return undefined;
  if (Object.hasOwn(row, column)) return row[column];
  for (let dot = column.indexOf('.'); dot > 0; dot = column.indexOf('.', dot + 1)) {
    const head = column.slice(0, dot);
    if (!Object.hasOwn(row, head)) continue;
    const found = valueAt(row[head], column.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Numbers compare with numbers and texts with texts; what is missing is null and is neither more nor less than anything. */
export function holds(row: AnyRow, { column, op, value }: Condition): boolean {
  const found = valueAt(row, column) ?? null;
  switch (op) {
    case 'eq':
      return found === value;
    case 'ne':
      return found !== value;
    case 'in':
      return Array.isArray(value) && value.some((one) => one === found);
    case 'contains':
      if (Array.isArray(found)) return found.includes(value);
      return typeof found === 'string' && typeof value === 'string' && found.includes(value);
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return isOrdered(found, op, value);
  }
}

function isOrdered(found: unknown, op: 'lt' | 'le' | 'gt' | 'ge', value: unknown): boolean {
  const isNumbers = typeof found === 'number' && typeof value === 'number';
  const isTexts = typeof found === 'string' && typeof value === 'string';
  if (!isNumbers && !isTexts) return false;
  if (found === value) return op === 'le' || op === 'ge';
  return found < value ? op === 'lt' || op === 'le' : op === 'gt' || op === 'ge';
}
