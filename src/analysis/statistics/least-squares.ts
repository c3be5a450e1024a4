/** Slope of the straight line through points (x, y) with the least squared error in y; 0 where the xs do not differ. */
export function leastSquaresSlope(points: readonly (readonly [x: number, y: number])[]): number {
  const n = points.length;
  if (n === 0) return 0;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  let covariance = 0;
  let variance = 0;
  for (const [x, y] of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}
