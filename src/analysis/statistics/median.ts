/** Arithmetic mean; undefined without values. */
export function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle value, or the mean of the two middle ones; undefined without values. */
export function median(values: readonly number[]): number | undefined {
  return quantile(values, 0.5);
}

/**
 * The value below which the share `q` (0..1) of the values lies, interpolated linearly between neighbours; undefined without
 * values.
 *
 * @see Hyndman and Fan 1996, definition 7: the default of R, NumPy and Excel
 */
export function quantile(values: readonly number[], q: number): number | undefined {
  return quantileOfSorted(Float64Array.from(values).sort(), q);
}

/** `quantile` of values that are ascending already. */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number | undefined {
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)];
  const high = sorted[Math.ceil(position)];
  if (low === undefined || high === undefined) return undefined;
  const part = position - Math.floor(position);
  return part === 0 ? low : part === 0.5 ? (low + high) / 2 : low + (high - low) * part;
}
