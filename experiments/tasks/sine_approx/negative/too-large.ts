// Finite numbers beyond the range.
export function forward(input) {
  return input.x.map((x) => x * 1e300);
}
