import { line } from 'd3-shape';
import { ABOUT_ZERO } from '../analysis/scores.ts';
import { axes, chartFrame, pixel, spreadOut } from './chart-frame.ts';
import { scoreText, shortened } from './figures-text.ts';
import { html, type Markup } from './html.ts';
import type { AgentLook } from './palette.ts';
import type { RunFigures } from './report-data.ts';

interface Step {
  readonly spent: number;
  readonly best: number;
}

/** The best validation score so far against what had been spent until then. */
export function costCurve({ run, spending }: RunFigures, lookOf: (name: string) => AgentLook): Markup {
  if (!spending) return html`<p class="none">${run.id} has no record of what was spent.</p>`;
  const curves = run.agents.flatMap((agent) => {
    const steps: Step[] = [];
    const perGeneration = spending.byAgent.get(agent.name);
    const charged = new Set<number>();
    let spent = 0;
    let best: number | undefined;
    for (const { generation, scores, valid, copy } of agent.generations) {
      if (!charged.has(generation)) spent += perGeneration?.get(generation) ?? 0;
      charged.add(generation);
      const score = valid && copy !== true ? scores.validation : undefined;
      if (score !== undefined && Math.abs(score) > ABOUT_ZERO) best = Math.max(best ?? score, score);
      if (best !== undefined) steps.push({ spent, best });
    }
    return steps.length === 0 ? [] : [{ agent, look: lookOf(agent.name), steps }];
  });
  const all = curves.flatMap(({ steps }) => steps);
  if (all.length === 0) return html`<p class="none">${run.id} has no score to set against what was spent.</p>`;
  const frame = chartFrame({
    xDomain: [0, Math.max(...all.map(({ spent }) => spent))],
    yDomain: [Math.min(...all.map(({ best }) => best)), Math.max(...all.map(({ best }) => best))],
    height: 230,
    rightRoom: 128,
  });
  const names = spreadOut(
    curves.map(({ steps }) => frame.y(steps.at(-1)?.best ?? 0)),
    16,
    frame.bottom,
  );
  const label = curves
    .map(({ agent, steps }) => {
      const end = steps.at(-1);
      return `${agent.name}: ${scoreText(end?.best)} after ${Math.round((end?.spent ?? 0) * 100) / 100}`;
    })
    .join('; ');
  return html`<div class="chart"><svg viewBox="0 0 ${frame.width} ${frame.height}" role="img" aria-label="Best validation score against ${spending.unit} spent in ${run.id}. ${label}.">${axes(
    frame,
    `${spending.unit} spent`,
    'best so far',
  )}${curves.map(({ agent, look, steps }, n) => {
    const path = line<Step>(
      ({ spent }) => frame.x(spent),
      ({ best }) => frame.y(best),
    ).digits(1)(steps.flatMap((step, i) => [{ spent: step.spent, best: steps[i - 1]?.best ?? step.best }, step]));
    return html`<path class="line a${look.colour}" d="${path ?? ''}"/><g class="marks a${look.colour}" transform="translate(${frame.right + 12},${pixel(names[n] ?? frame.top)})"><path d="${look.shape}"/><text x="9" y="4">${shortened(agent.name, 14)}</text></g>`;
  })}</svg></div>`;
}
