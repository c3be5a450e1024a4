import { agentKey, type LookOf } from './agent-key.ts';
import { counted, scoreText } from './figures-text.ts';
import { html, type Markup } from './html.ts';
import type { NumberedAdoption, ReportData } from './report-data.ts';

/** Who from whom, when, on what evidence, with what effect, by chance: the page's answer in five boxes. */
export function answerBoxes(data: ReportData, lookOf: LookOf): Markup {
  const { judged, totals, directions, runs } = data;
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
            html`<div>${events} × ${agentKey(agent, lookOf)} from ${agentKey(peer, lookOf)}</div>`,
        )}${taken.length > 6 && html`<div>and ${taken.length - 6} more directions</div>`}`,
    ),
    box(
      'In which generations',
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
    isScripted(data)
      ? box('By chance', 'not testable', SCRIPTED_CHANCE)
      : expectedByChance === null
        ? box('By chance', 'not testable', 'no other run of the same task to draw strangers from')
        : box(
            'By chance',
            `${expectedByChance.toFixed(1)} of ${observed}`,
            `would come about, by ${n.toLocaleString('en-US')} comparisons with programs it cannot have seen`,
          ),
  ]}</dl>`;
}

/** Whether any agent ran on a deterministic program in the place of a language model. */
export function isScripted({ runs }: ReportData): boolean {
  return runs.some(({ run }) => run.agents.some(({ scripted }) => scripted === true));
}

/** Why the placebo test tells nothing of scripted models. */
export const SCRIPTED_CHANCE =
  'scripted models write the same code in every run, so programs of other runs are no strangers';

function rangeText(generations: readonly number[]): string {
  const [first, last] = [Math.min(...generations), Math.max(...generations)];
  return first === last ? String(first) : `${first}–${last}`;
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
  return [
    'similar code',
    `nearer to the peer's than to the agent's own before (${most}; 0.5 is half-way, below 0.4 counts)`,
  ];
}

/** What each level of evidence says. */
export const EVIDENCE = {
  similar: "the new code is like the peer's",
  exposed: "the peer's code was put where the agent could see it, and the new code is like it",
  read: "the agent opened the peer's code before, and the new code is like it",
  stated: "the agent opened the peer's code, said that it would take from it, and the new code is like it",
} as const;
