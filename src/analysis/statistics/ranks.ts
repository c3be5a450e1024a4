export interface Ranks {
  /** Twice the rank of each value, from 2; equal values share the mean of their ranks. Doubled so that they stay integers. */
  readonly doubled: Int32Array;
  /** Sum over groups of equal values of t^3 - t: what ties take from the variance. */
  readonly tieTerm: number;
}

/** Mid-ranks of values, ascending. */
export function rank(values: readonly number[]): Ranks {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const doubled = new Int32Array(values.length);
  let tieTerm = 0;
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++;
    for (const i of order.slice(from, to)) doubled[i] = from + 1 + to;
    const t = to - from;
    tieTerm += t ** 3 - t;
    from = to;
  }
  return { doubled, tieTerm };
}
