/** Programs for tests of the measures: what both agents start from, and what one of them made of it. */
export const INITIAL = `export function forward(input) {
  const layout = [];
  for (let i = 0; i < input.count; i += 1) {
    layout.push({ x: i, y: 0 });
  }
  return layout;
}
`;

export const HEXAGONAL = `
function hexagonalRows(count, spacing) {
  const perRow = Math.ceil(Math.sqrt(count));
  const rowHeight = spacing * Math.sqrt(0.75);
  const points = [];
  for (let row = 0; points.length < count; row += 1) {
    const shift = row % 2 === 0 ? 0 : spacing / 2;
    for (let column = 0; column < perRow && points.length < count; column += 1) {
      points.push({ x: shift + column * spacing, y: row * rowHeight });
    }
  }
  return points;
}
`;

export const TUNING = `
function improveLocally(points, score, random, rounds) {
  let bestScore = score(points);
  let stepSize = 0.25;
  for (let round = 0; round < rounds; round += 1) {
    const index = Math.floor(random() * points.length);
    const moved = points.with(index, { x: points[index].x + stepSize, y: points[index].y - stepSize });
    const movedScore = score(moved);
    if (movedScore > bestScore) [points, bestScore] = [moved, movedScore];
    else stepSize *= 0.97;
  }
  return points;
}
`;

export const PEER = `${INITIAL.replace('return layout', 'return hexagonalRows(input.count, 1.5)')}${HEXAGONAL}`;
