// Indices as text: '0' + '1' is not 1.
export function forward(input) {
  return input.models.map((_, i) => String(i % input.gpuCount));
}
