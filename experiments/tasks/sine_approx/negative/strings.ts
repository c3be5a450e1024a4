// Numbers as text.
export function forward(input) {
  return input.x.map((x) => String(x - x ** 3 / 6));
}
