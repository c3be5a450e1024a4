import { line } from 'd3-shape';
import { ABOUT_ZERO, isSearch } from '../analysis/scores.ts';
import type { LoadedAgent, LoadedGeneration } from '../trace/loaded-run.ts';
import { axes, type ChartFrame, chartFrame, pixel, spreadOut } from './chart-frame.ts';
import { html, type Markup } from './html.ts';
import { effectSign, scoreText, shortened, signedText } from './figures-text.ts';
import type { AgentLook } from './palette.ts';
import type { NumberedAdoption, RunFigures } from './report-data.ts';

/** Height of the band below the plot for programs that scored about nothing: on the scale they would flatten the rest. */
const STRIP = 26;
/** More programs than this get plain dots instead of marks with a text each. */
const MARKED = 160;

interface Point {
  readonly program: LoadedGeneration;
  readonly x: number;
  readonly y: number;
  /** Scored about nothing, or has no score: drawn in the strip. */
  readonly down: boolean;
}

/** The validation scores of a run's agents over the generations, an arrow from the peer's program to the adopter's for every adoption. */
export function trajectoryChart({ run, adoptions }: RunFigures, lookOf: (name: string) => AgentLook): Markup {
  const programs = run.agents.flatMap(({ generations }) => generations);
  const search = isSearch(run);
  const generations = programs.map(({ generation }) => generation);
  const scores = programs.filter((one) => !isDown(one)).map(({ scores: { validation = 0 } }) => validation);
  if (generations.length === 0) return html`<p class="none">No program could be read.</p>`;
  const strip = programs.some(isDown) ? STRIP : 0;
  const frame = chartFrame({
    xDomain: [Math.min(...generations), Math.max(...generations)],
    yDomain: scores.length === 0 ? [0, 1] : [Math.min(...scores), Math.max(...scores)],
    height: 330,
    rightRoom: 128,
    strip,
  });
  const pointOf = (program: LoadedGeneration): Point => {
    const down = isDown(program);
    const y = down ? frame.bottom + STRIP / 2 + 3 : frame.y(program.scores.validation ?? 0);
    return { program, x: pixel(frame.x(program.generation)), y: pixel(y), down };
  };
  const lines = run.agents.map((agent) => ({
    agent,
    look: lookOf(agent.name),
    points: agent.generations.map(pointOf),
  }));
  const arrows = adoptions.flatMap((adoption) => {
    const ends = endsOf(adoption, pointOf, lookOf);
    return ends ? [{ adoption, ends }] : [];
  });
  const places = badgePlaces(arrows.map(({ ends }) => ends));
  const title = `Validation score by ${search ? 'iteration' : 'generation'} in ${run.id}: ${run.agents
    .map((agent) => `${agent.name} from ${scoreText(firstScore(agent))} to at best ${scoreText(bestScore(agent))}`)
    .join('; ')}. ${adoptions.length} ${adoptions.length === 1 ? 'adoption' : 'adoptions'}.`;
  return html`<div class="chart"><svg viewBox="0 0 ${frame.width} ${frame.height}" role="group" aria-label="${title}">${axes(
    frame,
    search ? 'iteration' : 'generation',
    search ? 'score' : 'validation score',
    strip,
  )}${strip > 0 && html`<rect class="strip" x="${frame.left}" y="${frame.bottom + 4}" width="${frame.right - frame.left}" height="${STRIP - 4}"/><text class="name" x="${frame.right + 8}" y="${frame.bottom + STRIP - 6}">about 0 or invalid</text>`}${lines.map(
    ({ look, points }) => agentLine(look, points, search),
  )}${arrows.map(({ adoption, ends }) => arrow(adoption, ends))}${lines.map(({ agent, look, points }) =>
    marks(agent, look, points),
  )}${arrows.map(({ adoption, ends }, n) => badge(adoption, places[n] ?? [ends.to.x, ends.to.y], ends.look))}${names(lines, frame)}</svg></div>`;
}

