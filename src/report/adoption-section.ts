import { placeboNote } from '../analysis/adoption-report.ts';
import { EVIDENCE, isScripted, SCRIPTED_CHANCE } from './answer-boxes.ts';
import { agentKey, type LookOf } from './agent-key.ts';
import { counted, effectSign, percent, scoreText, shortened, signedText } from './figures-text.ts';
import { diffHtml } from './diff-html.ts';
import { html, type Markup } from './html.ts';
import type { NumberedAdoption, ReportData } from './report-data.ts';
import { threeWayDiff } from './three-way-diff.ts';

/** With more adoptions than this a diff shows changes only, and print has none. */
const MANY = 60;
/** Diffs that go on a page, in characters; later ones are left to a report of their own run. */
const MAX_DIFFS = 4_000_000;
/** Runs whose adoptions are unfolded at first. */
const OPEN_RUNS = 6;

const LADDER = ['similar', 'exposed', 'read', 'stated'] as const;

const COLUMNS: readonly { readonly name: string; readonly title: string }[] = [
  { name: 'number', title: '#' },
  { name: 'who', title: 'who took from whom' },
  { name: 'when', title: 'when' },
  { name: 'evidence', title: 'evidence' },
  { name: 'effect', title: 'score' },
  { name: 'chance', title: 'by chance' },
];

/** Every adoption in a row that unfolds to the stated reason and the three-way diff. */
export function adoptionSection(data: ReportData, lookOf: LookOf): Markup {
  const adoptions = data.runs.flatMap((one) => one.adoptions);
  if (adoptions.length === 0)
    return html`<p class="none">There is no adoption to show.</p><p class="note">${placeboNote(data.judged.placebo)}</p>`;
  const several = data.runs.length > 1;
  const brief = adoptions.length > MANY;
  let room = MAX_DIFFS;
  const tables = data.runs
    .filter((one) => one.adoptions.length > 0)
    .map(({ run, adoptions: own }, n) => {
      const rows = own.map((adoption) => {
        const diff = room > 0 ? diffOf(adoption, lookOf, brief) : undefined;
        room -= diff?.markup.toString().length ?? 0;
        return adoptionRows(adoption, lookOf, diff);
      });
      const table = html`<table class="adoptions"${brief && html` data-print="folded"`}><caption class="soft">Adoptions${several && ` in ${run.id}`}. Unfold one for its reason and its code.</caption><thead><tr>${COLUMNS.map(
        ({ name, title }) => html`<th scope="col" class="c-${name}">${title}</th>`,
      )}</tr></thead>${rows}</table>`;
      return several
        ? html`<details class="run" data-group${n < OPEN_RUNS && html` open`}><summary>${run.id} · ${counted(own.length, 'adoption')}</summary>${table}</details>`
        : table;
    });
  return html`${filters(adoptions, several)}${tables}${
    brief &&
    html`<p class="note">With ${adoptions.length} adoptions on one page, diffs leave out what did not change, and print has no diffs; a report of one run has all.</p>`
  }<p class="note">${placeboNote(data.judged.placebo)}${isScripted(data) && ` Here it tells nothing: ${SCRIPTED_CHANCE}.`}</p>`;
}

function filters(adoptions: readonly NumberedAdoption[], several: boolean): Markup | undefined {
  if (adoptions.length < 2) return undefined;
  const select = (name: string, label: string, values: readonly string[]): Markup | undefined =>
    values.length < 2
      ? undefined
      : html`<label>${label} <select data-filter="${name}"><option value="">all</option>${values.map((value) => html`<option value="${value}">${value}</option>`)}</select></label>`;
  const distinct = (of: (adoption: NumberedAdoption) => string): readonly string[] =>
    [...new Set(adoptions.map(of))].sort();
  return html`<div class="controls" data-needs-script hidden>${[
    several &&
      select(
        'run',
        'run',
        distinct(({ judgement }) => judgement.run.id),
      ),
    select(
      'agent',
      'adopter',
      distinct(({ judgement }) => judgement.agent.name),
    ),
    select(
      'peer',
      'from',
      distinct(({ judgement }) => judgement.peer.name),
    ),
    select(
      'effect',
      'effect',
      distinct(({ before, after }) => EFFECTS[effectSign(before, after)] ?? ''),
    ),
  ]}<button type="button" data-unfold="open">unfold all</button><button type="button" data-unfold="close">fold all</button><span role="status" data-shown></span></div>`;
}

const EFFECTS: Readonly<Record<string, string>> = { '▲': 'raised', '▼': 'lowered', '=': 'unchanged', '?': 'not known' };

interface ShownDiff {
  readonly summary: string;
  readonly markup: Markup;
}

