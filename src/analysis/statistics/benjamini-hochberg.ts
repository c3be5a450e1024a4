/**
 * P-values adjusted for the number of tests, in the order given: rejecting those up to q keeps the expected share of false
 * rejections at q. Step-up; each is min(1, smallest p_(j) x m / j over j >= its own place).
 *
 * @throws {RangeError} for a value that is no probability.
 * @see Benjamini and Hochberg, Controlling the false discovery rate (1995)
 */
export function benjaminiHochberg(pValues: readonly number[]): readonly number[] {
  for (const [i, p] of pValues.entries()) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`cannot adjust p-value ${i}: ${p} is not between 0 and 1`);
  }
  const order = pValues.map((_, i) => i).sort((x, y) => (pValues[y] ?? 0) - (pValues[x] ?? 0));
  const adjusted = pValues.map(() => 1);
  let least = 1;
  for (const [place, i] of order.entries()) {
    least = Math.min(least, ((pValues[i] ?? 1) * pValues.length) / (pValues.length - place));
    adjusted[i] = least;
  }
  return adjusted;
}
