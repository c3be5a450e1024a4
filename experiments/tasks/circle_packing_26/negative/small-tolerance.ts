// As tolerance.ts, with a gain of 1e-11 a circle.
export function forward() {
  const centers = [];
  for (let i = 0; i < 25; i++) centers.push([0.1 + 0.2 * (i % 5), 0.1 + 0.2 * Math.floor(i / 5)]);
  centers.push([0.2, 0.2]);
  const radii = Array(25).fill(0.1 + 1e-11);
  radii.push(0.04);
  return { centers, radii };
}
