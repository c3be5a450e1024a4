import { placeboNote } from '../analysis/adoption-report.ts';
import { counted, effectSign, percent, scoreText, signedText } from './figures-text.ts';
import { diffHtml } from './diff-html.ts';
import { html, type Markup } from './html.ts';
import type { AgentLook } from './palette.ts';
import type { NumberedAdoption, ReportData } from './report-data.ts';
import { threeWayDiff } from './three-way-diff.ts';

type LookOf = (name: string) => AgentLook;

/** With more adoptions than this a diff shows changes only, and print has none. */
const MANY = 60;
/** Diffs that go on a page, in characters; later ones are left to a report of their own run. */
const MAX_DIFFS = 6_000_000;

/** An agent's mark and name. */
export function agentKey(name: string, lookOf: LookOf): Markup {
  const { colour, shape } = lookOf(name);
  return html`<span class="key a${colour}"><svg viewBox="-5 -5 10 10" aria-hidden="true"><path d="${shape}"/></svg><span>${name}</span></span>`;
}

/** Who from whom, when, on what evidence, with what effect, by chance: the page's answer in five boxes. */
export function answerBoxes({ judged, totals, directions, runs }: ReportData, lookOf: LookOf): Markup {
  const adoptions = runs.flatMap((one) => one.adoptions);
  const paired = runs.filter(({ run }) => run.agents.length > 1).length;
  if (adoptions.length === 0) {
    const why =
      paired === 0
        ? 'No run has more than one agent, so there was nobody to adopt from.'
        : `Nobody adopted anything in ${counted(paired, 'run')} with peers.`;
    return html`<p class="lead">${why}</p>`;
  }
  const flows = new Map<string, { agent: string; peer: string; events: number }>();
  for (const { agent, peer, events } of directions) {
    const key = JSON.stringify([agent, peer]);
    const flow = flows.get(key) ?? { agent, peer, events: 0 };
    flow.events += events;
    flows.set(key, flow);
  }
  const taken = [...flows.values()].filter(({ events }) => events > 0).sort((a, b) => b.events - a.events);
  const when = adoptions.map(({ judgement }) => judgement.generation.generation);
  const { expectedByChance, n, observed } = judged.placebo;
  const box = (question: string, big: string, rest: Markup | string): Markup =>
    html`<div><dt>${question}</dt><dd><span class="big">${big}</span>${rest}</dd></div>`;
  return html`<dl class="answer">${[
    box(
      'Who from whom',
      counted(totals.events, 'adoption'),
      html`${taken
        .slice(0, 6)
        .map(
          ({ agent, peer, events }) =>
            html`<div>${agentKey(agent, lookOf)} from ${agentKey(peer, lookOf)} × ${events}</div>`,
        )}${taken.length > 6 && html`<div>and ${taken.length - 6} more directions</div>`}`,
    ),
    box(
      'When',
      rangeText(when),
      `in ${counted(runs.filter((one) => one.adoptions.length > 0).length, 'run')} of ${paired} with peers`,
    ),
    box('On what evidence', ...evidenceText(adoptions)),
    box(
      'With what effect',
      `${totals.improving} ▲ ${totals.degrading} ▼ ${totals.neutral} =`,
      [
        totals.meanGain === null ? '' : `raised by ${scoreText(totals.meanGain)} on average`,
        totals.meanLoss === null ? '' : `lowered by ${scoreText(-totals.meanLoss)} on average`,
      ]
        .filter((text) => text !== '')
        .join(', ') || 'no score changed',
    ),
    expectedByChance === null
      ? box('Would chance give that', 'not testable', 'no other run of the same task to draw strangers from')
      : box(
          'Would chance give that',
          `${expectedByChance.toFixed(1)} of ${observed}`,
          `by ${n.toLocaleString('en-US')} comparisons with programs it cannot have seen`,
        ),
  ]}</dl>`;
}

function rangeText(generations: readonly number[]): string {
  const [first, last] = [Math.min(...generations), Math.max(...generations)];
  return first === last ? `generation ${first}` : `generations ${first}–${last}`;
}

