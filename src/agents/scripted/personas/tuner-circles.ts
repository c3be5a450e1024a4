import { rewriteLine } from '../apply-idea.ts';
import { tune } from '../nudge.ts';
import type { Idea } from '../persona.ts';

/* What the tuner knows about packing circles: growing radii and shaking centres, from any layout. Programs for the sandbox, never run here. */

const ANSWER = /return \{ centers, radii: \w+\(centers\) \};|return \w+\(centers\);/;

const GROW = `
// Radii: half the way to the nearest neighbour, then one after the other as far as the others leave room.
function growRadii(centers: Point[]): number[] {
  const gap = (i: number, j: number) => Math.hypot(centers[i][0] - centers[j][0], centers[i][1] - centers[j][1]);
  const side = centers.map(([x, y]) => Math.max(0, Math.min(x, y, 1 - x, 1 - y)));
  const radii = side.map((room, i) => centers.reduce((least, _, j) => (i === j ? least : Math.min(least, gap(i, j) / 2)), room));
  for (let i = 0; i < centers.length; i++) {
    const room = centers.reduce((least, _, j) => (i === j ? least : Math.min(least, gap(i, j) - radii[j])), side[i]);
    radii[i] = Math.max(radii[i], room);
  }
  return radii;
}
`;

const SHAKE = `
const shakeRounds = 400;
const shakeWidth = 0.05;

// Shifts one centre at a time by a little and keeps what makes the sum of the radii larger.
function shake(start: Point[]): { centers: Point[]; radii: number[] } {
  const sumOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
  let centers = start;
  let radii = growRadii(centers);
  for (let round = 0; round < shakeRounds; round++) {
    const width = shakeWidth * (1 - round / shakeRounds);
    const i = Math.floor(Math.random() * centers.length);
    const x = Math.min(0.99, Math.max(0.01, centers[i][0] + width * (2 * Math.random() - 1)));
    const y = Math.min(0.99, Math.max(0.01, centers[i][1] + width * (2 * Math.random() - 1)));
    const trial = centers.with(i, [x, y]);
    const grown = growRadii(trial);
    if (sumOf(grown) > sumOf(radii)) {
      centers = trial;
      radii = grown;
    }
  }
  return { centers, radii };
}
`;

export const tunerCircles: readonly Idea[] = [
  rewriteLine(
    'grow-radii',
    'shrinking pairs wastes room: start every radius small and let it grow as far as the others leave room',
    ANSWER,
    'return { centers, radii: growRadii(centers) };',
    GROW,
  ),
  rewriteLine(
    'shake',
    'centres need not stay where they are: shift them a little and keep what helps',
    ANSWER,
    'return shake(centers);',
    GROW + SHAKE,
  ),
  tune('shakeRounds', 3, 'three times as many shifts', 4000),
  tune('shakeWidth', 3, 'wider shifts', 1),
  tune('shakeWidth', 0.4, 'smaller shifts', 1),
  tune('shakeRounds', 2, 'twice as many shifts', 4000),
];
