// A result of tens of megabytes.
export function forward() {
  return Array(5_000_000).fill(1234567);
}
