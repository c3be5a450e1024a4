import { createHash } from 'node:crypto';
import { isSearch } from '../analysis/scores.ts';
import type { NamedTable } from '../analysis/registry.ts';
import type { LoadedRun, LoadedTraces } from '../trace/loaded-run.ts';
import { adoptionSection } from './adoption-section.ts';
import { agentKey, type LookOf } from './agent-key.ts';
import { answerBoxes } from './answer-boxes.ts';
import { costCurve } from './cost-curve.ts';
import { denialSection } from './denial-section.ts';
import { counted, shortened } from './figures-text.ts';
import { html, type Markup, type Part, trusted } from './html.ts';
import { tableHtml } from './html-table.ts';
import { lineageGraph } from './lineage-graph.ts';
import { methodsSection } from './methods.ts';
import { agentLooks } from './palette.ts';
import { provenanceBars } from './provenance-bars.ts';
import type { ReportData, RunFigures } from './report-data.ts';
import { REPORT_SCRIPT } from './report-script.ts';
import { REPORT_STYLE } from './report-style.ts';
import { trajectoryChart } from './trajectory-chart.ts';

/** What one diagnostic contributes to the page. */
export interface AnalysisSection {
  readonly name: string;
  readonly answers: string;
  readonly tables: readonly NamedTable[];
}

/** Runs whose figures are open at first. */
const OPEN_RUNS = 6;

interface Chapter {
  readonly id: string;
  readonly title: string;
  readonly body: Part;
}

/**
 * An analysis as one page that needs nothing else: figures, tables, definitions. Text of the traces is escaped wherever it
 * stands, and the page's policy lets nothing be loaded and no script run but the page's own.
 *
 * @param sections the diagnostics that were asked for, in order; their names choose the figures
 */