function evidenceText(adoptions: readonly NumberedAdoption[]): [string, string] {
  const levels = adoptions.flatMap(({ evidence }) => evidence?.level ?? []);
  if (levels.length > 0) {
    const counts = (['stated', 'read', 'exposed', 'similar'] as const)
      .map((level) => ({ level, count: levels.filter((one) => one === level).length }))
      .filter(({ count }) => count > 0);
    const best = counts[0]?.level ?? 'similar';
    return [counts.map(({ level, count }) => `${count} ${level}`).join(', '), EVIDENCE[best]];
  }
  const shares = adoptions.flatMap(({ share }) => share ?? []);
  const most = shares.length === 0 ? '' : `at most ${Math.max(...shares).toFixed(2)} of the way`;
  return ['code', `nearer to the peer's than to the agent's own before (${most}; 0.5 is half-way, below 0.4 counts)`];
}

const EVIDENCE = {
  similar: "the new code is like the peer's",
  exposed: "the peer's code was put where the agent could see it, and the new code is like it",
  read: "the agent opened the peer's code before, and the new code is like it",
  stated: "the agent opened the peer's code, said that it would take from it, and the new code is like it",
} as const;
const LADDER = ['similar', 'exposed', 'read', 'stated'] as const;

const COLUMNS: readonly { readonly name: string; readonly title: string }[] = [
  { name: 'number', title: '#' },
  { name: 'run', title: 'run' },
  { name: 'who', title: 'who took from whom' },
  { name: 'when', title: 'when' },
  { name: 'evidence', title: 'evidence' },
  { name: 'effect', title: 'effect on the score' },
  { name: 'chance', title: 'by chance' },
];

/** Every adoption in a row that unfolds to the stated reason and the three-way diff. */
export function adoptionSection(data: ReportData, lookOf: LookOf): Markup {
  const adoptions = data.runs.flatMap((one) => one.adoptions);
  if (adoptions.length === 0) return html`<p class="none">There is no adoption to show.</p><p class="note">${placeboNote(data.judged.placebo)}</p>`;
  const several = data.runs.length > 1;
  const brief = adoptions.length > MANY;
  const columns = COLUMNS.filter(({ name }) => several || name !== 'run');
  let room = MAX_DIFFS;
  const bodies = adoptions.map((adoption) => {
    const diff = room > 0 ? diffOf(adoption, lookOf, brief) : undefined;
    room -= diff?.markup.toString().length ?? 0;
    return adoptionRows(adoption, { lookOf, several, columns: columns.length, ...(diff && { diff }) });
  });
  return html`${filters(adoptions, several)}<table class="adoptions"${brief && html` data-print="folded"`}><caption class="soft">Adoptions, in the order of runs and generations. Unfold one for its reason and its code.</caption><thead><tr>${columns.map(
    ({ name, title }) => html`<th scope="col" class="c-${name}">${title}</th>`,
  )}</tr></thead>${bodies}</table>${
    brief &&
    html`<p class="note">With ${adoptions.length} adoptions on one page, diffs leave out what did not change, and print has no diffs; a report of one run has all.</p>`
  }<p class="note">${placeboNote(data.judged.placebo)}</p>`;
}

function filters(adoptions: readonly NumberedAdoption[], several: boolean): Markup | undefined {
  if (adoptions.length < 2) return undefined;
  const select = (name: string, label: string, values: readonly string[]): Markup | undefined =>
    values.length < 2
      ? undefined
      : html`<label>${label} <select data-filter="${name}"><option value="">all</option>${values.map((value) => html`<option>${value}</option>`)}</select></label>`;
  const distinct = (of: (adoption: NumberedAdoption) => string): readonly string[] => [...new Set(adoptions.map(of))].sort();
  return html`<div class="controls" data-needs-script hidden>${[
    several && select('run', 'run', distinct(({ judgement }) => judgement.run.id)),
    select('agent', 'adopter', distinct(({ judgement }) => judgement.agent.name)),
    select('peer', 'from', distinct(({ judgement }) => judgement.peer.name)),
    select('effect', 'effect', distinct(({ before, after }) => EFFECTS[effectSign(before, after)] ?? '')),
  ]}<button type="button" data-unfold="open">unfold all</button><button type="button" data-unfold="close">fold all</button><span role="status" data-shown></span></div>`;
}

