// A thenable that resolves with another, and that with no packing.
export function forward() {
  return { then: (resolve) => resolve({ then: (inner) => inner({ sum: 2.7, score: 1 }) }) };
}
