import type { Cell, Table } from '../analysis/table.ts';
import { textTable } from './text-table.ts';

/** A table for the terminal: columns of numbers to the right, four decimals, `-` for what is not known, the notes below. */
export function tableText({ columns, rows, notes }: Table): string {
  const right = columns.flatMap((_, i) => (rows.some((row) => typeof row[i] === 'number') ? [i] : []));
  const body = rows.length === 0 ? '(none)' : textTable([columns, ...rows.map((row) => row.map(cellText))], right);
  return [body, ...notes.map((note) => `  ${note}`)].join('\n');
}

/** A cell as people read it. */
export function cellText(cell: Cell): string {
  if (cell === null) return '-';
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : decimal(cell);
  return typeof cell === 'boolean' ? (cell ? 'yes' : 'no') : cell;
}

function decimal(value: number): string {
  return value !== 0 && Math.abs(value) < 0.0001 ? value.toExponential(2) : value.toFixed(4);
}
