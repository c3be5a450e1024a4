import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { html, type Markup } from './html.ts';

/** Units of a figure's coordinate system; it is drawn as wide as there is room. */
export const CHART_WIDTH = 860;
const LEFT = 52;
const TOP = 14;
const BOTTOM = 42;

export interface ChartFrame {
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
  readonly width: number;
  readonly height: number;
  /** Edges of the plot. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface FrameOptions {
  readonly xDomain: readonly [number, number];
  readonly yDomain: readonly [number, number];
  readonly height?: number;
  /** Room to the right of the plot for the names of lines. @default 96 */
  readonly rightRoom?: number;
  /** Room between the plot and its x axis. @default 0 */
  readonly strip?: number;
}

/** The coordinates of a chart. A domain without extent is widened. */
export function chartFrame({ xDomain, yDomain, height = 300, rightRoom = 96, strip = 0 }: FrameOptions): ChartFrame {
  const right = CHART_WIDTH - rightRoom;
  const bottom = height - BOTTOM - strip;
  return {
    x: scaleLinear(widened(xDomain), [LEFT + 8, right - 8]),
    y: scaleLinear(widened(yDomain), [bottom, TOP]).nice(5),
    width: CHART_WIDTH,
    height,
    left: LEFT,
    right,
    top: TOP,
    bottom,
  };
}

function widened([from, to]: readonly [number, number]): [number, number] {
  if (to > from) return [from, to];
  const by = Math.abs(from) * 0.05 || 0.5;
  return [from - by, to + by];
}

/** Grid, ticks and names of the axes. Generations and other whole things get whole ticks. */
export function axes(frame: ChartFrame, xName: string, yName: string, strip = 0): Markup {
  const { x, y, left, right, top, bottom } = frame;
  const floor = bottom + strip;
  const xTicks = x.ticks(10).filter((tick) => Number.isInteger(tick));
  const xFormat = x.tickFormat(10, Math.max(...xTicks.map(Math.abs), 0) >= 10_000 ? '~s' : 'd');
  const yFormat = y.tickFormat(5);
  return html`<g class="axes" aria-hidden="true">${y
    .ticks(5)
    .map(
      (tick) =>
        html`<path class="grid" d="M${left},${pixel(y(tick))}H${right}"/><text x="${left - 7}" y="${pixel(y(tick) + 4)}" text-anchor="end">${yFormat(tick)}</text>`,
    )}<path class="rule" d="M${left},${floor}H${right}"/>${xTicks.map(
    (tick) => html`<text x="${pixel(x(tick))}" y="${floor + 17}" text-anchor="middle">${xFormat(tick)}</text>`,
  )}<text class="name" x="${(left + right) / 2}" y="${floor + 34}" text-anchor="middle">${xName}</text><text class="name" transform="translate(12,${(top + bottom) / 2})rotate(-90)" text-anchor="middle">${yName}</text></g>`;
}

/** Coordinates to a tenth of a unit: a figure does not show more. */
export function pixel(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Heights at which names do not overlap, as near as possible to those wanted; in the order given. */
export function spreadOut(wanted: readonly number[], gap: number, lowest: number): readonly number[] {
  const order = wanted.map((y, n) => ({ y, n })).sort((a, b) => a.y - b.y);
  const placed: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const { y, n } of order) {
    last = Math.max(y, last + gap);
    placed[n] = last;
  }
  const over = Math.max(0, last - lowest);
  if (over === 0) return placed;
  // Too far down: push up from below.
  let next = Number.POSITIVE_INFINITY;
  for (const { n } of order.reverse()) {
    next = Math.min(placed[n] ?? lowest, lowest, next - gap);
    placed[n] = next;
  }
  return placed;
}
