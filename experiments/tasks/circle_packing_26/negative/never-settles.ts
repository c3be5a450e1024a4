// A promise that nobody settles.
export function forward() {
  return new Promise(() => {});
}