function isDown({ scores: { validation }, valid }: LoadedGeneration): boolean {
  return validation === undefined || !valid || Math.abs(validation) <= ABOUT_ZERO;
}

/** Line breaks where a program failed. A search tries many programs of any score, so there the line is the best so far. */
function agentLine({ colour }: AgentLook, points: readonly Point[], search: boolean): Markup {
  let best = Number.POSITIVE_INFINITY;
  const shown = search
    ? points.flatMap((point) => {
        if (point.down || point.y >= best) return [];
        const from = best;
        best = point.y;
        return Number.isFinite(from) ? [{ ...point, y: from }, point] : [point];
      })
    : points;
  const last = points.at(-1);
  const whole = search && last && Number.isFinite(best) ? [...shown, { ...last, y: best, down: false }] : shown;
  const path = line<Point>()
    .defined(({ down }) => !down)
    .x(({ x }) => x)
    .y(({ y }) => y)
    .digits(1)(whole);
  return html`<path class="line a${colour}" d="${path ?? ''}"/>`;
}

function marks({ name }: LoadedAgent, { colour, shape }: AgentLook, points: readonly Point[]): Markup {
  if (points.length > MARKED) {
    const dots = (down: boolean): string =>
      points
        .filter((point) => point.down === down)
        .map(({ x, y }) => `M${x},${y}h0`)
        .join('');
    return html`<path class="dots a${colour}" d="${dots(false)}"/><path class="dots failed a${colour}" d="${dots(true)}"/>`;
  }
  return html`<g class="marks a${colour}">${points.map(
    ({ program, x, y, down }) =>
      html`<path${down ? html` class="failed"` : program.published === true || program.copy === true ? html` class="${program.copy === true ? 'copy' : 'published'}"` : null} transform="translate(${x},${y})" d="${down ? 'M-4,-4L4,4M-4,4L4,-4' : shape}"><title>${markTitle(name, program)}</title></path>`,
  )}</g>`;
}

function markTitle(name: string, { generation, scores, cause, copy, published, valid }: LoadedGeneration): string {
  const facts = [
    scores.validation === undefined ? 'no score' : scoreText(scores.validation),
    ...(valid ? [] : ['invalid']),
    ...(cause === undefined ? [] : [cause]),
    ...(copy === true ? ['a copy'] : []),
    ...(published === true ? ['published'] : []),
  ];
  return `${name} ${generation}: ${facts.join(', ')}`;
}

interface Ends {
  readonly from: Point;
  readonly to: Point;
  readonly look: AgentLook;
}

function endsOf(
  { judgement: { version, generation, peer } }: NumberedAdoption,
  pointOf: (program: LoadedGeneration) => Point,
  lookOf: (name: string) => AgentLook,
): Ends | undefined {
  return version && { from: pointOf(version), to: pointOf(generation), look: lookOf(peer.name) };
}

/** Curved, so that an arrow does not hide in a line, and short of the mark it points to. */
function arrow({ number, evidence }: NumberedAdoption, ends: Ends): Markup {
  const { from, to, look } = ends;
  const [cx, cy] = bend(ends);
  const length = Math.hypot(to.x - cx, to.y - cy) || 1;
  const [ux, uy] = [(to.x - cx) / length, (to.y - cy) / length];
  const [tx, ty] = [to.x - ux * 8, to.y - uy * 8];
  const [bx, by] = [tx - ux * 9, ty - uy * 9];
  const head = `M${pixel(tx)},${pixel(ty)}L${pixel(bx - uy * 4.5)},${pixel(by + ux * 4.5)}L${pixel(bx + uy * 4.5)},${pixel(by - ux * 4.5)}z`;
  const weak = evidence === undefined || evidence.level === 'similar' || evidence.level === 'exposed';
  return html`<g class="arrow a${look.colour}${weak ? ' weak' : ''}" data-adoption="${number}"><path class="shaft" d="M${from.x},${from.y}Q${pixel(cx)},${pixel(cy)} ${pixel(bx)},${pixel(by)}"/><path class="head" d="${head}"/></g>`;
}

