import type { Cell, Table } from '../analysis/table.ts';

/** A text that a spreadsheet would run as a formula. @see https://owasp.org/www-community/attacks/CSV_Injection */
const FORMULA = /^[=+\-@\t\r]/;

/**
 * A table as CSV: a header, CRLF line ends, quotes where needed, an empty field for what is not known, numbers in full. Names come
 * from strangers' files: one that a spreadsheet would take for a formula gets an apostrophe in front. Notes are left out.
 *
 * @see RFC 4180
 */
export function csvOf({ columns, rows }: Table): string {
  return [columns, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function field(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
