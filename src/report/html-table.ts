import type { Table } from '../analysis/table.ts';
import { html, type Markup } from './html.ts';
import { cellText } from './table-text.ts';

/** More rows than this are left to `--csv`: nobody reads them on a page. */
const MAX_ROWS = 500;

/** A diagnostic's table in a box of its own that scrolls where the page is narrow, its notes below. */
export function tableHtml(title: string, { columns, rows, notes }: Table): Markup {
  const numeric = columns.map((_, n) => rows.some((row) => typeof row[n] === 'number'));
  const body =
    rows.length === 0
      ? html`<p class="none">Nothing of the kind.</p>`
      : html`<div class="scroll" role="group" tabindex="0" aria-label="${title}"><table><caption>${title}</caption><thead><tr>${columns.map(
          (column, n) => html`<th scope="col"${numeric[n] && html` class="n"`}>${column}</th>`,
        )}</tr></thead><tbody>${rows
          .slice(0, MAX_ROWS)
          .map(
            (row) =>
              html`<tr>${row.map((cell, n) => html`<td${numeric[n] && html` class="n"`}>${cellText(cell)}</td>`)}</tr>`,
          )}</tbody></table></div>${rows.length > MAX_ROWS && html`<p class="note">The first ${MAX_ROWS} of ${rows.length} rows; <code>--csv</code> gives all.</p>`}`;
  return html`<div class="table">${rows.length === 0 && html`<h3>${title}</h3>`}${body}${notes.map((note) => html`<p class="note">${note}</p>`)}</div>`;
}