function adoptionRows(adoption: NumberedAdoption, lookOf: LookOf, diff: ShownDiff | undefined): Markup {
  const { number, judgement, before, after, evidence, p } = adoption;
  const { run, agent, peer, generation, version } = judgement;
  const sign = effectSign(before, after);
  const cells: readonly (readonly [label: string, cell: Markup])[] = [
    ['who', html`<strong>${agentKey(agent.name, lookOf)}</strong> from ${agentKey(peer.name, lookOf)}`],
    [
      'when',
      html`generation ${generation.generation}<span class="sub">the peer's: ${version?.generation ?? 'not known'}</span>`,
    ],
    ['evidence', evidenceCell(adoption)],
    [
      'effect',
      html`<span class="effect">${sign} ${signedText(before, after)}</span><span class="sub">${scoreText(before)} → ${scoreText(after)}</span>`,
    ],
    [
      'by chance',
      p
        ? html`p ${pText(p.p)}<span class="sub">adjusted ${pText(p.adjusted)}</span>`
        : html`<span class="soft">not tested</span>`,
    ],
  ];
  const said = evidence?.statement?.text.trim();
  const words =
    said === undefined || said === '' ? 'No reason on record' : `“${shortened(said.replaceAll(/\s+/g, ' '), 110)}”`;
  return html`<tbody id="adoption-${number}" data-adoption="${number}" data-run="${run.id}" data-agent="${agent.name}" data-peer="${peer.name}" data-effect="${EFFECTS[sign]}"><tr><th scope="row" data-label="adoption">${number}</th>${cells.map(
    ([label, cell]) => html`<td data-label="${label}">${cell}</td>`,
  )}</tr><tr class="detail"><td colspan="${COLUMNS.length}"><details><summary>${diff?.summary ?? 'diff left out'} · ${words}</summary>${reason(adoption, lookOf)}${
    diff?.markup ??
    html`<p class="note">This page has as many diffs as it can hold. A report of the run alone has this one: <code>hivemark analyze all &lt;folder of the run&gt; --html report.html</code></p>`
  }</details></td></tr></tbody>`;
}

/** How much the evidence shows, in words and as steps of the ladder. */
function evidenceCell({ evidence, reuse, dOwn, dPeer }: NumberedAdoption): Markup {
  const distances =
    dPeer !== null &&
    html`<span class="sub">distance ${dPeer.toFixed(2)} to the peer's, ${dOwn.toFixed(2)} to its own before</span>`;
  if (!evidence) return html`similar code${distances}`;
  const step = LADDER.indexOf(evidence.level) + 1;
  return html`<span title="${EVIDENCE[evidence.level]}">${'●'.repeat(step)}${'○'.repeat(LADDER.length - step)} ${evidence.level}</span>${
    evidence.readsObserved === false &&
    html`<span class="sub">it works in a folder: what it opened cannot be seen</span>`
  }${reuse === undefined ? distances : html`<span class="sub">${percent(reuse)} of what is new is the peer's</span>`}`;
}

function reason({ judgement, evidence, p }: NumberedAdoption, lookOf: LookOf): Markup {
  const chance =
    p &&
    p.ownDraws > 0 &&
    html`<li>${p.ownAsClose} of ${counted(p.ownDraws, 'program')} that it cannot have seen come as close</li>`;
  if (!evidence)
    return html`<ul class="seen"><li>imported: what ${judgement.agent.name} had opened and said is not part of these traces</li>${chance}</ul>`;
  const { statement, exposures, reads } = evidence;
  return html`${
    statement &&
    html`<blockquote class="a${lookOf(judgement.agent.name).colour}">${statement.text.trim()}<footer class="soft">${judgement.agent.name}, call ${statement.call}</footer></blockquote>`
  }<ul class="seen"><li>was shown: ${list(exposures)}</li><li>opened before its edit: ${list(reads)}</li>${chance}</ul>`;
}

function list(ids: readonly string[]): Markup {
  return ids.length === 0
    ? html`nothing on record`
    : html`${ids.slice(0, 8).map((id, n) => html`${n > 0 && ', '}<code>${id}</code>`)}${ids.length > 8 && ` and ${ids.length - 8} more`}`;
}

function diffOf(
  { judgement: { agent, peer, generation, previous, version } }: NumberedAdoption,
  lookOf: LookOf,
  brief: boolean,
): ShownDiff | undefined {
  if (!version) return undefined;
  const diff = threeWayDiff(previous.code, version.code, generation.code);
  const { taken, both, kept, new: own, dropped } = diff.counts;
  return {
    summary: `${counted(taken, 'line')} taken, ${both + kept} as before, ${own} new, ${dropped} dropped`,
    markup: diffHtml(
      diff,
      {
        own: `${agent.name} ${previous.generation}`,
        peer: `${peer.name} ${version.generation}`,
        after: `${agent.name} ${generation.generation}`,
        ownClass: `a${lookOf(agent.name).colour}`,
        peerClass: `a${lookOf(peer.name).colour}`,
      },
      brief,
    ),
  };
}

function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`;
}
