// A thenable that resolves with another, and that with no numbers.
export function forward() {
  return { then: (resolve) => resolve({ then: (inner) => inner({ score: 1 }) }) };
}
