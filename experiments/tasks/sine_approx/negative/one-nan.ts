// One NaN among good answers, to spoil the mean.
export function forward(input) {
  return input.x.map((x, i) => (i === 80 ? 0 / 0 : x - x ** 3 / 6));
}
