// Takes memory until there is none.
export function forward() {
  const kept = [];
  for (;;) kept.push(new Float64Array(1_000_000).fill(kept.length));
}