const EFFECTS: Readonly<Record<string, string>> = { '▲': 'raised', '▼': 'lowered', '=': 'unchanged', '?': 'not known' };

interface RowOptions {
  readonly lookOf: LookOf;
  readonly several: boolean;
  readonly columns: number;
  readonly diff?: { readonly summary: string; readonly markup: Markup };
}

function adoptionRows(adoption: NumberedAdoption, { lookOf, several, columns, diff }: RowOptions): Markup {
  const { number, judgement, before, after, evidence, p } = adoption;
  const { run, agent, peer, generation, version } = judgement;
  const sign = effectSign(before, after);
  const cells: readonly (readonly [label: string, cell: Markup])[] = [
    ...(several ? [['run', html`${run.id}`] as const] : []),
    ['who', html`<strong>${agentKey(agent.name, lookOf)}</strong> from ${agentKey(peer.name, lookOf)}`],
    [
      'when',
      html`generation ${generation.generation}<span class="sub">from ${peer.name}'s generation ${version?.generation ?? 'not known'}</span>`,
    ],
    ['evidence', evidenceCell(adoption)],
    [
      'effect',
      html`<span class="effect">${sign} ${signedText(before, after)}</span><span class="sub">${scoreText(before)} → ${scoreText(after)}</span>`,
    ],
    [
      'by chance',
      p
        ? html`p ${pText(p.p)}<span class="sub">adjusted ${pText(p.adjusted)}; ${p.ownAsClose} of ${p.ownDraws} strangers as close</span>`
        : html`<span class="soft">not tested</span>`,
    ],
  ];
  const said = evidence?.statement?.text.trim();
  const words = said === undefined || said === '' ? 'No reason on record' : `“${clipped(said, 110)}”`;
  return html`<tbody id="adoption-${number}" data-adoption="${number}" data-run="${run.id}" data-agent="${agent.name}" data-peer="${peer.name}" data-effect="${EFFECTS[sign]}"><tr><th scope="row" data-label="adoption">${number}</th>${cells.map(
    ([label, cell]) => html`<td data-label="${label}">${cell}</td>`,
  )}</tr><tr class="detail"><td colspan="${columns}"><details><summary>${diff?.summary ?? 'diff left out'} · ${words}</summary>${reason(adoption, lookOf)}${
    diff?.markup ??
    html`<p class="note">This page has as many diffs as it can hold. A report of the run alone has this one: <code>hivemark analyze all &lt;folder of the run&gt; --html report.html</code></p>`
  }</details></td></tr></tbody>`;
}

/** How much the evidence shows, in words and as steps of the ladder. */
function evidenceCell({ evidence, reuse, dOwn, dPeer }: NumberedAdoption): Markup {
  const distances = dPeer !== null && html`<span class="sub">distance ${dPeer.toFixed(2)} to the peer's, ${dOwn.toFixed(2)} to its own before</span>`;
  if (!evidence) return html`similar code${distances}`;
  const step = LADDER.indexOf(evidence.level) + 1;
  return html`<span title="${EVIDENCE[evidence.level]}">${'●'.repeat(step)}${'○'.repeat(LADDER.length - step)} ${evidence.level}</span>${
    reuse === undefined ? distances : html`<span class="sub">${percent(reuse)} of the new code is the peer's</span>`
  }`;
}

function reason({ judgement, evidence }: NumberedAdoption, lookOf: LookOf): Markup {
  if (!evidence)
    return html`<p class="soft">Imported: what ${judgement.agent.name} had opened and said is not part of these traces.</p>`;
  const { statement, exposures, reads } = evidence;
  return html`${
    statement &&
    html`<blockquote class="a${lookOf(judgement.agent.name).colour}">${statement.text.trim()}<footer class="soft">${judgement.agent.name}, call ${statement.call}</footer></blockquote>`
  }<ul class="seen"><li>was shown: ${list(exposures)}</li><li>opened before its edit: ${list(reads)}</li></ul>`;
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
): { readonly summary: string; readonly markup: Markup } | undefined {
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

function clipped(text: string, most: number): string {
  const line = text.replaceAll(/\s+/g, ' ');
  const signs = [...line];
  return signs.length <= most ? line : `${signs.slice(0, most).join('')}…`;
}

function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`;
}
