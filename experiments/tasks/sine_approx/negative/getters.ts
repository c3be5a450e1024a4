// Entries that differ from one reading to the next.
export function forward(input) {
  let reads = 0;
  const answer = [];
  for (let i = 0; i < input.x.length; i++) {
    Object.defineProperty(answer, i, { enumerable: true, get: () => (reads++ ? 1e9 : 0) });
  }
  return answer;
}
