// A thenable that resolves with another, and that with no placement.
export function forward() {
  return { then: (resolve) => resolve({ then: (inner) => inner({ score: 1, length: 18 }) }) };
}
