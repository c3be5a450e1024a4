// Packs 26 circles into the unit square: one in the middle, a ring of 8, a ring of 16, one in a corner, then radii that touch.
type Point = [number, number];

const clip = (value: number) => Math.min(0.99, Math.max(0.01, value));

// Centres: fixed rings around the middle of the square, kept off its sides.
function placeCenters(): Point[] {
  const centers: Point[] = [[0.5, 0.5]];
  for (let i = 0; i < 8; i++) {
    const angle = (2 * Math.PI * i) / 8;
    centers.push([0.5 + 0.3 * Math.cos(angle), 0.5 + 0.3 * Math.sin(angle)]);
  }
  for (let i = 0; i < 16; i++) {
    const angle = (2 * Math.PI * i) / 16;
    centers.push([0.5 + 0.7 * Math.cos(angle), 0.5 + 0.7 * Math.sin(angle)]);
  }
  centers.push([0, 0]);
  return centers.map(([x, y]) => [clip(x), clip(y)]);
}

// Radii: as far as the nearest side, then every overlapping pair shrinks together until it touches.
function fitRadii(centers: Point[]): number[] {
  const radii = centers.map(([x, y]) => Math.min(x, y, 1 - x, 1 - y));
  for (let i = 0; i < centers.length; i++) {
    for (let j = i + 1; j < centers.length; j++) {
      const distance = Math.hypot(centers[i][0] - centers[j][0], centers[i][1] - centers[j][1]);
      const sum = radii[i] + radii[j];
      if (sum > distance) {
        radii[i] *= distance / sum;
        radii[j] *= distance / sum;
      }
    }
  }
  return radii;
}

export async function forward(): Promise<{ centers: Point[]; radii: number[] }> {
  const centers = placeCenters();
  return { centers, radii: fitRadii(centers) };
}
