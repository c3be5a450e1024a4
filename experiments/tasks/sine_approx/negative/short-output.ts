// The five points it knows.
export function forward() {
  return [0, 0, 0, 0, 0];
}