export function analysisHtml(sections: readonly AnalysisSection[], traces: LoadedTraces, data: ReportData): string {
  const lookOf = agentLooks(traces.runs.flatMap(({ agents }) => agents.map(({ name }) => name)));
  const title = shortened(titleOf(traces.runs), 160);
  const chapters = chaptersOf(sections, traces, data, lookOf);
  const asked = sections.length === 1 && sections[0] ? `: ${sections[0].name}` : '';
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="referrer" content="no-referrer"><title>${title} · hivemark${asked}</title>
<style>${trusted(REPORT_STYLE)}</style></head>
<body><header><p class="soft">hivemark${asked}</p><h1>${title}</h1>${intro(traces.runs, lookOf)}<nav aria-label="Contents"><ul>${chapters.map(
    ({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`,
  )}</ul></nav></header>
<main>${asks(sections, 'adoption', 'outcomes') && answerBoxes(data, lookOf)}${chapters.map(
    (chapter) =>
      html`\n<section id="${chapter.id}" aria-labelledby="${chapter.id}-title"><h2 id="${chapter.id}-title">${chapter.title}</h2>${chapter.body}</section>`,
  )}</main>
<script>${trusted(REPORT_SCRIPT)}</script></body></html>
`;
  return page.toString();
}

/** Nothing is loaded from anywhere; only this script runs, so that not even a slip in escaping lets a trace's text run. */
function policy(): string {
  const hash = createHash('sha256').update(REPORT_SCRIPT).digest('base64');
  return `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
}

function titleOf(runs: readonly LoadedRun[]): string {
  const [only] = runs;
  if (runs.length !== 1 || !only) {
    const pairings = [...new Set(runs.map(({ pairing }) => pairing))];
    const tasks = [...new Set(runs.map(({ task }) => task))];
    const of = pairings.length === 1 ? ` of ${pairings[0]}` : `, ${pairings.length} pairings`;
    return `${counted(runs.length, 'run')}${of}${tasks.length === 1 && tasks[0] !== undefined ? ` · ${tasks[0]}` : ''}`;
  }
  return [only.pairing, only.task, only.seed === undefined ? undefined : `seed ${only.seed}`, only.arm]
    .filter((part) => part !== undefined)
    .join(' · ');
}

function intro(runs: readonly LoadedRun[], lookOf: LookOf): Markup {
  const agents = new Map<string, Set<string>>();
  for (const { name, model } of runs.flatMap((run) => run.agents)) {
    const models = agents.get(name) ?? new Set();
    if (model !== undefined && model !== name) models.add(model);
    agents.set(name, models);
  }
  const programs = runs.reduce(
    (sum, run) => sum + run.agents.reduce((n, { generations }) => n + generations.length, 0),
    0,
  );
  const formats = [...new Set(runs.map(({ format }) => format))].join(', ');
  const scripted = runs.some((run) => run.agents.some((agent) => agent.scripted === true));
  return html`<p class="soft">${formats} traces, ${counted(programs, 'program')}</p><ul class="keys">${[...agents]
    .slice(0, 24)
    .map(
      ([name, models]) =>
        html`<li>${agentKey(name, lookOf)}${models.size > 0 && html` <span class="soft">${[...models].slice(0, 4).join(', ')}</span>`}</li>`,
    )}${agents.size > 24 && html`<li>and ${agents.size - 24} more</li>`}</ul>${
    scripted &&
    html`<p class="warning">These agents ran on <strong>scripted</strong> models: deterministic programs in the place of language models, with the same tools. No result here is a language model's.</p>`
  }`;
}

function asks(sections: readonly AnalysisSection[], ...names: readonly string[]): boolean {
  return sections.some(({ name }) => names.includes(name));
}

function chaptersOf(
  sections: readonly AnalysisSection[],
  traces: LoadedTraces,
  data: ReportData,
  lookOf: LookOf,
): readonly Chapter[] {
  const figures = (caption: string, draw: (one: RunFigures) => Markup, runs = data.runs): Markup =>
    perRun(runs, caption, draw);
  const asked = asks(sections, 'adoption', 'outcomes');
  // Without peers there is nothing to say of adoption but that.
  const adoption = asked && data.runs.some(({ run }) => run.agents.length > 1);
  const several = sections.length > 1;
  return [
    (asked || asks(sections, 'efficiency')) && {
      id: 'scores',
      title: adoption ? 'Scores and adoptions' : 'Scores',
      body: figures(scoreCaption(data, adoption), (one) => trajectoryChart(one, lookOf)),
    },
    adoption && { id: 'adoptions', title: 'Who adopted what', body: adoptionSection(data, lookOf) },
    asks(sections, 'provenance') && {
      id: 'origins',
      title: 'Where the code came from',
      body: html`${originKeys(data, lookOf)}${figures(
        'One bar a program: the share of its lines by who wrote them first.',
        (one) => provenanceBars(one, lookOf),
      )}`,
    },
    asks(sections, 'lineage') && {
      id: 'lineage',
      title: 'Lineage',
      body: figures(
        'From left to right who was made from what. Filled and straight: the line of the best program; open: off it.',
        (one) => lineageGraph(one, lookOf),
      ),
    },
    asks(sections, 'efficiency') && {
      id: 'cost',
      title: 'Cost',
      body: figures('The best validation score so far, against what had been spent until then.', (one) =>
        costCurve(one, lookOf),
      ),
    },
    several && { id: 'denials', title: 'Denials', body: denialSection(data.runs) },
    {
      id: 'tables',
      title: several ? 'All tables' : 'Tables',
      body: sections.map(({ name, answers, tables }) => {
        const shown = tables.map(({ title, table }) => tableHtml(title, table));
        return several
          ? html`<details class="tables"><summary>${name} <span class="soft">${answers}</span></summary>${shown}</details>`
          : html`<p class="soft">${answers}</p>${shown}`;
      }),
    },
    {
      id: 'runs',
      title: 'What was read',
      body: html`${tableHtml('Runs', {
        columns: ['run', 'format', 'pairing', 'task', 'seed', 'arm'],
        rows: traces.runs.map(({ id, format, pairing, task, seed, arm }) => [
          id,
          format,
          pairing,
          task ?? null,
          seed ?? null,
          arm ?? null,
        ]),
        notes: [],
      })}${leftOut(traces)}`,
    },
    { id: 'methods', title: 'Methods and definitions', body: methodsSection() },
  ].filter((chapter) => chapter !== false);
}

function scoreCaption({ runs }: ReportData, adoption: boolean): string {
  const search = runs.every(({ run }) => isSearch(run));
  const marks = search
    ? 'Every mark is a program; the line is the best so far; × is a program that scored about 0 or failed.'
    : 'Every mark is a program: filled where it was published to the peers, × where it scored about 0 or failed.';
  return adoption
    ? `An arrow leads from the peer's program to the one that took from it, in the colour of the peer; its number is that of the adoption below, with ▲ where the score rose, ▼ where it fell. Dashed arrows: the code is similar, and nothing shows that it was opened. ${marks}`
    : marks;
}

function perRun(runs: readonly RunFigures[], caption: string, draw: (one: RunFigures) => Markup): Markup {
  const [only] = runs;
  const note = html`<p class="soft">${caption}</p>`;
  if (runs.length === 1 && only) return html`${note}<figure>${draw(only)}</figure>`;
  return html`${note}${runs.map((one, n) => {
    const { run, adoptions } = one;
    const facts = run.agents.length > 1 ? ` · ${counted(adoptions.length, 'adoption')}` : '';
    return html`<details class="run"${n < OPEN_RUNS && html` open`}><summary>${run.id}${facts}</summary><figure>${draw(one)}</figure></details>`;
  })}`;
}

function originKeys({ runs }: ReportData, lookOf: LookOf): Markup {
  const names = [...new Set(runs.flatMap(({ run }) => run.agents.map(({ name }) => name)))].slice(0, 24);
  const crowded = runs.some(({ run }) => run.agents.length > 2);
  return html`<ul class="keys">${names.map((name) => html`<li><span class="swatch a${lookOf(name).colour}"></span>${name}</li>`)}${
    crowded && html`<li><span class="swatch peers"></span>any peer (runs of more than two)</li>`
  }<li><span class="swatch initial"></span>the initial program</li><li><span class="swatch common"></span>common: by several, unseen of each other</li></ul>`;
}

function leftOut({ skipped, skippedBy }: LoadedTraces): Markup {
  const counts = Object.entries(skippedBy);
  if (counts.length === 0) return html`<p>Nothing was left out in reading.</p>`;
  return html`${tableHtml('Left out in reading', { columns: ['why', 'how often'], rows: counts, notes: [] })}${tableHtml(
    'The first of them',
    {
      columns: ['path', 'line', 'what', 'why'],
      rows: skipped.slice(0, 50).map(({ path, line, what, why }) => [path, line ?? null, what, why]),
      notes: [],
    },
  )}`;
}