/**
 * The control point of an arrow's curve, beside the line between its ends: far enough for a short arrow to be seen beside a line of
 * scores, not so far that a long one leaves the figure, and on the other side where there is no room above.
 */
function bend({ from, to }: Ends): readonly [x: number, y: number] {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const off = Math.min(Math.max(length * 0.18, 20), 56);
  const middle = (from.y + to.y) / 2;
  const lift = (-dx / length) * off;
  const side = middle + lift / 2 < BADGE_OFF + 10 ? -1 : 1;
  return [(from.x + to.x) / 2 + side * (dy / length) * off, middle + side * lift];
}

/** From an arrow's curve to its badge, so that the badge does not hide the arrow. */
const BADGE_OFF = 13;
/** Where along its arrow a badge can stand, the first place that is free. */
const BADGE_PLACES = [0.5, 0.35, 0.65, 0.2, 0.8];

/** Places for the badges of all arrows, apart from each other where there is a way. */
function badgePlaces(all: readonly Ends[]): readonly (readonly [x: number, y: number])[] {
  const placed: (readonly [number, number])[] = [];
  for (const ends of all) {
    const { from, to } = ends;
    const [cx, cy] = bend(ends);
    const [ox, oy] = [cx - (from.x + to.x) / 2, cy - (from.y + to.y) / 2];
    const out = Math.hypot(ox, oy) || 1;
    const places = BADGE_PLACES.map((t): readonly [number, number] => [
      pixel((1 - t) ** 2 * from.x + 2 * t * (1 - t) * cx + t * t * to.x + (ox / out) * BADGE_OFF),
      pixel((1 - t) ** 2 * from.y + 2 * t * (1 - t) * cy + t * t * to.y + (oy / out) * BADGE_OFF),
    ]);
    const free = places.find(([x, y]) => placed.every(([px, py]) => Math.abs(px - x) > 28 || Math.abs(py - y) > 18));
    placed.push(free ?? places[0] ?? [from.x, from.y]);
  }
  return placed;
}

/** The adoption's number, a link to its row, and which way the score went. */
function badge(
  { number, before, after, judgement }: NumberedAdoption,
  [x, y]: readonly [number, number],
  { colour }: AgentLook,
): Markup {
  const text = `Adoption ${number}: ${judgement.agent.name} (generation ${judgement.generation.generation}) took from ${judgement.peer.name} (generation ${judgement.version?.generation ?? '?'}), effect ${signedText(before, after)}`;
  const width = 14 + 6.4 * String(number).length;
  return html`<a class="badge a${colour}" href="#adoption-${number}" data-adoption="${number}" aria-label="${text}"><rect x="${pixel(x - width / 2 - 3)}" y="${pixel(y - 8)}" width="${pixel(width + 6)}" height="16" rx="8"/><text x="${x}" y="${pixel(y + 4)}" text-anchor="middle">${number}${effectSign(before, after)}</text><title>${text}</title></a>`;
}

function names(
  lines: readonly { readonly agent: LoadedAgent; readonly look: AgentLook; readonly points: readonly Point[] }[],
  frame: ChartFrame,
): Markup {
  const ends = lines.map(({ points }) => points.findLast(({ down }) => !down) ?? points.at(-1));
  const heights = spreadOut(
    ends.map((end) => Math.min(end?.y ?? frame.bottom, frame.bottom)),
    16,
    frame.bottom,
  );
  return html`${lines.map(
    ({ agent, look }, n) =>
      html`<g class="marks a${look.colour}" transform="translate(${frame.right + 12},${pixel(heights[n] ?? frame.top)})"><path d="${look.shape}"/><text x="9" y="4">${shortened(agent.name, 14)}</text></g>`,
  )}`;
}

function firstScore({ generations }: LoadedAgent): number | undefined {
  return generations.find((one) => !isDown(one))?.scores.validation;
}

function bestScore({ generations }: LoadedAgent): number | undefined {
  const scores = generations.flatMap(({ scores: { validation } }) => validation ?? []);
  return scores.length === 0 ? undefined : Math.max(...scores);
}
