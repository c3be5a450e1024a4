import { html, type Markup } from './html.ts';
import type { RunFigures } from './report-data.ts';
import { tableHtml } from './html-table.ts';
import { counted } from './figures-text.ts';

/** What the guard refused, by agent and reason; says so where nothing was refused and where nobody kept a record. */
export function denialSection(runs: readonly RunFigures[]): Markup {
  const recorded = runs.filter(({ denials }) => denials !== undefined);
  if (recorded.length === 0)
    return html`<p class="none">These traces have no record of what a guard refused: that is kept by runs of hivemark.</p>`;
  const rows = recorded.flatMap(({ run, denials = [] }) =>
    denials.map(({ agent, code, count, generations }) => [
      run.id,
      agent,
      code,
      count,
      generations?.[0] ?? null,
      generations?.[1] ?? null,
    ]),
  );
  const total = rows.reduce((sum, [, , , count]) => sum + Number(count), 0);
  if (total === 0)
    return html`<p>The guard refused nothing in ${counted(recorded.length, 'run')}: every write stayed inside what was granted.</p>`;
  return html`<p>${counted(total, 'refusal')} in ${counted(recorded.length, 'run')}. A refused write never took place.</p>${tableHtml(
    'Refusals by agent and reason',
    {
      columns: ['run', 'agent', 'reason', 'refusals', 'first generation', 'last generation'],
      rows,
      notes: [],
    },
  )}`;
}
