import { scaleBand, scaleLinear } from 'd3-scale';
import { type Blame, ORIGINS } from '../analysis/blame.ts';
import { isSearch } from '../analysis/scores.ts';
import type { GenerationProvenance } from '../analysis/provenance-shares.ts';
import { CHART_WIDTH, pixel } from './chart-frame.ts';
import { percent } from './figures-text.ts';
import { html, type Markup } from './html.ts';
import type { AgentLook } from './palette.ts';
import type { RunFigures } from './report-data.ts';

const LEFT = 52;
const ROW = 96;
const BARS = 62;

/** From the bottom of a bar up: what it began with, own, found by both, the peers'. */
const STACK = ['initial', 'own', 'common', 'peer'] as const satisfies readonly (keyof Blame['shares'])[];

/** One bar a program: where its lines were written first. The colours are those of the agents who wrote them. */
export function provenanceBars({ run, provenance }: RunFigures, lookOf: (name: string) => AgentLook): Markup {
  const agents = run.agents.filter(({ name }) => provenance.some(({ agent }) => agent === name));
  if (agents.length === 0) return html`<p class="none">There is no code to attribute.</p>`;
  const search = isSearch(run);
  // A search tries several programs an iteration: there a bar has its place by its number, elsewhere by its generation.
  const columns = agents.map(({ name }) => {
    const bars = provenance.filter(({ agent }) => agent === name);
    return bars.map((bar, n) => ({ ...bar, column: search ? n : bar.generation }));
  });
  const labels = new Map(columns.flat().map(({ column, generation }) => [column, generation]));
  const places = [...labels.keys()].sort((a, b) => a - b);
  const height = agents.length * ROW + 36;
  const x = scaleBand(places, [LEFT, CHART_WIDTH - 8]).paddingInner(places.length > 80 ? 0 : 0.18);
  const label = agents
    .map(({ name }) => {
      const last = provenance.findLast(({ agent }) => agent === name);
      if (!last) return '';
      const shares = ORIGINS.map((origin) => `${origin} ${percent(last.shares[origin])}`).join(', ');
      return `${name}, generation ${last.generation}: ${shares}`;
    })
    .join('; ');
  const every = Math.ceil(places.length / 24);
  return html`<div class="chart"><svg viewBox="0 0 ${CHART_WIDTH} ${height}" role="img" aria-label="Origin of the lines of every program of ${run.id}. Last: ${label}.">${agents.map(
    ({ name }, n) => {
      const peers = run.agents.filter((peer) => peer.name !== name);
      const peer = peers.length === 1 && peers[0] ? `a${lookOf(peers[0].name).colour}` : 'peers';
      return row(
        columns[n] ?? [],
        { name, own: `a${lookOf(name).colour}`, peer, top: n * ROW + 20, shape: lookOf(name).shape },
        x,
      );
    },
  )}${places
    .filter((_, n) => n % every === 0)
    .map(
      (place) =>
        html`<text x="${pixel((x(place) ?? 0) + x.bandwidth() / 2)}" y="${height - 23}" text-anchor="middle">${labels.get(place)}</text>`,
    )}<text class="name" x="${(LEFT + CHART_WIDTH) / 2}" y="${height - 6}" text-anchor="middle">${search ? 'iteration of the program' : 'generation'}</text></svg></div>`;
}

interface Row {
  readonly name: string;
  readonly own: string;
  readonly peer: string;
  readonly top: number;
  readonly shape: string;
}

type Bar = GenerationProvenance & { readonly column: number };

function row(
  bars: readonly Bar[],
  { name, own, peer, top, shape }: Row,
  x: ReturnType<typeof scaleBand<number>>,
): Markup {
  const y = scaleLinear([0, 1], [top + BARS, top]);
  const width = pixel(Math.max(x.bandwidth(), 0.5));
  const bases = new Map(bars.map((bar) => [bar, 0]));
  const classes = { initial: 'initial', own, common: 'common', peer };
  const stacks = STACK.map((origin) => {
    const path = bars
      .map((bar) => {
        const base = bases.get(bar) ?? 0;
        const to = base + bar.shares[origin];
        bases.set(bar, to);
        if (to === base) return '';
        return `M${pixel(x(bar.column) ?? 0)},${pixel(y(to))}h${width}V${pixel(y(base))}h${-width}z`;
      })
      .join('');
    return path === '' ? undefined : html`<path class="bar ${classes[origin]}" d="${path}"/>`;
  });
  return html`<g class="marks ${own}" transform="translate(${LEFT + 5},${top - 9})"><path d="${shape}"/><text x="9" y="4">${name}</text></g>${[
    0, 0.5, 1,
  ].map(
    (share) => html`<text x="${LEFT - 7}" y="${pixel(y(share) + 4)}" text-anchor="end">${percent(share)}</text>`,
  )}<rect class="back" x="${LEFT}" y="${top}" width="${CHART_WIDTH - 8 - LEFT}" height="${BARS}"/>${stacks}`;
}
