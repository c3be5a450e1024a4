import { expect, it } from 'vitest';
import { twoSidedNormal } from './normal.ts';

it.each([
  [0, 1],
  [0.1, 0.920344325445942],
  [1, 0.31731050786291415],
  [1.96, 0.04999579029644087],
  [3, 0.0026997960632601866],
  [3.53, 0.0004155596669612428],
  [3.54, 0.0004001270320146402],
  [5, 5.733031437583866e-7],
  [10, 1.523970604832094e-23],
  [30, 9.813427854295816e-198],
])('twoSidedNormal(%d) is that of scipy.stats.norm', (z, p) => {
  expect(Math.abs(twoSidedNormal(z) / p - 1)).toBeLessThan(1e-11);
  expect(twoSidedNormal(-z)).toBe(twoSidedNormal(z));
});
