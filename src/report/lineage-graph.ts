import { scaleLinear } from 'd3-scale';
import { linkHorizontal } from 'd3-shape';
import { bestOf, isSearch, scoredGenerations } from '../analysis/scores.ts';
import type { LoadedAgent } from '../trace/loaded-run.ts';
import { CHART_WIDTH, pixel } from './chart-frame.ts';
import { scoreText } from './figures-text.ts';
import { html, type Markup } from './html.ts';
import { lineageLanes, type LineageNode } from './lineage-lanes.ts';
import type { AgentLook } from './palette.ts';
import type { NumberedAdoption, RunFigures } from './report-data.ts';

const LEFT = 52;
const LANE = 13;
const HEAD = 24;
/** Of a larger search only the line of its best program is drawn. */
const MAX_PROGRAMS = 600;

interface Band {
  readonly agent: LoadedAgent;
  readonly look: AgentLook;
  readonly nodes: readonly LineageNode[];
  readonly left: number;
  readonly top: number;
  readonly height: number;
}

/** Who was made from what: one band an agent, the best program's line straight, dead ends below it, adoptions across. */
export function lineageGraph({ run, adoptions }: RunFigures, lookOf: (name: string) => AgentLook): Markup {
  const generations = run.agents.flatMap((agent) => agent.generations.map(({ generation }) => generation));
  if (generations.length === 0) return html`<p class="none">No program could be read.</p>`;
  const [first, last] = [Math.min(...generations), Math.max(...generations)];
  const x = scaleLinear([first, Math.max(last, first + 1)], [LEFT + 8, CHART_WIDTH - 20]);
  let top = 0;
  const bands = run.agents.map((agent): Band => {
    const best = bestOf(scoredGenerations(agent));
    const all = lineageLanes(agent, best?.program);
    const nodes = all.length > MAX_PROGRAMS ? all.filter(({ onBestLine }) => onBestLine) : all;
    const height = HEAD + (1 + nodes.reduce((most, { lane }) => Math.max(most, lane), 0)) * LANE + 8;
    const band = { agent, look: lookOf(agent.name), nodes, left: all.length - nodes.length, top, height };
    top += height;
    return band;
  });
  const height = top + 40;
  const place = ({ program, lane }: LineageNode, band: Band): readonly [number, number] => [
    pixel(x(program.generation)),
    band.top + HEAD + lane * LANE,
  ];
  const label = bands
    .map(({ agent, nodes }) => {
      const line = nodes.filter(({ onBestLine }) => onBestLine);
      return `${agent.name}: ${line.length} of ${agent.generations.length} programs on the line of its best (generation ${line.at(-1)?.program.generation ?? '-'})`;
    })
    .join('; ');
  return html`<div class="chart"><svg viewBox="0 0 ${CHART_WIDTH} ${height}" role="img" aria-label="Lineage in ${run.id}. ${label}.">${bands.map(
    (band) => bandMarkup(band, place),
  )}${adoptions.map((adoption) => crossing(adoption, bands, place))}<g class="axes"><path class="rule" d="M${LEFT},${height - 38}H${CHART_WIDTH - 8}"/>${x
    .ticks(10)
    .filter((tick) => Number.isInteger(tick))
    .map(
      (tick) => html`<text x="${pixel(x(tick))}" y="${height - 22}" text-anchor="middle">${tick}</text>`,
    )}<text class="name" x="${(LEFT + CHART_WIDTH) / 2}" y="${height - 6}" text-anchor="middle">${isSearch(run) ? 'iteration' : 'generation'}</text></g></svg></div>`;
}

type Place = (node: LineageNode, band: Band) => readonly [number, number];

function bandMarkup(band: Band, place: Place): Markup {
  const { agent, look, nodes, top, left } = band;
  const link = linkHorizontal().digits(1);
  const edges = (onBest: boolean): string =>
    nodes
      .flatMap((node) =>
        node.parent && (node.onBestLine && node.parent.onBestLine) === onBest
          ? (link({ source: [...place(node.parent, band)], target: [...place(node, band)] }) ?? [])
          : [],
      )
      .join('');
  const dense = nodes.length > 120;
  return html`<g class="marks a${look.colour}" transform="translate(${LEFT + 5},${top + 9})"><path d="${look.shape}"/><text x="9" y="4">${agent.name}${left > 0 && ` (${left} programs off the line of the best left out)`}</text></g><g class="lineage a${look.colour}"><path class="edge" d="${edges(false)}"/><path class="edge best" d="${edges(true)}"/>${nodes.map(
    (node) => {
      const [cx, cy] = place(node, band);
      const { program, onBestLine } = node;
      const kind = `${onBestLine ? 'on' : 'off'}${program.valid ? '' : ' failed'}`;
      return html`<circle class="${kind}" cx="${cx}" cy="${cy}" r="${program.copy === true ? 1.8 : dense ? 2.6 : 3.8}">${
        !dense &&
        html`<title>${agent.name} ${program.generation}: ${program.valid ? scoreText(program.scores.validation) : 'invalid'}</title>`
      }</circle>`;
    },
  )}</g>`;
}

function crossing({ judgement, number }: NumberedAdoption, bands: readonly Band[], place: Place): Markup | undefined {
  const find = (agent: LoadedAgent, id: string | undefined): readonly [number, number, AgentLook] | undefined => {
    const band = bands.find((one) => one.agent === agent);
    const node = band?.nodes.find(({ program }) => program.id === id);
    return band && node && [...place(node, band), band.look];
  };
  const from = find(judgement.peer, judgement.version?.id);
  const to = find(judgement.agent, judgement.generation.id);
  if (!from || !to) return undefined;
  const [x1, y1, look] = from;
  const [x2, y2] = to;
  const down = y2 > y1 ? 1 : -1;
  return html`<g class="crossing a${look.colour}" data-adoption="${number}"><path class="shaft" d="M${x1},${y1 + 4 * down}L${x2},${y2 - 11 * down}"/><path class="head" d="M${x2},${y2 - 5 * down}l-4,${-7 * down}h8z"/></g>`;
}
