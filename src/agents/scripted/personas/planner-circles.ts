import { rewriteLine } from '../apply-idea.ts';
import type { Idea } from '../persona.ts';

/* What the planner knows about packing circles: layouts. Programs for the sandbox, never run here. */

const CENTERS = /const centers = \w+\(\);/;

function layout(key: string, words: string, name: string, code: string): Idea {
  return rewriteLine(key, words, CENTERS, `const centers = ${name}();`, code);
}

export const plannerCircles: readonly Idea[] = [
  layout(
    'hexagonal-rows',
    'rows that are shifted by half a circle pack closest in the plane',
    'placeHexagonal',
    `
// Rows of 5 and 6 circles in turn, each shifted by half a circle against the one before.
function placeHexagonal(): Point[] {
  const centers: Point[] = [];
  [5, 6, 5, 5, 5].forEach((count, row) => {
    for (let i = 0; i < count; i++) centers.push([(i + 0.5 + (row % 2) * 0.1) / 6.2, (row + 0.5) / 5]);
  });
  return centers;
}
`,
  ),
  layout(
    'grid',
    'a grid of five by five touches all four sides, and the 26th fits into a gap',
    'placeGrid',
    `
// Five rows of five, and one more in the gap between the first four.
function placeGrid(): Point[] {
  const centers: Point[] = [];
  for (let i = 0; i < 25; i++) centers.push([0.1 + 0.2 * (i % 5), 0.1 + 0.2 * Math.floor(i / 5)]);
  centers.push([0.2, 0.2]);
  return centers;
}
`,
  ),
  layout(
    'rings',
    'rings of 4, 8 and 14 around the middle',
    'placeRings',
    `
// Three rings around the middle of the square.
function placeRings(): Point[] {
  const centers: Point[] = [];
  for (const [count, radius] of [
    [4, 0.14],
    [8, 0.29],
    [14, 0.43],
  ]) {
    for (let i = 0; i < count; i++) {
      const angle = (2 * Math.PI * i) / count;
      centers.push([0.5 + radius * Math.cos(angle), 0.5 + radius * Math.sin(angle)]);
    }
  }
  return centers;
}
`,
  ),
  layout(
    'corner-gap',
    'the 26th circle in the middle gap of the grid disturbs its neighbours less',
    'placeGridMiddleGap',
    `
// Five rows of five, and one more in a gap near the middle.
function placeGridMiddleGap(): Point[] {
  const centers: Point[] = [];
  for (let i = 0; i < 25; i++) centers.push([0.1 + 0.2 * (i % 5), 0.1 + 0.2 * Math.floor(i / 5)]);
  centers.push([0.4, 0.6]);
  return centers;
}
`,
  ),
];
