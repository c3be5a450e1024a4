// Numbers that are not what JSON can carry.
export function forward(input) {
  return input.models.map((_, i) => (i % 2 ? 10n : 2 ** 53 + 1));
}
